"""python save_keras.py weights.npz net.keras: the network with the given weights, for Flask with Keras."""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

weights = np.load(sys.argv[1])
layers = len(weights.files) // 2
model = keras.Sequential([keras.Input((weights["w0"].shape[0],))])
for at in range(layers):
    model.add(keras.layers.Dense(weights[f"b{at}"].size, activation="relu" if at < layers - 1 else None))
for at, layer in enumerate(model.layers):
    layer.set_weights([weights[f"w{at}"], weights[f"b{at}"]])
model.save(sys.argv[2])
