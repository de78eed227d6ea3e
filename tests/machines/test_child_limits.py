"""What a child may not do even if nobody watches it, and what it may not leave behind."""

import tempfile
from pathlib import Path

import pytest

from machines.child import ChildFailedError, run_child
from machines.engine.errors import DataError
from machines.services import reading

ODD = "tests.machines.odd_child"


def run(do, word="", **kwargs):
    return run_child(ODD, {"do": do, "word": word}, **{"seconds": 30, "memory_mb": 500} | kwargs)


@pytest.fixture
def temporary(monkeypatch, tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize("ending", ["by itself", "deadline", "memory"])
def test_its_temporary_files_go_with_it(temporary, ending):
    told = []
    try:
        word = "0" if ending == "by itself" else "60"
        memory = 1 if ending == "memory" else 500
        run("leave_files", word, seconds=2, memory_mb=memory, on_message=told.append)
    except ChildFailedError as error:
        assert error.reason == ending
    assert Path(told[0]["folder"]).is_relative_to(temporary) if told else ending == "memory"
    assert list(temporary.iterdir()) == []


def test_the_system_knows_its_limits():
    limits = run("tell_limits", seconds=7, threads=2)
    assert (limits["RLIMIT_CORE"], limits["RLIMIT_CPU"], limits["RLIMIT_FSIZE"]) == (0, 38, 4 * 2**30)
    assert limits["RLIMIT_AS"] == -1, "PyTorch reserves what it likes"


@pytest.mark.parametrize(("megabytes", "is_refused"), [(50, False), (1500, True)])
def test_address_space_can_be_limited(megabytes, is_refused):
    assert run("take_addresses", str(megabytes), address_mb=1000, memory_mb=5000) == {"refused": is_refused}


def test_the_reader_is_limited(monkeypatch, settings):
    def run_child(module, request, **given):
        raise ChildFailedError(str(given["address_mb"]))

    monkeypatch.setattr(reading, "run_child", run_child)
    with pytest.raises(DataError) as refused:
        reading.read_in_child({})
    assert int(str(refused.value.__cause__)) > settings.READ_MEMORY_MB
