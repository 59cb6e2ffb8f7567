"""Random camera files: star-shaped zones with a rule of each kind, and lines; the same seed, the same file."""
import math
import random


def polygon(r):
    cx, cy, points = r.uniform(0.2, 0.8), r.uniform(0.3, 0.8), []
    for k in range(r.randint(3, 7) if r.random() < 0.8 else 12):
        points.append((k + r.uniform(0.1, 0.9), r.uniform(0.08, 0.45)))
    out = []
    for k, reach in points:
        angle = 2 * math.pi * k / len(points)
        out.append([round(min(max(c + reach * f(angle), 0), 1), 4) for c, f in ((cx, math.cos), (cy, math.sin))])
    return out


def draw(seed, crowded):
    r = random.Random(seed)
    span = lambda low, high: f'"{r.randint(low, high) * 100}ms"'  # noqa: E731
    text = [f'id = "chance-{seed}"', f'name = "Chance {seed}"']
    for z in range(3):
        text += ["[[zone]]", f'id = "z{z}"', f'name = "Zone {z}"', f"polygon = {polygon(r)}"]
        for kind in ("crowd", "intrusion", "loitering"):
            text += ["[[zone.rule]]", f'id = "z{z}-{kind}"', f'kind = "{kind}"']
            if r.random() < 0.7:
                text.append(f"gap = {span(0, 40)}")
            if r.random() < 0.3:
                text.append('anchor = "center"')
            if kind == "loitering":
                text.append(f"dwell = {span(5, 100)}")
            elif r.random() < 0.7:
                text.append(f"hold = {span(0, 50)}")
            if kind == "crowd":
                people = r.randint(2, 8 if crowded else 4)
                text.append(f"people = {people}")
                if r.random() < 0.5:
                    text.append(f"release = {r.randint(1, people)}")
    for k in range(2):
        ends = [[round(r.uniform(0.2, 0.8), 4), round(r.uniform(0.3, 0.95), 4)] for _ in "ab"]
        text += ["[[line]]", f'id = "l{k}"', f'name = "Line {k}"', f"points = {ends}"]
    return "\n".join(text) + "\n"
