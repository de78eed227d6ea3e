"""Documents that cannot lag: what they name exists, and what exists is named."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def settings_read() -> set[str]:
    source = (ROOT / "site" / "config" / "settings.py").read_text(encoding="utf-8")
    return set(re.findall(r"env\.\w+\(\s*\"([A-Z_]+)\"", source))


def own_commands() -> set[str]:
    return {path.stem for path in ROOT.glob("*/management/commands/*.py") if not path.stem.startswith("_")}


def test_every_setting_is_documented() -> None:
    assert len(settings_read()) > 10
    assert {name for name in settings_read() if f"`{name}`" not in OPERATIONS} == set()


def test_every_documented_setting_is_read() -> None:
    table = OPERATIONS.split("## Settings")[1].split("## Commands")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    documented = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
    assert documented == settings_read()


def test_every_command_is_documented() -> None:
    assert {name for name in own_commands() if f"manage.py {name}" not in OPERATIONS} == set()


def test_make_targets_named_in_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = {
        name for path in DOCUMENTS for name in re.findall(r"`(?:[A-Z]+=\S+ )?make ([a-z-]+)", path.read_text("utf-8"))
    }
    assert named <= targets
    assert re.search(r"```\nmake run\nmake test\n```", README)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert missing == []


def test_the_picture_of_the_house_shows_every_folder() -> None:
    picture = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("```")[1]
    folders = [path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith((".", "_"))]
    left_out = {"var", "docs", "build", "test-output"} | {name for name in folders if name.endswith(".egg-info")}
    assert {name for name in folders if name not in left_out and f"{name}/" not in picture} == set()
