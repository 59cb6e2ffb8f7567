"""NanoDet-g from TensorFlow.js to ONNX, float32 and INT8, compared with models/. Run by scripts/rebuild-model."""

import base64
import hashlib
import json
import math
import os
import pathlib
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

COMMITTED = pathlib.Path("models/nanodet_g_person_int8.onnx")
FLOAT_SHA256 = "c25de9f829f8a38382892285bdc2bdaf8af503aa368269942ff7af9bbd395e32"
VTEST = "/usr/share/doc/opencv-doc/examples/data/vtest.avi"

PERSON, CLASSES, BINS = 0, 80, 11
# The TensorFlow graph has this fixed input; the ONNX graph takes any multiple of 32.
TF_INPUT = 416
CALIBRATION = (512, 384)
MEAN = np.array([103.53, 116.28, 123.675], np.float32)
STD = np.array([57.375, 57.12, 58.395], np.float32)


def load(folder):
    """Nodes by name and weights by name; the file stores most weights as float16."""
    model = json.loads((folder / "nanodet.json").read_text())
    (manifest,) = model["weightsManifest"]
    raw = b"".join((folder / path).read_bytes() for path in manifest["paths"])
    weights, offset = {}, 0
    for entry in manifest["weights"]:
        stored = np.dtype(entry.get("quantization", entry)["dtype"])
        count = math.prod(entry["shape"])
        values = np.frombuffer(raw, stored, count, offset)
        weights[entry["name"]] = values.reshape(entry["shape"]).astype(entry["dtype"])
        offset += count * stored.itemsize
    assert offset == len(raw)
    return {node["name"]: node for node in model["modelTopology"]["node"]}, weights


class Converter:
    """Walks the graph from its outputs. All tensors are NCHW: the transposes around each convolution vanish, paddings
    move into the convolution, and only the `person` channel of the 80 class scores is kept."""

    def __init__(self, nodes, weights):
        self.tf, self.weights = nodes, weights
        self.nodes, self.constants = [], {}
        self.names = {}    # TensorFlow name -> ONNX name
        self.pads = {}     # TensorFlow name -> [top, left, bottom, right] that the next node applies
        self.height = {}   # ONNX name -> rows at TF_INPUT
        self.users = {}
        for node in nodes.values():
            for name in node.get("input", []):
                self.users.setdefault(name.split(":")[0], []).append(node)

    def model(self):
        heads = [self.visit(f"Identity{suffix}") for suffix in ("", "_1", "_2", "_3", "_4", "_5")]
        self.emit("Concat", heads[:3], "scores", axis=1)
        self.emit("Concat", heads[3:], "dists", axis=1)
        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            self.nodes,
            "nanodet_g_person",
            [value("images", TensorProto.FLOAT, ["N", 3, "H", "W"])],
            [value("scores", TensorProto.FLOAT, ["N", "A", 1]), value("dists", TensorProto.FLOAT, ["N", "A", 4 * BINS])],
            [numpy_helper.from_array(array, name) for name, array in self.constants.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="lookout")
        model.ir_version = 8
        onnx.checker.check_model(model)
        return model

    def visit(self, name):
        """ONNX name of a TensorFlow tensor."""
        node = self.tf[name.split(":")[0]]
        if name not in self.names:
            getattr(self, node["op"].lower())(node)
        return self.names[name]

    def emit(self, op, inputs, name, outputs=None, **attributes):
        self.nodes.append(helper.make_node(op, inputs, outputs or [name], name=name, **attributes))
        return name

    def constant(self, name, array):
        self.constants[name] = np.ascontiguousarray(array)
        return name

    def simple(self, node, op, **attributes):
        source = self.visit(node["input"][0])
        name = self.emit(op, [source], short(node), **attributes)
        self.names[node["name"]], self.height[name] = name, self.height[source]

    def placeholder(self, node):
        self.names[node["name"]], self.height["images"] = "images", TF_INPUT

    def identity(self, node):
        self.names[node["name"]] = self.visit(node["input"][0])

    def transpose(self, node):
        source = node["input"][0]
        order = self.weights[node["input"][1]].tolist()
        if order == [0, 2, 1]:
            self.names[node["name"]] = self.emit("Transpose", [self.visit(source)], short(node), perm=order)
            return
        assert order in ([0, 2, 3, 1], [0, 3, 1, 2]), order
        self.names[node["name"]] = self.visit(source)
        self.pads[node["name"]] = self.pads.get(source)

    def pad(self, node):
        self.names[node["name"]] = self.visit(node["input"][0])
        self.pads[node["name"]] = self.weights[node["input"][1]][2:, :].T.reshape(-1).tolist()

    padv2 = pad  # its value is minus infinity, as MaxPool pads

    def window(self, node, source, kernel):
        """Attributes of a convolution or pooling; its rows are noted under the ONNX name that follows."""
        assert base64.b64decode(node["attr"]["padding"]["s"]) == b"VALID"
        strides = [int(v) for v in node["attr"]["strides"]["list"]["i"]][1:3]
        pads = self.pads.get(node["input"][0]) or [0, 0, 0, 0]
        rows = (self.height[source] + pads[0] + pads[2] - kernel[0]) // strides[0] + 1
        return {"kernel_shape": kernel, "strides": strides, "pads": pads}, rows

    def conv2d(self, node):
        source = self.visit(node["input"][0])
        weight = self.weights[node["input"][1]].transpose(3, 2, 0, 1)
        (add,) = self.users[node["name"]]
        (bias,) = [self.weights[i].reshape(-1) for i in add["input"] if i != node["name"]]
        if len(bias) == CLASSES + 4 * BINS:
            keep = [PERSON, *range(CLASSES, len(bias))]
            weight, bias = weight[keep], bias[keep]
        name = short(add)
        attributes, self.height[name] = self.window(node, source, list(weight.shape[2:]))
        inputs = [source, self.constant(f"{name}.w", weight), self.constant(f"{name}.b", bias)]
        self.names[add["name"]] = self.emit("Conv", inputs, name, group=1, **attributes)

    def add(self, node):
        conv = [i for i in node["input"] if i in self.tf and self.tf[i]["op"] == "Conv2D"]
        if conv:
            self.conv2d(self.tf[conv[0]])
            return
        first, second = (self.visit(name) for name in node["input"])
        name = self.emit("Add", [first, second], short(node))
        self.names[node["name"]], self.height[name] = name, self.height[first]

    def maxpool(self, node):
        source = self.visit(node["input"][0])
        kernel = [int(v) for v in node["attr"]["ksize"]["list"]["i"]][1:3]
        attributes, self.height[short(node)] = self.window(node, source, kernel)
        self.names[node["name"]] = self.emit("MaxPool", [source], short(node), **attributes)

    def leakyrelu(self, node):
        self.simple(node, "LeakyRelu", alpha=float(node["attr"]["alpha"]["f"]))

    def sigmoid(self, node):
        self.simple(node, "Sigmoid")

    def concatv2(self, node):
        *sources, axis = node["input"]
        assert int(self.weights[axis]) == 1
        sources = [self.visit(name) for name in sources]
        name = self.emit("Concat", sources, short(node), axis=1)
        self.names[node["name"]], self.height[name] = name, self.height[sources[0]]

    def resizebilinear(self, node):
        source = self.visit(node["input"][0])
        rows = int(self.weights[node["input"][1]][0])
        scale = rows / self.height[source]
        assert scale in (0.5, 2.0), scale
        scales = self.constant(f"scale{scale}", np.array([1, 1, scale, scale], np.float32))
        name = "_".join(node["name"].split("/")[-2:])
        self.emit("Resize", [source, "", scales], name, mode="linear", coordinate_transformation_mode="half_pixel")
        self.names[node["name"]], self.height[name] = name, rows

    def splitv(self, node):
        source = self.visit(node["input"][0])
        assert self.weights[node["input"][1]].tolist() == [CLASSES, 4 * BINS]
        sizes = self.constant("split", np.array([1, 4 * BINS], np.int64))
        outputs = [f"{short(node)}:{i}" for i in range(2)]
        self.emit("Split", [source, sizes], short(node), outputs, axis=1)
        for suffix, output in zip(("", ":1"), outputs):
            self.names[node["name"] + suffix], self.height[output] = output, self.height[source]

    def reshape(self, node):
        source = self.visit(node["input"][0])
        channels = 1 if self.tf[node["input"][0].split(":")[0]]["op"] == "Sigmoid" else 4 * BINS
        shape = self.constant(f"shape{channels}", np.array([0, channels, -1], np.int64))
        self.names[node["name"]] = self.emit("Reshape", [source, shape], short(node))


def short(node):
    return node["name"].split("/")[-1]


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def constants(model):
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def compare_weights(rebuilt, committed):
    """Weights of the INT8 model are those of the float32 model divided by the largest of each output channel; no
    calibration enters. Biases are rounded to the scale of activation and weight, which does come from calibration."""
    ours, theirs = constants(rebuilt), constants(committed)
    layers = [node.name for node in rebuilt.graph.node if node.op_type == "Conv"]
    other = []
    for layer in layers:
        weight, scale = ours[f"{layer}.w"], theirs[f"{layer}.w_scale"].reshape(-1, 1, 1, 1)
        wanted = np.clip(np.rint(weight / scale), -127, 127)
        largest = np.abs(weight).max(axis=(1, 2, 3)) / 127
        exact = np.array_equal(wanted, theirs[f"{layer}.w_quantized"]) and np.allclose(largest, scale.reshape(-1), rtol=1e-6)
        bias, step = ours[f"{layer}.b"], theirs[f"{layer}.b_quantized_scale"].reshape(-1)
        exact &= bool(np.all(np.abs(theirs[f"{layer}.b_quantized"] * step - bias) <= 0.5001 * step))
        if not exact:
            other.append(layer)
    return len(layers), other


def calibration_pictures(video):
    """13 frames of the video over its whole length, as normalised tensors."""
    width, height = CALIBRATION
    command = ["ffmpeg", "-v", "error", "-i", video, "-vf", rf"select=not(mod(n\,62)),scale={width}:{height}",
               "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "bgr24", "-"]
    raw = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    frames = np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3)
    return [((frame - MEAN) / STD).transpose(2, 0, 1)[None].astype(np.float32) for frame in frames]


def quantise(source, target, pictures):
    from onnxruntime import quantization as q

    class Reader(q.CalibrationDataReader):
        def __init__(self):
            self.pictures = iter(pictures)

        def get_next(self):
            picture = next(self.pictures, None)
            return None if picture is None else {"images": picture}

    q.quantize_static(
        source, target, Reader(), quant_format=q.QuantFormat.QDQ, per_channel=True,
        activation_type=q.QuantType.QUInt8, weight_type=q.QuantType.QInt8, calibrate_method=q.CalibrationMethod.MinMax,
        op_types_to_quantize=["Conv", "LeakyRelu", "Concat", "Add", "MaxPool", "Resize"],
    )


def compare_scales(ours, theirs):
    """Median and largest relative difference of the scales of activations that both models have."""
    ours, theirs = constants(ours), constants(theirs)
    names = [n for n in ours if n.endswith("_scale") and ".w" not in n and ".b" not in n and n in theirs]
    ratios = np.array([abs(float(ours[n]) / float(theirs[n]) - 1) for n in names])
    return len(names), float(np.median(ratios)), float(ratios.max())


def main(work):
    float_path, int8_path = work / "nanodet_g_person.onnx", work / "nanodet_g_person_int8.onnx"
    model = Converter(*load(work / "package/models")).model()
    onnx.save(model, float_path)
    same = sha256(float_path) == FLOAT_SHA256
    print(f"{float_path}: {sha256(float_path)}: {'the recorded bytes' if same else f'NOT the recorded {FLOAT_SHA256}'}")

    committed = onnx.load(COMMITTED)
    layers, other = compare_weights(model, committed)
    if other:
        print(f"{COMMITTED}: weights or biases of {len(other)} of {layers} convolutions DIFFER: {', '.join(other)}")
    else:
        print(f"{COMMITTED}: weights and biases of all {layers} convolutions are those of the rebuilt model, quantised")

    video = os.environ.get("VTEST", VTEST)
    if pathlib.Path(video).is_file():
        quantise(float_path, int8_path, calibration_pictures(video))
        if sha256(int8_path) == sha256(COMMITTED):
            print(f"{int8_path}: the committed bytes")
        else:
            count, median, largest = compare_scales(onnx.load(int8_path), committed)
            print(f"{int8_path}: not the committed bytes, and not expected to be: which pictures the committed model was "
                  f"calibrated on is not recorded, and ranges depend on the processor. Of {count} activation scales in "
                  f"both the median differs by {median:.1%}, the largest by {largest:.1%}")
    else:
        print(f"no INT8 model made: {video} is not there (set VTEST)")
    return 0 if same and not other else 1


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
