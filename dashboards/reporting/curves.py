"""Of labels: ROC and PR curves, whether stated chances come true, and what is taken for what."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _

from config.formats import current_formats
from dashboards.drawing.figure import Head, figures, plain
from dashboards.reporting.page import Section
from dashboards.reporting.parts import SHARE_AXIS, Picture, Told, errors, picture, section, straight, text_head
from machines.engine.errors import Notice, gettext_noop
from machines.report_charts import confusion_counts

AREA = gettext_noop("“%(label)s”: the area under its curve is %(area)s.")
CHANCE = gettext_noop(
    "The dashed line is chance. Each point is a threshold: rows with at least that chance are answered “%(label)s”."
)
CHANCES = gettext_noop("The dashed line is chance. One line for each label against the rest.")
PRECISION = gettext_noop("“%(label)s”: average precision %(area)s; by chance it would be %(base)s.")
BINS = gettext_noop(
    "Rows are taken together by stated chance, about as many in each point; bars are 95 % intervals. On the dashed line "
    "chances are true."
)
ECE = gettext_noop("Calibration error %(ece)s: so far are stated chances from what came true, on average.")
STEPS = (
    (0.0, "@0/0.06", "@ink"),
    (0.2, "@0/0.2", "@ink"),
    (0.4, "@0/0.35", "@ink"),
    (0.6, "@0/0.5", "@ink"),
    (0.8, "@0", "@paper"),
)  # from which share on: cell, and words that are read well on it, light and dark
MATRIX = gettext_noop("Each line is what was true, each column what it answered. On the diagonal it was right.")


def curves(number: int, output: Told) -> Section | None:
    found = [entry for entry in output.get("operating") or [] if entry["positives"] and others(entry)]
    if not found:
        return None
    pictures = [_roc(f"roc-{number}", found), _pr(f"pr-{number}", found)]
    explained = _("First: how many it finds against how many it takes for it by mistake. Then: how many of its finds are "
                  "right, against how many it finds.")  # fmt: skip
    return section(f"curves-{number}", _("Finding it, and false alarms"), [explained], pictures, output=output["name"])


def others(entry: Told) -> int:
    """Rows that are not of the label."""
    return int(entry["rows"] - entry["positives"])


def roc(entry: Told) -> tuple[list[float], list[float]]:
    """False alarms and finds as shares, from no row answered with the label to all of them."""
    alarms = [0.0, *(count / others(entry) for count in entry["false"]), 1.0]
    return alarms, [0.0, *(count / entry["positives"] for count in entry["found"]), 1.0]


def area(x: Sequence[float], y: Sequence[float]) -> float:
    """By trapezoids."""
    steps = pairwise(zip(x, y, strict=True))
    return sum((right - left) * (low + high) / 2 for (left, low), (right, high) in steps)


def precision(entry: Told) -> tuple[list[float], list[float]]:
    """Share found, and share of the finds that are right, by falling threshold."""
    finds = [(found, alarms) for found, alarms in zip(entry["found"], entry["false"], strict=True) if found + alarms]
    return [found / entry["positives"] for found, _alarms in finds], [found / (found + al) for found, al in finds]


def average_precision(entry: Told) -> float:
    recall, right = precision(entry)
    return sum((now - before) * share for before, now, share in zip([0.0, *recall], recall, right, strict=False))


def _roc(key: str, found: Sequence[Told]) -> Picture:
    title, number = _("ROC: finds against false alarms"), current_formats().number
    traces, rows, rules = [straight([0, 1], [0, 1], _("chance"))], [], []
    for place, entry in enumerate(found):
        x, y = roc(entry)
        traces.append(_line(entry, x, y, place))
        rows += [[str(entry["label"]), *figures([at, hit, alarm])]
                 for at, alarm, hit in zip(entry["at"], x[1:], y[1:], strict=False)]  # fmt: skip
        rules.append(Notice(AREA, {"label": str(entry["label"]), "area": number(area(x, y), 3)}))
    heads = (text_head(_("Label")), Head(_("Chance from")), Head(_("Share found")), Head(_("Share of false alarms")))
    layout = _layout(_("Share of other rows taken for it"), _("Share found"))
    return picture(key, title, traces, layout, heads, rows, [*rules, _chance(found)])


def _pr(key: str, found: Sequence[Told]) -> Picture:
    title, number, percent = _("PR: right finds against finds"), current_formats().number, current_formats().percent
    traces, rows, rules = [], [], []
    for place, entry in enumerate(found):
        base, (x, y) = entry["positives"] / entry["rows"], precision(entry)
        if len(found) == 1:
            traces.append(straight([0, 1], [base, base], _("chance")))
        traces.append(_line(entry, x, y, place))
        rows += [[str(entry["label"]), *figures([recall, right])] for recall, right in zip(x, y, strict=True)]
        told = {"label": str(entry["label"]), "area": number(average_precision(entry), 3), "base": percent(base)}
        rules.append(Notice(PRECISION, told))
    heads = (text_head(_("Label")), Head(_("Share found")), Head(_("Share of finds that are right")))
    layout = _layout(_("Share found"), _("Share of finds that are right"))
    return picture(key, title, traces, layout, heads, rows, rules)


def _line(entry: Told, x: Sequence[float], y: Sequence[float], place: int) -> dict[str, object]:
    return {
        "type": "scatter", "mode": "lines", "x": figures(x, 4), "y": figures(y, 4), "name": plain(str(entry["label"])),
        "line": {"color": f"@{place}", "width": 2},
    }  # fmt: skip


def _layout(x: str, y: str) -> dict[str, object]:
    axes = {"xaxis": {**SHARE_AXIS, "title": {"text": x}}, "yaxis": {**SHARE_AXIS, "title": {"text": y}}}
    return {"showlegend": True, **axes}


def _chance(found: Sequence[Told]) -> Notice:
    return Notice(CHANCE, {"label": str(found[0]["label"])}) if len(found) == 1 else Notice(CHANCES)


def calibration(number: int, output: Told) -> Section | None:
    points = output.get("reliability") or []
    if not points:
        return None
    key, title = f"calibration-{number}", _("Do stated chances come true?")
    x, y, low, high = ([point[name] for point in points] for name in ("chance", "share", "low", "high"))
    trace = {
        "type": "scatter", "mode": "lines+markers", "x": figures(x, 4), "y": figures(y, 4), "name": _("this machine"),
        "line": {"color": "@0", "width": 2}, "marker": {"color": "@0", "size": 8}, "error_y": errors(y, low, high, "@0"),
    }  # fmt: skip
    layout = _layout(_("Stated chance"), _("Share that came true"))
    heads = (
        Head(_("Stated chance")),
        Head(_("Share that came true")),
        Head(_("95 % from")),
        Head(_("to")),
        Head(_("Rows")),
    )
    rows = [[*figures([p["chance"], p["share"], p["low"], p["high"]], 4), p["rows"]] for p in points]
    rules, ece = [Notice(BINS)], (output.get("holdout") or {}).get("ece")
    if ece:
        rules.append(Notice(ECE, {"ece": current_formats().percent(ece["value"], 1)}))
    traces = [straight([0, 1], [0, 1], _("true chances")), trace]
    return section(
        key,
        title,
        [],
        [picture(key, _("Stated chances and what came true"), traces, layout, heads, rows, rules)],
        output=output["name"],
    )


def confusion(number: int, output: Told) -> Section | None:
    labels, counts = confusion_counts(output)
    if not counts:
        return None
    key, title, write = f"confusion-{number}", _("What it takes for what"), current_formats().number
    places = [*range(len(labels))]
    shares = [[count / (sum(row) or 1) for count in row] for row in counts]
    trace = {
        "type": "heatmap", "x": places, "y": places, "z": shares, "zmin": 0, "zmax": 1, "colorscale": _scale(),
        "xgap": 2, "ygap": 2, "colorbar": {"title": {"text": _("Share of the true")}, "tickformat": ".0%"}, "hoverinfo": "text",
        "hovertext": [[f"{plain(true)} → {plain(said)}: {write(count)}" for said, count in zip(labels, row, strict=True)]
                      for true, row in zip(labels, counts, strict=True)],
    }  # fmt: skip
    ticks = {"tickvals": places, "ticktext": [plain(label, 20) for label in labels], "showgrid": False}
    layout = {
        "xaxis": {**ticks, "title": {"text": _("Answered")}}, "height": 200 + 56 * len(labels),
        "yaxis": {**ticks, "autorange": "reversed", "title": {"text": _("True")}},
        "annotations": [
            {"x": x, "y": y, "text": write(count), "showarrow": False, "font": {"color": _step(shares[y][x])[2], "size": 15}}
            for y, row in enumerate(counts) for x, count in enumerate(row)
        ],
    }  # fmt: skip
    heads = (text_head(_("True")), text_head(_("Answered")), Head(_("Rows")))
    rows = [[true, said, count] for true, row in zip(labels, counts, strict=True)
            for said, count in zip(labels, row, strict=True)]  # fmt: skip
    drawn = picture(key, _("True and answered labels"), [trace], layout, heads, rows, [Notice(MATRIX)])
    return section(key, title, [], [drawn], output=output["name"])


def _step(share: float) -> tuple[float, str, str]:
    return next(step for step in reversed(STEPS) if share >= step[0])


def _scale() -> list[list[Any]]:
    """As Plotly takes colours that change at once: each from its share on, up to where the next begins."""
    ends = [*(step[0] for step in STEPS[1:]), 1.0]
    return [[at, colour] for (begin, colour, _ink), end in zip(STEPS, ends, strict=True) for at in (begin, end)]
