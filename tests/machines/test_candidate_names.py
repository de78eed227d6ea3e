"""What the engine fits has names that people can read."""

import pytest

from machines.candidate_names import blend_of, candidate_name
from machines.engine.plan import KINDS


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("boosting extra 0 1", "Boosted trees, random splits"),
        ("boosting oblique 0", "Boosted trees, sums of two columns"),
        ("boosting 31 0", "Boosted trees"),
        ("forest 2", "Random forest, random splits"),
        ("plain forest 0", "Random forest"),
        ("network", "Network"),
        ("network in pieces 3", "Network, numbers cut into ranges"),
        ("searched network 12", "Network, settings searched"),
        ("searched boosting 4 0", "Boosted trees, settings searched"),
        ("stacked linear 0", "Linear model, learning from the others"),
        ("quantum oracle 7", "quantum oracle 7"),
        ("networking 1", "networking 1"),
        ("", ""),
    ],
)
def test_it_works(name, said):
    assert candidate_name(name) == said


def test_every_kind_of_network_has_a_name():
    assert all(candidate_name(kind.name) != kind.name for kind in KINDS)


def test_alike_models_are_taken_together_and_those_that_say_nothing_left_out():
    weights = {"network": 0.3, "boosting 8 0": 0.2, "network 1": 0.25, "boosting 31 0": 0.25, "linear 0": 0.0}
    found = [(name, round(percent), share.replace("\xa0", " ")) for name, percent, share in blend_of(weights)]
    assert found == [("Network", 100, "55 %"), ("Boosted trees", 82, "45 %")]
    assert blend_of({}) == []
