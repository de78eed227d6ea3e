"""What a worker says of its computer when it starts."""

import pytest

from machines.management.commands.worker import tell_of_the_lock
from machines.serving.locked import lock


@pytest.fixture
def without_lock(monkeypatch):
    monkeypatch.setattr(lock, "NO_LOCK", True)
    lock.protection.cache_clear()
    yield
    lock.protection.cache_clear()


def test_says_so_where_models_cannot_be_locked_in(without_lock, caplog):
    tell_of_the_lock()
    assert "Only ONNX and safetensors models are taken here: EASYAUTOML_NO_LOCK=1 is set." in caplog.text


@pytest.mark.skipif(not lock.protection().is_whole, reason="Needs Linux with Landlock (5.13 or newer) and seccomp.")
def test_says_nothing_where_they_can(caplog):
    tell_of_the_lock()
    assert not caplog.records
