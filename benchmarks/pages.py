"""What a person waits for, and what it costs: make bench NAME=pages

`ARGS="--graphs"` measures graphs and previews alone, `ARGS="--rows 200000"` graphs of fewer rows.

Form and answer pages, one row through the model, upload to first answer, memory of a web worker, the second start, and
how good the demo table's machine is. All in a temporary database and storage. Results: benchmarks/results/pages.json.
"""

import csv
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "site")]

from benchmarks import graphs
from benchmarks.common import (
    SHARED,
    Figure,
    environment,
    free_port,
    place,
    quantile,
    save,
    times_of,
)
from benchmarks.visit import answers_of, open_site, upload_to_answer, uploaded

if TYPE_CHECKING:
    from django.test import Client

    from models import Machine

PIMA = SHARED / "data" / "pima_diabetes.csv"
DEMO = ROOT / "machines" / "demo" / "diabetes.csv"
MANAGE = [sys.executable, str(ROOT / "manage.py")]
FIELDS = 40
SEEDS = 5
REPEATS = 100
ASKED = 50
SERVING = "EasyAutoML is at"


def main() -> None:
    parser = ArgumentParser(description="What a person waits for.")
    parser.add_argument("--rows", type=int, default=graphs.ROWS, help="of the graphs' large table")
    parser.add_argument("--graphs", action="store_true", help="graphs and previews alone")
    given = parser.parse_args()
    if not given.graphs:
        page_figures()
    graph_figures(given.rows)


def graph_figures(rows: int) -> None:
    """Thirteen kinds of many rows, and previews: benchmarks/results/graphs.json."""
    with place() as (folder, surroundings):
        os.environ.update(surroundings)
        client = open_site()
        small, _ = upload_to_answer(client, DEMO)
        path = folder / "houses.csv"
        graphs.table(graphs.PREVIEW_ROWS, 0).write_csv(path)
        large = uploaded(client, path)
        figures = [*graphs.preview_figures(client, small, large), *graphs.kind_figures(folder / "large", rows)]
    save("graphs", figures, {"rows": rows, "preview_repeats": graphs.PREVIEWS})


def page_figures() -> None:
    with place() as (folder, surroundings):
        os.environ.update(surroundings)
        client = open_site()
        wide = folder / "wide.csv"
        write_wide(wide)
        small, seconds = upload_to_answer(client, DEMO)
        large, _ = upload_to_answer(client, wide)
        figures = [
            *form_figures(client, small, large),
            row_figure(small),
            call_figure(small),
            Figure("upload of the diabetes table to its first answer", seconds, "s", 15),
            Figure("memory of a web worker", worker_megabytes(client, small), "MB", 130),
            *start_figures(folder / "start"),
            auc_figure(folder),
        ]
    save("pages", figures, {"form_repeats": REPEATS, "seeds": SEEDS})


def write_wide(path: Path) -> None:
    """A made-up table of 40 numbers and an answer."""
    import numpy as np

    rng = np.random.default_rng(0)
    numbers = rng.normal(50, 20, (600, FIELDS)).round(2)
    lines = [[f"measure {at}" for at in range(FIELDS)] + ["result"]]
    lines += [[*map(str, row), str(round(row[0] + row[1], 2))] for row in numbers.tolist()]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(lines)


def form_figures(client: "Client", small: "Machine", large: "Machine") -> list[Figure]:
    figures = []
    for machine, fields, target in ((small, 8, 25), (large, FIELDS, 60)):
        address = f"/machines/{machine.pk}/predict/"
        times = times_of(partial(client.get, address), REPEATS)
        figures.append(Figure(f"prediction form, {fields} fields, median", 1e3 * quantile(times, 0.5), "ms", target))
        figures.append(Figure(f"prediction form, {fields} fields, 95 %", 1e3 * quantile(times, 0.95), "ms"))
    address, data = f"/machines/{small.pk}/predict/", answers_of(small)
    times = times_of(lambda: client.post(address, data, headers={"HX-Request": "true"}), REPEATS)
    figures.append(Figure("answer to a form of 8 fields, median", 1e3 * quantile(times, 0.5), "ms", 15))
    return figures


def row_figure(machine: "Machine") -> Figure:
    from machines.services.predictions import predictor_of, row_table
    from machines.serving.predictor import Predictor

    predictor = predictor_of(machine)
    assert isinstance(predictor, Predictor), "the machine was trained here"
    table = row_table(predictor.schema, answered(machine))
    times = times_of(lambda: predictor.run(table), 3000)
    return Figure("one row through ONNX Runtime, median", 1e6 * quantile(times, 0.5), "µs", 100)


def call_figure(machine: "Machine") -> Figure:
    """One row over REST, with a key, as the test client sends it."""
    from django.test import Client

    from models import ApiKey
    from models.api_key import Scope

    key = ApiKey(user=machine.machine_owner_user, name="benchmark", scopes=[Scope.PREDICT])
    client = Client(SERVER_NAME="localhost", headers={"Authorization": f"Bearer {key.make_secret()}"})
    key.save()
    address, body = f"/api/machines/{machine.pk}/predict/", {"rows": [answered(machine)]}
    times = times_of(lambda: client.post(address, body, content_type="application/json"), REPEATS)
    if client.post(address, body, content_type="application/json").status_code != 200:
        raise SystemExit(f"{address} gave no answer")
    return Figure("one row over REST, median", 1e3 * quantile(times, 0.5), "ms", 10)


def answered(machine: "Machine") -> dict[str, Any]:
    """The middle of each input's range, by its name."""
    from machines.services.predictions import description_of

    return {item["name"]: item.get("median") for item in description_of(machine)["inputs"]}


def worker_megabytes(client: "Client", machine: "Machine") -> float:
    """Memory of a real web worker after 50 pages and 50 answers."""
    from machines.management.commands._processes import Kept
    from machines.management.commands.run import stop, wait_until_it_answers, web_command

    port = free_port()
    process = Kept(web_command("127.0.0.1", port), ROOT)
    try:
        wait_until_it_answers("127.0.0.1", port, [process])
        page = f"http://localhost:{port}/machines/{machine.pk}/predict/"
        for _ in range(ASKED):
            ask_by_http(client, page, answers_of(machine))
        return max(megabytes(pid) for pid in children(process.process.pid))
    finally:
        stop([process])


def ask_by_http(client: "Client", address: str, answers: dict[str, Any]) -> None:
    """Open the form and send it, with the session of the signed-in client."""
    from urllib.parse import urlencode

    session = f"session={client.cookies['session'].value}"
    with urlopen(Request(address, headers={"Cookie": session})) as response:
        cookie = response.headers.get("Set-Cookie", "").split(";")[0]
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', response.read().decode())
    assert token, "the form carries no token"
    data = urlencode(answers | {"csrfmiddlewaretoken": token[1]}).encode()
    headers = {"Cookie": f"{session}; {cookie}", "HX-Request": "true"}
    with urlopen(Request(address, data, headers)) as response:
        assert b"answer" in response.read()


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in text.split()]


def megabytes(pid: int) -> float:
    """Resident memory, in millions of bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def start_figures(folder: Path) -> list[Figure]:
    """The first start makes the demo, the second one only starts."""
    surroundings = environment(folder)
    first, second = seconds_to_serve(surroundings), seconds_to_serve(surroundings)
    return [Figure("first start, with the demo's training", first, "s"), Figure("second start", second, "s", 5)]


def seconds_to_serve(surroundings: dict[str, str]) -> float:
    started = time.perf_counter()
    command = [*MANAGE, "run", "--port", str(free_port())]
    process = subprocess.Popen(
        command, env=surroundings, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        if not any(SERVING in line for line in process.stdout):
            raise SystemExit("manage.py run ended without serving")
        return time.perf_counter() - started
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def auc_figure(folder: Path) -> Figure:
    """ROC AUC on a fifth held out, the split of ../shared/bench/peers.py, mean of some seeds, by the two commands."""
    found = [auc_of(folder, seed) for seed in range(SEEDS)]
    print("ROC AUC by seed:", ", ".join(f"{value:.4f}" for value in found))
    return Figure(f"ROC AUC of the diabetes table, level 1, {SEEDS} seeds", statistics.mean(found), "", 0.8, True)


def auc_of(folder: Path, seed: int) -> float:
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import train_test_split

    with (PIMA if PIMA.exists() else DEMO).open(encoding="utf-8", newline="") as file:
        title, *rows = csv.reader(file)
    truth = [row[-1] for row in rows]
    parts = train_test_split(rows, test_size=0.2, random_state=seed, stratify=truth)
    learn, test, machine, out = (folder / name for name in ("learn.csv", "test.csv", "machine.onnx", "out.csv"))
    for path, part in zip((learn, test), parts, strict=True):
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([title, *part])
    command("train_csv", learn, "--output", title[-1], "--level", 1, "--seed", seed, "--save", machine)
    command("predict_csv", machine, test, "--save", out)
    with out.open(encoding="utf-8", newline="") as file:
        chances = [float(row[f"{title[-1]}:1"]) for row in csv.DictReader(file)]
    return float(roc_auc_score([row[-1] == "1" for row in parts[1]], chances))


def command(*words: object) -> None:
    subprocess.run([*MANAGE, *map(str, words)], check=True, capture_output=True)


if __name__ == "__main__":
    main()
