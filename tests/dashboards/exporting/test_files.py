"""The report as one HTML file and on paper: whole, safe to open, readable aloud, and only for who may see the machine."""

import datetime as dt
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from django.template.loader import render_to_string
from django.utils.translation import override

from dashboards import kept
from dashboards.exporting import colours, job, paper
from dashboards.exporting.document import MOST_LINES, document, file_name, for_paper
from dashboards.graph_view import Cell
from dashboards.reporting.page import ReportPage, Section, Table
from machines.child import ChildFailedError
from machines.engine.errors import DataError
from tests.dashboards.exporting.pictures import ESCAPED, HOSTILE, points, view

NOW = dt.datetime(2026, 11, 22, 14, 30, tzinfo=dt.UTC)
SCRIPTS = "Возраст Ηλικία 年龄 العمر"
PNG = b"\x89PNG\r\n"


def a_page(title="How good is it?", lines=3, views=1):
    table = Table(
        "Candidates", [Cell("name"), Cell("loss", True)], [[Cell(HOSTILE), Cell(str(n), True)] for n in range(lines)]
    )
    shown = [(f"curve-{n}", view([points([1, 2], [3, 4])], title=f"Curve {n}", rules=[HOSTILE])) for n in range(views)]
    odd = ("odd", view([{"type": "pie"}], title="A pie"))
    return ReportPage(title, "In short.", [
        Section("short", HOSTILE, [HOSTILE, SCRIPTS], output="risk"), Section("board", "Board", [], [*shown, odd], [table]),
    ])  # fmt: skip


class Reader(HTMLParser):
    """What a browser finds in a file: its elements, and what it would fetch."""

    def __init__(self, text):
        super().__init__()
        self.names, self.fetched, self.handlers, self.texts = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.fetched += [value for name, value in attrs if name in ("src", "href", "srcset", "action", "xlink:href")]
        self.handlers += [name for name, _value in attrs if name.startswith("on") or name == "style"]

    def handle_data(self, data):
        self.texts.append(data)


def html(page, **more):
    told = document(page, NOW, colours.named, **more)
    return render_to_string("dashboards/export/report.html", {"told": told, "root": colours.root()})


def test_the_html_file_stands_alone():
    text = html(a_page(title=HOSTILE), missing="Something is missing.")
    found = Reader(text)
    assert not {"script", "iframe", "object", "embed", "link", "img", "form", "base"} & {*found.names}
    assert not found.fetched and not found.handlers
    assert "@import" not in text.partition("</style>")[0] and not re.search(r"url\((?!#)", text)
    assert not re.search(r"(?:https?:)?//(?!www\.w3\.org/2000/svg)", text)
    assert found.names.count("svg") == 1 and found.names.count("table") == 3
    assert "<details open>" in text  # of the pie, which is not drawn
    assert text.count("22/11/2026") == 1 and "Something is missing." in text


def test_the_html_file_shows_every_line():
    assert html(a_page(lines=300)).count("<tr>") == 1 + 300 + 2 * 2


def test_the_html_file_in_a_language():
    with override("de"):
        assert '<html lang="de">' in html(a_page())


def test_ids_are_there_once():
    ids = re.findall(r' id="([^"]+)"', html(a_page(views=3)))
    assert len(ids) == len({*ids})


def test_a_pdf():
    content = paper.pdf(document(a_page(), NOW), NOW)
    assert content.startswith(b"%PDF-1.") and content.rstrip().endswith(b"%%EOF")
    assert content == paper.pdf(
        document(a_page(), NOW.replace(hour=20)), NOW.replace(hour=20)
    )  # the same day, the same file


@pytest.fixture
def words(tmp_path):
    """What the template makes of a page: its headings, texts and tags, asked of the typesetter itself."""

    def ask(page):
        import typst

        report, drawn = for_paper(document(page, NOW))
        (tmp_path / "report.typ").write_bytes(job.TEMPLATE.read_bytes())
        (tmp_path / "report.json").write_bytes(job.orjson.dumps(report))
        for name, text in drawn.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        return typst.Compiler(str(tmp_path / "report.typ"), root=str(tmp_path)), report

    return ask


def found(compiler, selector, field):
    import json

    return json.loads(compiler.query(selector, field=field))


def test_words_on_paper_are_words(words):
    compiler, report = words(a_page())
    titles = [body.get("text") for body in found(compiler, "heading", "body")]
    shown = report["parts"][0]["title"]
    assert titles == ["How good is it?", shown, "Board", "The numbers"]
    assert shown.replace("\u200b", "") == HOSTILE.replace("\x00", "\ufffd")
    assert found(compiler, "image", "alt")[0].replace("\u200b", "").startswith("Curve 0. </text><script>")


def test_on_paper_long_tables_are_cut_and_say_so():
    report, _files = for_paper(document(a_page(lines=MOST_LINES + 7), NOW))
    (table,) = report["parts"][1]["tables"]
    assert len(table["rows"]) == MOST_LINES and table["note"] == "7 further lines are in the HTML file."
    report, _files = for_paper(document(a_page(lines=MOST_LINES), NOW))
    assert report["parts"][1]["tables"][0]["note"] == ""


def test_a_pdf_for_everyone():
    """With a font for every letter the file keeps to PDF/UA: tagged, titled, with a language."""
    plain = ReportPage("Title", "Lede", [Section("one", "One", ["Text."], [("curve", view([points([1, 2], [3, 4])]))])])
    content = paper.pdf(document(plain, NOW), NOW)
    assert b"pdfuaid:part" in content and b"/MarkInfo" in content and b"/Lang" in content


def test_letters_without_a_font_are_no_reason_to_fail():
    odd = ReportPage("\U0001f9ea \U00013000 \ue000", SCRIPTS, [Section("one", "\U00012000", [SCRIPTS])])
    assert paper.pdf(document(odd, NOW), NOW).startswith(b"%PDF-")


def test_pages_follow_what_there_is_to_say():
    few, many = (paper.pictures(document(a_page(views=count), NOW), NOW) for count in (1, 6))
    assert all(page.startswith(PNG) for page in [*few, *many]) and len(few) < len(many) <= 6


def test_nothing_in_a_report_reads_files():
    bad = '#read("/etc/passwd") #include "x" $ x $ @label <label> \\'
    page = ReportPage(
        bad, bad, [Section("one", bad, [bad], [("a", view([points([1], [1], name=ESCAPED)], title=bad))])]
    )
    assert paper.pdf(document(page, NOW), NOW).startswith(b"%PDF-")


@pytest.mark.parametrize("reason", ["deadline", "memory", "crash"])
def test_when_the_process_fails_a_sentence_says_so(monkeypatch, reason):
    def fail(*args, **kwargs):
        raise ChildFailedError(reason)

    monkeypatch.setattr(kept, "run_child", fail)
    with pytest.raises(DataError) as error:
        paper.pdf(document(a_page(), NOW), NOW)
    assert error.value.notice.template == paper.TASK.words[reason]


def test_too_slow(monkeypatch):
    monkeypatch.setattr(paper, "TASK", replace(paper.TASK, seconds=0.01))
    with pytest.raises(DataError, match="took too long"):
        paper.pdf(document(a_page(), NOW), NOW)
    monkeypatch.undo()
    assert paper.pdf(document(a_page(), NOW), NOW)  # the place is free again


def test_names_of_files():
    assert file_name("Diabetes: who / how?", NOW, "pdf") == "diabetes-who-how-report-2026-11-22.pdf"
    assert file_name('"年龄"\r\n', NOW, "html") == "machine-report-2026-11-22.html"
