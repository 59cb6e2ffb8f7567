#!/usr/bin/env python3
"""Alerts against incidents: Lookout and the usual Python stack, scored as DESIGN.md says.

    benches/venv && .venv/bin/python benches/events/run.py [--only replay,s2l1,intel] [--chance 60] [--short]

replay: `lookout replay` on ground-truth tracks must give exactly the incidents and counts of events/truth.py.
s2l1: `lookout analyze` on vtest.avi against the incidents in the ground truth of PETS09-S2L1.
intel: Intel's clip of one person at a time, against the times at which someone is there.
The Python stack (benches/peers) runs on the same clips over a sweep of thresholds and ways to set them; its best is
shown, as such code is usually written, and with gaps added to it (see peers/zones.py). Writes out/events/events.json;
exit code 1 if a replay differs, 3 if something was skipped. --short: all replays, three random ones, and 120 pictures
of vtest.avi; a test of the bench.
"""
import argparse
import json
import sys
from datetime import datetime
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from accuracy.compare import SETTINGS  # noqa: E402
from accuracy.detect import cached  # noqa: E402
from accuracy.score import read  # noqa: E402
from events import alerts  # noqa: E402
from events.chance import draw  # noqa: E402
from events.truth import Incident, Tracks, camera, crossings, incidents  # noqa: E402
from peers.follow import each_frame, make  # noqa: E402
from peers.places import MISSING, OUT, add_arguments, call, cut, markdown, present, resolve, skip  # noqa: E402
from peers.zones import Rules  # noqa: E402

HERE = Path(__file__).resolve().parent
REPLAYS = [("PETS09-S2L1", "s2l1", 7, (768, 576)), ("PETS09-S1L1-1", "s1l1", 7, (768, 576)),
           ("MOT17-09", "mot17", 30, (1920, 1080)), ("PETS09-S2L1", "gathering", 7, (768, 576)),
           ("PETS09-S1L1-1", "gathering", 7, (768, 576))]
# Frames (at 10 fps) in which someone is there, from the README of the labelled data.
INTEL_FPS, INTEL_FRAMES = 10, 1394
INTEL_PRESENT = [(62, 196), (229, 446), (504, 696), (747, 866), (923, 1196), (1237, 1358)]
INTEL_DWELL = 15
THRESHOLDS = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55)
SHORT = 120  # pictures
COLUMNS = ["incidents", "found", "F1", "duplicates", "false", "false_per_hour", "median_delay_s"]


def until(ended):
    """Seconds from the start of the clip, which replay puts at 1970-01-01, to the last true observation."""
    text = ended and ended["condition_until"]
    return text and round(datetime.fromisoformat(text).timestamp(), 3)


def check(given, name, plan_file, fps, size):
    """Replays one sequence's ground truth: starts and last true observations to the millisecond, and line counts."""
    labels, plan = given.shared / "eval" / name / "gt/gt.txt", camera(plan_file)
    tracks = Tracks(read(labels), fps, size)
    truth, (counts, _) = incidents(plan, tracks), crossings(plan, tracks)
    out = OUT / "events" / f"replay-{name}-{plan_file.stem}.jsonl"
    out.unlink(missing_ok=True)
    call(given.lookout, "replay", "--tracks", labels, "--fps", fps, "--size", f"{size[0]}x{size[1]}",
         "--camera", plan_file, "--out", out, made=out)
    events = [json.loads(line) for line in out.read_text().splitlines()]
    lines = {rule["id"] for line in plan.get("line", []) for rule in line.get("rule", [])}
    want = sorted((i.rule, round(float(i.start), 3), round(float(i.end), 3)) for i in truth)
    ended = {e["alert"]: e for e in events if e["state"] == "ended"}
    got = sorted((e["rule"], round(e["media_time"], 3), until(ended.get(e["alert"]))) for e in events
                 if e["state"] == "started" and e["rule"] not in lines)
    counted = {line: {way: sum(e["state"] == "counted" and e["line"] == line and e["direction"] == way for e in events)
                      for way in ways} for line, ways in counts.items()}
    result = {"incidents": len(want), "equal": want == got and counted == counts,
              "missing": [w for w in want if w not in got], "extra": [g for g in got if g not in want],
              "counts": counts, "counted": counted}
    if not result["equal"]:
        print(f"{name} {plan_file.name}: missing {result['missing']}, extra {result['extra']}, counts {counts}, "
              f"Lookout's {counted}", file=sys.stderr)
    return result


def replay(given):
    rows, report = [], {}
    for name, plan_name, fps, size in REPLAYS:
        result = report[f"{name} {plan_name}"] = check(given, name, HERE / f"{plan_name}.toml", fps, size)
        total = sum(v for ways in result["counts"].values() for v in ways.values())
        rows.append([name, plan_name, result["incidents"], total, "yes" if result["equal"] else "NO"])
    print("\n### Replay of ground truth against an independent computation\n")
    print(markdown(["sequence", "rules", "incidents", "crossings", "equal"], rows))
    return report, all(r["equal"] for r in report.values())


def chance(given, trials):
    """The same with random zones, lines and parameters; a camera file that differs is kept under out/events."""
    total, different = 0, []
    for seed in range(trials):
        name, _, fps, size = REPLAYS[seed % 3]
        plan_file = OUT / "events" / f"chance-{seed}.toml"
        plan_file.write_text(draw(seed, crowded=name != "PETS09-S2L1"))
        result = check(given, name, plan_file, fps, size)
        total += result["incidents"] + sum(v for ways in result["counts"].values() for v in ways.values())
        if result["equal"]:
            plan_file.unlink()
        else:
            different.append(plan_file.name)
        (OUT / "events" / f"replay-{name}-{plan_file.stem}.jsonl").unlink()
    print(f"\n{trials} random camera files, {total} incidents and crossings: {len(different)} differ {different}")
    return {"files": trials, "incidents": total, "different": different}, not different


def stacks(plan, size, fps, found, frames, truth, thresholds):
    """The best alert scores of ByteTrack with zone counters, over thresholds and ways to set them: usual, with gaps."""
    best = {}
    for threshold in thresholds:
        for way, (own, share) in SETTINGS.items():
            rules = {"Python stack": Rules(plan, size, fps),
                     "Python stack with gaps": Rules(plan, size, fps, forgiving=True)}
            said = {who: [] for who in rules}
            for index, tracked in each_frame(make("ByteTrack", fps, threshold if own else None), found, frames,
                                             threshold * share):
                for who in rules:
                    said[who] += rules[who].update(index, tracked)
            for who in rules:
                result = alerts.score(truth, said[who], frames / fps) | {"setting": f"{threshold} / {way}"}
                key = (result["F1"], -result["duplicates"], -result["false"])
                if who not in best or key > best[who][0]:
                    best[who] = key, result
    return {who: result for who, (_, result) in best.items()}


def row(who, setting, result):
    return [who, setting, *(f"{result[c]:.3f}" if c == "F1" else result[c] for c in COLUMNS)]


def clip(given, title, name, video, size, fps, frames, truth, extra=()):
    """One clip through Lookout and through the Python stack."""
    plan_file = HERE / f"{name}.toml"
    plan, report, rows = camera(plan_file), {}, []
    if given.lookout.exists():
        out = OUT / "events" / name
        call(given.lookout, "analyze", video, "--camera", plan_file, "--out", out, *extra, made=out / "events.jsonl")
        report["lookout"] = alerts.score(truth, alerts.started(out / "events.jsonl", plan), frames / fps)
        rows.append(row("**Lookout**", "defaults", report["lookout"]))
    short = "-short" if given.short else ""
    found = OUT / (f"accuracy/vtest{short}-640x480.det.txt" if name == "s2l1" else f"events/{name}.det.txt")
    cached(video, given.model, (640, 480), found)
    report |= stacks(plan, size, fps, read(found), frames, truth, (0.45,) if given.short else THRESHOLDS)
    rows += [row(who, result["setting"], result) for who, result in report.items() if "setting" in result]
    print(f"\n### {title}\n\n" + markdown(["", "setting", *COLUMNS], rows))
    for who, result in report.items():
        print(f"\n{who}: missed {result['details']['missed']}, false {result['details']['false']}, "
              f"duplicates {result['details']['duplicates']}")
    return report


def intel_truth():
    truth = []
    for first, last in INTEL_PRESENT:
        start, end = Fraction(first, INTEL_FPS), Fraction(last, INTEL_FPS)
        truth.append(Incident("table-intrusion", start, end))
        if end - start >= INTEL_DWELL:
            truth.append(Incident("table-loiter", start + INTEL_DWELL, end))
    return truth


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--only", default="replay,s2l1,intel", help="parts, separated by commas")
    parser.add_argument("--chance", type=int, default=0, metavar="N", help="also replay N random camera files")
    parser.add_argument("--short", action="store_true", help="a test of the bench; no clip but the start of vtest.avi")
    given = resolve(parser.parse_args())
    parts, report, skipped, same = given.only.split(","), {}, False, True
    if given.short:
        parts, given.chance = [p for p in parts if p != "intel"], given.chance or 3
    (OUT / "events").mkdir(parents=True, exist_ok=True)
    have_lookout = present(given.lookout, "Lookout's own rows")
    labels = given.shared / "eval/PETS09-S2L1/gt/gt.txt"
    intel = given.shared / "clips/one-by-one-person-detection.mp4"

    if "replay" in parts and have_lookout:
        if present(labels, "replay"):
            report["replay"], same = replay(given)
        else:
            skipped = True
    if given.chance and have_lookout and present(labels, "chance"):
        report["chance"], equal = chance(given, given.chance)
        same &= equal
    if "s2l1" in parts:
        if all([present(path, "s2l1") for path in (labels, given.vtest, given.model)]):
            rows, video, frames = read(labels), given.vtest, 795
            if given.short:
                video, frames = cut(given.vtest, SHORT), SHORT
                rows = rows[rows[:, 0] <= frames]
            tracks = Tracks(rows, 7, (768, 576))
            plan = camera(HERE / "s2l1.toml")
            truth = incidents(plan, tracks)
            report["s2l1"] = clip(given, "vtest.avi (PETS09-S2L1)", "s2l1", video, (768, 576), 7, frames, truth,
                                  ("--fps-override", 7))
            if have_lookout:
                said = json.loads((OUT / "events/s2l1/report.json").read_text())["lines"]
                report["s2l1"]["crossings"] = {"truth": crossings(plan, tracks)[0], "lookout": said}
                print(f"\ncrossings: truth {report['s2l1']['crossings']['truth']}, Lookout {said}")
        else:
            skipped = True
    if "intel" in parts:
        if all([present(path, "intel") for path in (intel, given.model)]):
            report["intel"] = clip(given, "One person at a time (Intel)", "intel", intel, (768, 432), INTEL_FPS,
                                   INTEL_FRAMES, intel_truth())
        else:
            skipped = True

    (OUT / f"events/{'short' if given.short else 'events'}.json").write_text(json.dumps(report, indent=1, default=float) + "\n")
    if not same:
        sys.exit(1)
    if skipped or not have_lookout:
        skip("some parts are missing, see above")
        sys.exit(MISSING)


if __name__ == "__main__":
    main()
