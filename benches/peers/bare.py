#!/usr/bin/env python3
"""The parts that any pipeline must pay for: decoding alone, and inference alone; prints their CPU seconds as JSON.

    bare.py decode VIDEO        every picture decoded by libav, none converted (by PyAV; and by OpenCV's grab())
    bare.py infer VIDEO --model MODEL.onnx [--size 640x480]
                                the session run on the inputs of all pictures, prepared beforehand, 64 at a time

CPU seconds are user + system of this process, from just before to just after; starting Python is not in them.
"""
import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
BATCH = 64


def decode_av(video):
    import av
    with av.open(video) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        start = time.process_time()
        count = sum(1 for _ in container.decode(stream))
        return count, time.process_time() - start


def decode_opencv(video):
    import cv2
    capture = cv2.VideoCapture(video, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    start, count = time.process_time(), 0
    while capture.grab():
        count += 1
    return count, time.process_time() - start


def infer(video, model, size):
    import cv2
    cv2.setNumThreads(1)
    from peers.detector import Detector
    detector = Detector(model, size)
    capture = cv2.VideoCapture(video)
    count, spent, ready = 0, 0.0, []
    while True:
        ok, picture = capture.read()
        if ok:
            ready.append(detector.prepare(picture)[0])
        if len(ready) == BATCH or not ok:
            if count == 0 and ready:
                detector.infer(ready[0])  # warm-up
            start = time.process_time()
            for tensor in ready:
                detector.infer(tensor)
            spent += time.process_time() - start
            count += len(ready)
            ready = []
        if not ok:
            return count, spent


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["decode", "infer"])
    parser.add_argument("video")
    parser.add_argument("--model")
    parser.add_argument("--size", default="640x480")
    given = parser.parse_args()
    if given.what == "decode":
        result = {"av": decode_av(given.video), "opencv": decode_opencv(given.video)}
        print(json.dumps({"frames": result["av"][0], **{k: v[1] for k, v in result.items()}}))
    else:
        frames, spent = infer(given.video, given.model, tuple(map(int, given.size.split("x"))))
        print(json.dumps({"frames": frames, "infer": spent}))
