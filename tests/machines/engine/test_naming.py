"""Numbers that name things are labels as well; amounts stay amounts, and what nobody else shares is no name."""

import numpy as np
import pytest

from machines.engine import naming as asked
from machines.engine.encode import TableEncoder
from machines.engine.encode_text import MOST_LABELS
from machines.engine.fit import NAMES, fit
from machines.engine.naming import naming
from machines.engine.parameters import Parameters
from machines.engine.prepare import make_target
from machines.engine.progress import Clock
from machines.engine.schema import Column, DataType, Role, Schema
from machines.engine.splits import Split, SplitKind
from tests.machines.engine.test_encode import both_ways

TIME, PIG, AGE = (Column(name, DataType.FLOAT) for name in ("time", "pig", "age"))
WEIGHT = Column("weight", DataType.FLOAT, Role.OUTPUT)
IS_HEAVY = Column("is heavy", DataType.LABEL, Role.OUTPUT)
SCHEMA = Schema((TIME, PIG, AGE, WEIGHT))


def herd(rows=600, pigs=40, seed=0):
    """Pigs that weigh more the older they get; each is heavier or lighter than others, whatever its number."""
    rng = np.random.default_rng(seed)
    number, each = rng.choice(9_000, pigs, replace=False) + 1_000, rng.normal(0, 8, pigs)
    which = np.arange(rows) % pigs
    time, age = rng.integers(1, 13, rows) * 1.0, rng.integers(20, 80, rows) * 1.0
    weight = 20 + 3 * time + 0.1 * age + each[which] + rng.normal(0, 2, rows)
    table = {"time": time, "pig": number[which] * 1.0, "age": age, "weight": weight}
    return table | {"is heavy": np.where(weight > np.median(weight), "yes", "no").astype(object)}


def found(table, columns=(TIME, PIG, AGE), outputs=(WEIGHT,), parts=None, clock=None):
    rows = np.arange(len(table["time"]))
    parts = np.random.default_rng(1).integers(0, asked.PARTS, len(rows)) if parts is None else parts
    encoded = TableEncoder(columns).fit(table).transform(table)
    targets = [make_target(column, table[column.name], rows) for column in outputs]
    return [column.name for column in naming(table, columns, encoded, targets, parts, clock or Clock(10))]


@pytest.mark.parametrize("outputs", [(WEIGHT,), (IS_HEAVY,), (IS_HEAVY, WEIGHT)], ids=["number", "label", "both"])
def test_a_number_that_names_a_pig_is_found_and_an_amount_is_not(outputs):
    assert found(herd(1_200), outputs=outputs) == ["pig"]


def test_with_an_empty_or_an_infinite_cell_it_is_still_a_name():
    table = herd()
    table["pig"][::9], table["pig"][5] = np.nan, np.inf
    assert found(table) == ["pig"]


def test_a_column_that_explains_nothing_that_is_left_names_nothing():
    table = herd()
    table["pig"] = np.random.default_rng(2).permutation(table["pig"])
    assert found(table) == []


def test_what_is_no_whole_number_is_an_amount():
    table = herd()
    assert found(table | {"pig": table["pig"] + 0.5}) == []


@pytest.mark.parametrize("pigs", [asked.FEW, 600 // (asked.EACH - 1)], ids=["few", "hardly a second row"])
def test_few_numbers_trees_tell_apart_and_of_many_too_little_is_known(pigs):
    assert found(herd(pigs=pigs)) == []


def test_where_all_rows_of_a_pig_are_in_one_part_nothing_is_known_of_it():
    table = herd()
    assert found(table, parts=np.unique(table["pig"], return_inverse=True)[1] % asked.PARTS) == []


@pytest.mark.parametrize("missing", range(asked.PARTS))
def test_without_rows_in_every_part_nobody_is_asked(missing):
    assert found(herd(), parts=np.where(np.arange(600) % 2, *({*range(asked.PARTS)} - {missing}))) == []


def test_known_in_one_part_alone_it_is_no_name():
    table, parts = herd(), np.arange(600) // 40 % asked.PARTS
    table["pig"][parts > 0] = np.nan
    assert found(table, parts=parts) == []


def test_without_time_nobody_is_asked(monkeypatch):
    table = herd()
    cells = len(table["time"]) * TableEncoder((TIME, PIG, AGE)).fit(table).transform(table).width
    monkeypatch.setattr(asked, "CELLS", cells / 10)
    assert found(table, clock=Clock(10)) == ["pig"]
    assert found(table, clock=Clock(9.9)) == []


@pytest.mark.parametrize("names", [0, 1, 2])
def test_of_many_rows_few_columns_are_names_or_none(names, monkeypatch):
    table = herd()
    table["age"] = table["pig"] + 7  # another number of the same pigs
    monkeypatch.setattr(asked, "MADE", 600 * MOST_LABELS * (names + 1) - 1)
    assert found(table) == ["pig", "age"][:names]


def test_an_attempt_that_goes_on_finds_the_same_names():
    late, ended = Clock(10), Clock(10, lambda _: False)
    late.resume(9.9, late.curve)
    ended.tick(at_once=True)
    assert ended.finished
    assert found(herd(), clock=late) == found(herd(), clock=ended) == ["pig"]


def test_what_the_numbers_next_to_it_say_as_well_is_no_name():
    rng = np.random.default_rng(3)
    x, parts = rng.integers(0, 80, 3_000) * 1.0, rng.integers(0, asked.PARTS, 3_000)
    noise, own = rng.normal(0, 0.5, 3_000), rng.normal(0, 1, 80)
    assert not asked._tells(x, (0.4 * np.sin(x / 15) + noise)[:, None], parts)
    assert asked._tells(x, (own[x.astype(int)] + noise)[:, None], parts)


def test_what_tells_hardly_anything_is_no_name():
    rng = np.random.default_rng(5)
    x, parts = rng.integers(0, 80, 30_000) * 1.0, rng.integers(0, asked.PARTS, 30_000)
    own, noise = rng.normal(0, 1, 80)[x.astype(int)], rng.normal(0, 1, 30_000)
    assert not asked._tells(x, (0.12 * own + noise)[:, None], parts)
    assert asked._tells(x, (0.25 * own + noise)[:, None], parts)


def test_what_tells_in_some_parts_alone_is_no_name():
    rng = np.random.default_rng(4)
    x, parts = rng.integers(0, 80, 3_000) * 1.0, np.repeat([0, 1, 2], [1_400, 1_400, 200])
    left = rng.normal(0, 1, 80)[x.astype(int)] * np.where(parts < 2, 1, -1) + rng.normal(0, 0.5, 3_000)
    assert not asked._tells(x, left[:, None], parts)
    assert asked._tells(x[parts < 2], left[parts < 2, None], np.arange(2_800) % asked.PARTS)


def test_of_very_many_rows_some_are_asked(monkeypatch):
    monkeypatch.setattr(asked, "MOST_ROWS", 500)
    assert found(herd(1_900)) == ["pig"]


CELLS = np.array([7.0, -7.0, 0.0, -0.0, 12.0, 7.5, np.nan, np.inf, -np.inf, 1e300, 2.0**53, 9_999.0])


def test_the_file_reads_names_as_training_does():
    columns = (Column("amount", DataType.FLOAT), Column("name", DataType.FLOAT), Column("city", DataType.LABEL))
    rows = np.tile(CELLS, 3)
    table = {"amount": np.arange(36.0), "name": rows, "city": np.array(["7", "A", ""] * 12, dtype=object)}
    encoder = TableEncoder(columns, columns[1:2]).fit(table)
    here, there = both_ways(encoder, columns, table)
    assert np.abs(here - there).max() <= 1e-4
    assert here.shape[1] > TableEncoder(columns).fit(table).transform(table).width


def test_only_the_exact_number_is_a_name():
    column = Column("name", DataType.FLOAT)
    encoder = TableEncoder((column,), (column,)).fit({"name": np.tile(np.arange(30.0), 3)})
    marks = encoder.transform({"name": np.array([7.0, 7.5, 1e16, np.nan, 31.0])}).marks
    plain = TableEncoder((column,)).fit({"name": np.arange(30.0)}).transform({"name": np.zeros(1)}).marks.shape[1]
    assert (marks[:, plain:].sum(1) == [1, 0, 0, 0, 0]).all()


def trained(table, **more):
    return fit(table, SCHEMA, level=1, deadline=2.5, seed=0, parameters=Parameters(epochs=2, shape=(16,)), **more)


def told(fitted):
    return [str(notice) for notice in fitted.report.warnings if notice.template == NAMES]


def test_a_machine_that_knows_its_pigs_says_so():
    fitted, new = trained(herd()), herd(1_000)  # the same pigs: they are drawn first
    assert told(fitted) == [NAMES % {"column": "pig"}]
    answers = fitted.predictor().predict({column.name: new[column.name] for column in SCHEMA.inputs})[0].values
    assert np.sqrt(np.mean((answers - new["weight"]) ** 2)) < 2.3  # noise is 2.0; without names it would be 2.5


def test_pigs_that_are_to_be_new_are_no_names():
    assert not told(trained(herd(), split=Split(SplitKind.GROUP, "pig")))
