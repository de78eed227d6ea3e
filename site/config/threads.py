"""Gunicorn's worker with threads, which is quick where a program asks again and again.

Gunicorn lets one thread watch all kept connections and others answer: two changes of thread for each request cost more
than a prediction. Here the thread that has answered waits a moment for the next request of the same client, as long as
nobody else waits for a thread. And a request that has come whole, of the plainest form there is, for an address that has
a short way (api.lane), is answered without building and taking apart all that WSGI wants. Any other one is given back and
is gunicorn's, from its first byte.
"""

import re
import select
import time
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, NamedTuple

from gunicorn.util import http_date
from gunicorn.workers.gthread import _DEFER, ThreadWorker

MILLISECONDS = 5  # for which a thread waits
MOST_BYTES = 65_536  # of a request that may be answered the short way
MOST_HEADS, HEAD_BYTES = 500, 4_096  # that are remembered, in memory only: keys stand in them; of one
# Strict: what this does not match may still be HTTP, and is left to gunicorn. No name with "_": in the environment of WSGI
# it would pass for one with "-" (CVE-2015-0219).
HEAD = re.compile(rb"POST (/api/[a-z]{1,20}/[0-9]{1,18}/predict/) HTTP/1\.1\r\n((?:[A-Za-z-]+: [!-~][ -~]*\r\n)+)\r\n")
END = b"\r\n\r\n"  # of a head
START = "HTTP/1.1 200 OK\r\nServer: gunicorn\r\nDate: {}\r\nConnection: keep-alive\r\n"


class Head(NamedTuple):
    """What a head says for the short way."""

    call: Any  # as the application has read it
    size: int  # of the body


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn is not typed
    def load_wsgi(self) -> None:
        super().load_wsgi()
        self.heads = lru_cache(MOST_HEADS)(self._head)  # a program sends the same few again and again

    def handle(self, conn: Any) -> Any:
        """Answer a request, and those that follow at once. True: the connection may bring more."""
        if not conn.initialized and not conn.wait_for_data(0):
            return _DEFER  # whoever connects and says nothing holds no thread, not even for gunicorn's five seconds
        conn.sock.setblocking(True)
        follows = _listener(conn.sock)
        kept = self._quick(conn) or super().handle(conn)
        while kept is True and self.alive and self._is_idle() and follows():
            kept = self._quick(conn) or super().handle(conn)
        return kept

    def _quick(self, conn: Any) -> bool:
        """Whether the request that has come was answered the short way."""
        is_plain = conn.initialized and not conn.is_http2 and not self.cfg.is_ssl and isinstance(conn.client, tuple)
        if not is_plain or not self.alive or conn.parser.unreader.buf.tell():
            return False
        try:
            sent = conn.sock.recv(MOST_BYTES)
            answer = self._answer(conn, sent)
            if answer is None:
                conn.parser.unreader.unread(sent)
                return False
            conn.sock.sendall(response_of(*answer))
        except OSError:  # the client is gone, as gunicorn is about to find
            return False
        return True

    def _answer(self, conn: Any, sent: bytes) -> tuple[bytes, bytes] | None:
        """Return headers and content of the answer, if this is a whole request and for the short way."""
        end = sent.find(END) + len(END)
        head = self.heads(sent[:end]) if len(END) <= end <= HEAD_BYTES else None
        if head is None or head.size != len(sent) - end:
            return None
        answer: tuple[bytes, bytes] | None = self.wsgi.quick(head.call, sent[end:], conn.client[0], conn.sock)
        return answer

    def _head(self, head: bytes) -> Head | None:
        environ = environ_of(head)
        if environ is None or (call := self.wsgi.call_of(environ)) is None:
            return None
        return Head(call, int(environ["CONTENT_LENGTH"]))

    def _is_idle(self) -> bool:
        """Whether nobody waits for a thread."""
        return bool(self.tpool._work_queue.empty())


def environ_of(head: bytes) -> dict[str, Any] | None:
    """Return a request's environment as WSGI names it, if its head is plain; else None."""
    found = HEAD.fullmatch(head)
    if found is None:
        return None
    lines = [line.partition(": ") for line in found[2].decode("ascii").split("\r\n")[:-1]]
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value.rstrip() for name, _colon, value in lines}
    size = environ.pop("HTTP_CONTENT_LENGTH", "")
    is_other = any(name in environ for name in ("HTTP_TRANSFER_ENCODING", "HTTP_EXPECT", "HTTP_UPGRADE"))
    if (
        is_other
        or not size.isdecimal()
        or len(environ) + 1 != len(lines)
        or environ.pop("HTTP_CONNECTION", "keep-alive") != "keep-alive"
    ):
        return None
    kind = environ.pop("HTTP_CONTENT_TYPE", "")
    about = {"REQUEST_METHOD": "POST", "PATH_INFO": found[1].decode("ascii")}
    return environ | about | {"CONTENT_LENGTH": size, "CONTENT_TYPE": kind}


def response_of(lines: bytes, content: bytes) -> bytes:
    """Return the answer as gunicorn would send it."""
    return b"%b%bContent-Length: %d\r\n\r\n%b" % (_start(int(time.time())), lines, len(content), content)


@lru_cache(maxsize=1)
def _start(second: int) -> bytes:
    return START.format(http_date(second)).encode("ascii")


def _listener(sock: Any) -> Callable[[], list[tuple[int, int]]]:
    """Return what waits a moment for more of a client, and tells whether there is."""
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    return partial(poller.poll, MILLISECONDS)
