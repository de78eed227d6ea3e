"""Reading a page as a test: what stands in it, and in which element."""

import re
from html.parser import HTMLParser
from typing import Any

from django.test import Client
from django.urls import reverse

HTMX = {"HX-Request": "true"}


class Page(HTMLParser):
    """Every element of a page with its attributes, in order, and the text outside of tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.is_word_going_on = False  # after a <wbr>
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.is_word_going_on = tag == "wbr"

    def handle_data(self, data: str) -> None:
        if self.is_word_going_on:
            self.words[-1] += data
        else:
            self.words.append(data)
        self.is_word_going_on = False

    @property
    def text(self) -> str:
        return re.sub(r"[ \n]+", " ", " ".join(self.words))

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [a for name, a in self.elements if name == tag and all(a.get(k) == v for k, v in wanted.items())]

    def one(self, tag: str, **wanted: str) -> dict[str, str | None]:
        found = self.all(tag, **wanted)
        assert len(found) == 1, f"{len(found)} <{tag}> with {wanted}"
        return found[0]

    def questions(self) -> list[str]:
        """The names of a prediction form's fields, in their order."""
        controls = [a.get("name") or "" for tag, a in self.elements if tag in {"input", "select", "textarea"}]
        return [name for name in controls if re.fullmatch(r"c\d+", name)]

    def ids(self) -> list[str]:
        return [attributes["id"] for _tag, attributes in self.elements if attributes.get("id")]  # type: ignore[misc]


def page(response: Any) -> Page:
    return Page(response.content.decode())


def url(name: str, *args: int) -> str:
    return reverse(f"machines:{name}", args=args)


def is_whole(response: Any) -> bool:
    return response.content.decode().lstrip().startswith("<!doctype html>")


def htmx(client: Client, address: str, data: dict[str, Any] | None = None) -> Any:
    """Ask as htmx does: a GET without data, a POST with."""
    return client.get(address, headers=HTMX) if data is None else client.post(address, data, headers=HTMX)
