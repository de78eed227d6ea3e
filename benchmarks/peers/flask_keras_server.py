"""Flask with Keras' `predict`, as tutorials show it.

MODEL=net.keras gunicorn flask_keras_server:app
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from flask import Flask, jsonify, request
from flask.wrappers import Response

model = keras.models.load_model(os.environ["MODEL"])
app = Flask(__name__)


@app.post("/predict")
def predict() -> Response:
    rows = np.array(request.get_json()["input_data"], np.float32)
    return jsonify(prediction=model.predict(rows, verbose=0).tolist())
