"""What more rows would bring, and how the networks learned round by round."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from config.formats import current_formats
from dashboards.drawing.figure import Head, figures
from dashboards.reporting.leaderboard import loss_name
from dashboards.reporting.page import Section
from dashboards.reporting.parts import Picture, Told, band, interval_heads, picture, section, text_head
from machines.candidate_names import candidate_name
from machines.engine.errors import Notice, gettext_noop
from machines.loss_curve import LossCurve

CURVE = gettext_noop(
    "One simple candidate, %(name)s, learned from ever more rows; each was measured on the same rows. The band is the "
    "95 %% interval. Lower is better."
)
KEPT = gettext_noop("The dashed line is of rows learned from, the other of rows kept aside. Each network begins anew.")
FALLS = 0.02  # of the loss: less in the last doubling of rows is hardly a gain


def learning(number: int, output: Told) -> Section | None:
    points = output.get("learning_curve") or []
    if len(points) < 2:
        return None
    key, title, loss = f"learning-{number}", _("What more rows bring"), loss_name(output)
    rows, values, lows, highs = ([point[name] for point in points] for name in ("rows", "value", "low", "high"))
    line = {
        "type": "scatter", "mode": "lines+markers", "x": rows, "y": figures(values), "line": {"color": "@0", "width": 2},
        "marker": {"color": "@0", "size": 8}, "showlegend": False,
    }  # fmt: skip
    layout = {
        "showlegend": False,
        "xaxis": {"type": "log", "title": {"text": _("Rows learned from")}, "tickvals": rows,
                  "ticktext": [current_formats().number(count) for count in rows]},
        "yaxis": {"title": {"text": loss}},
    }  # fmt: skip
    heads = (Head(_("Rows learned from")), Head(loss), *interval_heads())
    told = [[point["rows"], *figures([point["value"], point["low"], point["high"]])] for point in points]
    rule = Notice(CURVE, {"name": f"“{candidate_name(output.get('learning_curve_of') or '')}”"})
    traces = [*band(rows, figures_of(lows), figures_of(highs), "@0"), line]
    drawn = picture(key, _("Learning curve"), traces, layout, heads, told, [rule])
    return section(key, title, [says(points)], [drawn], output=output["name"])


def figures_of(values: Sequence[float]) -> list[float]:
    return [value for value in figures(values) if value is not None]


def says(points: Sequence[Mapping[str, float]]) -> str:
    """Whether more rows would help, by what the last step brought.

    The points are measured on the same rows, but the report does not know the interval of their difference. That of each
    is wider: a step that leaves the interval before it is certain, a smaller one may be chance.
    """
    before, last = points[-2], points[-1]
    step = before["value"] - last["value"]
    share = step / abs(before["value"] or 1.0)
    words = {"share": current_formats().percent(abs(share), 1)}
    if share > FALLS and last["value"] < before["low"]:
        return _("The curve still falls: the last step took %(share)s off, beyond its interval. "
                 "More rows should help.") % words  # fmt: skip
    if share > FALLS:
        return _("The last step took %(share)s off, which the intervals do not tell from chance. "
                 "More rows may help.") % words  # fmt: skip
    if share < -FALLS:
        return _("The curve rose in its last step, by %(share)s: at this size chance says more than rows do.") % words
    return _("The last step changed hardly anything (%(share)s): more rows of the same kind would probably help little; "
             "other columns might.") % words  # fmt: skip


def rounds(report: Told) -> Section | None:
    """Loss by round, each network a line of its own."""
    curve = LossCurve(report)
    if not curve.points:
        return None
    traces, rows = [], []
    for part in curve.parts:
        name = candidate_name(part.name) or _("Network")
        for which, colour, dash in ((1, "@1", "dash"), (2, "@0", "solid")):
            losses = [(point[0], point[which]) for point in part.points if point[which] is not None]
            traces.append({
                "type": "scatter", "mode": "lines", "x": [at for at, _loss in losses], "showlegend": part is curve.parts[0],
                "y": figures([loss for _at, loss in losses]), "line": {"color": colour, "width": 2, "dash": dash},
                "name": _("learned from") if which == 1 else _("kept aside"),
            })  # fmt: skip
        rows += [[name, at, *figures([learned, kept])] for at, learned, kept in part.points]
    layout = {"showlegend": True, "xaxis": {"title": {"text": _("Round")}}, "yaxis": {"title": {"text": _("Loss")}}}
    heads = (text_head(_("Network")), Head(_("Round")), Head(_("Loss, learned from")), Head(_("Loss, kept aside")))
    drawn: Picture = picture("rounds", _("Loss by round"), traces, layout, heads, rows, [Notice(KEPT)])
    return section("rounds", _("How the networks learned"), [curve.caption], [drawn])
