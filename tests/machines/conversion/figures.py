"""Seconds and memory of each check: `python -m tests.machines.conversion.figures`. No test: it only tells."""

import tempfile
from pathlib import Path

from machines.child import run_child
from tests.machines.conversion.conftest import FRAMEWORKS, make
from tests.machines.conversion.test_check import INPUTS, LAYERS, NETS

KINDS = {
    "torch": ("scripted.pt", "traced.pt", "pt2", "state.pt", "safetensors"),
    "tensorflow": ("keras", "h5", "zip", "tflite"),
}


def main():
    print(f"{'file':22} {'seconds':>8} {'peak MB':>8}  served, worst difference")
    with tempfile.TemporaryDirectory() as place:
        for family, kinds in KINDS.items():
            made = make(family, Path(place))
            for path in (made / f"{net}.{kind}" for kind in kinds for net in NETS):
                if path.exists():
                    print(line(path), flush=True)


def line(path):
    net = path.name.split(".")[0]
    request = {"path": str(path), "file_name": path.name, "framework": FRAMEWORKS.get(path.suffix, "tensorflow")}
    inputs = INPUTS.get(net) if "scripted" in path.name else None
    request |= {"layers": LAYERS[net], "inputs": inputs, "onnx_path": str(path.parent / "out.onnx")}
    answer = run_child("machines.conversion", request, seconds=120, memory_mb=4096)
    report = answer["report"]
    worst = (report["parity"] or {}).get("worst", "")
    return f"{path.name:22} {report['seconds']:8.2f} {report['peak_mb']:8}  {answer['served']} {worst}"


if __name__ == "__main__":
    main()
