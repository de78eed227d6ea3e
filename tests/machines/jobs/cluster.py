"""A PostgreSQL server of the test's own, which may be restarted."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


class Cluster:
    def __init__(self) -> None:
        self.programs = PROGRAMS[-1].parent
        self.folder = Path(tempfile.mkdtemp(prefix="easyautoml-cluster-"))
        self.as_owner = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []  # it refuses to run as root
        if self.as_owner:
            shutil.chown(self.folder, "postgres")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c fsync=off"
        )
        self.url = f"postgres://easyautoml@127.0.0.1:{self.port}/postgres"

    def run(self, program: str, *words: str) -> None:
        command = [*self.as_owner, str(self.programs / program), "-D", str(self.folder / "data"), *words]
        subprocess.run(command, cwd="/", check=True, stdout=subprocess.DEVNULL, timeout=60)

    def start(self) -> None:
        self.run("initdb", "-U", "easyautoml", "--auth", "trust", "--no-sync")
        self.run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", self.options, "start")

    def restart(self, mode: str, pause: float) -> None:
        self.run("pg_ctl", "-w", "-m", mode, "stop")
        time.sleep(pause)
        self.run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", self.options, "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(self.folder)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query).fetchall()
