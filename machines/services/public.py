"""Answers for people without an account: through an open public link, counted one by one."""

from collections.abc import Mapping
from typing import Any

from machines.services.predictions import NotTrainedError, description_of, prediction_make, reasons_find
from machines.serving.predictor import Answer
from machines.serving.reasons import Reasons
from models import Machine, PublicLink


class LinkClosedError(LookupError):
    """There is no such link, or it has ended, or its machine cannot answer: nobody is told which."""


def open_link(*, token: str) -> PublicLink:
    """Return the link with its machine and what its form is made of, in one query. Raises LinkClosedError."""
    big = [f"machine__{name}" for name in Machine.big_fields()]
    links = PublicLink.objects.usable().by_token(token).select_related("machine__enc_dec_configuration")
    link = links.defer(*big).first()
    if link is None:
        raise LinkClosedError
    return link


def questions_of(*, link: PublicLink) -> dict[str, Any]:
    """Return the machine's description with the chosen questions alone. Raises LinkClosedError when none is left."""
    try:
        description = description_of(link.machine)
    except NotTrainedError as error:
        raise LinkClosedError from error
    inputs = [item for item in description["inputs"] if _is_asked(item, link)]
    if not inputs:
        raise LinkClosedError
    return description | {"inputs": inputs}


def _is_asked(item: Mapping[str, Any], link: PublicLink) -> bool:
    """An uploaded model has not learned to do without: what it needs is asked for even by a short form."""
    return not link.questions or item["name"] in link.questions or bool(item.get("required"))


def public_answer(*, link: PublicLink, values: Mapping[str, float | str | None]) -> tuple[list[Answer], list[Reasons]]:
    """Answer one row, explain the answers and count them once.

    Raises LinkClosedError when the last answer was given, or the link ended, meanwhile; ModelFailedError when an uploaded
    model has none.

    The answer comes first and is counted last, by one conditional UPDATE: what fails costs nothing, no lock is held
    while the machine thinks, and nobody sees an answer that was not counted.
    """
    try:
        answers = prediction_make(machine=link.machine, values=values)
        reasons = reasons_find(machine=link.machine, values=values)
    except NotTrainedError as error:  # replaced or deleted at this very moment
        raise LinkClosedError from error
    if not link.claim():
        raise LinkClosedError
    return answers, reasons
