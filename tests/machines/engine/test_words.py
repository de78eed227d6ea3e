"""Sentences of any language: the same to the last bit in training and in the file, whatever a text holds."""

import random

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from machines.engine.encode_words import SentenceEncoder
from machines.engine.graph import Graph

LATIN = (
    "Größe GRÖSSE café l'eau not good don't İstanbul STRASSE straße 3.5 ¿qué? ñandú ÑANDÚ \u212a ŉ ﬁ e\u0301te\u0301"
)
OTHER = "ПРИВЕТ Привет 한국어 हिन्दी 中文字 日本語 ภาษาไทย 😀 👍🏽 … \uffff \U0010ffff"
PIECES = [*LATIN.split(" "), *OTHER.split(" "), "\0", "\n", "\t", "\u00a0"]


def texts(rows, seed=0):
    rng = random.Random(seed)
    gaps = [" ", " ", "", "\n", "-"]
    made = ["".join(rng.choice(PIECES) + rng.choice(gaps) for _ in range(rng.randint(0, 9))) for _ in range(rows)]
    return np.array(made, dtype=object)


def column(*values):
    return np.array(values, dtype=object)


def in_file(encoder, x):
    g = Graph(["x"])
    names = [name for name in encoder.write(g, "x") if name]
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", None]) for name in names]
    model = g.model([helper.make_tensor_value_info("x", TensorProto.STRING, ["N", 1])], infos, {})
    onnx.checker.check_model(model, full_check=True)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.concatenate(session.run(None, {"x": x.reshape(-1, 1)}), 1)


def in_training(encoder, x):
    return np.concatenate(encoder.transform(x), 1)


def marks(encoder, *values):
    return encoder.transform(column(*values))[1]


def test_it_works():
    encoder = SentenceEncoder().fit(texts(1000))
    x = texts(500, seed=1)
    assert in_training(encoder, x).shape[1] > 60
    assert (in_training(encoder, x) == in_file(encoder, x)).all()


@pytest.mark.parametrize(
    "x",
    [
        column(""),
        column("...", ""),
        column("word " * 200_000, "a"),
        column("中" * 300_000),
        column(*("".join(map(chr, range(at, at + 127))) for at in range(1, 0xD700, 127))),
    ],
    ids=["nothing", "no words", "1 MB", "no blanks", "every character"],
)
def test_strange_texts(x):
    encoder = SentenceEncoder().fit(texts(400))
    assert np.isfinite(in_training(encoder, x)).all()
    assert (in_training(encoder, x) == in_file(encoder, x)).all()


@pytest.mark.parametrize(
    ("learned", "written"),
    [
        ("a very good house", "GOOD House!"),
        ("das schöne große Haus", "SCHÖNE, grosse"),
        ("la première idée", "«PREMIÈRE»"),
        ("el niño pequeño", "¿NIÑO?"),
        ("очень хороший дом", "ХОРОШИЙ"),
        ("ηπιο καλο σπιτι", "ΚΑΛΟ"),
        ("de\u0301ja\u0300 vu", "DÉJÀ"),
    ],
)
def test_a_word_counts_however_it_is_written(learned, written):
    encoder = SentenceEncoder().fit(column(*[learned, "quite another thing"] * 10))
    both = marks(encoder, written)[0] <= marks(encoder, learned)[0]
    assert marks(encoder, written).sum() > 0 and both.all()


def test_turkish_has_two_letters_i():
    encoder = SentenceEncoder().fit(column(*["ılık İstanbul", "soğuk"] * 10))
    assert (marks(encoder, "ilik ISTANBUL") == marks(encoder, "ılık istanbul")).all()


@pytest.mark.parametrize(
    ("good", "bad"), [("很好吃的菜", "不好吃的菜"), ("とても良い", "とても悪い"), ("อาหารดี", "อาหารแย่")]
)
def test_words_without_blanks_between_them(good, bad):
    encoder = SentenceEncoder().fit(column(*[good, bad] * 10))
    assert (marks(encoder, good) != marks(encoder, bad)).any()


def test_pairs_of_words_say_what_words_alone_do_not():
    encoder = SentenceEncoder().fit(column(*["not good but cheap", "good but not cheap", "cheap", "a b c"] * 10))
    assert (marks(encoder, "not good but cheap") != marks(encoder, "good but not cheap")).any()


def test_rare_words_speak_through_what_they_are_about():
    rng = random.Random(0)
    fruit, tools = ([f"{kind}{at}" for at in range(400)] for kind in ("fruit", "tool"))
    rows = column(*(" ".join(rng.sample(rng.choice([fruit, tools]), 8)) for _ in range(800)))
    encoder = SentenceEncoder(most=20).fit(rows)
    numbers, own = encoder.transform(column(*(" ".join(kind[300:310]) for kind in (fruit, fruit, tools))))
    assert not own.any() or own.sum() < 10
    apart = np.abs(numbers[0] - numbers[2]).max()
    assert apart > 1 and (numbers[0] == numbers[1]).all()


def test_the_same_texts_give_the_same_machine():
    first, second = (SentenceEncoder().fit(texts(600)) for _ in range(2))
    assert (in_training(first, texts(50, 2)) == in_training(second, texts(50, 2))).all()


def test_words_of_one_text_only_have_no_mark():
    encoder = SentenceEncoder().fit(column(*["same words here"] * 20, "a secret name"))
    assert not marks(encoder, "secret name")[0].any()


def test_all_texts_the_same_say_nothing():
    assert SentenceEncoder().fit(column(*["one word"] * 30)).write(Graph(["x"]), "x") == (None, None)
