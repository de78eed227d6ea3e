"""Gunicorn's worker with threads, which is quick where a program asks again and again.

Gunicorn lets one thread watch all kept connections and others answer: two changes of thread for each request cost more
than a prediction. Here the thread that has answered waits a moment for the next request of the same client, as long as
nobody else waits for a thread. And a request that lies there whole, of the plainest form there is, for an address that
has a short way (api.lane), is answered without building and taking apart all that WSGI wants. Such a request is only
looked at before (MSG_PEEK): any other one is gunicorn's, from its first byte.
"""

import re
import select
import socket
import time
from functools import lru_cache
from typing import Any

from gunicorn.util import http_date
from gunicorn.workers.gthread import _DEFER, ThreadWorker

MILLISECONDS = 5  # for which a thread waits
MOST_BYTES = 65_536  # of a request that is looked at
# Strict: what this does not match may still be HTTP, and is left to gunicorn. No name with "_": in the environment of WSGI
# it would pass for one with "-" (CVE-2015-0219).
REQUEST = re.compile(
    rb"POST (/api/[a-z]{1,20}/[0-9]{1,18}/predict/) HTTP/1\.1\r\n((?:[A-Za-z-]+: [!-~][ -~]*\r\n)+)\r\n"
)
START = "HTTP/1.1 200 OK\r\nServer: gunicorn\r\nDate: {}\r\nConnection: keep-alive\r\n"


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn is not typed
    def handle(self, conn: Any) -> Any:
        """Answer a request, and those that follow at once. True: the connection may bring more."""
        if not conn.initialized and not conn.wait_for_data(0):
            return _DEFER  # whoever connects and says nothing holds no thread, not even for gunicorn's five seconds
        kept = self._quick(conn) or super().handle(conn)
        while kept is True and self.alive and self._is_idle() and _follows(conn.sock):
            kept = self._quick(conn) or super().handle(conn)
        return kept

    def _quick(self, conn: Any) -> bool:
        """Whether the request that lies on the connection was answered the short way."""
        is_plain = conn.initialized and not conn.is_http2 and not self.cfg.is_ssl and isinstance(conn.client, tuple)
        if not is_plain or not self.alive or conn.parser.unreader.buf.tell():
            return False
        try:
            conn.sock.setblocking(True)
            sent = conn.sock.recv(MOST_BYTES, socket.MSG_PEEK)
            environ = environ_of(sent)
            if environ is None:
                return False
            environ |= {"REMOTE_ADDR": conn.client[0], "gunicorn.socket": conn.sock}
            answer = self.wsgi.quick(environ, sent[-int(environ["CONTENT_LENGTH"]) :])
            if answer is None:
                return False
            conn.sock.recv(len(sent))
            conn.sock.sendall(response_of(*answer))
        except OSError:  # the client is gone, as gunicorn is about to find
            return False
        return True

    def _is_idle(self) -> bool:
        """Whether nobody waits for a thread."""
        return bool(self.tpool._work_queue.empty())


def environ_of(sent: bytes) -> dict[str, Any] | None:
    """Return a request's environment as WSGI names it, if the request is plain and all that was sent; else None."""
    found = REQUEST.match(sent)
    if found is None:
        return None
    lines = [line.partition(": ") for line in found[2].decode("ascii").split("\r\n")[:-1]]
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value.rstrip() for name, _colon, value in lines}
    size = environ.pop("HTTP_CONTENT_LENGTH", "")
    is_other = any(name in environ for name in ("HTTP_TRANSFER_ENCODING", "HTTP_EXPECT", "HTTP_UPGRADE"))
    is_whole = size.isdecimal() and 0 < int(size) == len(sent) - found.end()
    if (
        is_other
        or not is_whole
        or len(environ) + 1 != len(lines)
        or environ.pop("HTTP_CONNECTION", "keep-alive") != "keep-alive"
    ):
        return None
    kind = environ.pop("HTTP_CONTENT_TYPE", "")
    about = {"REQUEST_METHOD": "POST", "PATH_INFO": found[1].decode("ascii")}
    return environ | about | {"CONTENT_LENGTH": size, "CONTENT_TYPE": kind}


def response_of(headers: list[tuple[str, str]], content: bytes) -> bytes:
    """Return the answer as gunicorn would send it."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return (
        f"{START.format(_date(int(time.time())))}{lines}Content-Length: {len(content)}\r\n\r\n".encode("latin-1")
        + content
    )


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return str(http_date(second))


def _follows(sock: Any) -> bool:
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    return bool(poller.poll(MILLISECONDS))
