#!/usr/bin/env python3
"""CPU seconds of Lookout and of the usual Python stack on the same clip, model, rate, and one thread of inference.

    benches/venv && .venv/bin/python benches/peers/compare.py [--short]

By alternated repetitions, medians. Everything runs as a child process whose user + system seconds the kernel counts
(rusage); decoding alone and inference alone are counted inside their process, around the work itself (bare.py).

overhead    Lookout / (decoding + bare inference of the same pictures), aim at most 1.10
outside     CPU seconds outside inference and decoding: total - inference - decoding; Lookout's at most a quarter of
            the stack's. Also without start-up (the stack's imports and session: a run of one picture).
total       Lookout / stack

"Decoding" is the cheaper of PyAV and OpenCV's grab(), without any conversion. Both sides use the ONNX Runtime library
of the same wheel. Rows of less inference follow, each with its alert F1 (see events/run.py). With --short: 60 pictures,
one repetition, no F1: a test of the bench. Writes out/peers/peers.json; exit code 3 if something was skipped.
"""
import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from peers.places import MISSING, OUT, ROOT, add_arguments, cut, markdown, present, resolve, skip  # noqa: E402

HERE = Path(__file__).resolve().parent
CAMERA = HERE.parent / "events/s2l1.toml"
FPS = 7
STACK = "opencv-python, onnxruntime, trackers"
# Ways to infer less: arguments of `analyze`, and what the camera file's [detect] says.
LESS = {"--rate 3.5": (["--rate", "3.5"], None), "input 416x320": ([], [416, 320]),
        "--rate 3.5, input 416x320": (["--rate", "3.5"], [416, 320]), "--rate 2.8": (["--rate", "2.8"], None),
        "--rate 2.4": (["--rate", "2.4"], None)}


def wheel_library():
    import onnxruntime
    return next((Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so.*"))


def same_library():
    """Environment in which Lookout finds the wheel's library, unless the one in runtime/ is the same already."""
    digest = lambda path: hashlib.sha256(path.read_bytes()).hexdigest()  # noqa: E731
    wheel = wheel_library()
    mine = sorted((ROOT / "runtime").glob("libonnxruntime.so*"))
    if mine:
        if digest(mine[0]) != digest(wheel):
            raise SystemExit(f"{mine[0].name} under runtime/ is not the library of the wheel: no fair comparison")
        return dict(os.environ)
    home = OUT / "peers/home"
    (home / "runtime").mkdir(parents=True, exist_ok=True)
    for link, target in [(home / "runtime" / wheel.name, wheel), (home / "models", ROOT / "models")]:
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    return dict(os.environ, LOOKOUT_HOME=str(home))


def cpu(command, env=None):
    """User + system seconds of a child process, and its output."""
    with tempfile.TemporaryFile("w+") as errors:
        child = subprocess.Popen([str(c) for c in command], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=errors,
                                 text=True)
        with child.stdout:
            output = child.stdout.read()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            errors.seek(0)
            raise SystemExit(f"{Path(command[0]).name}: exit code {child.returncode}:\n{errors.read().strip()}")
    return used.ru_utime + used.ru_stime, output


def camera(size):
    """events/s2l1.toml with this input of the model."""
    out = OUT / f"peers/s2l1-{size[0]}x{size[1]}.toml"
    out.write_text(CAMERA.read_text() + f"\n[detect]\ninput = [{size[0]}, {size[1]}]\n")
    return out


def scorer(given):
    """F1 and duplicates of alerts against the ground truth of S2L1."""
    labels = given.shared / "eval/PETS09-S2L1/gt/gt.txt"
    if given.short or not present(labels, "F1 of alerts"):
        return lambda _: {}
    from accuracy.score import read
    from events import alerts, truth
    plan = truth.camera(CAMERA)
    real = truth.incidents(plan, truth.Tracks(read(labels), FPS, (768, 576)))

    def score(events):
        result = alerts.score(real, alerts.started(events, plan), 795 / FPS)
        return {k: result[k] for k in ("F1", "duplicates")}
    return score


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--short", action="store_true", help="60 pictures, one repetition")
    given = resolve(parser.parse_args())
    out = OUT / "peers"
    out.mkdir(parents=True, exist_ok=True)
    if not all([present(path, "everything") for path in (given.vtest, given.model)]):
        sys.exit(MISSING)
    video = cut(given.vtest, 60) if given.short else given.vtest
    repetitions = 1 if given.short else given.repetitions
    have_lookout = present(given.lookout, "Lookout's own rows")
    environment, score = same_library(), scorer(given)

    python = [sys.executable]
    stack = [*python, HERE / "pipeline.py", video, "--camera", CAMERA, "--model", given.model, "--fps", FPS]
    runs = {
        "decode": [*python, HERE / "bare.py", "decode", video],
        "infer": [*python, HERE / "bare.py", "infer", video, "--model", given.model],
        "stack": [*stack, "--one-thread", "--out", out / "stack.jsonl"],
        "stack, OpenCV's own threads": [*stack, "--out", out / "stack-threads.jsonl"],
        "start-up": [*stack, "--one-thread", "--frames", 1, "--out", out / "start.jsonl"],
    }
    events = {"stack": out / "stack.jsonl", "stack, OpenCV's own threads": out / "stack-threads.jsonl"}
    if have_lookout:
        analyze = [given.lookout, "analyze", video, "--fps-override", FPS]
        for name, (arguments, size) in {"lookout": ([], None), **LESS}.items():
            folder = out / f"run-{len(runs)}"
            runs[name] = [*analyze, "--camera", camera(size or (640, 480)), "--out", folder, *arguments]
            events[name] = folder / "events.jsonl"

    seconds = {name: [] for name in runs}
    parts = {}
    for _ in range(repetitions):
        for name, command in runs.items():
            spent, output = cpu(command, environment)
            seconds[name].append(spent)
            if name in ("decode", "infer"):
                for key, value in json.loads(output).items():
                    parts.setdefault((name, key), []).append(value)
    median = {name: statistics.median(values) for name, values in seconds.items()}
    decode = min(statistics.median(parts["decode", kind]) for kind in ("av", "opencv"))
    infer = statistics.median(parts["infer", "infer"])
    frames = parts["infer", "frames"][0]
    report = {"frames": frames, "repetitions": repetitions, "model": given.model.name, "seconds": seconds,
              "decode": decode, "infer": infer, "library": wheel_library().name,
              "scores": {name: score(path) for name, path in events.items()}}

    def row(name, title):
        total = median[name]
        scored = report["scores"].get(name) or {}
        return [title, f"{total:.2f}", f"{total - decode - infer:.2f}", f"{total / median['stack']:.2f}",
                f"{scored['F1']:.3f}" if scored else "", scored.get("duplicates", "")]

    header = ["", "CPU s", "outside inference and decoding", "of the stack's total", "alert F1", "duplicates"]
    rows = [["decoding alone", f"{decode:.2f}", "", f"{decode / median['stack']:.2f}", "", ""],
            ["inference alone", f"{infer:.2f}", "", f"{infer / median['stack']:.2f}", "", ""],
            row("stack", f"Python stack ({STACK}), one thread"),
            row("stack, OpenCV's own threads", "Python stack, OpenCV's own threads")]
    if have_lookout:
        rows.append(row("lookout", "**Lookout**"))
    print(f"\n### {frames} pictures, {given.model.stem} at 640x480, median of {repetitions}\n")
    print(markdown(header, rows))

    if have_lookout:
        mine, theirs = (median[n] - decode - infer for n in ("lookout", "stack"))
        started = theirs - median["start-up"]
        itself = json.loads((Path(runs["lookout"][runs["lookout"].index("--out") + 1]) / "report.json").read_text())
        report["ratios"] = {"overhead": median["lookout"] / (decode + infer), "outside": mine / theirs,
                            "outside_without_the_stacks_start_up": mine / started,
                            "total": median["lookout"] / median["stack"]}
        report["cpu_s of report.json"] = itself["cpu_s"]
        print(f"\noverhead: {report['ratios']['overhead']:.3f} (aim: at most 1.10)"
              f"\noutside inference and decoding: {mine:.2f} s against {theirs:.2f} s, {mine / theirs:.3f} (aim: at "
              f"most 0.25); {mine / started:.3f} without the stack's start-up of {median['start-up']:.2f} s"
              f"\ntotal: {report['ratios']['total']:.3f}"
              f"\nreport.json says {itself['cpu_s']:.2f} s, the kernel {median['lookout']:.2f} s")
        rows = []
        for name in LESS:
            scored = report["scores"].get(name) or {}
            rows.append([name, f"{median[name]:.2f}", f"{median[name] / median['lookout']:.2f}",
                         f"{median[name] / median['stack']:.2f}", f"{scored['F1']:.3f}" if scored else "",
                         scored.get("duplicates", "")])
        print("\n### Inferring less\n\n" + markdown(
            ["Lookout with", "CPU s", "of Lookout's total", "of the stack's total", "alert F1", "duplicates"], rows))
    (out / ("short.json" if given.short else "peers.json")).write_text(json.dumps(report, indent=1) + "\n")
    if not have_lookout:
        skip("Lookout's rows are missing, see above")
        sys.exit(MISSING)


if __name__ == "__main__":
    main()
