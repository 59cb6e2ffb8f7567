#!/usr/bin/env python3
"""The motion gate (`[detect] gate`), off and on: processor time and event F1, on footage where somebody is most of the time
and on footage where often nobody is.

    benches/venv && .venv/bin/python benches/events/gate.py [--rate FPS] [--repeat N] [--short]

vtest.avi is busy: somebody is in every picture. Intel's clip of one person at a time is empty for 478 of its 1,394 pictures, in
stretches of 3 to 6 s. The quiet clip is made of it: pictures 450 to 499, where nobody is but for somebody's edge on the first, played
there and back for five minutes, then the whole clip: something moves every ten seconds. Each is analysed with the camera files of this folder and with the same and the gate set, alternately; CPU seconds are those that
`analyze` reports, medians over the repetitions. --short: 120 pictures of vtest.avi, once. Exit code 3 if a clip is missing; 1 if
the gate analysed more pictures than there are without it, or left out more than 2 s.
"""
import argparse
import json
import statistics
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from accuracy.score import read  # noqa: E402
from events import alerts  # noqa: E402
from events.run import HERE, INTEL_FPS, INTEL_FRAMES, SHORT, intel_truth  # noqa: E402
from events.truth import Tracks, camera, incidents  # noqa: E402
from peers.places import MISSING, OUT, add_arguments, call, cut, markdown, present, resolve, skip  # noqa: E402

QUIET = 3000  # pictures of nobody


def plan_file(name, gate):
    """The camera file, with the gate set."""
    if not gate:
        return HERE / f"{name}.toml"
    path = OUT / "events" / f"{name}-gate.toml"
    path.write_text((HERE / f"{name}.toml").read_text().replace("[[zone]]", "[detect]\ngate = true\n\n[[zone]]", 1))
    return path


def quiet(video):
    """Five minutes of nobody, then the clip; without loss, so that only the gate differs."""
    path = OUT / "events/quiet.mkv"
    if not path.exists():
        there = "[0:v]trim=start_frame=450:end_frame=500,setpts=N/10/TB,split[a][b];[b]reverse,setpts=N/10/TB[c];"
        back = f"[a][c]concat,loop=loop={QUIET // 100 - 1}:size=100,setpts=N/10/TB[d];[0:v]setpts=N/10/TB[e];[d][e]concat"
        call("ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-i", video, "-filter_complex", there + back, "-r", INTEL_FPS,
             "-c:v", "libx264", "-preset", "veryfast", "-qp", 0, path, made=path)
    return path


def clip(given, name, video, frames, fps, truth, extra):
    """Scores and CPU seconds with and without the gate."""
    runs = {gate: [] for gate in (False, True)}
    for _ in range(given.repeat):
        for gate in runs:
            out = OUT / "events" / f"{name}-gate-{'on' if gate else 'off'}"
            call(given.lookout, "analyze", video, "--camera", plan_file(name, gate), "--out", out, *extra,
                 made=out / "events.jsonl")
            runs[gate].append(json.loads((out / "report.json").read_text()))
    rows = {}
    for gate, reports in runs.items():
        out = OUT / "events" / f"{name}-gate-{'on' if gate else 'off'}"
        score = alerts.score(truth, alerts.started(out / "events.jsonl", camera(HERE / f"{name}.toml")), frames / fps)
        rows[gate] = {"analysed": reports[0]["analysed"], "cpu_s": statistics.median(r["cpu_s"] for r in reports)} | score
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--rate", type=float, default=8.0, help="analysed pictures a second, at most")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--short", action="store_true", help="a test of the bench")
    given = resolve(parser.parse_args())
    (OUT / "events").mkdir(parents=True, exist_ok=True)
    labels = given.shared / "eval/PETS09-S2L1/gt/gt.txt"
    intel = given.shared / "clips/one-by-one-person-detection.mp4"
    if not present(given.lookout, "everything"):
        skip("the binary is missing")
        sys.exit(MISSING)
    report, skipped, good = {}, False, True
    rate = ("--rate", given.rate)
    if given.short:
        given.repeat = 1
    if all([present(path, "busy") for path in (labels, given.vtest)]):
        rows, video, frames = read(labels), given.vtest, 795
        if given.short:
            video, frames = cut(given.vtest, SHORT), SHORT
            rows = rows[rows[:, 0] <= frames]
        truth = incidents(camera(HERE / "s2l1.toml"), Tracks(rows, 7, (768, 576)))
        report["busy (vtest.avi)"] = clip(given, "s2l1", video, frames, 7, truth, ("--fps-override", 7, *rate)), frames / 7
    else:
        skipped = True
    if not given.short:
        if present(intel, "often empty"):
            rows = clip(given, "intel", intel, INTEL_FRAMES, INTEL_FPS, intel_truth(), rate)
            report["often empty (Intel)"] = rows, INTEL_FRAMES / INTEL_FPS
            later = Fraction(QUIET, INTEL_FPS)
            truth = [replace(i, start=i.start + later, end=i.end + later) for i in intel_truth()]
            frames = QUIET + INTEL_FRAMES
            rows = clip(given, "intel", quiet(intel), frames, INTEL_FPS, truth, rate)
            report["quiet (mostly nobody)"] = rows, frames / INTEL_FPS
        else:
            skipped = True
    table = []
    for name, (rows, seconds) in report.items():
        for gate, row in rows.items():
            saved = f"{1 - row['cpu_s'] / rows[False]['cpu_s']:.0%}" if gate else ""
            table.append([name, "on" if gate else "off", row["analysed"], f"{row['cpu_s']:.2f}", saved, row["incidents"],
                          row["found"], f"{row['F1']:.3f}", row["duplicates"], row["false"], row["median_delay_s"]])
        good &= seconds / 2 <= rows[True]["analysed"] + 1 and rows[True]["analysed"] <= rows[False]["analysed"]
    print("\n### The motion gate\n\n" + markdown(
        ["footage", "gate", "analysed", "CPU s", "saved", "incidents", "found", "F1", "duplicates", "false", "median delay s"],
        table))
    (OUT / "events/gate.json").write_text(json.dumps({k: v[0] for k, v in report.items()}, indent=1, default=float) + "\n")
    if not good:
        sys.exit(1)
    if skipped:
        sys.exit(MISSING)


if __name__ == "__main__":
    main()
