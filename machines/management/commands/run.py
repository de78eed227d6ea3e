"""Start everything on this machine: database, static files, demo, workers and web server. Ctrl-C stops what it started."""

import hashlib
import os
import signal
import socket
import sys
import time
from argparse import ArgumentParser
from importlib.metadata import distributions
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from machines.management.commands._processes import Kept
from machines.services.demo import DEMO_EMAIL, DEMO_PASSWORD, demo_make

START_SECONDS = 60
STOP_SECONDS = 30
QUICK = "default"  # the queue of what must not wait behind works, such as e-mails
DEMO_WORDS = f"Demo sign-in: {DEMO_EMAIL} / {DEMO_PASSWORD}\n"


class Command(BaseCommand):
    help = "Start the site and its workers on this machine, with a demo machine. Ctrl-C stops all."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))

        parser.add_argument(
            "--prepare", action="store_true", help="only bring database and static files up to date, then end"
        )

    def handle(self, *args: Any, host: str, port: int, prepare: bool, **options: Any) -> None:
        os.umask(0o077)  # database, storage and secret are this account's alone
        bring_up_to_date()
        if not prepare:
            self.serve(host, port)

    def serve(self, host: str, port: int) -> None:
        check_free(host, port)
        if settings.DEMO:
            demo_make(say=self.stdout.write)
        tell_the_address(host, port)
        queues = ["cpu,gpu"] * settings.WORKERS + [QUICK]
        commands = [web_command(host, port), *(worker_command(names) for names in queues)]
        processes = [Kept(command, settings.BASE_DIR) for command in commands]
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        try:
            wait_until_it_answers(host, port, processes)
            self.stdout.write(
                f"\nEasyAutoML is at http://{host}:{port}\n{DEMO_WORDS if settings.DEMO else ''}Ctrl-C stops it.\n"
            )
            self.stdout.flush()
            self.watch(processes)
        except KeyboardInterrupt:
            pass
        finally:
            stop(processes)

    def watch(self, processes: list[Kept]) -> None:
        """Start again what dies: the work that a worker held is given back by the others."""
        while True:
            for process in processes:
                if process.keep():
                    self.stderr.write(f"Started again: {' '.join(process.command[1:4])}")
            time.sleep(0.5)


def tell_the_address(host: str, port: int) -> None:
    """Let links lead to where the site is started, unless SITE_URL says where people find it."""
    os.environ.setdefault("SITE_URL", f"http://{reachable(host)}:{port}")


def reachable(host: str) -> str:
    """Return the name by which this computer itself reaches what listens there."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  (compared, not bound)
    return f"[{name}]" if ":" in name else name


def bring_up_to_date() -> None:
    """Bring database and static files up to date; does nothing when they are."""
    settings.STORAGE_ROOT.mkdir(parents=True, exist_ok=True)
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)
    stamp, state = settings.STATIC_ROOT / ".state", static_state()
    if not stamp.exists() or stamp.read_text(encoding="ascii") != state:
        call_command("collectstatic", verbosity=0, interactive=False, clear=True)
        stamp.write_text(state, encoding="ascii")


def static_state() -> str:
    """Return a short text that changes when any file for the browser does: our own files and the installed packages."""
    files = sorted(path for path in (settings.BASE_DIR / "static").rglob("*") if path.is_file())
    ours = [f"{path}:{path.stat().st_mtime_ns}" for path in files]
    packages = sorted(f"{item.name}=={item.version}" for item in distributions())
    return hashlib.sha256("\n".join(ours + packages).encode()).hexdigest()


def worker_command(queues: str) -> list[str]:
    return [sys.executable, "manage.py", "worker", "--queues", queues]


def web_command(host: str, port: int) -> list[str]:
    gunicorn = str(Path(sys.executable).with_name("gunicorn"))
    command = [gunicorn, "config.wsgi", "--pythonpath", "site", "--bind", f"{host}:{port}", "--threads", "8"]
    command += ["--worker-class", "config.threads.Worker"]
    return [*command, "--workers", str(settings.WEB_WORKERS), "--timeout", "180", "--log-level", "warning"]


def check_free(host: str, port: int) -> None:
    """Refuse a taken port before anything starts: else what listens there would answer in the place of this site."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise CommandError(f"Cannot listen on {host}:{port} ({error.strerror}). Try PORT=8001 make run.") from error


def wait_until_it_answers(host: str, port: int, processes: list[Kept]) -> None:
    # By the name it is known by: ALLOWED_HOSTS of a public site need not hold 127.0.0.1.
    question = Request(f"http://{reachable(host)}:{port}/healthz", headers={"Host": urlsplit(settings.SITE_URL).netloc})
    for _attempt in range(START_SECONDS * 20):
        check_alive(processes)
        try:
            with urlopen(question, timeout=5):  # noqa: S310  (http, see above)
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise CommandError(f"The web server does not answer on port {port}.")


def check_alive(processes: list[Kept]) -> None:
    if not all(process.is_running for process in processes):
        raise CommandError("A process ended; its message stands above. Is the port taken? Try PORT=8001 make run.")


def stop(processes: list[Kept]) -> None:
    """Stop everything; workers get the time they need to end what is nearly done, or to hand it back."""
    for process in processes:
        process.tell_to_stop()
    for process in processes:
        process.stopped(STOP_SECONDS)
