"""The incidents that ground-truth tracks contain, by the definitions of DESIGN.md, apart from Lookout's own code.

Taken from "The incident state machine" and "Invariants": media time of frame f is (f - 1) / fps; every frame is an
observation, also one without people; a condition holds while value >= threshold, once active while value >= release;
an incident starts at the first observation at which `hold` is over and the condition is true; an interruption of at
most `gap` changes nothing, a longer one ends it. Subject: crowd and intrusion the zone, loitering the person,
gathering the cluster. Times are exact fractions, so that a comparison with `hold` is never a matter of rounding.
"""
import tomllib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

DEFAULT_GAP = {"crowd": 1, "gathering": 1, "intrusion": 1, "loitering": 2}
KNOWN = {"id", "kind", "people", "hold", "gap", "dwell", "release", "radius", "anchor", "direction", "severity"}
BODY_HEIGHT = 1.70  # metres


@dataclass
class Incident:
    rule: str
    start: Fraction  # hold included
    end: Fraction  # the last true observation
    subject: object = None


def seconds(text):
    units = {"ms": Fraction(1, 1000), "s": 1, "m": 60, "h": 3600}
    number = text.rstrip("msh")
    return Fraction(number) * units[text[len(number):]]


def camera(path):
    """A camera file. A rule with a parameter that this module does not know is refused, not misjudged."""
    plan = tomllib.loads(Path(path).read_text())
    for place in plan.get("zone", []) + plan.get("line", []):
        for rule in place.get("rule", []):
            unknown = set(rule) - KNOWN
            if unknown:
                raise SystemExit(f"{path}: rule {rule['id']}: the independent truth does not know {sorted(unknown)}")
    return plan


class Tracks:
    """Rows of a MOT file by frame, as `replay` takes them: of MOT17 only class 1 marked 1, else all."""

    def __init__(self, rows, fps, size):
        classes = rows[:, 7]
        if len(rows) and np.all(classes == classes.astype(int)) and classes.min() >= 1 and classes.max() <= 13:
            rows = rows[(rows[:, 6] == 1) & (classes == 1)]
        self.rows, self.fps, self.size = rows, Fraction(fps), size
        self.frames = int(rows[:, 0].max()) if len(rows) else 0
        self.by_frame = [rows[rows[:, 0] == f] for f in range(1, self.frames + 1)]

    def time(self, index):
        return index / self.fps

    def points(self, rows, anchor="feet"):
        """Anchors in pixels. Feet below the picture's edge stand on it (a reading: the design does not say)."""
        down = 1.0 if anchor == "feet" else 0.5
        points = np.column_stack([rows[:, 2] + rows[:, 4] / 2, rows[:, 3] + rows[:, 5] * down])
        return np.clip(points, 0, np.array(self.size) * (1 - 1e-9))


def inside(points, polygon):
    """Even-odd rule, all points at once."""
    result = np.zeros(len(points), bool)
    x, y = points[:, 0], points[:, 1]
    for (x1, y1), (x2, y2) in zip(polygon, np.roll(polygon, -1, axis=0)):
        spans = (y1 > y) != (y2 > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            result ^= spans & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    return result


def machine(times, values, threshold, release, hold, gap):
    """Start and last true observation of each incident of one subject, from its values at each observation."""
    found, since, last, active, broken = [], None, None, False, False
    for t, value in zip(times, values):
        true = value >= (release if active else threshold)
        if last is not None and t - last > gap and (broken or not true):
            since, last, active = None, None, False  # a false observation since, and too long ago
            true = value >= threshold
        broken = not true
        if not true:
            continue
        since = t if since is None else since
        last = t
        if active:
            found[-1][1] = t
        elif t - since >= hold:
            active = True
            found.append([t, t])
    return found


def incidents(plan, tracks):
    """All incidents of all zone rules, by time."""
    found = []
    times = [tracks.time(k) for k in range(tracks.frames)]
    scale = np.array(tracks.size, float)
    for zone in plan.get("zone", []):
        polygon = np.array(zone["polygon"]) * scale
        for rule in zone.get("rule", []):
            kind = rule["kind"]
            hold, gap = seconds(rule.get("hold", "0s")), seconds(rule.get("gap", f"{DEFAULT_GAP[kind]}s"))
            within = [inside(tracks.points(rows, rule.get("anchor", "feet")), polygon) for rows in tracks.by_frame]
            if kind == "gathering":
                found += gatherings(plan, rule, tracks, times, within, hold, gap)
                continue
            if kind == "loitering":
                hold, threshold = seconds(rule["dwell"]), 1
                subjects = {i: [0] * len(times) for i in np.unique(tracks.rows[:, 1]).astype(int)}
                for k, (rows, here) in enumerate(zip(tracks.by_frame, within)):
                    for i in rows[here, 1].astype(int):
                        subjects[i][k] = 1
            else:
                threshold = rule["people"] if kind == "crowd" else 1
                subjects = {zone["id"]: [int(here.sum()) for here in within]}
            for subject, values in subjects.items():
                for start, end in machine(times, values, threshold, rule.get("release", threshold), hold, gap):
                    found.append(Incident(rule["id"], start, end, subject))
    return sorted(found, key=lambda i: (i.start, i.rule))


def ground(plan, size):
    """The homography from pixels to metres of `[ground]`: least squares over its points (direct linear transform)."""
    rows = []
    for (u, v), (x, y) in zip(np.array(plan["ground"]["points"]) * size, plan["ground"]["metres"]):
        rows.append([u, v, 1, 0, 0, 0, -x * u, -x * v, -x])
        rows.append([0, 0, 0, u, v, 1, -y * u, -y * v, -y])
    return np.linalg.svd(np.array(rows))[2][-1].reshape(3, 3)


def clusters(points, reach):
    """Groups of points linked by steps of at most `reach`: DBSCAN in which two are enough for a link."""
    left, groups = set(range(len(points))), []
    near = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1)) <= reach
    while left:
        group, edge = set(), {left.pop()}
        while edge:
            i = edge.pop()
            group.add(i)
            reached = {j for j in left if near[i, j]}
            left -= reached
            edge |= reached
        groups.append(sorted(group))
    return groups


def gatherings(plan, rule, tracks, times, within, hold, gap):
    """Clusters on the ground; a cluster goes on as the one with which it shares most members."""
    text = rule["radius"]
    reach = float(text[:-2]) * BODY_HEIGHT if text.endswith("bh") else float(text[:-1])
    plane = ground(plan, np.array(tracks.size, float))
    threshold, release = rule["people"], rule.get("release", rule["people"])
    live, done = [], []  # each: members, times, values
    for k, (rows, here) in enumerate(zip(tracks.by_frame, within)):
        rows = rows[here]
        at = np.column_stack([tracks.points(rows, rule.get("anchor", "feet")), np.ones(len(rows))]) @ plane.T
        ids = rows[:, 1].astype(int)
        now = [frozenset(ids[g]) for g in clusters(at[:, :2] / at[:, 2:], reach)] if len(rows) else []
        now = sorted((g for g in now if len(g) >= release), key=len, reverse=True)
        for old in sorted(live, key=lambda c: -len(c["members"])):
            heir = max(now, key=lambda g: len(g & old["members"]), default=None)
            if heir and heir & old["members"]:
                now.remove(heir)
                old["members"] = heir
                old["seen"] = times[k]
                old["values"][k] = len(heir)
        for group in now:
            live.append({"members": group, "seen": times[k], "values": {k: len(group)}})
        done += [c for c in live if times[k] - c["seen"] > gap]
        live = [c for c in live if times[k] - c["seen"] <= gap]
    found = []
    for cluster in done + live:
        values = [cluster["values"].get(k, 0) for k in range(len(times))]
        for start, end in machine(times, values, threshold, release, hold, gap):
            found.append(Incident(rule["id"], start, end, cluster["members"]))
    return found


def side(a, b, p):
    """Negative on the left of someone who walks from a to b, y down."""
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


def crossings(plan, tracks):
    """Counts by line and direction, and the (time, line, direction, person) of each.

    A person is on the side on which they were first seen, until their feet's path meets the segment and they are away
    from it on the other side by 0.1 body height: of their box's height then, y doubled for foreshortening; with a
    ground plane 0.17 m. Going round the segment changes the side without a count.
    """
    counts, events = {}, []
    scale = np.array(tracks.size, float)

    def flat(points):  # pixels with y doubled, or metres
        if "ground" not in plan:
            return points * [1, 2]
        at = np.column_stack([points, np.ones(len(points))]) @ ground(plan, scale).T
        return at[:, :2] / at[:, 2:]

    for line in plan.get("line", []):
        counts[line["id"]] = {"left_to_right": 0, "right_to_left": 0}
        ends = np.array(line["points"]) * scale
        (a, b), (fa, fb) = ends, flat(ends)
        for person in np.unique(tracks.rows[:, 1]).astype(int):
            rows = tracks.rows[tracks.rows[:, 1] == person]
            rows = rows[np.argsort(rows[:, 0])]
            feet = tracks.points(rows)
            away = np.array([side(a, b, p) for p in feet])
            share = np.clip((flat(feet) - fa) @ (fb - fa) / np.dot(fb - fa, fb - fa), 0, 1)
            beyond = np.hypot(*(flat(feet) - fa - share[:, None] * (fb - fa)).T)
            beyond /= BODY_HEIGHT if "ground" in plan else rows[:, 5]
            home, met = np.sign(away[0]) or 1.0, False
            for k in range(1, len(feet)):
                before, after = away[k - 1], away[k]
                if (before < 0) != (after < 0):
                    share = before / (before - after)
                    along = np.dot(feet[k - 1] + share * (feet[k] - feet[k - 1]) - a, b - a) / np.dot(b - a, b - a)
                    met = 0 <= along <= 1
                if after * home < 0 and beyond[k] >= 0.1:
                    if met:
                        direction = "left_to_right" if home < 0 else "right_to_left"
                        counts[line["id"]][direction] += 1
                        events.append((tracks.time(int(rows[k, 0]) - 1), line["id"], direction, int(person)))
                    home = -home
    return counts, sorted(events)
