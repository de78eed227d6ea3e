from html.parser import HTMLParser

import pytest
from django.core.cache import cache
from django.test import Client

from tests.factories import PASSWORD


@pytest.fixture(autouse=True)
def no_attempts_yet():
    """Limits of attempts are counted in the cache, across tests."""
    cache.clear()


@pytest.fixture
def visitor(db):
    return Client(headers={"Accept-Language": "fr"})


@pytest.fixture
def sign_in(visitor):
    def post(email, password=PASSWORD, **more):
        return visitor.post("/accounts/login/", {"login": email, "password": password, **more})

    return post


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags = []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))


@pytest.fixture
def tags():
    """Return the tags of a page as (name, attributes)."""

    def parse(response):
        parser = _Tags()
        parser.feed(response.content.decode())
        return parser.tags

    return parse


def signed_in_as(client):
    return client.session.get("_auth_user_id")
