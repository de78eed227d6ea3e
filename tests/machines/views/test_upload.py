import gzip
import io
import zipfile
from pathlib import Path

import pytest
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from machines.forms.data import safe_name
from models import DataLinesOperation, Machine
from tests.machines.houses import HEADER, csv_bytes, file_of, table_rows, xlsx_bytes
from tests.machines.views.pages import HTMX, htmx, is_whole, page, url

pytestmark = pytest.mark.django_db

SHORT = csv_bytes(table_rows(30))


def send(client, content=SHORT, name="houses.csv", machine_name="", **kwargs):
    return client.post(url("new"), {"file": file_of(content, name), "name": machine_name}, **kwargs)


def test_it_works(alice, alice_client):
    shown = page(alice_client.get(url("new")))
    assert shown.one("input", type="file")["accept"] == ".csv,.tsv,.txt,.xlsx,.json,.parquet"
    assert "200 MB" in shown.text
    response = send(alice_client, name="house_prices.csv")
    machine = Machine.objects.get()
    assert (response.status_code, response["Location"]) == (302, url("columns", machine.pk))
    assert (machine.machine_name, machine.machine_owner_user, machine.rows_count) == ("house prices", alice, 30)


def test_htmx_is_told_where_to_go(alice_client):
    response = send(alice_client, headers=HTMX)
    assert response.status_code == 200
    assert response["HX-Redirect"] == url("columns", Machine.objects.get().pk)


def test_a_name_of_ones_own(alice_client):
    send(alice_client, machine_name="Häuser 🏠")
    assert Machine.objects.get().machine_name == "Häuser 🏠"


def test_a_refusal_stands_beside_the_field_and_keeps_the_name(alice_client):
    response = send(alice_client, b"only,a,header\n", machine_name="My houses")
    shown = page(response)
    assert response.status_code == 200 and is_whole(response)
    assert shown.one("input", name="name")["value"] == "My houses"
    assert shown.one("input", name="file")["aria-invalid"] == "true"
    assert shown.all("a", href="#id_file"), "the summary links to the field"
    assert not Machine.objects.exists()


def test_htmx_gets_the_form_alone(alice_client):
    for data in (None, {"name": "My houses"}):
        response = htmx(alice_client, url("new"), data)
        assert not is_whole(response) and "upload" in page(response).ids()
    assert page(response).one("input", name="name")["value"] == "My houses"
    assert "Choose a file" in page(response).text


@pytest.mark.parametrize("name", ["__secret__", "__x__"])
def test_names_of_the_system_are_refused(alice_client, name):
    assert "reserved" in page(send(alice_client, machine_name=name)).text
    assert not Machine.objects.exists()


def test_a_name_may_not_be_too_long(alice_client):
    shown = page(send(alice_client, machine_name="x" * 201))
    assert "200" in shown.text and not Machine.objects.exists()


def zipped(**files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return packed.getvalue()


XXE = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row><c t="inlineStr"><is><t>&e;</t></is></c></row></sheetData></worksheet>"""


def xlsx_with(sheet):
    old, new = zipfile.ZipFile(io.BytesIO(xlsx_bytes([["1"]], ["a"]))), io.BytesIO()
    with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in old.namelist():
            archive.writestr(name, sheet if name.endswith("sheet1.xml") else old.read(name))
    return new.getvalue()


# Number in the list of bad files -> name, content, a word of the refusal
REFUSED = {
    "1 empty": ("a.csv", b"", "empty"),
    "2 header only": ("a.csv", b"a,b,c\n", "row"),
    "7 header of 10 kB": ("a.csv", b"x" * 10_000 + b",b\n1,2\n3,4\n", "200"),
    "10 very many columns": ("a.csv", b",".join(b"c%d" % n for n in range(6000)) + b"\n" + b"1," * 5999 + b"1\n", "5"),
    "12 unterminated quote": ("a.csv", b'a,b\n1,2\n3,"4\n' + b"5,6\n" * 50_000, "line|quot"),
    "14 NUL": ("a.csv", b"a,b\n1,\x00\n2,3\n", "NUL|zero|null"),
    "26 zip": ("a.csv", zipped(a="b"), "ZIP"),
    "26 png": ("a.csv", b"\x89PNG\r\n\x1a\n" + b"\0" * 90, "PNG"),
    "26 html": ("a.csv", b"<!doctype html><html><body><table></table></body></html>", "web page"),
    "26 pickle": ("a.csv", b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94.", "pickle"),
    "27 bomb": ("a.xlsx", zipped(xl__worksheets__sheet1_xml=b"0" * 60_000_000), "unpack|ratio|times|Excel|xlsx"),
    "27 external entity": ("a.xlsx", xlsx_with(XXE), ""),
    "27 macros": ("a.xlsm", xlsx_bytes([["1"]], ["a"]), "none of the formats"),
    "28 gz bomb": ("a.csv", gzip.compress(b"0" * 20_000_000), "gzip"),
    "28 gz by name": ("a.csv.gz", gzip.compress(SHORT), "none of the formats"),
    "old excel": ("a.xls", b"\xd0\xcf\x11\xe0" + b"\0" * 90, "none of the formats"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_files_are_refused_with_a_sentence(alice_client, stored, folders, settings, case):
    name, content, word = REFUSED[case]
    response = send(alice_client, content, name, machine_name="Kept")
    shown = page(response)
    assert response.status_code == 200
    error = shown.text[shown.text.index("Please correct this") :]
    assert any(part.casefold() in error.casefold() for part in word.split("|")), error[:300]
    assert "Traceback" not in shown.text and "root:" not in shown.text and str(settings.STORAGE_ROOT) not in shown.text
    assert shown.one("input", name="name")["value"] == "Kept"
    assert not Machine.objects.exists() and not DataLinesOperation.objects.exists()
    assert stored() == [] and folders() == 0


HOSTILE = ["<script>alert(1)</script>", "{{7*7}}", "'; DROP TABLE models_machine; --", "__class__", "id",
           "csrfmiddlewaretoken", "constructor"]  # fmt: skip
ROWS = "".join(",".join([str(number)] * 7) + "\n" for number in range(1, 31))

# Number -> content, a word of the notice that stands on the next page ("" where there is nothing to say)
ACCEPTED = {
    "3 one column": (b"a\n" + b"".join(b"%d\n" % n for n in range(30)), ""),
    "4 one row": (b"a,b\n1,2\n", ""),
    "5 duplicate headers": (b"a,a,b\n1,2,3\n4,5,6\n", "a"),
    "6 empty headers": (b"a,,b\n1,2,3\n4,5,6\n", ""),
    "8 9 hostile headers": ((",".join(HOSTILE) + "\n" + ROWS).encode(), ""),
    "16 byte order mark": (b"\xef\xbb\xbfa,b\n1,2\n3,4\n", ""),
    "17 UTF-16": ("a,b\nä,2\nö,4\n".encode("utf-16"), "UTF-16"),
    "18 CR only": (b"a,b\r1,2\r3,4\r", ""),
    "20 formulas": (b"a,b\n=1+1,2\n@SUM(A1),3\n+cmd|' /C calc'!A0,4\n", ""),
    "21 odd numbers": ("a,b\nnan,1\ninf,2\n1e400,3\n1_000,4\n٣,5\n0x10,6\n-0,7\n".encode(), ""),
    "22 a very long number": (b"a,b\n" + b"9" * 5000 + b",1\n2,3\n", ""),
    "23 odd dates": (b"a,b\n0000-00-00,1\n31/02/2020,2\n01/02/2020,3\n2020-02-01,4\n", ""),
    "24 empty column": (b"a,b\n,1\n,2\n,3\n", ""),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_odd_files_are_accepted_and_their_pages_work(alice_client, case):
    content, word = ACCEPTED[case]
    response = alice_client.post(url("new"), {"file": file_of(content, "a.csv")}, follow=True)
    machine = Machine.objects.get()
    assert response.status_code == 200 and response.redirect_chain[-1][0] == url("columns", machine.pk)
    assert word in page(response).text
    assert alice_client.get(url("source", machine.pk)).status_code == 200
    assert "<script>alert" not in response.content.decode()


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../../etc/x.csv", "x.csv"),
        ("C:\\Users\\me\\x.csv", "x.csv"),
        ("x" * 300 + ".csv", "x" * 100 + "….csv"),
        ("\u202evsc.exe.csv", "vsc.exe.csv"),
        ("con.csv", "con.csv"),
        ("a\nb\r\0c.csv", "abc.csv"),
        ("<b>bold</b>.csv", "b>.csv"),
        ("Größe 10 €.CSV", "Größe 10 €.CSV"),
    ],
)
def test_29_names_of_files(name, kept):
    assert safe_name(name) == kept


@pytest.mark.parametrize(
    "name", ["../../x.csv", "x" * 300 + ".csv", "\u202evsc.csv", "con.csv", "a\nb.csv", '"><script>.csv']
)
def test_29_names_of_files_through_the_page(alice_client, settings, name):
    response = send(alice_client, name=name)
    assert response.status_code == 302
    shown = alice_client.get(response["Location"])
    assert "<script>.csv" not in shown.content.decode() and "\u202e" not in shown.content.decode()
    machine = Machine.objects.get()
    assert "/" not in machine.source_name and machine.source_name.endswith(".csv")
    names = {path.name for path in Path(settings.STORAGE_ROOT).rglob("*") if path.is_file()}
    assert "source" in names and len(names) == 2


def cut(client, address, share=0.5, **kwargs):
    """POST a form whose connection is lost on the way: the length says more than there comes."""
    body = encode_multipart(BOUNDARY, {"file": file_of(csv_bytes())} | kwargs)
    part = io.BytesIO(body[: int(len(body) * share)])
    extra = {"wsgi.input": part, "CONTENT_LENGTH": str(len(body))}
    return client.generic("POST", address, b"x", MULTIPART_CONTENT, **extra)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.97])
def test_30_an_upload_cut_off_leaves_nothing(alice_client, stored, folders, share):
    response = cut(alice_client, url("new"), share)
    assert response.status_code == 400
    assert not Machine.objects.exists() and stored() == [] and folders() == 0


def test_30_a_whole_body_of_the_same_kind_is_taken(alice_client):
    assert cut(alice_client, url("new"), 1.0).status_code == 302


def test_30_rows_cut_off_leave_nothing(upload, alice_client, stored):
    machine = upload(SHORT)
    assert cut(alice_client, url("rows", machine.pk)).status_code == 400
    machine.refresh_from_db()
    assert machine.rows_count == 30 and stored() == ["part", "source"]


def test_30_the_same_form_twice_makes_two_whole_machines(alice_client, stored):
    assert [send(alice_client).status_code for _ in range(2)] == [302, 302]
    assert stored() == ["part", "part", "source", "source"]
    assert [machine.columns.count() for machine in Machine.objects.all()] == [len(HEADER)] * 2


def test_too_large(alice_client, settings):
    settings.UPLOAD_LIMIT_BYTES = 1_000_000
    shown = page(send(alice_client, b"a,b\n" + b"1,2\n" * 260_000))
    assert "larger than 1 MB" in shown.text and not Machine.objects.exists()
