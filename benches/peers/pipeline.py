#!/usr/bin/env python3
"""The usual Python stack, from a clip to events: VideoCapture, ONNX Runtime, NMS, ByteTrack, zone rules, JSON lines.

    pipeline.py VIDEO --camera CAMERA.toml --model MODEL.onnx --out events.jsonl [--fps 7]

One process, one thread of inference; measured from outside by compare.py.
"""
import argparse
import json
import sys
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import cv2  # noqa: E402

from peers.detector import Detector  # noqa: E402
from peers.follow import detections, make  # noqa: E402
from peers.zones import Rules  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video")
    parser.add_argument("--camera", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--fps", type=float, help="instead of the file's own")
    parser.add_argument("--size", default="640x480", help="input of the model")
    parser.add_argument("--score", type=float, default=0.25, help="the least score that reaches the tracker")
    parser.add_argument("--one-thread", action="store_true", help="in OpenCV and in decoding too")
    parser.add_argument("--frames", type=int, help="stop after so many pictures")
    given = parser.parse_args()

    settings = []
    if given.one_thread:
        cv2.setNumThreads(1)
        settings = [cv2.CAP_PROP_N_THREADS, 1]
    capture = cv2.VideoCapture(given.video, cv2.CAP_FFMPEG, settings)
    if not capture.isOpened():
        raise SystemExit(f"{given.video}: cannot be opened")
    fps = given.fps or capture.get(cv2.CAP_PROP_FPS)
    shape = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    detector = Detector(given.model, tuple(map(int, given.size.split("x"))), least_score=given.score)
    tracker = make("ByteTrack", fps)
    rules = Rules(tomllib.loads(given.camera.read_text()), shape, fps, forgiving=True)
    index = 0
    with open(given.out, "w") as out:
        while given.frames is None or index < given.frames:
            ok, picture = capture.read()
            if not ok:
                break
            tracked = tracker.update(detections(detector(picture)))
            for rule, time in rules.update(index, tracked):
                out.write(json.dumps({"rule": rule, "state": "started", "media_time": time}) + "\n")
            index += 1


if __name__ == "__main__":
    main()
