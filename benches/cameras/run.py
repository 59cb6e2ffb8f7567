#!/usr/bin/env python3
"""Frame age, fairness, drops and memory of `lookout run` with several cameras.

    benches/cameras/run.py [--short] [--overload | --memory]        needs the built binary; with --memory the command `ffmpeg`

Each case starts the real `lookout run` on a generated site: vtest.avi looped and played live by 1, 2, 4 or 16
cameras, with the rules of benches/events/s2l1.toml, one inference worker a core and one thread a worker (--workers,
--threads). Capacity is what such a process analyses a second when 16 cameras ask for far more, measured before all
cases: inferences beside each other and beside decoding are slower than one alone. Below capacity the cameras' rates
together ask for --load of it. In overload 16 cameras deliver four times the capacity: the file's pictures come at
another rate (`fps`), and all of them are wanted.

age      lookout_frame_age_seconds, of the camera with the worst p99, against DESIGN.md's bounds: one camera 1.5 x the
         median inference of the same case; several (1 + ceil(cameras / workers)) x; four times overload
         (2 + cameras / workers) x and one source interval. Quantiles come from histograms: a step is a tenth or so
         wide, the true value lies in the bracket shown, and the number is interpolated in it as Prometheus does. A
         bound within the bracket is decided by the interpolation and marked ~.
share    pictures analysed of the least and the most served camera, of all; fair: the least over the most, of those without
         priority
kept     the last case again with two cameras that have `[detect] priority`: of the pictures that each of these wants, the
         share that is analysed, of the worse one
slope    how resident memory (Pss) rises over the measured time, MB a minute; in so short a time it is mostly noise, --seconds
         300 says more
others   CPU that other processes used, of the whole machine: above 0.05 the machine was busy and ages mean little

--memory: a looped 1920x1080 H.264 clip (vtest.avi scaled up) by 1 and 8 cameras; resident memory (Pss of
/proc/PID/smaps_rollup), what each further camera adds, and how it grows over loops.

Medians over --repeat repetitions, which alternate over the cases. --short: one brief repetition, which asserts no
timing. Every run checks that no picture is lost from the count (decoded = analysed + dropped + idle), that every
camera is served and that the process ends cleanly. Writes out/cameras/cameras.json or memory.json; exit code 1 if a
check fails, 3 if something was skipped.
"""
import argparse
import json
import math
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from peers.places import MISSING, OUT, ROOT, add_arguments, markdown, present, resolve, skip  # noqa: E402

RULES = Path(__file__).resolve().parents[1] / "events/s2l1.toml"
FILE_FPS = 10  # what the header of vtest.avi says
OVERLOAD = 4
TICK = os.sysconf("SC_CLK_TCK")
SERIES = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'(\w+)="([^"]*)"')


class Failed(Exception):
    """A check did not hold."""


# --- what the process says of itself ---

def parse(text):
    """Series of a text exposition: (name, sorted labels) to value."""
    found = (SERIES.match(line) for line in text.splitlines() if not line.startswith("#"))
    return {(m[1], tuple(sorted(LABEL.findall(m[2] or "")))): float(m[3]) for m in found if m}


def difference(after, before):
    return {key: value - before.get(key, 0.0) for key, value in after.items()}


def total(series, name, **labels):
    return sum(v for (n, have), v in series.items() if n == name and labels.items() <= dict(have).items())


def histogram(series, name, **labels):
    """Upper edges and cumulative counts."""
    edges = {}
    for (n, have), value in series.items():
        have = dict(have)
        if n == f"{name}_bucket" and labels.items() <= have.items():
            edges[float(have["le"])] = edges.get(float(have["le"]), 0.0) + value
    return sorted(edges.items())


def quantile(buckets, share):
    """Interpolated value and the bracket that holds it, seconds; None of nothing."""
    count = buckets[-1][1] if buckets else 0
    if count == 0:
        return None
    low = below = 0.0
    for edge, upto in buckets:
        if upto >= share * count:
            if math.isinf(edge):
                return {"value": low, "low": low, "high": math.inf}
            return {"value": low + (edge - low) * (share * count - below) / (upto - below), "low": low, "high": edge}
        low, below = edge, upto
    return None


def busy(pid):
    """CPU seconds: of the whole machine in use, and of one process."""
    cpu = [int(v) for v in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    used = (sum(cpu[:8]) - cpu[3] - cpu[4]) / TICK  # without idle and iowait; guests are in user
    own = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return used, (int(own[11]) + int(own[12])) / TICK


def memory(pid):
    """Pss, Rss and anonymous memory in MB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return {name: int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M)[1]) / 1024 for name in ("Pss", "Rss", "Anonymous")}


# --- a site and its process ---

def site(folder, given, video, cameras, source, priority=0):
    """Files of a site whose cameras all play one clip, the first ones with priority; the address it listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    (folder / "cameras").mkdir(parents=True)
    (folder / "site.toml").write_text(
        f'id = "bench"\ncameras = "cameras"\ndata = "data"\nlisten = "{address}"\n'
        f'media_dirs = [{json.dumps(str(video.parent.resolve()))}]\n'
        f"[inference]\nworkers = {given.workers}\nthreads = {given.threads}\n")
    rules = RULES.read_text().partition("[[zone]]")
    for k in range(cameras):
        head = [f'id = "cam-{k:02}"', "[source]", f'url = "file:{video.name}"', "loop = true", *source]
        head += ["[detect]", "priority = true"] if k < priority else []
        (folder / f"cameras/cam-{k:02}.toml").write_text("\n".join(head) + "\n\n" + "".join(rules[1:]))
    return address


class Process:
    """`lookout run`, ready; ended and checked at the end of the block."""

    def __init__(self, given, folder, address):
        self.address = address
        self.log = tempfile.TemporaryFile("w+")
        environment = dict(os.environ, RUST_LOG=os.environ.get("RUST_LOG", "warn"))
        self.child = subprocess.Popen([given.lookout, "run", "--config", folder / "site.toml"], cwd=ROOT,
                                      env=environment, stdout=subprocess.DEVNULL, stderr=self.log)

    def __enter__(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.child.poll() is not None:
                raise Failed(f"lookout run: exit code {self.child.returncode}\n{self.said()}")
            try:
                urllib.request.urlopen(f"http://{self.address}/readyz", timeout=5).close()
                return self
            except OSError:
                time.sleep(0.1)
        self.child.kill()
        raise Failed("lookout run was not ready within a minute")

    def __exit__(self, kind, *_):
        self.child.send_signal(signal.SIGTERM)
        try:
            code = self.child.wait(60)
        except subprocess.TimeoutExpired:
            self.child.kill()
            code = "none: it did not end within a minute of SIGTERM"
        if kind is None and code != 0:
            raise Failed(f"lookout run: exit code {code}\n{self.said()}")

    def said(self):
        self.log.seek(0)
        return self.log.read().strip()

    def metrics(self):
        with urllib.request.urlopen(f"http://{self.address}/metrics", timeout=30) as answer:
            return parse(answer.read().decode())


def slope(points):
    """Of a least squares line."""
    x, y = zip(*points)
    mx, my = statistics.fmean(x), statistics.fmean(y)
    spread = sum((a - mx) ** 2 for a in x)
    return sum((a - mx) * (b - my) for a, b in points) / spread if spread else 0.0


# --- frame age, fairness, drops ---

def measured(given, video, case):
    """One repetition of one case."""
    with tempfile.TemporaryDirectory(prefix="lookout-bench-") as folder:
        address = site(Path(folder), given, video, case["cameras"], case["source"], case.get("priority", 0))
        with Process(given, Path(folder), address) as process:
            time.sleep(given.warm)
            before, (all_before, own_before), start = process.metrics(), busy(process.child.pid), time.monotonic()
            sizes = []
            while (at := time.monotonic() - start) < given.seconds:
                sizes.append((at / 60, memory(process.child.pid)["Pss"]))
                time.sleep(min(2.0, max(0.0, given.seconds - at)))
            after, (all_after, own_after) = process.metrics(), busy(process.child.pid)
            spent = time.monotonic() - start
    names = sorted({dict(labels)["camera"] for name, labels in after if name == "lookout_frames_total"})
    if len(names) != case["cameras"]:
        raise Failed(f"{len(names)} cameras in the metrics of {case['name']}")
    frames = {word: total(after, "lookout_frames_total", outcome=word)
              for word in ("analysed", "dropped", "idle", "corrupt")}
    decoded = total(after, "lookout_stage_seconds_count", stage="decode")
    # In slots, at workers, and between two counters while they were read.
    flying = decoded - frames["analysed"] - frames["dropped"] - frames["idle"]
    if abs(flying) > 2 * case["cameras"] + given.workers:
        raise Failed(f"{case['name']}: {decoded:.0f} pictures decoded, but {frames}")
    if frames["corrupt"]:
        raise Failed(f"{case['name']}: pictures of a whole file did not decode: {frames}")
    if any(total(after, "lookout_camera_up", camera=c) != 1 for c in names):
        raise Failed(f"{case['name']}: a camera is not up")
    now = difference(after, before)
    analysed = {c: total(now, "lookout_frames_total", camera=c, outcome="analysed") for c in names}
    # Beside cameras with priority nobody waits for more than four turns of all (pipeline/detect/batch.rs).
    if min(analysed.values()) == 0 and (not case.get("priority") or sum(analysed.values()) > 8 * case["cameras"]):
        raise Failed(f"{case['name']}: a camera was not served: {analysed}")
    infer, slowest = (quantile(histogram(now, "lookout_stage_seconds", stage="infer"), q) for q in (0.5, 0.99))
    ages = {c: {f"p{q}": quantile(histogram(now, "lookout_frame_age_seconds", camera=c), q / 100) for q in (50, 99)}
            for c in names}
    cores = len(os.sched_getaffinity(0))
    first = case.get("priority", 0)
    rest = [analysed[c] for c in names[first:]]
    kept = min((analysed[c] / spent / case["rate"] for c in names[:first]), default=None)
    return {"fair": min(rest) / max(rest), "kept": kept, "memory_slope": slope(sizes), "infer": infer, "infer_p99": slowest, "ages": ages, "analysed": analysed, "decoded": total(now, "lookout_stage_seconds_count",
                                                                                stage="decode"),
            "outcomes": {w: total(now, "lookout_frames_total", outcome=w) for w in ("analysed", "dropped", "idle")},
            "stages_ms": {s: 1e3 * total(now, "lookout_stage_seconds_sum", stage=s)
                          / max(1.0, total(now, "lookout_stage_seconds_count", stage=s))
                          for s in ("decode", "convert", "infer", "track", "rules")},
            "seconds": spent, "cpu": (own_after - own_before) / spent / cores,
            "others": max(0.0, (all_after - all_before) - (own_after - own_before)) / spent / cores}


def bound(case, workers, infer):
    """Seconds that DESIGN.md allows, for this median inference."""
    cameras = case["cameras"]
    if case["overload"]:
        return (2 + cameras / workers) * infer + case["interval"]
    return (1.5 if cameras == 1 else 1 + math.ceil(cameras / workers)) * infer


def judged(case, run, workers):
    """The worst camera against the bound."""
    worst = max((age["p99"] for age in run["ages"].values()), key=lambda p: p["value"])
    limit = bound(case, workers, run["infer"]["value"])
    low, high = (bound(case, workers, run["infer"][edge]) for edge in ("low", "high"))
    word = "yes" if worst["value"] <= limit else "no"
    certain = worst["high"] <= low or worst["low"] > high
    return {"p50": statistics.median(age["p50"]["value"] for age in run["ages"].values()), "p99": worst,
            "bound": limit, "ratio": worst["value"] / run["infer"]["value"], "of_bound": worst["value"] / limit,
            "within": word if certain else f"~{word}"}


def overload(name, fps, priority=0):
    """16 cameras of which every picture is wanted."""
    return {"name": name, "cameras": 16, "overload": True, "interval": 1 / fps, "rate": fps, "priority": priority,
            "source": [f"fps = {fps:.3f}"]}


def capacity(given, inference_ms):
    """Pictures a second that the process analyses under more than it can take."""
    wanted = OVERLOAD * given.workers * 1e3 / inference_ms
    run = measured(given, given.vtest, overload("capacity", wanted / 16))
    return sum(run["analysed"].values()) / run["seconds"]


def plan(given, capacity):
    """The cases: below capacity by rate, above it by the speed of the file."""
    cases = []
    for cameras in (1, 2, 4, 16):
        # One camera is served by one worker at a time.
        rate = min(FILE_FPS, given.load * capacity / max(cameras, given.workers))
        cases.append({"name": f"{cameras} below capacity", "cameras": cameras, "overload": False,
                      "interval": 1 / FILE_FPS, "rate": rate, "source": [f"rate = {rate:.3f}"]})
    cases.append(overload(f"16 at {OVERLOAD} x capacity", OVERLOAD * capacity / 16))
    cases.append(overload("the same, 2 with priority", OVERLOAD * capacity / 16, 2))
    return [case for case in cases if case["overload"] or not given.overload]


def inference_ms(given):
    """Median of one inference alone, one worker, as `lookout models bench` says."""
    command = [given.lookout, "models", "bench", "--json", "--threads", str(given.threads), "--input", "640x480"]
    done = subprocess.run([*command, "nanodet-g-person-int8"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"lookout models bench: exit code {done.returncode}\n{done.stderr.strip()}")
    return json.loads(done.stdout)[0]["infer_ms"]


def age(given):
    alone = inference_ms(given)
    most = capacity(given, alone)
    cases = plan(given, most)
    runs = {case["name"]: [] for case in cases}
    for _ in range(given.repeat):
        for case in cases:
            runs[case["name"]].append(measured(given, given.vtest, case))
    rows, report = [], {"workers": given.workers, "threads": given.threads, "inference_alone_ms": alone,
                        "capacity": most, "cores": len(os.sched_getaffinity(0)), "cases": []}
    for case in cases:
        results = runs[case["name"]]
        judgements = [judged(case, run, given.workers) for run in results]
        # The repetition whose p99 is the median one, measured by its bound.
        k = sorted(range(len(results)), key=lambda k: judgements[k]["of_bound"])[(len(results) - 1) // 2]
        run, got = results[k], judgements[k]
        shares = [100 * v / sum(run["analysed"].values()) for v in run["analysed"].values()]
        outcomes = run["outcomes"]
        rows.append([
            case["name"], f"{case['rate']:.1f}", f"{sum(run['analysed'].values()) / run['seconds']:.1f}",
            f"{1e3 * run['infer']['value']:.0f}", f"{1e3 * run['infer_p99']['value']:.0f}", f"{1e3 * got['p50']:.0f}",
            f"{1e3 * got['p99']['value']:.0f} ({1e3 * got['p99']['low']:.0f}-{1e3 * got['p99']['high']:.0f})",
            f"{1e3 * got['bound']:.0f}", f"{got['of_bound']:.2f}",
            "/".join(j["within"] for j in judgements), f"{min(shares):.1f}-{max(shares):.1f} %", f"{run['fair']:.2f}",
            "" if run["kept"] is None else f"{run['kept']:.2f}", f"{run['memory_slope']:+.1f}",
            f"{outcomes['dropped']:.0f}", f"{outcomes['idle']:.0f}", f"{run['cpu']:.2f}",
            "/".join(f"{r['others']:.2f}" for r in results)])
        report["cases"].append({**case, "runs": results, "judged": judgements})
    print(f"\n### Frame age, {given.workers} workers of {given.threads} thread, {given.seconds} s a case, median of "
          f"{given.repeat}; inference alone {alone:.1f} ms, capacity {most:.1f} pictures/s\n")
    print(markdown(["cameras", "wanted/s each", "analysed/s", "infer ms", "infer p99", "age p50 ms", "worst p99 ms", "bound ms",
                    "of bound", "within", "share least-most", "fair", "kept", "slope", "dropped", "idle", "CPU", "others"], rows))
    print(f"\nshare: a fair one is {', '.join(f'{100 / c:.1f} % of {c}' for c in (1, 2, 4, 16))}"
          "\ndropped: a fresher picture came; idle: left out by the rate. CPU and others: share of the whole machine")
    if any(r["others"] > 0.05 for results in runs.values() for r in results):
        print("the machine was busy with something else: ages of those cases mean little")
    return report


# --- memory ---

def clip(given):
    """1920x1080 H.264, made once of vtest.avi."""
    out = OUT / f"cameras/vtest-1080p-{given.clip_seconds}s.mp4"
    if not out.exists():
        made = out.with_suffix(".part.mp4")
        command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-i", given.vtest, "-t", str(given.clip_seconds),
                   "-vf", "scale=1920:1080", "-c:v", "libx264", "-preset", "fast", "-pix_fmt", "yuv420p", made]
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"ffmpeg: exit code {done.returncode}\n{done.stderr.strip()}")
        made.rename(out)
    return out


def held(given, video, cameras):
    """Memory over time."""
    samples = []
    with tempfile.TemporaryDirectory(prefix="lookout-bench-") as folder:
        address = site(Path(folder), given, video, cameras, ["rate = 2"])
        with Process(given, Path(folder), address) as process:
            start = time.monotonic()
            while (now := time.monotonic() - start) < given.seconds:
                samples.append({"at": now, **memory(process.child.pid)})
                time.sleep(0.5)
            series = process.metrics()
            peak = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.child.pid}/status").read_text())[1]
    analysed = total(series, "lookout_frames_total", outcome="analysed")
    if analysed == 0:
        raise Failed(f"{cameras} cameras of 1080p: nothing was analysed")
    warm = [s for s in samples if s["at"] >= given.warm]
    third = max(1, len(warm) // 3)
    early, late = (statistics.median(s["Pss"] for s in part) for part in (warm[:third], warm[-third:]))
    return {"cameras": cameras, "pss": statistics.median(s["Pss"] for s in warm), "early": early, "late": late,
            "rss": statistics.median(s["Rss"] for s in warm), "peak_rss": int(peak) / 1024, "analysed": analysed,
            "decoded": total(series, "lookout_stage_seconds_count", stage="decode"),
            "loops": given.seconds / given.clip_seconds, "samples": samples}


def remember(given):
    video = clip(given)
    counts = (1, 2) if given.short else (1, 8)
    one, many = (held(given, video, cameras) for cameras in counts)
    each = (many["pss"] - one["pss"]) / (counts[1] - counts[0])
    rows = [[r["cameras"], round(r["pss"], 1), round(r["rss"], 1), round(r["peak_rss"], 1), round(r["early"], 1),
             round(r["late"], 1), f"{r['loops']:.0f}"] for r in (one, many)]
    print(f"\n### Memory in MB, 1920x1080 H.264 looped every {given.clip_seconds} s, {given.workers} workers, "
          f"{given.seconds} s a case\n")
    print(markdown(["cameras", "Pss", "Rss", "peak Rss", "Pss first third", "Pss last third", "loops"], rows))
    print(f"\neach further camera: {each:.1f} MB (aim: at most 60); growth from the first to the last third: "
          f"{one['late'] - one['early']:+.1f} and {many['late'] - many['early']:+.1f} MB")
    return {"one": one, "many": many, "each": each}


def main():
    cores = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--short", action="store_true", help="a minute at most: a test of the bench, no numbers")
    parser.add_argument("--memory", action="store_true", help="memory instead of frame age")
    parser.add_argument("--overload", action="store_true", help="of frame age, only the cases that are too much")
    parser.add_argument("--workers", type=int, default=cores, help="inference workers (default: the cores)")
    parser.add_argument("--threads", type=int, default=1, help="threads of one inference")
    parser.add_argument("--load", type=float, default=0.5, help="share of the capacity asked for below it")
    parser.add_argument("--seconds", type=float, help="measured time of a case")
    parser.add_argument("--warm", type=float, help="time before it")
    parser.add_argument("--repeat", type=int, help="repetitions of the cases")
    given = resolve(parser.parse_args())
    defaults = {(False, False): (20, 4, 3), (False, True): (5, 1.5, 1), (True, False): (80, 15, 1), (True, True): (8, 3, 1)}
    seconds, warm, repeat = defaults[given.memory, given.short]
    given.seconds, given.warm = given.seconds or seconds, warm if given.warm is None else given.warm
    given.repeat, given.clip_seconds = given.repeat or repeat, 2 if given.short else 8
    (OUT / "cameras").mkdir(parents=True, exist_ok=True)
    if not all([present(given.lookout, "cameras"), present(given.vtest, "cameras")]):
        skip("benches/cameras as a whole, see above")
        sys.exit(MISSING)
    name = "memory" if given.memory else "cameras"
    try:
        report = remember(given) if given.memory else age(given)
    except Failed as fault:
        print(fault, file=sys.stderr)
        sys.exit(1)
    (OUT / f"cameras/{'short-' if given.short else ''}{name}.json").write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
