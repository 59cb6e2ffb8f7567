#!/usr/bin/env python3
"""Scores a MOT track file against ground truth: HOTA, IDF1, MOTA, ID switches by PyPI `trackeval`.

    score.py --gt gt.txt --tracks tracks.txt [--mot17]

HOTA: Luiten et al. 2021 (mean over 19 localisation thresholds); IDF1: Ristani et al. 2016; MOTA, switches: CLEAR MOT,
Bernardin and Stiefelhagen 2008, at IoU 0.5. With --mot17 the preprocessing of the MOT17 protocol is trackeval's own
(MotChallenge2DBox): class 1 with confidence 1 counts, boxes on classes 2, 7, 8, 12 are neither right nor wrong.
Without it every row of the ground truth counts, whatever its columns 7 and 8 hold (PETS has positions in metres there).
"""
import argparse
import contextlib
import io
import json
import tempfile
from pathlib import Path

import numpy as np

with contextlib.redirect_stdout(io.StringIO()):
    from trackeval.datasets import MotChallenge2DBox
    from trackeval.metrics import CLEAR, HOTA, Identity

METRICS = [HOTA(), CLEAR({"PRINT_CONFIG": False}), Identity({"PRINT_CONFIG": False})]


def read(path):
    """Rows of a MOT file with at least seven columns; an empty file is no rows."""
    lines = [line for line in Path(path).read_text().splitlines() if line.strip()]
    rows = [[float(v) for v in line.replace(" ", ",").split(",") if v] for line in lines]
    return np.array([r[:9] + [1.0] * (9 - len(r)) for r in rows]) if rows else np.zeros((0, 9))


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    with open(path, "w") as file:
        for r in rows:
            box = ",".join(f"{v:.6f}" for v in r[2:6])
            file.write(f"{int(r[0])},{int(r[1])},{box},{r[6]:g},{int(r[7])},{r[8]:g}\n")


def score(gt, tracks, mot17=False, frames=None):
    """`gt` and `tracks` as arrays of MOT rows, or paths."""
    gt = gt if isinstance(gt, np.ndarray) else read(gt)
    tracks = (tracks if isinstance(tracks, np.ndarray) else read(tracks)).copy()
    if not mot17:
        gt = gt.copy()
        gt[:, 6:8] = 1
    tracks[:, 7] = 1
    last = frames or int(max(gt[:, 0].max(), tracks[:, 0].max() if len(tracks) else 1))
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        write(folder / "gt/seq/gt/gt.txt", gt)
        write(folder / "trackers/it/data/seq.txt", tracks)
        dataset = MotChallenge2DBox({
            "GT_FOLDER": str(folder / "gt"), "TRACKERS_FOLDER": str(folder / "trackers"), "TRACKERS_TO_EVAL": ["it"],
            "BENCHMARK": "MOT17", "DO_PREPROC": mot17, "SKIP_SPLIT_FOL": True, "SEQ_INFO": {"seq": last},
            "PRINT_CONFIG": False})
        with contextlib.redirect_stdout(io.StringIO()):
            data = dataset.get_preprocessed_seq_data(dataset.get_raw_seq_data("it", "seq"), "pedestrian")
            hota, clear, identity = (metric.eval_sequence(data) for metric in METRICS)
    return {
        "HOTA": round(100 * float(np.mean(hota["HOTA"])), 2), "DetA": round(100 * float(np.mean(hota["DetA"])), 2),
        "AssA": round(100 * float(np.mean(hota["AssA"])), 2), "IDF1": round(100 * float(identity["IDF1"]), 2),
        "MOTA": round(100 * float(clear["MOTA"]), 2), "IDSW": int(clear["IDSW"]), "FP": int(clear["CLR_FP"]),
        "FN": int(clear["CLR_FN"]), "Frag": int(clear["Frag"]), "ids": int(data["num_tracker_ids"]),
    }


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--gt", required=True)
    arguments.add_argument("--tracks", required=True)
    arguments.add_argument("--mot17", action="store_true", help="the MOT17 protocol's preprocessing")
    arguments.add_argument("--frames", type=int, help="length of the sequence; else the last frame seen in either file")
    given = arguments.parse_args()
    print(json.dumps(score(given.gt, given.tracks, given.mot17, given.frames)))
