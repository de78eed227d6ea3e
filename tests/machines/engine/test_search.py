"""What a search proposes: what is often good first, then what it was told about; the same again for the same losses."""

import pytest

from machines.engine.search import BOOSTING, FIRST, NETWORKS, Search


def asked(number, loss, is_skewed=False, has_codes=False):
    """So many proposals for boosting, each told what `loss` says of it."""
    search, found = Search(3, BOOSTING), []
    for seed in range(number):
        settings, tell = search.boosting(seed, is_skewed, has_codes, has_slants=False)
        tell(loss(settings))
        found.append(settings)
    return found


def test_it_works():
    settings, tell = Search(0, BOOSTING).boosting(7, is_skewed=False, has_codes=False, has_slants=False)
    tell(0.5)
    assert settings.seed == 7 and settings.leaves == BOOSTING[0]["leaves"] and not settings.root


def test_what_is_often_good_comes_first():
    found = asked(len(BOOSTING), lambda settings: 1.0)
    assert [settings.rate for settings in found] == [known["rate"] for known in BOOSTING]


def test_the_same_losses_lead_to_the_same_proposals():
    assert asked(14, lambda settings: settings.rate) == asked(14, lambda settings: settings.rate)


def test_other_losses_lead_to_other_proposals():
    slow, fast = asked(14, lambda settings: settings.rate), asked(14, lambda settings: -settings.rate)
    assert slow[:FIRST] == fast[:FIRST] and slow[FIRST:] != fast[FIRST:]


def test_it_goes_where_the_losses_are_low():
    def mean_leaves(loss):
        later = asked(40, loss)[20:]
        return sum(settings.leaves for settings in later) / len(later)

    few, many = mean_leaves(lambda settings: settings.leaves), mean_leaves(lambda settings: -settings.leaves)
    assert few < 20 < 60 < many


def test_roots_are_proposed_for_skewed_numbers_alone():
    assert not any(settings.root for settings in asked(12, lambda settings: 1.0))
    assert {settings.root for settings in asked(12, lambda settings: 1.0, is_skewed=True)} == {True, False}


def test_with_and_without_codes_is_proposed_where_there_are_labels():
    assert not any(settings.codes for settings in asked(12, lambda settings: 1.0))
    assert {settings.codes for settings in asked(4, lambda settings: 1.0, has_codes=True)} == {True, False}


@pytest.mark.parametrize(
    ("has_many_rows", "is_aslant", "first"),
    [
        (False, False, [False, True] * 2),
        (True, False, [False] * 4),
        (True, True, [True] * 4),
        (False, True, [True] * 4),
    ],
)
def test_slants_are_proposed_first_where_they_help_most(has_many_rows, is_aslant, first):
    search, found = Search(3, BOOSTING, has_many_rows, is_aslant), []
    for seed in range(12):
        settings, tell = search.boosting(seed, is_skewed=False, has_codes=False, has_slants=True)
        tell(1.0)
        found.append(settings.oblique)
    assert found[:4] == first and set(found) == {True, False}


def test_where_there_are_no_slants_none_are_proposed():
    assert not any(settings.oblique for settings in asked(12, lambda settings: 1.0))


@pytest.mark.parametrize("told", [True, False], ids=["told", "never fitted"])
def test_networks(told):
    search, found = Search(0, NETWORKS), []
    for number in range(12):
        kind, tell = search.network(f"searched network {number}")
        if told:
            tell(kind.dropout)
        found.append(kind)
    assert found[0].widths == (128, 128) and found[0].dropout == NETWORKS[0]["dropout"]
    assert len(set(found)) == 12 and all(kind.is_normed == (kind.members == 1) for kind in found)
