"""Takes from the calling process what a model does not need."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Protection:
    """What the self-test found. `is_whole`: files that can hold code may be opened here."""

    is_whole: bool
    why_not: str = ""  # in English, for the log of whoever runs the site
