"""Graphs of many rows, and previews: the second half of make bench NAME=pages. Results: benchmarks/results/graphs.json.

The thirteen kinds on a made-up table, always the same: seconds and memory of the process that draws. First a graph of columns
that nobody has read: of some rows, at once, and of all of them, for which they are typed; then every other graph (columns are
mapped), and once there are new rows. Then what a change in
the builder takes: the server's answer, and, where there is a Chromium, until the picture stands there.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.common import ROOT, Figure, free_port, quantile, times_of

if TYPE_CHECKING:
    from django.test import Client

    from models import Machine

ROWS = 10_000_000
PIECE = 1_000_000  # rows written at once
MORE = 10_000  # rows that come later
PREVIEWS = 7
PREVIEW_ROWS = 100_000
# The columns of each kind, more of them than a person begins with.
CHOSEN: dict[int, dict[str, str]] = {
    1: {"x": "size", "y": "price", "hue": "town", "size": "age", "style": "kind"},
    2: {"x": "day", "y": "price", "hue": "town"},
    3: {"x": "size", "y": "price"},
    4: {"x": "price", "hue": "town"},
    5: {"x": "size", "y": "price"},
    6: {"x": "size", "y": "price", "hue": "age", "size": "rooms"},
    7: {"x": "size", "y": "price"},
    8: {"x": "town", "y": "price", "hue": "kind"},
    9: {"x": "town", "y": "price", "hue": "kind"},
    10: {"x": "town", "y": "price", "hue": "kind", "col": "good"},
    11: {"x": "town", "y": "price"},
    12: {"x": "price", "y": "town"},
    13: {"y": "town", "x": "price", "z": "age"},
}
TYPES = {"town": "LABEL", "kind": "LABEL", "good": "LABEL", "day": "DATE"}
TOWNS = ["Bern", "Graz", "Lyon", "Oslo", "Rome", "Turku"]
# Choose another column that stands nowhere yet, on the first place that has one: milliseconds until its picture is there.
CHANGE = """(round) => new Promise((done, fail) => {
  const selects = [...document.querySelectorAll(".fields select")], taken = selects.map((select) => select.value);
  const free = (select) => [...select.options].map((option) => option.value).filter((value) => value && !taken.includes(value));
  const select = selects.find((select) => select.value && free(select).length);
  if (!select) return done(null);
  const picture = () => document.getElementById("preview-graph")?.data, old = picture(), started = performance.now();
  select.value = free(select)[round % free(select).length];
  select.dispatchEvent(new Event("change", { bubbles: true }));
  const look = () => {
    if (picture() && picture() !== old) done(performance.now() - started);
    else if (performance.now() - started > 10000) fail(new Error(`no picture of ${select.name}: ${select.value}`));
    else setTimeout(look, 4);
  };
  look();
})"""


def table(rows: int, seed: int) -> Any:
    """Made-up houses, as text: what the site keeps of an upload."""
    import numpy as np
    import polars as pl

    rng = np.random.default_rng(seed)
    size, age, rooms = rng.gamma(6, 18, rows), rng.integers(0, 90, rows), rng.integers(1, 8, rows)
    town = rng.choice(len(TOWNS), rows, p=[0.4, 0.25, 0.15, 0.1, 0.07, 0.03])
    price = np.exp(rng.normal(11 + 0.005 * size - 0.004 * age + 0.1 * town, 0.35))
    day = np.datetime64("2015-01-01") + rng.integers(0, 3650, rows)
    cells = {
        "size": size.round(1), "age": age, "rooms": rooms, "price": price.round(), "day": day,
        "town": np.array(TOWNS)[town], "kind": rng.choice(["flat", "house"], rows), "good": rng.choice(["yes", "no"], rows),
    }  # fmt: skip
    return pl.DataFrame(cells).with_columns(pl.all().cast(pl.String))


def parts_of(folder: Path, rows: int) -> list[Path]:
    """Write the table in parts, as several uploads would."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for number, start in enumerate(range(0, rows, PIECE)):
        parts.append(folder / f"part{number}.parquet")
        table(min(PIECE, rows - start), number).write_parquet(parts[-1], compression="zstd")
    return parts


def kind_figures(folder: Path, rows: int) -> list[Figure]:
    """Seconds and memory of each kind, once with columns as text and once with typed ones."""
    parts, more, figures = parts_of(folder, rows), folder / "more.parquet", list[Figure]()
    table(MORE, rows).write_parquet(more, compression="zstd")
    warm = {"parts": [str(parts[0])], "columns": [_column({"name": "town", "type": "LABEL"})], "kind": 13,
            "chosen": {"y": "town"}, "folder": str(folder / "warm")}  # a site's process has loaded its libraries  # fmt: skip
    for kind, chosen in CHOSEN.items():
        kept = folder / "drawn"
        shutil.rmtree(kept, ignore_errors=True)
        columns = [{"name": name, "type": TYPES.get(name, "FLOAT")} for name in chosen.values()]
        request = {"parts": [*map(str, parts)], "columns": [*map(_column, columns)], "kind": kind,
                   "chosen": chosen, "folder": str(kept)}  # fmt: skip
        with drawing() as process:
            asked(process, warm)
            look, look_mb = asked(process, request | {"is_quick": True})
            first, first_mb = asked(process, request)
            for figure in kept.glob("*.json"):
                figure.unlink()
            typed, typed_mb = asked(process, request)
            added, added_mb = asked(process, request | {"parts": [*map(str, [*parts, more])]})
        figures += [
            Figure(f"kind {kind} of {rows:,} rows, first of its columns, some rows", look, "s", 2),
            Figure(f"kind {kind} of {rows:,} rows, first of its columns, all rows after that", first, "s"),
            Figure(f"kind {kind} of {rows:,} rows, once typed", typed, "s", 2),
            Figure(f"kind {kind} of {rows:,} rows, once typed, and {MORE:,} new", added, "s", 2),
            Figure(f"kind {kind} of {rows:,} rows, memory", max(look_mb, first_mb, typed_mb, added_mb), "MB", 500),
        ]
    return figures


def _column(about: dict[str, str]) -> dict[str, Any]:
    from machines.engine.schema import Column, DataType

    return Column(about["name"], DataType(about["type"])).to_json()


@contextmanager
def drawing() -> "Iterator[subprocess.Popen[str]]":
    """A process that draws, on the two threads that the site gives it."""
    surroundings = os.environ | {"POLARS_MAX_THREADS": "2", "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-m", "dashboards.drawing.job"]
    with subprocess.Popen(
        command, cwd=ROOT, env=surroundings, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin
        process.stdin.close()


def asked(process: "subprocess.Popen[str]", request: dict[str, Any]) -> tuple[float, float]:
    """Seconds until the figure is there, and the most memory of its own that the process held meanwhile, in MB."""
    most, is_over = [0.0], threading.Event()

    def watch() -> None:
        while not is_over.wait(0.005):
            most.append(own_megabytes(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    assert process.stdin and process.stdout
    process.stdin.write(json.dumps(request) + "\n")
    process.stdin.flush()
    answer = json.loads(process.stdout.readline())
    seconds = time.perf_counter() - started
    is_over.set()
    watcher.join()
    if answer["kind"] != "done":
        raise SystemExit(f"kind {request['kind']} was not drawn: {answer}")
    return seconds, max(most)


def own_megabytes(pid: int) -> float:
    """Memory that is not that of mapped files, in millions of bytes."""
    with suppress(OSError, ValueError):
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
        return (int(pages[1]) - int(pages[2])) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return 0.0


def preview_figures(client: "Client", small: "Machine", large: "Machine") -> list[Figure]:
    """What a change in the builder takes of the server, per kind: the largest of them all counts."""
    figures = []
    for name, machine in (("diabetes table", small), (f"table of {PREVIEW_ROWS:,} rows", large)):
        slowest = max(_preview(client, machine, kind) for kind in CHOSEN)
        figures.append(Figure(f"preview, {name}, server, slowest kind", 1e3 * slowest, "ms", 300))
        seen = _seen(client, machine)
        if seen:
            figures.append(Figure(f"preview, {name}, until it is seen, slowest kind", seen, "ms", 300))
    return figures


def _preview(client: "Client", machine: "Machine", kind: int) -> float:
    """Median seconds; the figures that are kept are forgotten each time."""
    from dashboards.graph_presets import distinct_of, presets, ranked
    from dashboards.graphs import columns_of
    from machines.services.rows import drawn_folder, part_paths

    chosen = presets(kind, ranked(machine, columns_of(machine)), distinct_of(machine))
    kept = drawn_folder(part_paths(machine)[0])

    def ask() -> None:
        for figure in kept.glob("*.json"):
            figure.unlink()
        address = f"/machines/{machine.pk}/graphs/new/"
        response = client.get(address, {"kind": str(kind), **chosen}, headers={"HX-Request": "true"})
        if b"data-graph" not in response.content:
            raise SystemExit(f"kind {kind} has no preview")

    return quantile(times_of(ask, PREVIEWS, 2), 0.5)


def _seen(client: "Client", machine: "Machine") -> float | None:
    """Milliseconds from a change to the picture in a real browser: the median of the slowest kind; None without one."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    if not binary:
        return None
    from machines.management.commands._processes import Kept
    from machines.management.commands.run import stop, wait_until_it_answers, web_command

    port = free_port()
    process = Kept(web_command("127.0.0.1", port), ROOT)
    try:
        wait_until_it_answers("127.0.0.1", port, [process])
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox", "--disable-gpu"])
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            session, address = client.cookies["session"].value, f"http://localhost:{port}"
            context.add_cookies([{"name": "session", "value": session, "url": address}])
            page = context.new_page()
            medians = [_median(page, f"{address}/machines/{machine.pk}/graphs/new/?kind={kind}") for kind in CHOSEN]
            browser.close()
        return max(medians)
    finally:
        stop([process])


def _median(page: Any, address: str) -> float:
    """Of a few changes, but the first: 0 for a kind that has no other column to choose."""
    page.goto(address)
    page.locator("#preview-graph .cartesianlayer path").first.wait_for(state="attached")
    times = [page.evaluate(CHANGE, round) for round in range(PREVIEWS + 1)][1:]
    return quantile(sorted(time for time in times if time is not None) or [0.0], 0.5)
