"""FastAPI with ONNX Runtime, in the two ways people write it. Neither asks who is there, nor counts.

MODEL=net.onnx uvicorn fastapi_server:app
"""

import os

import numpy as np
import onnxruntime as ort
import orjson
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel

options = ort.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = ort.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
app = FastAPI()


class Rows(BaseModel):
    input_data: list[list[float]]


@app.post("/typed")
async def typed(rows: Rows) -> dict[str, list[list[float]]]:
    """As its tutorial shows: types in and out, which also check what comes in."""
    (out,) = session.run(["y"], {"x": np.array(rows.input_data, np.float32)})
    return {"prediction": out.tolist()}


@app.post("/raw")
async def raw(request: Request) -> Response:
    """As bare as it goes: not even the input is checked."""
    rows = orjson.loads(await request.body())["input_data"]
    (out,) = session.run(["y"], {"x": np.array(rows, np.float32)})
    return Response(orjson.dumps({"prediction": out.tolist()}), media_type="application/json")
