"""The logging handler: rows are written, secrets are not, and nothing ever fails because of it."""

import logging
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, connection, transaction

from config.logs import without_secrets
from models import EasyAutoMLLogger, Server
from models.database_handler import DatabaseHandler
from tests.factories import make_server


@pytest.fixture
def log():
    logger = logging.getLogger("tests.log")
    handler = DatabaseHandler()
    logger.addHandler(handler)
    logger.propagate = False
    yield logger
    logger.removeHandler(handler)


@pytest.mark.django_db
def test_a_record_becomes_a_row(log):
    try:
        raise KeyError("age")
    except KeyError:
        log.exception(
            "Column %s is missing", "age", extra={"request": SimpleNamespace(META={"REMOTE_ADDR": "10.0.0.1"})}
        )

    row = EasyAutoMLLogger.objects.get()
    assert (row.level, row.logger, row.message, row.ip) == ("ERROR", "tests.log", "Column age is missing", "10.0.0.1")
    assert (row.main_module, row.main_function) == ("test_log", "test_a_record_becomes_a_row")
    assert "KeyError: 'age'" in row.traceback and row.host_name and row.timestamp


@pytest.mark.parametrize(
    "text",
    [
        "password=hunter2",
        'login {"password": "hunter2"}',
        "PASSWORD: 'hunter2 and more'",
        "user_password = hunter2",
        "api_key=hunter2&x=1",
        "csrfmiddlewaretoken=hunter2",
        "Authorization: Bearer hunter2hunter2",
        "Bearer hunter2hunter2",
        "postgres://easy:hunter2@db/name",
        "Cookie: sessionid=hunter2",
        "Internal Server Error: /invites/hunter2/",
        "Not Found: /p/hunter2/",
        "SECRET_KEY=hunter2",
    ],
)
def test_secrets_are_hidden(text):
    assert "hunter2" not in without_secrets(text)
    assert "***" in without_secrets(text)


def test_other_text_is_kept():
    text = "Machine 12: 3 rows could not be read at /machines/12/ (KeyError: 'age')"
    assert without_secrets(text) == text


@pytest.mark.django_db
def test_secrets_are_not_stored(log):
    try:
        raise ValueError("token=hunter2")
    except ValueError:
        log.exception("password=%s", "hunter2")

    row = EasyAutoMLLogger.objects.get()
    assert "hunter2" not in row.message + row.traceback


@pytest.mark.django_db
def test_not_inside_a_broken_transaction(log):
    with pytest.raises(transaction.TransactionManagementError), transaction.atomic():
        try:
            make_server(server_name="same")
            with transaction.atomic(savepoint=False):
                Server.objects.create(server_name="same")
        except IntegrityError:
            log.error("it is broken")
            make_server()
    assert not EasyAutoMLLogger.objects.exists()


@pytest.mark.django_db
def test_a_row_that_is_refused_leaves_the_transaction_whole(log, monkeypatch):
    def refuse(*_args, **_kwargs):
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM no_such_table")

    monkeypatch.setattr(EasyAutoMLLogger, "save", refuse)
    with transaction.atomic():
        log.error("lost")
        make_server()
    assert Server.objects.count() == 1


@pytest.mark.django_db
def test_it_does_not_recurse(log, monkeypatch):
    calls = []

    def log_again(*_args, **_kwargs):
        calls.append(1)
        log.error("while writing")

    monkeypatch.setattr(EasyAutoMLLogger, "save", log_again)
    log.error("first")
    assert calls == [1]


def test_without_a_database_nothing_happens(log):
    log.error("no database in this test")


@pytest.mark.django_db
def test_records_of_the_connection_itself_are_not_written():
    logger = logging.getLogger("django.db.backends.schema")
    handler = DatabaseHandler()
    logger.addHandler(handler)
    try:
        logger.error("from the connection")
    finally:
        logger.removeHandler(handler)
    assert not EasyAutoMLLogger.objects.exists()


@pytest.mark.django_db
def test_a_message_that_cannot_be_formatted_does_no_harm(log):
    DatabaseHandler().handle(log.makeRecord("tests", logging.ERROR, __file__, 1, "%d rows", ("many",), None))
    assert not EasyAutoMLLogger.objects.exists()
