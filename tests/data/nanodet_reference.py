"""Recomputes the default model's detections of a drawn figure with numpy, apart from the Rust code, and writes
nanodet_reference.json. Needs numpy and onnxruntime: `python tests/data/nanodet_reference.py` from the repository root."""

import json
import pathlib

import numpy as np
import onnxruntime

PICTURE, INPUT = (192, 160), (256, 160)
MEAN, STD, PAD = [103.53, 116.28, 123.675], [57.375, 57.12, 58.395], 114
VOTE, NMS, LEAST = 0.7, 0.55, 0.1


def figure():
    """Someone standing, BGR; pipeline/detect/tests/reference.rs draws the same."""
    width, height = PICTURE
    y, x = np.mgrid[0:height, 0:width]
    picture = np.stack([91 + x // 8, 115 + y // 6, 99 + (x + y) // 12], 2)

    def ellipse(cx, cy, rx, ry, colour):
        picture[((x - cx) * ry) ** 2 + ((y - cy) * rx) ** 2 <= (rx * ry) ** 2] = colour

    def rectangle(left, top, right, bottom, colour):
        picture[top:bottom, left:right] = colour

    skin, hair, shirt, trousers, shoes = (133, 126, 237), (2, 44, 67), (113, 35, 96), (113, 131, 116), (51, 37, 82)
    ellipse(128, 35, 9, 12, skin)
    ellipse(128, 28, 9, 6, hair)
    rectangle(124, 43, 132, 50, skin)
    rectangle(117, 48, 139, 89, shirt)
    rectangle(111, 50, 117, 83, shirt)
    rectangle(139, 50, 145, 83, shirt)
    ellipse(114, 86, 3, 5, skin)
    ellipse(142, 86, 3, 5, skin)
    rectangle(119, 87, 127, 135, trousers)
    rectangle(129, 87, 137, 135, trousers)
    rectangle(116, 135, 127, 141, shoes)
    rectangle(129, 135, 140, 141, shoes)
    return picture


def iou(a, b):
    shared = np.clip(np.minimum(a[2:4], b[:, 2:4]) - np.maximum(a[:2], b[:, :2]), 0, None).prod(1)
    area = lambda r: (r[..., 2] - r[..., 0]) * (r[..., 3] - r[..., 1])
    return shared / (area(a) + area(b) - shared)


def main():
    width, height = INPUT
    padded = np.full((height, width, 3), PAD)
    padded[: PICTURE[1], : PICTURE[0]] = figure()
    tensor = ((padded - MEAN) / STD).transpose(2, 0, 1)[None].astype(np.float32)
    session = onnxruntime.InferenceSession("models/nanodet_g_person_int8.onnx", providers=["CPUExecutionProvider"])
    scores, sides = (values[0].astype(np.float64) for values in session.run(["scores", "dists"], {"images": tensor}))

    centres, strides = [], []
    for stride in (8, 16, 32):
        gy, gx = np.mgrid[0 : height // stride, 0 : width // stride]
        centres.append(np.stack([gx.ravel() + 0.5, gy.ravel() + 0.5], 1) * stride)
        strides.append(np.full(gx.size, stride))
    centres, strides = np.concatenate(centres), np.concatenate(strides)
    weights = np.exp(sides.reshape(-1, 4, 11))
    sides = (weights / weights.sum(2, keepdims=True) @ np.arange(11)) * strides[:, None]
    boxes = np.concatenate([centres - sides[:, :2], centres + sides[:, 2:]], 1)

    taken = scores[:, 0] >= LEAST
    order = np.argsort(-scores[taken, 0], kind="stable")
    boxes, scores = boxes[taken][order], scores[taken, 0][order]
    found, left = [], np.ones(len(boxes), bool)
    for i in range(len(boxes)):
        if left[i]:
            overlap = iou(boxes[i], boxes)
            near = overlap >= VOTE
            box = (boxes[near] * scores[near, None]).sum(0) / scores[near].sum()
            found.append([*box[:2], *(box[2:] - box[:2]), scores[i]])
            left &= overlap <= NMS
    rounded = [[round(float(value), 4) for value in row] for row in found]
    target = pathlib.Path(__file__).with_suffix(".json")
    target.write_text("[\n" + ",\n".join(f"  {json.dumps(row)}" for row in rounded) + "\n]\n")


main()
