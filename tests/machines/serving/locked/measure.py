"""What the lock costs: `python -m tests.machines.serving.locked.measure`. Prints, and judges nothing.

The net is the MLP 8-128-128-1 that docs/serving measures, with random weights.
"""

import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from machines.serving.locked.runner import Hosted, Runner
from machines.serving.predictor import session_options
from machines.serving.signature import Signature, Tensor

CALLS, COLD, SIZES = 10_000, 30, (8, 128, 128, 1)
SIGNATURE = Signature((Tensor("x", "float32", (8,)),), (Tensor("y", "float32", (1,)),))


def mlp() -> bytes:
    random, nodes, weights, last = np.random.default_rng(0), [], [], "x"
    for layer, (size, width) in enumerate(pairwise(SIZES)):
        for name, shape in ((f"w{layer}", (size, width)), (f"b{layer}", (width,))):
            weights.append(numpy_helper.from_array(random.normal(size=shape).astype(np.float32), name))
        out = "y" if width == 1 else f"h{layer}"
        nodes.append(helper.make_node("Gemm", [last, f"w{layer}", f"b{layer}"], [f"g{layer}"]))
        nodes.append(helper.make_node("Identity" if width == 1 else "Relu", [f"g{layer}"], [out]))
        last = out
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["rows", w]) for n, w in (("x", 8), ("y", 1))]
    graph = helper.make_graph(nodes, "mlp", ends[:1], ends[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(onnx.ModelProto.SerializeToString(model))


def timed(call, times):
    """Microseconds of each call, sorted."""
    for _ in range(100):
        call()
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return np.sort(seconds) * 1e6


def memory_of(pid: int) -> dict[str, float]:
    """MiB: PSS shares what the zygote shares, private is what this model costs."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines}
    return {"pss": sizes["Pss"], "private": sizes["Private_Dirty"]}


def main() -> None:
    content, x = mlp(), np.random.default_rng(1).normal(size=(1, 8)).astype(np.float32)
    session = ort.InferenceSession(content, session_options(), providers=["CPUExecutionProvider"])
    runner, hosted = Runner(), Hosted("onnx", lambda: content, SIGNATURE)
    began = time.perf_counter()
    runner.ready()
    print(f"zygote up: {(time.perf_counter() - began) * 1000:.0f} ms; model of {len(content) / 1000:.0f} kB")
    locked = timed(lambda: runner.call("warm", hosted, {"x": x}), CALLS)
    inside = timed(lambda: session._sess.run(["y"], {"x": x}, None), CALLS)
    for name, at in (("p50", 0.5), ("p99", 0.99)):
        ours, theirs = (series[int(at * CALLS)] for series in (locked, inside))
        print(f"one row, {name}: locked {ours:.0f} us, in process {theirs:.0f} us, added {ours - theirs:.0f} us")
    pid = runner._places["warm"].process.pid
    print("memory, MiB:", {name: round(size, 1) for name, size in memory_of(pid).items()})
    cold = []
    for turn in range(COLD):
        began = time.perf_counter()
        runner.call(f"cold {turn % 10}", hosted, {"x": x}, fresh=True)
        cold.append((time.perf_counter() - began) * 1000)
    print(f"cold model, first answer and end: median {np.median(cold):.1f} ms, worst {max(cold):.1f} ms")
    rows = np.repeat(x, 100_000, axis=0)
    many = timed(lambda: runner.call("warm", hosted, {"x": rows}), 5)
    print(f"100,000 rows in one call: {many[0] / 1000:.0f} ms")
    runner.close()


if __name__ == "__main__":
    main()
