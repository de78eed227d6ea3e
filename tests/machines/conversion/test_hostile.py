"""The 28 kinds of hostile files: each is refused with a sentence, leaves no trace, and keeps no other model from answering.

Those of kind 28 that only show what they are when they answer: tests/machines/test_hostile_answers.py.
"""

import pytest

from tests.machines.conversion import hostile
from tests.machines.conversion.conftest import sentence
from tests.machines.neighbour import answers_meanwhile

SLOW = {"15_endless.pt", "26_endless.zip", "27_loop.onnx", "wide.keras", "26_large.zip"}  # end when their time is over
LINEAR = {"inputs": [{"name": "x", "shape": [2]}], "layers": [{"type": "Linear", "name": "0"}]}
SAID = {  # what the sentence has to hold; the rest is any sentence of ours
    "raw_": "pickled Python object",
    "zip_1": "posix.system",
    "zip_3": "pkgutil.resolve_name",
    "11_": "damaged",
    "12_": "twice",
    "13_": "old way",
    "15_files": "opens files",
    "16_overlap": "damaged",
    "17_": "Keras cannot open",
    "18_": "Keras cannot open",
    "19_": "Keras cannot open",
    "20_": "Keras cannot open",
    "21_": "outside of it",
    "22_": "declares more",
    "23_up": "outside its folder",
    "23_absolute": "outside its folder",
    "23_link": "link",
    "24_bomb": "200 times",
    "24_members": "more than 5000 files",
    "25_": "reaches beyond",
    "27_loop": "in time",
    "27_domain": "com.microsoft.Gelu",
    "27_functions": "functions of its own",
    "27_": "in another file",
    "28_text": "200 letters",
    "28_shape": "no answer per row",
}


def refused(check, path, canary):
    with answers_meanwhile():
        answer, onnx = check(
            path, seconds=5 if path.name in SLOW else 60, layers=LINEAR if path.suffix != ".onnx" else None
        )
    assert answer["kind"] == "error", answer
    text = sentence(answer)
    assert 20 < len(text) < 600 and "Traceback" not in text
    expected = next((said for start, said in SAID.items() if path.name.startswith(start)), "")
    assert expected in text
    assert onnx == b"" and not canary.exists()


@pytest.mark.parametrize("name", hostile.SIMPLE)
def test_files_made_by_hand(check, tmp_path, name):
    canary, path = tmp_path / "canary", tmp_path / name
    path.write_bytes(hostile.SIMPLE[name](canary))
    refused(check, path, canary)


@pytest.mark.parametrize("name", hostile.MADE_BY["torch"])
def test_files_made_with_pytorch(torch_made, check, name):
    refused(check, torch_made / name, torch_made / "canary")


@pytest.mark.parametrize("name", hostile.MADE_BY["tensorflow"])
def test_files_made_with_tensorflow(tensorflow_made, check, name):
    refused(check, tensorflow_made / name, tensorflow_made / "canary")
