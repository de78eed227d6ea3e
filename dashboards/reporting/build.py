"""The report of a machine: its sections in their order."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from config.formats import current_formats
from dashboards.reporting import discreet
from dashboards.reporting.choice import Choice
from dashboards.reporting.curves import calibration, confusion, curves
from dashboards.reporting.effect import effect
from dashboards.reporting.importance import importance
from dashboards.reporting.leaderboard import leaderboard
from dashboards.reporting.learning import learning, rounds
from dashboards.reporting.numbers import fit, residuals, spread
from dashboards.reporting.page import ReportPage, Section
from dashboards.reporting.parts import Told
from dashboards.reporting.summary import is_old, short, warned
from dashboards.reporting.thin import outside, thin
from dashboards.reporting.threshold import threshold
from machines.reports import report_view
from models import Machine

MOST_OUTPUTS = 8
ON_PAPER = Choice()


def report_page(
    machine: Machine, choice: Choice = ON_PAPER, effects: Told | None = None, may: discreet.May = ()
) -> ReportPage | None:
    """All that this person may know of a machine's quality; None before it is trained.

    `effects`: what dashboards.effects.asked has worked out, see discreet.effects; without it there is no section about them.
    `may`: what the reader may do with the machine.
    """
    if not machine.training_report or not machine.training_report.get("outputs"):
        return None
    moment = machine.training_date_time_machine_model
    words = {
        "name": machine.source_name or machine.machine_name, "version": machine.model_version,
        "when": current_formats().moment(moment) if moment else "",
    }  # fmt: skip
    lede = _("%(name)s · version %(version)s, %(when)s") % words
    count = len(machine.training_report["outputs"])
    if count > MOST_OUTPUTS:
        lede += ". " + _("Shown are the first %(shown)s of its %(count)s outputs; the machine's page has figures of all.") % {
            "shown": MOST_OUTPUTS, "count": current_formats().number(count)}  # fmt: skip
    return ReportPage(_("How good is “%(machine)s”?") % {"machine": machine.machine_name}, lede,
                      [*_sections(machine, choice, effects, may)])  # fmt: skip


def _sections(machine: Machine, choice: Choice, effects: Told | None, may: discreet.May) -> Iterator[Section]:
    report, view, inputs = machine.training_report, report_view(machine), inputs_of(machine)
    outputs = discreet.outputs(report["outputs"][:MOST_OUTPUTS], inputs, may)
    shown = [*zip(outputs, view.outputs, strict=False)]
    by_name = {about["name"]: about for about in inputs}
    for number, (output, words) in enumerate(shown):
        made = [
            short(number, words, output, view),
            leaderboard(number, output),
            learning(number, output),
            curves(number, output),
            calibration(number, output),
            confusion(number, output),
            threshold(number, output, choice.costs, choice.places),
            fit(number, output),
            residuals(number, output),
            spread(number, output),
        ]
        yield from filter(None, made)
    trained = report.get("rows_trained") or 0
    last = [
        importance(report),
        effects and effect(effects, choice.column, choice.answer),
        *(thin(n, output, by_name, choice.region(n), trained) for n, (output, _words) in enumerate(shown)),
        outside(_seen(machine, inputs, may), report.get("importance") or {}),
        rounds(report),
    ]
    yield from (each for each in last if each)
    yield warned(view, any(is_old(output) for output, _words in shown), discreet.said(may))


def _seen(machine: Machine, inputs: list[Told], may: discreet.May) -> list[Told]:
    profiles = {}
    if discreet.is_needed(may):
        profiles = dict(machine.columns.values_list("name", "profile"))
    return discreet.seen(inputs, machine.training_report["outputs"], profiles, may)


def inputs_of(machine: Machine) -> list[Told]:
    """What the trained file says of its columns."""
    configuration = machine.enc_dec_configuration
    found: list[Told] = (configuration.enc_dec_config or {}).get("inputs") or [] if configuration else []
    return found
