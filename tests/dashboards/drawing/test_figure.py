"""What all figures share: their words in somebody's language, and a table that stays short."""

from dashboards.drawing.boxes import grouped_boxplots
from dashboards.drawing.figure import MOST_ROWS, OTHERS, ROWS, Drawing, Head, plain, shortened, words
from dashboards.drawing.scatter import scatter
from dashboards.drawing.stacked import stacked_histogram
from tests.dashboards.drawing.frames import field
from tests.dashboards.drawing.labelled import AWKWARD, labelled, only

GERMAN = {"others": "andere", "rows": "Zeilen", "lowest %(column)s": "%(column)s, kleinstes", "from": "von"}


def in_german(word):
    return GERMAN.get(word, word)


def test_it_works():
    traces = [{"name": OTHERS, "x": [1, None, "others"]}]
    layout = {"annotations": [{"text": f"a · {OTHERS}"}], "yaxis": {"title": {"text": ROWS}}}
    heads = (
        Head("rows", is_word=True),
        Head("lowest %(column)s", unit="kg", is_word=True, column="rows"),
        Head(OTHERS),
    )
    drawn = Drawing(traces, layout, (*heads, Head("from")), [[1, 2, OTHERS, "others"]]).to_json()
    told = words(drawn, in_german)
    assert told["traces"] == [{"name": "andere", "x": [1, None, "others"]}]
    assert told["layout"] == {"annotations": [{"text": "a · andere"}], "yaxis": {"title": {"text": "Zeilen"}}}
    assert [head["title"] for head in told["heads"]] == ["Zeilen", "rows, kleinstes", "andere", "from"]
    assert told["heads"][1] == {"title": "rows, kleinstes", "type": "FLOAT", "unit": "kg"}
    assert told["rows"] == [[1, 2, "andere", "others"]]
    assert drawn["traces"][0]["name"] == OTHERS, "the kept figure stays as it is"


def test_no_mark_is_left_in_any_place():
    frame = AWKWARD["thousands of labels"].with_columns(y=1.0 + AWKWARD["thousands of labels"]["y"].abs())
    frame = frame.with_columns(style="hue", animation_frame="row", size="y")
    fields = only(labelled(9), "x", "y", "hue", "col", "row")[1]
    more = {"style": fields["hue"], "animation_frame": fields["row"], "size": fields["y"]}
    numbers = {"x": field("price"), "y": field("price")}
    for drawn in (
        grouped_boxplots(frame.lazy(), fields),
        scatter(frame.with_columns(x="y").lazy(), {**fields, **more, **numbers}),
        stacked_histogram(frame.with_columns(x="y").lazy(), {**fields, "x": field("price")}),
    ):
        told = drawn.to_json()
        assert "@word:" in str(told) and "@word:" not in str(words(told, in_german))


def test_words_are_not_shortened():
    assert plain(OTHERS, 3) == shortened(OTHERS, 3) == OTHERS and shortened(OTHERS + "!", 3) == "@w…"


def test_a_label_with_a_mark_falls_to_the_rest():
    names = AWKWARD["named others"]["x"].replace("others", OTHERS)
    frame = labelled().with_columns(x=names.sample(900, with_replacement=True, seed=1))
    drawing = grouped_boxplots(*only(frame, "x", "y"))
    assert [row[0] for row in drawing.rows].count(OTHERS) == 1
    assert sum(row[1] for row in drawing.rows) == frame.drop_nulls(["x", "y"]).height


def test_a_table_that_was_cut_says_so():
    def told(rows):
        return Drawing([], {}, (Head("n"),), [[n] for n in range(rows)]).to_json()

    assert told(MOST_ROWS)["rules"] == [] and len(told(MOST_ROWS)["rows"]) == MOST_ROWS
    cut = told(MOST_ROWS + 1)
    assert len(cut["rows"]) == MOST_ROWS and cut["rules"][0]["values"] == {"shown": 200, "rows": 201}
