"""The trackers of PyPI `trackers`, driven over MOT detections as their documentation shows."""
import warnings

import numpy as np
import supervision as sv
from trackers import BoTSORTTracker, ByteTrackTracker, CBIoUTracker, OCSORTTracker, SORTTracker

warnings.filterwarnings("ignore")

# Each tracker, and the names of its own score thresholds. Everything else is the package's default; appearance and
# camera motion are off (the cameras are fixed).
KINDS = {
    "SORT": (SORTTracker, ["track_activation_threshold"], {}),
    "ByteTrack": (ByteTrackTracker, ["track_activation_threshold", "high_conf_det_threshold"], {}),
    "OC-SORT": (OCSORTTracker, ["high_conf_det_threshold"], {}),
    "BoT-SORT": (BoTSORTTracker, ["track_activation_threshold", "high_conf_det_threshold"], {"enable_cmc": False}),
    "C-BIoU": (CBIoUTracker, ["track_activation_threshold", "high_conf_det_threshold"], {}),
}


def make(kind, fps, score=None):
    """A tracker at a frame rate, with its own score thresholds set to `score` if that is given."""
    tracker, thresholds, more = KINDS[kind]
    own = {name: score for name in thresholds} if score is not None else {}
    return tracker(frame_rate=fps, **own, **more)


def detections(boxes):
    """supervision's Detections of rows left, top, width, height, score."""
    boxes = np.asarray(boxes, np.float32).reshape(-1, 5)
    xyxy = boxes[:, :4].copy()
    xyxy[:, 2:] += xyxy[:, :2]
    return sv.Detections(xyxy=xyxy, confidence=boxes[:, 4], class_id=np.zeros(len(boxes), int))


def each_frame(tracker, rows, frames, floor):
    """(index, tracked detections) of each frame: every frame is an update, also one without detections."""
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    starts = np.searchsorted(rows[:, 0], np.arange(1, frames + 2))
    for index in range(frames):
        here = rows[starts[index]:starts[index + 1], 2:7]
        yield index, tracker.update(detections(here[here[:, 4] >= floor]))


def follow(tracker, rows, frames, floor):
    """MOT rows out of MOT detections."""
    out = []
    for index, seen in each_frame(tracker, rows, frames, floor):
        for k in range(len(seen)):
            if seen.tracker_id[k] >= 0:
                left, top, right, bottom = seen.xyxy[k]
                out.append([index + 1, seen.tracker_id[k] + 1, left, top, right - left, bottom - top,
                            seen.confidence[k], -1, -1])
    return np.array(out) if out else np.zeros((0, 9))
