#!/usr/bin/env python3
"""The ground plane beside measured places: PETS09-S2L1, whose ground truth has metres in columns 8 and 9.

    benches/accuracy/ground.py [--shared ../shared]

Known points: four feet points near the corners of what people walk on, with their metres, are all that `lookout ground`
gets; how far off are the places of everybody else? Also with twelve points. Learnt: it gets nothing but boxes and
identities (of the ground truth, then its own tracks of the public detections); the plane has no compass, so distances
between two people of one frame (at least 0.5 m apart) and speeds over 2 s (at least 0.3 m/s) are compared. Rows with
column 7 = 0 (one person, 174 rows) are learnt from, as nothing tells a camera to leave them out, but not scored.

Writes out/accuracy/ground.json. Exit code 1 where an error is above its bound: 0.3 m in the median by four points, 15 %
in the median learnt; 3 without the data.
"""
import argparse
import json
import math
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from peers.places import MISSING, OUT, add_arguments, call, markdown, present, resolve  # noqa: E402

FPS, WIDTH, HEIGHT = 7, 768, 576
PLACES_M, LENGTHS = 0.3, 0.15
SECONDS = 2


def read(path):
    return [[float(v) for v in line.split(",")] for line in Path(path).read_text().split() if line]


def feet(row):
    """Bottom centre of the box, fractions of the picture."""
    return (row[2] + row[4] / 2) / WIDTH, (row[3] + row[5]) / HEIGHT


def metres(plane, place):
    x, y, w = (r[0] * place[0] + r[1] * place[1] + r[2] for r in plane)
    return (x / w, y / w) if w > 0 else None


def spread(rows, count):
    """So many feet points on the outline of all, evenly by direction; boxes cut by the picture's edge stay out."""
    whole = [r for r in rows if r[2] > 8 and r[2] + r[4] < WIDTH - 8 and r[3] + r[5] < HEIGHT - 8]
    turns = [2 * math.pi * (k + 0.5) / count for k in range(count)]
    outermost = [max(whole, key=lambda r: feet(r)[0] * math.cos(t) + feet(r)[1] * math.sin(t)) for t in turns]
    # One place may be the outermost in several directions.
    return list({feet(r): r for r in outermost}.values())


def plane_of(given, text, *arguments):
    """What `lookout ground` says of a camera file."""
    file = OUT / "accuracy/ground.toml"
    file.write_text('id = "s2l1"\n' + text)
    done = subprocess.run([given.lookout, "ground", file, "--json", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"lookout ground: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def quantiles(values):
    ordered = sorted(values)
    return {"median": statistics.median(ordered), "p90": ordered[int(0.9 * (len(ordered) - 1))], "n": len(ordered)}


def places(plane, rows):
    off = []
    for row in rows:
        found = metres(plane, feet(row))
        off.append(math.inf if found is None else math.dist(found, row[7:9]))
    return quantiles(off)


def lengths(plane, rows):
    """Relative errors of distances and speeds; a place above the horizon counts as wholly wrong."""
    found = {(int(r[0]), int(r[1])): (metres(plane, feet(r)), r[7:9]) for r in rows}
    frames = {}
    for frame, who in found:
        frames.setdefault(frame, []).append(who)

    def error(a, b, least):
        true = math.dist(a[1], b[1])
        if true < least:
            return None
        return 1.0 if None in (a[0], b[0]) else abs(math.dist(a[0], b[0]) / true - 1)

    pairs = [error(found[f, a], found[f, b], 0.5) for f, ids in frames.items() for a in ids for b in ids if a < b]
    step = SECONDS * FPS
    walks = [error(at, found[frame + step, who], 0.3 * SECONDS) for (frame, who), at in found.items()
             if (frame + step, who) in found]
    return {"distances": quantiles([e for e in pairs if e is not None]),
            "speeds": quantiles([e for e in walks if e is not None])}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--short", action="store_true", help="the same: it takes seconds")
    given = resolve(parser.parse_args())
    folder = given.shared / "eval/PETS09-S2L1"
    if not all([present(folder / "gt/gt.txt", "PETS09-S2L1"), present(given.lookout, "Lookout")]):
        sys.exit(MISSING)
    (OUT / "accuracy").mkdir(parents=True, exist_ok=True)
    rows = read(folder / "gt/gt.txt")
    scored = [r for r in rows if r[6] == 1]
    report, bad = {"rows": len(rows), "scored": len(scored)}, []

    table = []
    for count in (4, 12):
        chosen = spread(scored, count)
        text = "[ground]\npoints = {}\nmetres = {}\n".format(
            [[round(v, 5) for v in feet(r)] for r in chosen], [r[7:9] for r in chosen])
        others = [r for r in scored if r not in chosen]
        report[f"{count} points"] = places(plane_of(given, text)["homography"], others)
        table.append([f"{count} points", *(round(report[f"{count} points"][k], 3) for k in ("median", "p90")), len(others)])
    if report["4 points"]["median"] > PLACES_M:
        bad.append("places by four points")
    print("### Places by known points, metres off\n\n" + markdown_3(["plane by", "median", "90 of 100", "places"], table))

    tracks = OUT / "accuracy/ground-tracks.txt"
    tracks.unlink(missing_ok=True)
    call(given.lookout, "track", "--detections", folder / "det/det.txt", "--fps", FPS, "--size", f"{WIDTH}x{HEIGHT}",
         "--out", tracks, made=tracks)
    table = []
    for name, source in [("ground truth's boxes", folder / "gt/gt.txt"), ("Lookout's own tracks", tracks)]:
        plane = plane_of(given, 'ground = "learn"\n', "--tracks", source, "--fps", FPS, "--size", f"{WIDTH}x{HEIGHT}")
        result = lengths(plane["homography"], scored)
        report[name] = {"stated": plane["length_error"], "pose": plane["pose"], **result}
        # The bound is for true boxes; tracks of the given detections, which are poor, are for comparison.
        for what in ("distances", "speeds") if source != tracks else ():
            if result[what]["median"] > LENGTHS:
                bad.append(f"{what} learnt from {name}")
        table.append([name, f"{plane['length_error']:.1%}", *(f"{result[w][k]:.1%}" for w in ("distances", "speeds")
                                                              for k in ("median", "p90"))])
    header = ["learnt from", "stated error", "distances: median", "90 of 100", "speeds: median", "90 of 100"]
    print("\n### Lengths on a learnt plane, relative error\n\n" + markdown(header, table))
    (OUT / "accuracy/ground.json").write_text(json.dumps(report, indent=1) + "\n")
    if bad:
        sys.exit("above the bound: " + ", ".join(bad))


def markdown_3(header, rows):
    """As `markdown`, with three decimals."""
    return markdown(header, [[f"{v:.3f}" if isinstance(v, float) else str(v) for v in row] for row in rows])


if __name__ == "__main__":
    main()
