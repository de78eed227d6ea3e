"""A file becomes a model that answers: kept whole, checked in the locked child, replaced, rolled back, deleted."""

import errno
import hashlib
from datetime import timedelta

import pytest
from django.conf import settings as site

from accounts.services.account import account_delete
from accounts.services.own_data import entries_of
from machines import storage
from machines.engine.errors import DataError
from machines.jobs.runner import work_run
from machines.services import uploads
from machines.services.hosting import content_of
from machines.services.machines import machine_delete, machine_download
from machines.services.predictions import NotTrainedError, description_of, prediction_make, predictor_of
from machines.services.sweeping import storage_sweep
from machines.services.texts import sentence
from machines.services.uploads import check_wait, model_describe, version_call, version_delete, version_use
from machines.services.works import work_cancel, work_retry
from models import AuditEntry, EncDecConfiguration, Machine, ModelVersion, Work
from models.audit import AuditAction
from models.machine import MachineStatus
from models.membership import Membership
from models.model_version import VersionState
from models.work import WorkState
from tests.conftest import signed_in
from tests.factories import linear_onnx
from tests.machines.uploaded import PICKLE, chance_onnx, check_of, checked, upload

pytestmark = pytest.mark.django_db

LARGE = 300_000  # bytes: more than a row holds
ROW = {"x1": 1.0, "x2": 0.0, "x3": 0.0}


def now(machine):
    return Machine.objects.select_related("enc_dec_configuration").get(pk=machine.pk)


def chance(machine, **values):
    (answer,) = prediction_make(machine=now(machine), values=ROW | values)
    return float(answer.probabilities["1"][0])


def files():
    return [path for path in site.STORAGE_ROOT.rglob("*") if path.is_file()]


def sigmoid(value):
    return pytest.approx(1 / (1 + 2.718281828**-value), abs=1e-6)


def test_it_works(alice):
    version = upload(alice)
    assert version.state == VersionState.CHECKING and not now(version.machine).can_answer
    assert version.sha256 == hashlib.sha256(chance_onnx()).hexdigest() and version.size_bytes == len(chance_onnx())
    version = checked(version)
    machine = now(version.machine)
    assert (version.state, version.served, version.format, version.number) == ("ready", "converted", "onnx", 1)
    assert version.report["operators"] == {"MatMul": 1, "Sigmoid": 1} and version.report["is_locked"]
    assert (machine.machine_status, machine.model_version, machine.uploaded_version) == ("ready", 1, version)
    assert check_of(version).state is WorkState.FINISHED
    assert description_of(machine)["reads"][0]["kind"] == "chance", "the graph ends in a sigmoid"
    assert chance(machine) == sigmoid(1)
    assert [entry.action for entry in AuditEntry.objects.order_by("pk")] == [AuditAction.MODEL_UPLOADED]


def test_raw_tensors_are_answered_as_they_are(alice):
    version = checked(upload(alice, linear_onnx()))
    answer = version_call(version=version, feed={"x": [[1, 1, 1], [0, 0, 0]]}, caller="")
    assert {name: values.tolist() for name, values in answer.items()} == {"y": [[6.5], [0.5]]}


def test_a_small_file_lies_in_its_row_and_a_large_one_in_the_storage(alice):
    small, large = (checked(upload(alice, content)) for content in (chance_onnx(), chance_onnx(ballast=LARGE)))
    assert bytes(small.file) == bytes(small.onnx) == chance_onnx() and not small.file_path
    assert large.file is None and large.onnx is None
    kept = sorted(storage.absolute(path) for path in (large.file_path, large.onnx_path))
    assert sorted(files()) == kept
    assert content_of(large.pk, is_converted=False) == chance_onnx(ballast=LARGE)
    storage_sweep(older_than=timedelta(0))
    assert sorted(files()) == kept and chance(large.machine) == sigmoid(1)


REFUSED = [
    (b"", "onnx", "m.onnx", "empty"),
    (PICKLE, "pytorch", "m.pt", "(?i)pickle"),
    (b"colour,size\n1,2\n", "onnx", "m.onnx", "no model that we know"),
    (chance_onnx(), "tensorflow", "m.onnx", "ONNX"),
    (chance_onnx(), "mxnet", "m.onnx", "Choose tensorflow"),
]


@pytest.mark.parametrize(("content", "framework", "name", "words"), REFUSED)
def test_what_is_refused_at_first_sight_leaves_nothing(alice, content, framework, name, words):
    with pytest.raises(DataError, match=words):
        upload(alice, content, framework=framework, file_name=name)
    assert not Machine.objects.exists() and not Work.objects.exists() and files() == []


def test_too_many_bytes_are_not_read_to_their_end(alice, settings):
    settings.MODEL_UPLOAD_LIMIT_BYTES = 2_000_000
    chunks = iter([b"x" * 1_000_000] * 10)
    with pytest.raises(uploads.TooLargeError, match="larger than 2 MB"):
        upload(alice, chunks=chunks)
    assert len(list(chunks)) == 7 and files() == [] and not Machine.objects.exists()


def test_a_full_disk_leaves_nothing(alice):
    def chunks():
        yield b"x"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        upload(alice, chunks=chunks())
    assert files() == [] and not Machine.objects.exists()


def test_the_check_says_what_is_wrong_and_the_model_cannot_answer(alice):
    version = checked(upload(alice, chance_onnx()[:-20]))
    machine = now(version.machine)
    assert (version.state, machine.machine_status) == ("refused", MachineStatus.FAILED)
    assert sentence(version.notice) == machine.machine_status_message != ""
    assert check_of(version).state is WorkState.ERROR
    assert not list((site.STORAGE_ROOT / "works").iterdir()), "its folder is gone"
    with pytest.raises(NotTrainedError):
        predictor_of(machine)


def test_a_newer_version_answers_at_once_and_an_older_one_again_in_one_click(alice):
    first = checked(upload(alice))
    second = checked(upload(alice, chance_onnx(weight=2.0), machine=first.machine))
    assert (second.number, chance(first.machine)) == (2, sigmoid(2))
    version_use(version=first, user=alice)
    assert (now(first.machine).model_version, chance(first.machine)) == (1, sigmoid(1))
    version_use(version=second, user=alice)
    assert (now(first.machine).model_version, chance(first.machine)) == (2, sigmoid(2))
    assert EncDecConfiguration.objects.count() == 1
    assert AuditEntry.objects.filter(action=AuditAction.VERSION_USED).count() == 2


def test_a_check_does_not_undo_what_a_person_chose_meanwhile(alice):
    first = checked(upload(alice))
    second = checked(upload(alice, chance_onnx(weight=2.0), machine=first.machine))
    third, fourth = (upload(alice, chance_onnx(weight=weight), machine=first.machine) for weight in (3.0, 4.0))
    version_use(version=first, user=alice)
    version_use(version=second, user=alice)
    assert [checked(version).state for version in (third, fourth)] == ["ready", "ready"]
    assert chance(first.machine) == sigmoid(2), "chosen"
    fifth = checked(upload(alice, chance_onnx(weight=5.0), machine=first.machine))
    assert now(first.machine).uploaded_version == fifth, "uploaded after the choice"
    version_use(version=third, user=alice)
    assert chance(first.machine) == sigmoid(3)


def test_of_two_checks_at_once_the_newer_version_answers(alice):
    first = checked(upload(alice))
    second, third = (upload(alice, chance_onnx(weight=weight), machine=first.machine) for weight in (2.0, 3.0))
    for version in (second, third):
        assert checked(version) == now(first.machine).uploaded_version


def test_a_number_is_never_given_twice(alice):
    first = checked(upload(alice))
    second = checked(upload(alice, machine=first.machine))
    version_use(version=first, user=alice)
    version_delete(version=second, user=alice)
    assert upload(alice, machine=first.machine).number == 3
    version_delete(version=ModelVersion.objects.get(number=3), user=alice)
    assert upload(alice, machine=first.machine).number == 4


def test_a_refused_version_leaves_the_one_before_answering(alice):
    first = checked(upload(alice))
    second = checked(upload(alice, chance_onnx()[:-20], machine=first.machine))
    machine = now(first.machine)
    assert (second.state, machine.machine_status, machine.uploaded_version) == ("refused", "ready", first)
    assert machine.machine_status_message == sentence(second.notice) and chance(machine) == sigmoid(1)
    with pytest.raises(DataError, match="cannot answer"):
        version_use(version=second, user=alice)


def test_an_older_check_that_ends_later_does_not_replace_the_newer(alice):
    first = upload(alice)
    second = checked(upload(alice, chance_onnx(weight=2.0), machine=first.machine))
    first = checked(first)
    assert first.state == "ready" and now(first.machine).uploaded_version == second


def test_words_outlive_a_new_version_that_takes_the_same(alice):
    first = checked(upload(alice))
    described = [{"name": "Age", "unit": "years"}, "BMI", {"name": "Sex", "type": "choice", "labels": ["f", "m"]}]
    model_describe(version=first, user=alice, inputs=described, outputs=None)
    second = checked(upload(alice, chance_onnx(weight=2.0), machine=first.machine))
    assert second.is_described and [item["name"] for item in second.description["inputs"]] == ["Age", "BMI", "Sex"]
    values = {"Age": 1.0, "BMI": 0.0, "Sex": "m"}
    (answer,) = prediction_make(machine=now(first.machine), values=values)
    assert answer.probabilities["1"][0] == sigmoid(4)


def test_another_signature_brings_another_form(alice):
    first = checked(upload(alice))
    model_describe(version=first, user=alice, inputs=["a", "b", "c"], outputs=None)
    second = checked(upload(alice, chance_onnx(inputs=2), machine=first.machine))
    assert [item["name"] for item in description_of(now(first.machine))["inputs"]] == ["x1", "x2"]
    assert not second.is_described
    version_use(version=first, user=alice)
    assert [item["name"] for item in description_of(now(first.machine))["inputs"]] == ["a", "b", "c"]


def test_a_new_description_counts_at_once_though_the_model_is_loaded(alice):
    version = checked(upload(alice))
    assert chance(version.machine) == sigmoid(1)
    scaled = [{"name": "x1", "offset": 1.0, "scale": 2.0}, "x2", "x3"]
    model_describe(
        version=version, user=alice, inputs=scaled, outputs=[{"name": "y", "kind": "chance", "labels": [0, 1]}]
    )
    assert chance(version.machine, x1=7.0) == sigmoid(3)


def test_a_description_that_does_not_fit_changes_nothing(alice):
    version = checked(upload(alice))
    with pytest.raises(DataError, match="“d” would be one too many"):
        model_describe(version=version, user=alice, inputs=["a", "b", "c", "d"], outputs=None)
    assert [item["name"] for item in description_of(now(version.machine))["inputs"]] == ["x1", "x2", "x3"]
    with pytest.raises(DataError, match="not passed its check"):
        model_describe(version=upload(alice), user=alice, inputs=["a", "b", "c"], outputs=None)


def test_what_comes_with_the_file_describes_it(alice):
    named = checked(upload(alice, input_columns=["a", "b", "c"]))
    assert named.description["reads"][0]["kind"] == "chance"
    assert [item["name"] for item in named.description["inputs"]] == ["a", "b", "c"] and named.is_described


def test_a_description_that_came_with_the_file_and_does_not_fit_is_said(alice):
    version = checked(upload(alice, input_columns=["a", "b"]))
    assert [item["name"] for item in version.description["inputs"]] == ["x1", "x2", "x3"]
    assert "does not fit the model" in sentence(version.report["notices"][-1])
    with pytest.raises(DataError, match="has no name"):
        upload(alice, input_columns=["a", ""])


def test_a_version_that_answers_is_not_deleted_and_another_one_goes_with_its_files(alice):
    first = checked(upload(alice, chance_onnx(ballast=LARGE)))
    second = checked(upload(alice, machine=first.machine))
    with pytest.raises(DataError, match="answers now"):
        version_delete(version=second, user=alice)
    assert len(files()) == 2
    version_delete(version=first, user=alice)
    assert list(second.machine.versions.all()) == [second]


def test_deleting_leaves_no_file(alice, django_capture_on_commit_callbacks):
    version = checked(upload(alice, chance_onnx(ballast=LARGE)))
    other = upload(alice, chance_onnx(ballast=LARGE, weight=2.0), machine=version.machine)
    with django_capture_on_commit_callbacks(execute=True):
        version_delete(version=other, user=alice)
    assert check_of(other).state is WorkState.CANCELLED and len(files()) == 2
    with django_capture_on_commit_callbacks(execute=True):
        machine_delete(machine=version.machine, user=alice)
    assert files() == [] and not ModelVersion.objects.exists() and not EncDecConfiguration.objects.exists()


def test_an_account_takes_its_models_along(alice, django_capture_on_commit_callbacks):
    upload(alice, chance_onnx(ballast=LARGE))
    with django_capture_on_commit_callbacks(execute=True):
        account_delete(user=alice)
    assert files() == [] and not ModelVersion.objects.exists()


def test_the_download_is_the_file_that_came(alice):
    version = checked(upload(alice, linear_onnx()))
    assert machine_download(machine=now(version.machine), user=alice).read() == linear_onnx()
    response = signed_in(alice).get(f"/machines/{version.machine_id}/download/", follow=True)
    assert response.getvalue() == linear_onnx()
    assert response["Content-Disposition"] == 'attachment; filename="risk.onnx"'


def test_the_export_of_own_data_has_files_and_reports(alice):
    contents = [linear_onnx(), chance_onnx(ballast=LARGE)]
    for content in contents:
        checked(upload(alice, content))
    entries = dict(entries_of(alice))
    found = [content for name, content in entries.items() if name.endswith("/version-1/risk.onnx")]
    assert [c.read_bytes() if hasattr(c, "read_bytes") else b"".join(c) for c in found] == contents
    assert sum(name.endswith("/version-1/report.json") for name in entries) == 2


def test_a_cancelled_check_refuses_and_can_be_tried_again(alice):
    version = upload(alice)
    work_cancel(work=check_of(version), user=alice)
    version.refresh_from_db()
    assert version.state == "refused" and "cancelled" in sentence(version.notice)
    assert now(version.machine).machine_status == MachineStatus.FAILED


def test_a_failed_check_is_tried_again_when_asked(alice):
    version = upload(alice)
    path = ModelVersion.objects.filter(pk=version.pk)
    content = bytes(path.get().file)
    path.update(file=None)  # as after a restored backup that lacks it
    assert checked(version).state == "refused"
    path.update(file=content)
    work = check_of(version)
    assert work_retry(work=work, user=alice)
    assert now(version.machine).machine_status == MachineStatus.NEW
    assert checked(version).state == "ready" and chance(version.machine) == sigmoid(1)


def test_who_may_no_longer_edit_gets_nothing_checked(alice, bob, team):
    first = checked(upload(alice, team=team))
    Membership.objects.filter(user=bob).update(role="editor")
    second = upload(bob, chance_onnx(weight=2.0), machine=first.machine)
    Membership.objects.filter(user=bob).update(role="viewer")
    assert "may no longer change" in sentence(checked(second).notice)
    assert chance(first.machine) == sigmoid(1)


def test_whom_it_concerns_sees_it(alice, bob, charlie, team):
    version = upload(alice, team=team)
    assert list(ModelVersion.objects.visible_to(bob)) == [version]
    assert not ModelVersion.objects.visible_to(charlie).exists()
    assert not ModelVersion.objects.editable_by(charlie).exists()


def test_a_deleted_machine_ends_its_check(alice):
    version = upload(alice)
    work = check_of(version)
    machine_delete(machine=version.machine, user=alice)
    work_run(work_id=work.pk)
    assert not ModelVersion.objects.exists() and Work.objects.get(pk=work.pk).state is WorkState.CANCELLED


def test_waiting_ends_with_the_check_or_with_the_time(alice):
    version = upload(alice)
    assert check_wait(version=version, seconds=0.2).state == "checking"
    checked(ModelVersion.objects.get(pk=version.pk))
    assert check_wait(version=version, seconds=5).state == "ready"


def test_hostile_names_are_kept_without_what_databases_refuse():
    told = uploads.storable({"a\0": ["\ud800b", 1, None, {"c": ("d\0",)}]})
    assert told == {"a": ["?b", 1, None, {"c": ["d"]}]}


def test_a_large_file_that_vanishes_is_missing(alice):
    """Deleted by somebody else this very moment: nobody gets a page about an error of ours."""
    version = checked(upload(alice, chance_onnx(ballast=LARGE)))
    storage.absolute(version.file_path).unlink()
    assert machine_download(machine=now(version.machine), user=alice) is None
    assert signed_in(alice).get(f"/machines/{version.machine_id}/download/", follow=True).status_code == 404
