"""Which candidates there were, how well each does, and what the answer is blended from."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from config.formats import MISSING, current_formats
from dashboards.drawing.figure import Head, figures, plain
from dashboards.graph_view import Cell
from dashboards.reporting.page import Section, Table
from dashboards.reporting.parts import (
    Told,
    between,
    cells,
    errors,
    height_of,
    interval_heads,
    picture,
    section,
    text_head,
    wrapped,
)
from machines.candidate_names import candidate_name
from machines.engine.errors import Notice, gettext_noop

MOST = 30  # candidates in the picture
BLEND = "blend"
LOWER = gettext_noop("Lower is better. The bars are 95 %% intervals over the %(rows)s rows it was measured on.")
SHOWN = gettext_noop("The best %(shown)s of %(count)s candidates are drawn.")


def leaderboard(number: int, output: Told) -> Section | None:
    found = output.get("leaderboard") or []
    if not found:
        return None
    key, title = f"leaderboard-{number}", _("Leaderboard of candidates")
    loss = loss_name(output)
    shown = found[:MOST]
    names = _told_apart([_name(line) for line in shown])
    values, lows, highs = ([line[name] for line in shown] for name in ("value", "low", "high"))
    places = [*range(len(shown))]
    trace = {
        "type": "scatter", "mode": "markers", "x": figures(values), "y": places, "text": [plain(name) for name in names],
        "hovertemplate": "%{text}: %{x}<extra></extra>",
        "marker": {"color": ["@1" if line["name"] == BLEND else "@0" for line in shown], "size": 9},
        "error_x": errors(values, lows, highs, "@soft"),
    }  # fmt: skip
    ticks = {"tickvals": places, "ticktext": [wrapped(name) for name in names], "autorange": "reversed"}
    layout = {
        "showlegend": False, "height": height_of(names), "xaxis": {"title": {"text": loss}},
        "yaxis": {**ticks, "title": {"text": ""}},
    }  # fmt: skip
    rules = [Notice(LOWER, {"rows": output.get("rows", 0)})]
    if len(found) > len(shown):
        rules.append(Notice(SHOWN, {"shown": len(shown), "count": len(found)}))
    heads = (text_head(_("Candidate")), Head(loss), *interval_heads())
    rows = [[name, *figures([line["value"], line["low"], line["high"]])]
            for name, line in zip(names, shown, strict=True)]  # fmt: skip
    drawn = picture(key, _("Each candidate beside the blend"), [trace], layout, heads, rows, rules)
    return section(key, title, [_sentence(found)], [drawn], [_table(found, loss)], output["name"])


def loss_name(output: Told) -> str:
    return "RMSE" if output.get("task") == "number" else _("Log loss")


def _table(found: list[Mapping[str, object]], loss: str) -> Table:
    titles = (loss, _("95 % between"), _("Against the blend"), _("Difference between"), _("Share of the blend"),
              _("Time to fit"), _("Time for a row"))  # fmt: skip
    return Table(
        _("Candidates"), [Cell(_("Candidate")), *cells(*titles, numbers_from=0)], [_row(line) for line in found]
    )


def _row(line: Told) -> list[Cell]:
    formats, gap = current_formats(), line.get("difference")
    apart = between(gap["value"], gap["low"], gap["high"]) if gap and line["name"] != BLEND else (MISSING, MISSING)
    share = formats.percent(line["weight"]) if line.get("weight") else MISSING
    micros = line.get("micros")
    time = MISSING if micros is None else _("%(count)s µs") % {"count": formats.number(float(f"{micros:.2g}"))}
    seconds = line.get("seconds")  # reports from before do not tell
    fit = MISSING if seconds is None else _("%(count)s s") % {"count": formats.number(float(f"{seconds:.2g}"))}
    return cells(_name(line), *between(line["value"], line["low"], line["high"]), *apart, share, fit, time)


def _name(line: Told) -> str:
    return _("The blend") if line["name"] == BLEND else candidate_name(line["name"])


def _told_apart(names: list[str]) -> list[str]:
    """Names with their number where several candidates are called the same."""
    seen: dict[str, int] = {}
    told = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        told.append(name if names.count(name) == 1 else f"{name} {seen[name]}")
    return told


def _sentence(found: list[Told]) -> str:
    """Whether blending pays, against the best single candidate."""
    single = next((line for line in found if line["name"] != BLEND), None)
    gap = single and single.get("difference")
    if not single or not gap:
        return ""
    words = {"name": _name(single)}
    if gap["low"] > 0:
        return _("The blend is better than the best single candidate, “%(name)s”.") % words
    if gap["high"] < 0:
        return _("The best single candidate, “%(name)s”, is better than the blend on these rows.") % words
    return _("The blend cannot be told from the best single candidate, “%(name)s”.") % words
