"""One client on one kept connection, as lean as Python is: some 20 µs a request, which count for every server alike."""

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.common import quantile


@dataclass(frozen=True)
class Window:
    """What one client saw of one server for some seconds."""

    rps: float
    p50: float  # µs
    p99: float  # µs
    cpu: float  # µs of the server's processes for each request


class Connection:
    """Sends the same request again and again."""

    def __init__(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = (
            {"Host": "localhost", "Content-Type": "application/json"}
            | dict(headers)
            | {"Content-Length": str(len(body))}
        )
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.request = f"POST {parts.path} HTTP/1.1\r\n{head}\r\n".encode() + body

    def ask(self) -> bytes:
        """Return the body of the answer. Raises ConnectionError if it is not 200."""
        self.socket.sendall(self.request)
        got = self.socket.recv(65_536)
        while (end := got.find(b"\r\n\r\n")) < 0 or len(got) < end + 4 + _length(got[:end]):
            more = self.socket.recv(65_536)
            if not more:
                raise ConnectionError(f"closed after {got[:200]!r}")
            got += more
        if got[9:12] != b"200":
            raise ConnectionError(got[:600].decode(errors="replace"))
        return got[end + 4 :]

    def close(self) -> None:
        self.socket.close()


def watch(connection: Connection, seconds: float, pid: int) -> Window:
    """Ask for so many seconds, one request after the other."""
    times, used = [], cpu_seconds(pid)
    began = last = time.perf_counter()
    while last - began < seconds:
        connection.ask()
        now = time.perf_counter()
        times.append(now - last)
        last = now
    used, times = cpu_seconds(pid) - used, sorted(times)
    p50, p99 = (1e6 * quantile(times, share) for share in (0.5, 0.99))
    return Window(len(times) / (last - began), p50, p99, 1e6 * used / len(times))


def cpu_seconds(pid: int) -> float:
    """What a process and all below it have used so far."""
    return sum(
        int(path.read_text().split()[0]) / 1e9
        for process in family(pid)
        for path in Path(f"/proc/{process}/task").glob("*/schedstat")
    )


def family(pid: int) -> list[int]:
    """The process and its descendants."""
    found = [pid]
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [each for child in path.read_text().split() for each in family(int(child))]
    return found


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
