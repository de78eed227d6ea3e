"""In short: the figure that counts, what it is compared with, and what a person should know."""

from django.utils.translation import gettext as _

from config.formats import NO_BREAK, current_formats
from dashboards.graph_view import Cell
from dashboards.reporting.page import Figure, Section, Table
from dashboards.reporting.parts import DASH, Told, cells, section
from machines.reports import OutputView, ReportView

OLD = {  # what an output of a report from before lacks
    "leaderboard": "leaderboard", "learning_curve": "learning curve", "operating": "thresholds", "regions": "thin regions",
}  # fmt: skip
ALWAYS = ("leaderboard", "regions")  # every training of today measures these


def is_old(output: Told) -> bool:
    """Whether the report was made before it told all that this page can show."""
    return any(name not in output for name in ALWAYS)


def short(number: int, output: OutputView, told: Told, view: ReportView) -> Section:
    main = output.main
    note = _("%(name)s, 95 %% between %(low)s and %(high)s") % vars(main)
    if main.baseline:
        note += f" · {output.baseline}{NO_BREAK}{main.baseline}"
    rows = current_formats().number(told.get("rows") or 0)
    measured = _("%(measured_on)s (%(rows)s rows).") % {"measured_on": view.measured_on, "rows": rows}
    heads = [Cell(_("Figure")), *cells(_("This machine"), _("95 % between"), output.baseline, numbers_from=0)]
    scores = [cells(s.name, s.value, f"{s.low}{DASH}{s.high}", s.baseline) for s in output.scores]
    table = Table(_("All figures"), heads, scores)
    text = " ".join(filter(None, [measured, output.verdict, output.coverage, main.explained]))
    return Section(f"short-{number}", _("In short"), [text], tables=[table], output=output.name,
                   figure=Figure(main.value, note))  # fmt: skip


def warned(view: ReportView, is_incomplete: bool, discreet: str = "") -> Section:
    """How the training went, its warnings, and (`discreet`) what this person is not shown."""
    old = _("This machine was trained before the report could show more. Train again to see its candidates, learning "
            "curve, thresholds and thin regions.")  # fmt: skip
    rows = [[Cell(name), Cell(value)] for name, value in view.facts]
    table = Table(_("The training"), [Cell(_("What")), Cell(_("How much"))], rows)
    return section(
        "training", _("The training"), [*view.warnings, old if is_incomplete else "", discreet], tables=[table]
    )
