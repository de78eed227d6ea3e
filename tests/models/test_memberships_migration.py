"""Members from before there were roles stay members; they could look and ask, so they are predictors."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

BEFORE, AFTER = [("models", "0001_initial")], [("models", "0002_teams_invites_links_keys_audit")]


@pytest.mark.django_db(transaction=True)
def test_members_keep_their_place():
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        apps = migrate(BEFORE)
        alice = apps.get_model("models", "User").objects.create(email="alice@example.org", password="!")
        team = apps.get_model("models", "Team").objects.create(name="Old", admin_user=alice)
        team.users.add(alice)
        apps = migrate(AFTER)
        membership = apps.get_model("models", "Membership").objects.get()
        assert (membership.team_id, membership.user_id, membership.role) == (team.pk, alice.pk, "predictor")
        assert membership.joined_at is not None
    finally:
        migrate(latest)


def migrate(targets):
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return MigrationExecutor(connection).loader.project_state(targets).apps
