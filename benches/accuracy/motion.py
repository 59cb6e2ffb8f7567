#!/usr/bin/env python3
"""Identity switches under a moving camera: windows of vtest.avi that pan and shake beside windows that stand.

    benches/venv && .venv/bin/python benches/accuracy/motion.py [--shared ../shared]

All windows are cut from the clip by ffmpeg and analysed end to end: four that stand at several places, four that pan and
shake in several phases; the sums are compared, for the switches of one window vary by half from place to place. The truth
is that of PETS09-S2L1 (the same footage), shifted into each window by the offsets that ffmpeg's crop took, boxes cut at
the window's edge, those of which less than half is left taken away. Who is out of a window for more than a second comes
back as somebody new: no tracker without appearance could tell. Beside `motion = "moving"` the windows that move are
analysed as those of a fixed camera: what it would be without. Switches by TrackEval (`score.py`) at an overlap of a half.

Writes out/accuracy/motion.json. Exit code 1 where windows that move have more than 1.2 times the switches of those that
stand; 3 without the data.
"""
import argparse
import itertools
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from accuracy.score import read, score  # noqa: E402
from peers.places import MISSING, OUT, add_arguments, call, markdown, present, resolve  # noqa: E402

WIDTH, HEIGHT, FPS = 560, 420, 10
LEAST, AWAY, BOUND = 0.5, FPS, 1.2
# Corners of the windows by the time in seconds, for ffmpeg and for us.
STILL = [("104", "78"), ("60", "40"), ("150", "120"), ("40", "110")]
MOVED = [(f"104+58*sin(0.5*t+{p})+7*sin(7*t+{p})", f"78+34*sin(0.31*t+{p})+6*sin(9*t+{p})") for p in (0, 1.5, 3, 4.5)]
COLUMNS = ("HOTA", "IDF1", "MOTA", "IDSW")


def corner(window, frame):
    """As ffmpeg's crop places it: whole pixels, cut off."""
    t = (frame - 1) / FPS
    return [int(eval(axis, {"sin": math.sin, "t": t})) for axis in window]  # noqa: S307


def cut(source, window, out, frames):
    crop = f"crop={WIDTH}:{HEIGHT}:'{window[0]}':'{window[1]}':exact=1"
    arguments = ["-nostdin", "-loglevel", "error", "-y", "-i", source, "-frames:v", frames, "-vf", crop]
    subprocess.run(["ffmpeg", *map(str, arguments), "-c:v", "mpeg4", "-q:v", "2", str(out)], check=True)


def truth(rows, window, frames):
    """What a window shows of the truth."""
    seen, numbers, kept, fresh = {}, {}, [], itertools.count(1)
    for row in rows[np.argsort(rows[:, 0], kind="stable")]:
        frame, who = int(row[0]), int(row[1])
        if frame > frames:
            continue
        x, y = corner(window, frame)
        left, top = max(row[2] - x, 0), max(row[3] - y, 0)
        right, bottom = min(row[2] + row[4] - x, WIDTH), min(row[3] + row[5] - y, HEIGHT)
        if right <= left or bottom <= top or (right - left) * (bottom - top) < LEAST * row[4] * row[5]:
            continue
        if who not in seen or frame - seen[who] > AWAY:
            numbers[who] = next(fresh)
        seen[who] = frame
        kept.append([frame, numbers[who], left, top, right - left, bottom - top, 1, -1, -1])
    return np.array(kept)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--short", action="store_true", help="120 pictures: a test of the bench, asserts nothing")
    given = resolve(parser.parse_args())
    labels = given.shared / "eval/PETS09-S2L1/gt/gt.txt"
    if not all([present(labels, "PETS09-S2L1"), present(given.vtest, "vtest.avi"), present(given.lookout, "Lookout")]):
        sys.exit(MISSING)
    frames, rows = 120 if given.short else 795, read(labels)
    out = OUT / "accuracy/motion"
    out.mkdir(parents=True, exist_ok=True)
    report = {}
    few = 1 if given.short else len(STILL)
    for name, windows, motion in [("still", STILL, "fixed"), ("moved", MOVED, "moving"), ("untold", MOVED, "fixed")]:
        scores = []
        for k, window in enumerate(windows[:few]):
            clip, file, tracks = out / f"{name}-{k}.avi", out / f"{name}.toml", out / f"{name}-{k}/tracks.txt"
            cut(given.vtest, window, clip, frames)
            file.write_text(f'id = "window"\nmotion = "{motion}"\n[detect]\ninput = [640, 480]\n')
            tracks.unlink(missing_ok=True)
            call(given.lookout, "analyze", clip, "--camera", file, "--out", tracks.parent, made=tracks)
            scores.append(score(truth(rows, window, frames), read(tracks), False, frames))
        mean = {c: round(sum(s[c] for s in scores) / len(scores), 2) for c in COLUMNS}
        report[name] = {**mean, "IDSW": sum(s["IDSW"] for s in scores), "each": [s["IDSW"] for s in scores]}
    words = {"still": "windows that stand", "moved": "windows that pan and shake, motion taken out",
             "untold": "the same, motion not taken out"}
    header = [f"vtest.avi, {few} each", *COLUMNS[:-1], "IDSW in all"]
    print(markdown(header, [[words[k], *(r[c] for c in COLUMNS)] for k, r in report.items()]))
    ratio = report["moved"]["IDSW"] / max(report["still"]["IDSW"], 1)
    print(f"\nIdentity switches moved over still: {ratio:.2f}, at most {BOUND}")
    (out.parent / "motion.json").write_text(json.dumps({"ratio": ratio, **report}, indent=1) + "\n")
    if ratio > BOUND and not given.short:
        sys.exit("more switches than allowed")


if __name__ == "__main__":
    main()
