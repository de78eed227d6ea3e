"""Work from before there were leases: what ended stays as it was, and what ran or waited is done after all."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from machines.jobs.reaper import reap
from models import Work
from models.work import WorkKind, WorkState
from tests.models.test_memberships_migration import migrate

BEFORE, AFTER = [("models", "0002_teams_invites_links_keys_audit")], [("models", "0003_work_leases_servers")]
NOTICE = {"template": "At least %(needed)s are needed.", "values": {"needed": 20}, "weight": "warning"}


@pytest.mark.django_db(transaction=True)
def test_old_work_is_kept():
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        apps = migrate(BEFORE)
        Old, Server = apps.get_model("models", "Work"), apps.get_model("models", "Server")
        server = Server.objects.create(server_name="old", server_info_ready=True, server_gpu_ram=[])
        ended = timezone.now()
        make = Old.objects.create
        done = make(
            is_work_training=True,
            is_work_status_server_finished=True,
            work_finished_at_date_time=ended,
            result={"rows": 3, "notice": NOTICE},
            message="At least 20 are needed.",
        )
        running = make(is_work_training=True, is_work_status_server_processing=True, server=server)
        waiting = make(is_work_solving=True, is_work_status_wait_for_server_start=True)
        migrate(AFTER)
    finally:
        migrate(latest)

    new = Work.objects.get(pk=done.pk)
    assert (new.state, new.kind, new.result, new.notice) == (
        WorkState.FINISHED,
        WorkKind.TRAINING,
        {"rows": 3},
        NOTICE,
    )
    assert (new.told_at, new.message) == (ended, "At least 20 are needed.")
    assert (new.attempts, new.fencing_token, new.lease_until, new.queue) == (0, 0, None, "cpu")
    old = [Work.objects.get(pk=row.pk) for row in (running, waiting)]
    assert [work.state for work in old] == [WorkState.PROCESSING, WorkState.WAITING]
    assert [work.told_at for work in old] == [None, None]

    reap()
    assert set(Work.objects.waiting()) == set(old)
    assert all(work.delivery for work in Work.objects.waiting())


@pytest.mark.django_db(transaction=True)
def test_it_can_be_taken_back():
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        Work.objects.create(is_work_training=True)
        apps = migrate(BEFORE)
        assert apps.get_model("models", "Work").objects.count() == 1
    finally:
        migrate(latest)
