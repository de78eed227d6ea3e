"""A page that somebody only looks at complains about nothing."""

import pytest

from tests.machines.houses import csv_bytes, table_rows
from tests.machines.views.pages import page, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def read(upload):
    return upload(csv_bytes(table_rows(30)))


@pytest.mark.parametrize("name", ["new", "rows", "source", "columns", "training"])
def test_no_complaint_before_anything_was_sent(read, alice_client, name):
    response = alice_client.get(url(name, *([] if name == "new" else [read.pk])))
    shown = page(response)
    assert response.status_code == 200
    assert "Please correct this" not in shown.text
    assert not [attributes for _tag, attributes in shown.elements if attributes.get("aria-invalid")]
