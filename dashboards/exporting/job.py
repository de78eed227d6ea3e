"""`python -m dashboards.exporting.job`: sets a report on paper in a process of its own, see `machines.engine.job`.

One JSON line: {"report": of `dashboards.exporting.document.for_paper`, "pictures": {name: SVG}, "made": seconds since 1970,
"format": "pdf" or "png"}. It tells {"kind": "done", "files": [base64]}: one PDF, or a picture of each page.

What the report says is data for the template, never a part of it: a column called "#import" is shown as just that.
"""

import base64
import tempfile
from pathlib import Path
from typing import Any

import orjson
import typst

from machines.engine.job import Parent, serve

TEMPLATE = Path(__file__).resolve().parent.parent.parent / "templates" / "dashboards" / "export" / "report.typ"
POINTS_PER_INCH = 96.0  # of a picture of a page


def run(request: dict[str, Any], parent: Parent) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "report.typ").write_bytes(TEMPLATE.read_bytes())
        (folder / "report.json").write_bytes(orjson.dumps(request["report"]))
        for picture, text in request["pictures"].items():
            (folder / picture).write_text(text, encoding="utf-8")
        files = _set(folder, request)
    return {"files": [base64.b64encode(file).decode() for file in files]}


def _set(folder: Path, request: dict[str, Any]) -> list[bytes]:
    """Nothing outside the folder is read, and the same report gives the same bytes."""
    place = str(folder)
    compiler = typst.Compiler(f"{place}/report.typ", root=place, package_path=place, package_cache_path=place)
    if request["format"] == "png":
        pages = compiler.compile(format="png", ppi=POINTS_PER_INCH)
        return pages if isinstance(pages, list) else [pages or b""]
    try:
        pdf = compiler.compile(format="pdf", timestamp=request["made"], pdf_standards="ua-1")
    except typst.TypstError:  # the standard asks for a font with every letter; without one the letter is an empty box
        pdf = compiler.compile(format="pdf", timestamp=request["made"])
    assert isinstance(pdf, bytes)
    return [pdf]


if __name__ == "__main__":
    serve(run)
