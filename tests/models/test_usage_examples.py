"""The usage examples of the seed's document, as written there, in their order."""

from decimal import Decimal

import pytest

pytestmark = pytest.mark.django_db


def test_the_examples_run_as_written():
    # Creating a User
    from models import User

    # Create regular user
    user = User.objects.create_user(
        email="user@example.com", password="secure_password", first_name="John", last_name="Doe"
    )

    # Create superuser
    admin = User.objects.create_superuser(
        email="admin@example.com", password="admin_password", first_name="Admin", last_name="User"
    )

    # Creating a Team
    from models import Team

    # Create team
    team = Team.objects.create(name="Data Science Team", admin_user=user)
    team.create_permission()
    team.users.add(user)

    # Creating a Machine
    from models import Machine

    # Create machine
    machine = Machine.objects.create(
        machine_name="Customer Churn Prediction",
        machine_description="Predict customer churn using historical data",
        machine_owner_user=user,
        machine_owner_team=team,
        machine_level=3,
    )

    # Configure columns
    machine.dfr_columns_type_user_df = {"customer_id": "LABEL", "age": "FLOAT", "income": "FLOAT", "churn": "LABEL"}
    machine.save()

    # Creating Work Items
    from models import Server, Work

    Server.objects.create(server_name="server-1", server_info_ready=True)  # ours: the seed's server has to exist

    # Get available server
    server = Server.objects.filter(server_info_ready=True).first()

    # Create training work
    work = Work.objects.create(
        machine=machine, server=server, is_work_training=True, is_work_status_wait_for_server_start=True
    )

    # Billing Operations
    from models import Credit, Operation

    # Create training operation
    operation = Operation.objects.create(
        machine=machine,
        machine_owner=machine.machine_owner_user,
        operation_user=user,
        is_training_operation=True,
        count_of_lines=1000,
        count_of_training_epoch=50,
    )

    # Create credit transaction
    credit = Credit.objects.create(user=user, amount=100.00)
    operation.credit = credit
    operation.save()

    # Querying Examples

    # Get user's machines
    user_machines = Machine.objects.filter(machine_owner_user=user)

    # Get team machines
    team_machines = Machine.objects.filter(machine_owner_team=team)

    # Get pending work
    pending_work = Work.objects.filter(is_work_status_wait_for_server_start=True)

    # Get user's billing history
    user_operations = Operation.objects.filter(operation_user=user)

    # Get machine's training history
    machine_work = Work.objects.filter(machine=machine, is_work_training=True)

    # What the document says came of it
    assert admin.is_superuser and admin.is_staff and admin.is_super_admin
    assert list(user_machines) == list(team_machines) == [machine]
    assert list(pending_work) == list(machine_work) == [work]
    assert list(user_operations) == [operation]
    assert credit.amount == Decimal(100) and isinstance(credit.amount, Decimal)
    assert Operation.objects.get().credit == credit
    assert list(user.Teams.all()) == [team]
