"""Scores alerts as DESIGN.md says ("How alerts are scored").

Same rule, `started` within -2 to +10 s of the true start (hold included), one to one. Further starts within a matched
incident are duplicates, others false. F1 over incidents, duplicates apart; false alarms per camera-hour; median delay.
"""
import json
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

EARLY, LATE = 2.0, 10.0


def started(path, plan):
    """(rule, media time) of each alert of a zone rule that started, in an events.jsonl."""
    lines = {rule["id"] for line in plan.get("line", []) for rule in line.get("rule", [])}
    events = [json.loads(line) for line in Path(path).read_text().splitlines() if line.strip()]
    return [(e["rule"], e["media_time"]) for e in events if e["state"] == "started" and e["rule"] not in lines]


def score(truth, alerts, duration):
    """`truth`: incidents with rule, start, end; `alerts`: (rule, seconds); `duration` of the clip in seconds."""
    matched, delays, used = [], [], set()
    for rule in {i.rule for i in truth}:
        real = [i for i in truth if i.rule == rule]
        said = [k for k, (name, _) in enumerate(alerts) if name == rule]
        if not said:
            continue
        delay = np.array([[alerts[k][1] - float(i.start) for k in said] for i in real])
        fits = (delay >= -EARLY) & (delay <= LATE)
        # As many pairs as possible, and of those the nearest in time.
        for r, c in zip(*linear_sum_assignment(np.where(fits, np.abs(delay), 1e6))):
            if fits[r, c]:
                matched.append(real[r])
                delays.append(float(delay[r, c]))
                used.add(said[c])
    duplicates, false = [], []
    for k, (rule, time) in enumerate(alerts):
        if k not in used:
            within = any(i.rule == rule and float(i.start) - EARLY <= time <= float(i.end) for i in matched)
            (duplicates if within else false).append((rule, round(time, 2)))
    missed = [(i.rule, round(float(i.start), 2)) for i in truth if not any(i is m for m in matched)]
    total = 2 * len(matched) + len(missed) + len(false)
    return {"incidents": len(truth), "found": len(matched), "F1": round(2 * len(matched) / total, 4) if total else 1.0,
            "duplicates": len(duplicates), "false": len(false), "missed": len(missed),
            "false_per_hour": round(len(false) / duration * 3600, 1),
            "median_delay_s": round(float(np.median(delays)), 2) if delays else None,
            "details": {"missed": missed, "false": false, "duplicates": duplicates}}
