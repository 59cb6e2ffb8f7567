#!/usr/bin/env python3
"""Detections of a clip as a MOT file: every box after NMS from score 0.1 up, in pixels of the source picture."""
import argparse
import hashlib
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from peers.detector import Detector  # noqa: E402


def pictures(video):
    import cv2
    capture = cv2.VideoCapture(str(video))
    if not capture.isOpened():
        raise SystemExit(f"{video}: cannot be opened")
    while True:
        ok, picture = capture.read()
        if not ok:
            return
        yield picture


def detect(video, model, size, out, nms=0.55):
    """Writes beside, then renames. Video frame k (from 0) is MOT frame k + 1."""
    detector = Detector(model, size, nms=nms)
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = out.with_name(out.name + ".part")
    with open(beside, "w") as file:
        for k, picture in enumerate(pictures(video)):
            for left, top, width, height, score in detector(picture):
                file.write(f"{k + 1},-1,{left:.6f},{top:.6f},{width:.6f},{height:.6f},{score:.6f},-1,-1,-1\n")
    os.replace(beside, out)
    return out


def cached(video, model, size, out, nms=0.55):
    """The same, unless `out` was already made from this clip by this model and code."""
    key = hashlib.sha256(repr((size, nms)).encode())
    for path in (video, model, __file__, sys.modules[Detector.__module__].__file__):
        key.update(Path(path).read_bytes())
    note = Path(str(out) + ".key")
    if not Path(out).exists() or not note.exists() or note.read_text() != key.hexdigest():
        detect(video, model, size, out, nms)
        note.write_text(key.hexdigest())
    return out


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("video")
    arguments.add_argument("--model", required=True)
    arguments.add_argument("--size", default="640x480")
    arguments.add_argument("--nms", type=float, default=0.55)
    arguments.add_argument("--out", required=True)
    given = arguments.parse_args()
    detect(given.video, given.model, tuple(map(int, given.size.split("x"))), given.out, given.nms)
