"""Where the benches find Lookout, the labelled data, the clips and the model; what is missing is said, exit code 3."""
import os
import subprocess
import sys
from pathlib import Path

# ONNX Runtime's own; Lookout sets it for itself.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "out"
MISSING = 3


def skip(what):
    print(f"skipped: {what}", file=sys.stderr)


def add_arguments(parser):
    parser.add_argument("--lookout", type=Path, default=ROOT / "target/release/lookout", help="the binary to measure")
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("LOOKOUT_SHARED", ROOT / "../shared")),
                        help="labelled data: eval/, clips/ (default: $LOOKOUT_SHARED or ../shared)")
    parser.add_argument("--vtest", type=Path, help="vtest.avi of Debian's opencv-doc")
    parser.add_argument("--model", type=Path, help="the peers' NanoDet-g ONNX file (default: the one under models/)")


def resolve(given):
    """Fills in the defaults that depend on what is there."""
    if given.vtest is None:
        packaged = Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi")
        given.vtest = packaged if packaged.exists() else ROOT / "media/vtest.avi"
    if given.model is None:
        here = [p for p in sorted((ROOT / "models").glob("nanodet*g*int8*.onnx"))]
        given.model = here[0] if here else given.shared / "models/nanodet_g_person_int8.onnx"
    given.shared = given.shared.resolve()
    given.lookout = given.lookout.resolve()
    return given


def present(path, what):
    if path.exists():
        return True
    skip(f"{what}: {path.name} is not there")
    return False


def cut(video, pictures):
    """The first pictures of a clip, their packets copied: what a short run takes. Needs PyAV."""
    import av
    out = OUT / f"short/{video.stem}-{pictures}{video.suffix}"
    out.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(video)) as source, av.open(str(out), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        for count, packet in enumerate(source.demux(stream)):
            if packet.dts is None or count == pictures:
                break
            packet.stream = copy
            target.mux(packet)
    return out


def call(lookout, *arguments, made, go_on=False):
    """Runs Lookout from the repository root. If it fails or does not write `made`, its message ends the bench, or with
    `go_on` is printed, and the answer is False."""
    done = subprocess.run([str(lookout), *map(str, arguments)], cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 0 and Path(made).exists():
        return True
    fault = f"lookout {arguments[0]}: exit code {done.returncode}, {Path(made).name} "
    fault += f"{'is' if Path(made).exists() else 'is not'} there\n{done.stderr.strip()}"
    if not go_on:
        raise SystemExit(fault)
    print(fault, file=sys.stderr)
    return False


def markdown(header, rows):
    """A table in markdown; numbers are right-aligned."""
    text = [[f"{v:.1f}" if isinstance(v, float) else str(v) for v in row] for row in rows]
    widths = [max(len(header[i]), *(len(r[i]) for r in text)) if text else len(header[i]) for i in range(len(header))]
    number = [bool(rows) and all(isinstance(r[i], (int, float)) for r in rows) for i in range(len(header))]
    line = lambda cells: "| " + " | ".join(  # noqa: E731
        c.rjust(w) if n else c.ljust(w) for c, w, n in zip(cells, widths, number)) + " |"
    rule = "|" + "|".join("-" * (w + 1) + (":" if n else "-") for w, n in zip(widths, number)) + "|"
    return "\n".join([line(header), rule, *map(line, text)])
