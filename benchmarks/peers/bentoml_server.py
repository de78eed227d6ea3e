"""BentoML with ONNX Runtime, one worker.

MODEL=net.onnx bentoml serve bentoml_server:Net
"""

import os

import bentoml
import numpy as np
import onnxruntime as ort


@bentoml.service(workers=1, traffic={"timeout": 60})
class Net:
    def __init__(self) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])

    @bentoml.api
    def predict(self, input_data: list[list[float]]) -> list[list[float]]:
        (out,) = self.session.run(["y"], {"x": np.array(input_data, np.float32)})
        return out.tolist()
