"""NanoDet-g in plain Python: letterbox, normalise, ONNX Runtime, decode, NMS.

The contract is models/README.md: input `images` float32 [N,3,H,W], BGR, letterboxed to the top left, pad 114;
outputs `scores` [N,A,1] (already a probability) and `dists` [N,A,44], four sides of 11 bins over strides 8, 16, 32.
Written the way a Python user writes it (numpy and OpenCV calls, no loops over anchors), so that it is a fair peer.
"""
import cv2
import numpy as np
import onnxruntime as ort

MEAN = np.array([103.53, 116.28, 123.675], np.float32)
STD = np.array([57.375, 57.12, 58.395], np.float32)
BINS = np.arange(11, dtype=np.float32)


def session(model, threads=1):
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


class Detector:
    def __init__(self, model, size=(640, 480), threads=1, least_score=0.1, nms=0.55):
        self.width, self.height = size
        self.least_score, self.nms = least_score, nms
        self.session = session(model, threads)
        centres, strides = [], []
        for stride in (8, 16, 32):
            y, x = np.mgrid[0:self.height // stride, 0:self.width // stride]
            centres.append(np.stack([(x.ravel() + 0.5) * stride, (y.ravel() + 0.5) * stride], 1))
            strides.append(np.full(x.size, stride))
        self.centres = np.concatenate(centres).astype(np.float32)
        self.strides = np.concatenate(strides).astype(np.float32)

    def prepare(self, picture):
        """The input tensor of a BGR picture, and the scale from the picture to it."""
        height, width = picture.shape[:2]
        scale = min(self.width / width, self.height / height)
        w, h = round(width * scale), round(height * scale)
        small = cv2.resize(picture, (w, h), interpolation=cv2.INTER_LINEAR)
        canvas = np.full((self.height, self.width, 3), 114, np.uint8)
        canvas[:h, :w] = small
        tensor = (canvas.astype(np.float32) - MEAN) / STD
        return np.ascontiguousarray(tensor.transpose(2, 0, 1))[None], scale

    def infer(self, tensor):
        return self.session.run(["scores", "dists"], {"images": tensor})

    def decode(self, scores, dists, scale, shape):
        """Boxes [n,5]: left, top, width, height in pixels of the picture, and the score, best first."""
        scores = scores[0, :, 0]
        keep = np.flatnonzero(scores >= self.least_score)
        if not len(keep):
            return np.zeros((0, 5), np.float32)
        bins = dists[0, keep].reshape(-1, 4, 11)
        bins = np.exp(bins - bins.max(2, keepdims=True))
        sides = (bins @ BINS) / bins.sum(2) * self.strides[keep, None]
        x, y = self.centres[keep].T
        height, width = shape[:2]
        left = np.clip((x - sides[:, 0]) / scale, 0, width)
        top = np.clip((y - sides[:, 1]) / scale, 0, height)
        right = np.clip((x + sides[:, 2]) / scale, 0, width)
        bottom = np.clip((y + sides[:, 3]) / scale, 0, height)
        boxes = np.stack([left, top, right - left, bottom - top], 1)
        picked = cv2.dnn.NMSBoxes(boxes.tolist(), scores[keep].tolist(), self.least_score, self.nms)
        picked = np.asarray(picked, int).ravel()
        return np.column_stack([boxes[picked], scores[keep][picked]])

    def __call__(self, picture):
        tensor, scale = self.prepare(picture)
        scores, dists = self.infer(tensor)
        return self.decode(scores, dists, scale, picture.shape)
