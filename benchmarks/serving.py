"""One row over HTTP, side by side: make bench NAME=serving

Ours, which looks up the key, its limits and who may ask, and counts; and four peers that check nothing. The same small
network (benchmarks/net.py), one core for everything, one client on one kept connection, several passes in turns; of each
server the window with the most answers counts, for the others were disturbed. Then what serving costs inside: the locked
runner, sessions in memory, checks of uploads. Peers are installed into var/peers-* the first time. ARGS=--quick skips the
slow ones. Results: benchmarks/results/serving.json.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "site")]

from benchmarks import net
from benchmarks.client import Window, family, watch
from benchmarks.common import Figure, free_port, place, save
from benchmarks.environments import install
from benchmarks.servers import MAKERS, NEEDS, Server

PASSES, SECONDS = 5, 1.5
PARTS = ("runner", "sessions", "checks", "chunks", "machines")
QUICK_PARTS = PARTS[:2]
OURS, OURS_UPLOADED = "EasyAutoML, machine", "EasyAutoML, uploaded model, locked"
BARE, TYPED = "FastAPI + ONNX Runtime, bare", "FastAPI + ONNX Runtime, with types"
RATIOS = {  # ours against a peer, requests per second
    "MLflow models serve": 3.0,
    "BentoML": 5.0,
    "Flask + Keras predict": 300.0,
    BARE: 1 / 1.5,
    TYPED: 1 / 1.5,
}


def main() -> None:
    is_quick = "--quick" in sys.argv
    names = [name for name in MAKERS if not is_quick or name == "fastapi"]
    missing = {name: why for name in names if (why := install(name, NEEDS[name]))}
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with place() as (folder, surroundings):
        os.environ.update(surroundings | {"PREDICTIONS_PER_MINUTE": "1000000000"})
        (folder / "net.onnx").write_bytes(net.bare_onnx(net.make_weights()))
        servers = ours()
        for name in names:
            servers += MAKERS[name](folder) if name not in missing else []
        with running(servers):
            windows: dict[str, list[Window]] = {server.name: [] for server in servers}
            for turn in range(PASSES):
                for server in servers:
                    windows[server.name].append(window(server))
                print(f"pass {turn + 1} of {PASSES} done", flush=True)
            memory = worker_megabytes(servers[0])
    best = {name: max(found, key=lambda each: each.rps) for name, found in windows.items()}
    print_table(best)
    for name, why in missing.items():
        print(f"{name} could not be installed: {why}")
    parts = QUICK_PARTS if is_quick else PARTS
    inside = {part: measured(part) for part in parts}
    about = {
        "passes": PASSES,
        "seconds": SECONDS,
        "missing": missing,
        "peers": NEEDS,
        "versions": {name: version(name) for name in ("django", "gunicorn", "onnxruntime", "djangorestframework")},
        "windows": {name: [asdict(each) for each in found] for name, found in windows.items()},
        "inside": inside,
    }
    save("serving", [*ratios(best), *inner_figures(inside), Figure("memory of a web worker", memory, "MB", 130)], about)


def ours() -> list[Server]:
    """The site as `make run` starts it, asked by a key: a machine, and the same network uploaded as ONNX."""
    from benchmarks.visit import open_site

    open_site()
    from machines.jobs.runner import work_run
    from machines.management.commands.run import web_command
    from machines.services.uploads import model_upload
    from models import ApiKey, EncDecConfiguration, Machine, NNModel, User, Work

    user, weights = User.objects.get(), net.make_weights()
    machine = Machine.objects.create(
        machine_name="Network",
        machine_owner_user=user,
        machine_status="ready",
        model_version=1,
        training_nn_model=NNModel.objects.create(nn_model=net.machine_onnx(weights)),
        enc_dec_configuration=EncDecConfiguration.objects.create(enc_dec_config=net.description()),
    )
    uploaded = model_upload(
        user=user, name="Network", framework="onnx", file_name="net.onnx", chunks=[net.bare_onnx(weights)]
    )
    for work in Work.objects.active():
        work_run(work_id=work.pk)
    key = ApiKey(user=user, name="benchmark", scopes=["predict"])
    headers = {"Authorization": f"Bearer {key.make_secret()}"}
    key.save()
    port = free_port()
    about: dict[str, Any] = {"headers": headers, "command": web_command("127.0.0.1", port), "port": port}
    rows = {"rows": [dict(zip(net.NAMES, net.ROW, strict=True))]}
    return [
        Server(OURS, path=f"/api/machines/{machine.pk}/predict/", body=rows, **about),
        Server(
            OURS_UPLOADED, path=f"/api/models/{uploaded.machine_id}/predict/", body={"input_data": [net.ROW]}, **about
        ),
    ]


@contextmanager
def running(servers: list[Server]) -> Iterator[None]:
    """Start all; servers of the same port are one process."""
    by_port: dict[int, Server] = {}
    try:
        for server in servers:
            server.process = by_port.setdefault(server.port, server).process
            server.start().close()
            print(f"{server.name} answers", flush=True)
        yield
    finally:
        for server in by_port.values():
            server.stop()


def window(server: Server) -> Window:
    """One window of a server, warmed up on its connection."""
    assert server.process is not None
    connection = server.start()
    for _ in range(3 if "Keras" in server.name else 100):
        connection.ask()
    found = watch(connection, SECONDS, server.process.pid)
    connection.close()
    return found


def worker_megabytes(server: Server) -> float:
    """Resident memory of the web process; the locked processes beside it are not it."""
    from benchmarks.pages import megabytes

    assert server.process is not None
    return max(megabytes(pid) for pid in family(server.process.pid)[1:2])


def print_table(best: dict[str, Window]) -> None:
    print(f"\n{'one row over HTTP, one core':38}{'requests/s':>12}{'p50 µs':>10}{'p99 µs':>10}{'server CPU µs':>15}")
    for name, each in sorted(best.items(), key=lambda item: -item[1].rps):
        print(f"{name:38}{each.rps:12,.0f}{each.p50:10.0f}{each.p99:10.0f}{each.cpu:15.0f}")
    print()


def ratios(best: dict[str, Window]) -> list[Figure]:
    rates = [Figure(f"{name}: requests per second", each.rps, "/s") for name, each in best.items()]
    found = [(peer, target, best[peer].rps) for peer, target in RATIOS.items() if peer in best]
    against = [
        Figure(f"ours / {peer}", best[OURS].rps / rate, "x", round(target, 2), True) for peer, target, rate in found
    ]
    more = [Figure(f"ours, uploaded / {peer}", best[OURS_UPLOADED].rps / rate, "x") for peer, _target, rate in found]
    return [*rates, *against, *more]


def inner_figures(inside: dict[str, Any]) -> list[Figure]:
    runner, sessions = inside["runner"], inside["sessions"]
    figures = [
        Figure("added by the locked runner, median", runner["added_p50_us"], "µs", 100),
        Figure("added by the locked runner, 99 %", runner["added_p99_us"], "µs", 1000),
        Figure("first answer of a cold model, median", runner["cold_ms"], "ms", 100),
        Figure("1,000 small machines in memory", sessions["held_mb"], "MB", 250),
        Figure("the same, let go of", sessions["left_mb"], "MB"),
    ]
    slowest = [Figure(f"check of {name}", each["seconds"], "s", 10) for name, each in inside.get("checks", {}).items()]
    return figures + slowest


def measured(part: str) -> Any:
    """Run a part of inside.py in a process of its own."""
    command = [sys.executable, str(ROOT / "benchmarks" / "inside.py"), part]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{part}: {done.stderr[-2000:]}")
    print(f"{part}: {done.stdout.strip()[:300]}", flush=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
