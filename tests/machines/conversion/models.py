"""Small real models, made by the frameworks themselves in a process of their own: `python -m ...models torch|tensorflow FOLDER`.

Beside each file lie rows and what the framework answers to them, as .npz: `in:<name>` and `out:<place>`.
"""

import os
import sys
import zipfile
from pathlib import Path

import numpy as np

ROWS = 11


def save_case(folder, name, feed, answers):
    arrays = {f"in:{key}": value for key, value in feed.items()}
    np.savez(folder / f"{name}.npz", **arrays, **{f"out:{i}": np.asarray(a) for i, a in enumerate(answers)})


def rows(*shape):
    return np.random.default_rng(7).standard_normal((ROWS, *shape)).astype(np.float32)


def words(most, *shape, dtype=np.int64):
    return np.random.default_rng(7).integers(0, most, (ROWS, *shape)).astype(dtype)


def make_torch(folder):
    import torch
    from safetensors.torch import save_file
    from torch import nn

    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(4, 8, batch_first=True)
            self.out = nn.Linear(8, 1)

        def forward(self, x):
            return self.out(self.lstm(x)[0][:, -1])

    class Words(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(20, 4)
            self.out = nn.Linear(5 * 4 + 3, 2)

        def forward(self, words, numbers):
            return self.out(torch.cat([self.embedding(words).flatten(1), numbers], 1))

    class Unusual(nn.Module):
        """No ONNX operator does this."""

        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(4, 4) + 4 * torch.eye(4))

        def forward(self, x):
            return torch.linalg.solve(self.weight, x.unsqueeze(-1)).squeeze(-1)

    class Random(nn.Module):
        def __init__(self):
            super().__init__()
            self.out = nn.Linear(4, 2)

        def forward(self, x):
            return self.out(x) + torch.rand(1)

    class Remembers(nn.Module):
        """Answers with the row that it was asked before."""

        last: torch.Tensor

        def __init__(self):
            super().__init__()
            self.out = nn.Linear(4, 4)
            self.register_buffer("last", torch.zeros(4))

        def forward(self, x):
            before = self.last
            self.last = x[0].clone()
            return self.out(x) + before

    torch.manual_seed(3)
    mlp = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
    cnn = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(100, 3)
    )
    nets = {
        "mlp": (mlp, {"input": rows(8)}),
        "cnn": (cnn, {"input": rows(1, 12, 12)}),
        "lstm": (Recurrent(), {"x": rows(10, 4)}),
        "words": (Words(), {"words": words(20, 5), "numbers": rows(3)}),
    }
    for name, (net, feed) in nets.items():
        net.eval()
        example = tuple(map(torch.from_numpy, feed.values()))
        with torch.no_grad():
            save_case(folder, f"torch_{name}", feed, [net(*example)])
        torch.jit.script(net).save(str(folder / f"{name}.scripted.pt"))
        torch.jit.trace(net, example).save(str(folder / f"{name}.traced.pt"))
        batch = torch.export.Dim("batch")
        program = torch.export.export(net, example, dynamic_shapes=tuple({0: batch} for _ in example))
        torch.export.save(program, folder / f"{name}.pt2")
        torch.save(net.state_dict(), folder / f"{name}.state.pt")
        save_file(net.state_dict(), folder / f"{name}.safetensors")
    torch.save(mlp, folder / "pickled.pt")
    torch.save(mlp.state_dict(), folder / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.export.save(torch.export.export(mlp, (torch.zeros(3, 8),)), folder / "fixed.pt2")
    for name, net in {"unusual": Unusual(), "random": Random(), "remembers": Remembers()}.items():
        torch.jit.script(net.eval()).save(str(folder / f"{name}.pt"))
    net = Unusual().eval()
    torch.jit.script(net).save(str(folder / "unusual.pt"))
    with torch.no_grad():
        save_case(folder, "unusual", {"x": rows(4)}, [net(torch.from_numpy(rows(4)))])


def make_tensorflow(folder):
    import keras
    import tensorflow as tf
    from keras import layers

    keras.utils.set_random_seed(3)
    words_in = layers.Input((5,), dtype="int32", name="words")
    numbers = layers.Input((3,), name="numbers")
    joined = layers.Concatenate()([layers.Flatten()(layers.Embedding(20, 4)(words_in)), numbers])
    nets = {
        "mlp": (keras.Sequential([layers.Input((8,)), layers.Dense(16, "relu"), layers.Dense(1)]), [rows(8)]),
        "cnn": (
            keras.Sequential(
                [
                    layers.Input((12, 12, 1)),
                    layers.Conv2D(4, 3),
                    layers.BatchNormalization(),
                    layers.MaxPooling2D(),
                    layers.Flatten(),
                    layers.Dense(3, "softmax"),
                ]
            ),
            [rows(12, 12, 1)],
        ),
        "lstm": (keras.Sequential([layers.Input((10, 4)), layers.LSTM(8), layers.Dense(1)]), [rows(10, 4)]),
        "words": (keras.Model([words_in, numbers], layers.Dense(2)(joined)), [words(20, 5, dtype=np.int32), rows(3)]),
    }
    for name, (net, feed) in nets.items():
        answers = np.asarray(net(feed if len(feed) > 1 else feed[0], training=False))
        save_case(
            folder, f"keras_{name}", {item.name: array for item, array in zip(net.inputs, feed, strict=True)}, [answers]
        )
        net.save(folder / f"{name}.keras")
        net.save(folder / f"{name}.h5")
        net.export(str(folder / f"{name}.saved"), verbose=False)
        pack(folder / f"{name}.saved", folder / f"{name}.zip")
        if name != "lstm":  # TensorFlow Lite takes no LSTM with any number of rows
            lite = tf.lite.TFLiteConverter.from_saved_model(str(folder / f"{name}.saved"))
            (folder / f"{name}.tflite").write_bytes(lite.convert())

    class Unusual(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])
        def answer(self, x):
            return {"y": tf.linalg.svd(x[:, None, :], compute_uv=False)}

    net = Unusual()
    tf.saved_model.save(net, str(folder / "unusual.saved"), signatures=net.answer)
    pack(folder / "unusual.saved", folder / "unusual.zip")
    save_case(folder, "unusual_tf", {"x": rows(4)}, [net.answer(rows(4))["y"]])


def pack(folder, archive):
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for path in sorted(folder.rglob("*")):
            target.write(path, path.relative_to(folder))


def main(family, place):
    from tests.machines.conversion import hostile

    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    folder = Path(place)
    (make_torch if family == "torch" else make_tensorflow)(folder)
    for name, make in hostile.MADE_BY[family].items():
        (folder / name).write_bytes(make(folder / "canary"))


if __name__ == "__main__":
    main(*sys.argv[1:])
