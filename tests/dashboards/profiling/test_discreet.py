"""Who may only look sees nothing that fewer than five rows share."""

import json

from dashboards.profiling.discreet import discreet
from tests.dashboards.profiling.tables import profiled

ROWS = 300
COLUMNS = {
    "mail": ("LANGUAGE",), "town": ("LABEL",), "age": ("FLOAT",), "day": ("DATE",), "risk": ("LABEL", "output"),
}  # fmt: skip
SECRETS = ("alice@example.org", "bob@example.org", "Xanadu", "98765", "secret")


def told():
    rows = {
        "mail": ["alice@example.org"] * 4 + ["bob@example.org"] * 2 + ["nobody"] * (ROWS - 6),
        "town": ["Rome"] * (ROWS // 2) + ["Oslo"] * (ROWS // 2 - 3) + ["Xanadu"] * 3,
        "age": [98765, *(20 + n % 41 for n in range(ROWS - 1))],
        "day": [f"2021-{1 + n % 12:02}-{1 + n % 28:02}" for n in range(ROWS)],
        "risk": ["secret"] * 3 + ["low"] * (ROWS - 3),
    }
    later = {**rows, "town": ["Bern"] * (ROWS - 4) + ["Xanadu"] * 1 + ["Oslo"] * 3}
    return rows, later


def test_single_values_are_gone(tmp_path):
    whole = profiled(tmp_path, COLUMNS, *told())
    shown = discreet(whole)
    assert "98765" in json.dumps(whole) and "98765" not in json.dumps(shown)
    columns = {about["name"]: about for about in shown["columns"]}
    assert all(count >= 5 for about in shown["columns"] for _, count in about["top"])
    assert columns["age"]["low"] >= 20 and columns["age"]["high"] <= 60 and columns["age"]["is_middle"]
    assert columns["age"]["outliers"]["count"] == 2 and columns["age"]["outliers"]["examples"] == []
    assert columns["mail"]["lengths"] == next(about["lengths"] for about in whole["columns"] if about["name"] == "mail")


def test_one_upload(tmp_path):
    rows, _ = told()
    whole = profiled(tmp_path, COLUMNS, rows)
    shown = json.dumps(discreet(whole))
    assert all(secret in json.dumps(whole) for secret in SECRETS)
    assert not any(secret in shown for secret in SECRETS)
    assert "nobody" in shown and "Rome" in shown
    assert [warning["what"] for warning in discreet(whole)["warnings"]] == ["rare", "outliers"]


def test_rare_labels_of_what_has_changed(tmp_path):
    rows, later = told()
    later["town"] = ["Bern"] * ROWS
    whole = profiled(tmp_path, COLUMNS, rows, later)
    found = next(found for found in discreet(whole)["by_part"] if found["column"] == "town")
    assert found["labels"] == ["Bern", "Rome", "Oslo", None]


def test_of_few_rows_no_range(tmp_path):
    about = discreet(profiled(tmp_path, {"age": ("FLOAT",)}, {"age": range(50)}))["columns"][0]
    assert about["mean"] == 24.5 and not {"low", "high", "quantiles"} & set(about)
