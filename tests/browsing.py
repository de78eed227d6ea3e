"""A real browser for tests: how Chromium starts, and what is wrong with a page it shows."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]
SCREENS = Path(__file__).resolve().parent.parent / "test-output" / "screens"  # kept as output of CI

# An empty style is Playwright's own, when it takes a picture.
EXPECTED = ("sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",)


def open_chromium() -> Iterator[Any]:
    """Yield a browser. Its event loop runs in this thread, which Django must be told to bear."""
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is missing: install the development extras")
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not binary:
        pytest.skip("Chromium is missing: install it with `apt-get install chromium`")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=FLAGS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def sign_in(context: Any, client: Client, url: str) -> None:
    """Let a browser be who this client is."""
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": url}])


def listen(page: Any) -> list[str]:
    """Return a list that fills with the errors and warnings of the page's console."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def unexpected(said: list[str]) -> list[str]:
    return [message for message in said if not any(known in message for known in EXPECTED)]


def faults(page: Any) -> list[str]:
    """Return what is wrong with the page as it is shown now: sideways overflow and axe violations."""
    from axe_playwright_python.sync_playwright import Axe

    overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    wrong = [f"{overflow} px too wide"] if overflow > 0 else []
    violations = Axe().run(page).response["violations"]
    return wrong + [f"{found['id']}: {found['nodes'][0]['html'][:160]}" for found in violations]


def keep(page: Any, name: str) -> None:
    """Keep a picture of the page among CI's output."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(SCREENS / f"{name}.png"), full_page=True)
