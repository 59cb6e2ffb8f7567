#!/usr/bin/env python3
"""Lookout's tracker beside those of PyPI `trackers`: HOTA, IDF1, MOTA and ID switches by PyPI `trackeval`.

    benches/venv && .venv/bin/python benches/accuracy/compare.py

Three tables: PETS09-S2L1 and MOT17-09 with their public detections (the MOT17 protocol for the latter), and end to
end on vtest.avi with the same model at 640x480. Each competitor runs over a sweep of detection thresholds, each in
three ways (see `SETTINGS`), at the sequence's frame rate; its best setting by HOTA + IDF1 is shown. Lookout has one
setting, its defaults. Writes out/accuracy/compare.json; exit code 1 if Lookout failed,
3 if something was skipped.
"""
import argparse
import hashlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from accuracy.detect import cached  # noqa: E402
from accuracy.score import read, score  # noqa: E402
from peers.follow import KINDS, follow, make  # noqa: E402
from peers.places import MISSING, OUT, add_arguments, call, cut, markdown, present, resolve, skip  # noqa: E402

HERE = Path(__file__).resolve().parent
COLUMNS = ("HOTA", "IDF1", "MOTA", "IDSW")
# What a user does with a threshold s: feeds boxes from s up to the package's defaults; also sets the tracker's own
# thresholds to s; or sets those and feeds weaker boxes, from s/2 up, for the second association.
SETTINGS = {"boxes from s": (None, 1.0), "boxes and tracker from s": (1.0, 1.0), "weaker boxes too": (1.0, 0.5)}


def peers(name, rows, fps, frames, gt, mot17, thresholds, names):
    """All settings of all competitors, from the cache where inputs and settings are the same."""
    cache = OUT / "accuracy" / f"peers-{name}.json"
    code = (HERE.parent / "peers/follow.py").read_bytes() + (HERE / "score.py").read_bytes()
    key = hashlib.sha256(rows.tobytes() + gt.tobytes() + repr((fps, frames, mot17)).encode() + code).hexdigest()
    known = json.loads(cache.read_text()) if cache.exists() else {}
    known = known if known.get("key") == key else {"key": key, "results": {}}
    for tracker in names:
        for threshold in thresholds:
            for way, (own, share) in SETTINGS.items():
                label = f"{tracker} / {threshold} / {way}"
                if label not in known["results"]:
                    made = make(tracker, fps, threshold if own else None)
                    known["results"][label] = score(gt, follow(made, rows, frames, threshold * share), mot17, frames)
        cache.parent.mkdir(parents=True, exist_ok=True)
        cache.write_text(json.dumps(known, indent=1))
    wanted = {f"{n} / {t} / {w}": n for n in names for t in thresholds for w in SETTINGS}
    table = {n: [] for n in names}
    for label, tracker in wanted.items():
        table[tracker].append((label, known["results"][label]))
    return table


def show(title, table, ours):
    rows, best = [], {}
    for tracker, results in table.items():
        label, top = max(results, key=lambda r: r[1]["HOTA"] + r[1]["IDF1"])
        highest = {f"highest_{c}": max(r[c] for _, r in results) for c in ("HOTA", "IDF1")}
        best[tracker] = {"setting": label.split(" / ", 1)[1], **top, **highest}
        rows.append([tracker, best[tracker]["setting"], *(top[c] for c in COLUMNS)])
    if ours:
        rows.append(["**Lookout**", "defaults", *(ours[c] for c in COLUMNS)])
    print(f"\n### {title}\n\n{markdown(['tracker', 'best setting', *COLUMNS], rows)}")
    ahead = None
    if ours:
        rivals = {c: max(b[f"highest_{c}"] for b in best.values()) for c in ("HOTA", "IDF1")}
        ahead = {c: round(ours[c] - rivals[c], 2) for c in rivals}
        print("\nLookout minus the highest of any competitor at any setting: "
              + ", ".join(f"{c} {v:+.1f}" for c, v in ahead.items()))
    return {"competitors": best, "lookout": ours, "ahead": ahead}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--short", action="store_true", help="one threshold, three competitors, 120 pictures end to end: a test of the bench")
    given = resolve(parser.parse_args())
    names = ["SORT", "ByteTrack", "OC-SORT"] if given.short else list(KINDS)
    public = [0.5] if given.short else [0.05, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95]
    own = [0.45] if given.short else [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55]
    skipped, failed, report = False, False, {}
    have_lookout = present(given.lookout, "Lookout's own rows")
    out = OUT / "accuracy"
    out.mkdir(parents=True, exist_ok=True)

    for name, fps, size, frames, mot17 in [("PETS09-S2L1", 7, "768x576", 795, False),
                                           ("MOT17-09", 30, "1920x1080", 525, True)]:
        folder = given.shared / "eval" / name
        if not present(folder / "gt/gt.txt", name):
            skipped = True
            continue
        gt, found = read(folder / "gt/gt.txt"), folder / "det/det.txt"
        table = peers(name, read(found), fps, frames, gt, mot17, public, names)
        ours = None
        if have_lookout:
            tracks = out / f"lookout-{name}.txt"
            tracks.unlink(missing_ok=True)
            if call(given.lookout, "track", "--detections", found, "--fps", fps, "--size", size, "--out", tracks,
                    made=tracks, go_on=True):
                ours = score(gt, tracks, mot17, frames)
            else:
                failed = True
        report[name] = show(f"{name}, public detections, {fps} fps", table, ours)

    labels = given.shared / "eval/PETS09-S2L1/gt/gt.txt"
    needed = [(labels, "end to end"), (given.vtest, "end to end"), (given.model, "end to end")]
    if all([present(path, what) for path, what in needed]):
        gt, clip, frames, name = read(labels), given.vtest, 795, "vtest"
        if given.short:
            frames, name = 120, "vtest-short"
            clip, gt = cut(given.vtest, frames), gt[gt[:, 0] <= frames]
        found = cached(clip, given.model, (640, 480), out / f"{name}-640x480.det.txt")
        table = peers(name, read(found), 7, frames, gt, False, own, names)
        ours = None
        if have_lookout:
            if call(given.lookout, "analyze", clip, "--camera", HERE / "vtest.toml", "--out", out / name,
                    "--fps-override", 7, made=out / name / "tracks.txt", go_on=True):
                ours = score(gt, out / name / "tracks.txt", False, frames)
            else:
                failed = True
        report["vtest"] = show("vtest.avi end to end, NanoDet-g INT8 at 640x480, 7 fps", table, ours)
    else:
        skipped = True

    (out / ("short.json" if given.short else "compare.json")).write_text(json.dumps(report, indent=1) + "\n")
    if failed:
        sys.exit(1)
    if skipped or not have_lookout:
        skip("some rows are missing, see above")
        sys.exit(MISSING)


if __name__ == "__main__":
    main()
