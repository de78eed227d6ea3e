"""What the engine fits, as people call it. The engine's names are in machines.engine.plan and .recipes."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy

from config.formats import current_formats

NAMES = {  # by how the engine's name begins: what follows are numbers of outputs, sizes and repeats
    "network in pieces": gettext_lazy("Network, numbers cut into ranges"),
    "network": gettext_lazy("Network"),
    "ensemble network": gettext_lazy("Ensemble of networks"),
    "ensemble in fine pieces": gettext_lazy("Large ensemble of networks"),
    "deep network": gettext_lazy("Deep network"),
    "incomplete rows": gettext_lazy("Network for incomplete rows"),
    "usual": gettext_lazy("What is usual"),
    "linear": gettext_lazy("Linear model"),
    "process": gettext_lazy("Gaussian process"),
    "process by left out": gettext_lazy("Gaussian process, by rows left out"),
    "boosting extra": gettext_lazy("Boosted trees, random splits"),
    "boosting large": gettext_lazy("Boosted trees, large"),
    "boosting oblique": gettext_lazy("Boosted trees, sums of two columns"),
    "boosting root": gettext_lazy("Boosted trees, of the square root"),
    "boosting": gettext_lazy("Boosted trees"),
    "plain forest": gettext_lazy("Random forest"),
    "forest": gettext_lazy("Random forest, random splits"),
    "neighbours": gettext_lazy("Nearest neighbours"),
}
MADE = {  # words before the rest of the name
    "searched": gettext_lazy("%(model)s, settings searched"),
    "stacked": gettext_lazy("%(model)s, learning from the others"),
}
LONGEST_FIRST = sorted(NAMES, key=len, reverse=True)


def candidate_name(name: str) -> str:
    """Return a candidate's name for people; one that nobody has named yet stays as it is."""
    made, _, rest = name.partition(" ")
    if made in MADE:
        return str(MADE[made]) % {"model": candidate_name(rest)}
    kind = next((kind for kind in LONGEST_FIRST if f"{name} ".startswith(f"{kind} ")), None)
    return str(NAMES[kind]) if kind else name


def blend_of(weights: Mapping[str, float]) -> list[tuple[str, float, str]]:
    """Return what an answer is blended from, alike ones taken together: name, percent of the longest bar, share."""
    shares: dict[str, float] = {}
    for name, weight in weights.items():
        shares[candidate_name(name)] = shares.get(candidate_name(name), 0.0) + weight
    most, percent = max(shares.values(), default=0.0) or 1.0, current_formats().percent
    ordered = sorted(shares.items(), key=lambda item: -item[1])
    return [(name, 100 * share / most, percent(share)) for name, share in ordered if share > 0]
