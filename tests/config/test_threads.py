"""The web server's worker: what is plain is answered at once, and everything else is gunicorn's, byte for byte."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest

from config.threads import environ_of

ROOT = Path(__file__).parents[2]
BODY = b'{"rows": []}'
HEAD = b"POST /api/machines/7/predict/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 12\r\n"
PLAIN = HEAD + b"\r\n" + BODY

APPLICATION = """
import json, time
class Application:
    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read()
        if environ["PATH_INFO"] == "/sleep":
            time.sleep(1)
        told = {k: v for k, v in environ.items() if isinstance(v, str)} | {"way": "long", "body": len(body)}
        return self.answer(start_response, told)
    def answer(self, start_response, told):
        content = json.dumps(told).encode()
        start_response("200 OK", [("X-Way", "long"), ("Content-Length", str(len(content)))])
        return [content]
    def call_of(self, environ):
        return None if environ["PATH_INFO"] == "/api/machines/8/predict/" else environ
    def quick(self, environ, body, address, connection):
        if environ.get("HTTP_X_WAY") == "long":
            return None
        return b"X-Way: short\\r\\n", body + address.encode()
application = Application()
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    (folder / "plain.py").write_text(APPLICATION)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "plain", "--bind", f"127.0.0.1:{port}", "--threads", "3"]
    command += ["--worker-class", "config.threads.Worker", "--log-level", "warning"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT / "site"), str(ROOT)])}
    process = subprocess.Popen(command, env=environment, cwd=folder)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    yield port
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0


class Client:
    """One kept connection."""

    def __init__(self, port, warm=True):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        if warm:  # the first request of a connection is gunicorn's
            assert b"X-Way: long" in self.ask(PLAIN)

    def ask(self, sent):
        self.socket.sendall(sent)
        return self.answer()

    def answer(self):
        """Return one whole answer, or what there was when the server closed the connection."""
        got = b""
        while b"\r\n\r\n" not in got or len(got) < self.length(got):
            more = self.socket.recv(1 if b"\r\n\r\n" not in got else self.length(got) - len(got))
            if not more:
                return got
            got += more
        return got

    @staticmethod
    def length(got):
        head, _, _ = got.partition(b"\r\n\r\n")
        return len(head) + 4 + int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)


def test_it_works(port):
    client = Client(port)
    for _ in range(3):
        answer = client.ask(PLAIN)
        assert (
            answer.startswith(b"HTTP/1.1 200 OK\r\nServer: gunicorn\r\nDate: ") and b"Connection: keep-alive" in answer
        )
        assert b"X-Way: short" in answer and answer.endswith(b'{"rows": []}127.0.0.1')


def test_what_the_short_way_leaves_is_whole_for_the_long_one(port):
    client = Client(port)
    long = HEAD + b"X-Way: long\r\n\r\n" + BODY
    for sent in (long, PLAIN, long):
        assert (b'"way": "long", "body": 12' in client.ask(sent)) is (sent == long)


def test_a_request_in_pieces(port):
    client = Client(port)
    for cut in (1, len(HEAD), len(PLAIN) - 3):
        client.socket.sendall(PLAIN[:cut])
        time.sleep(0.05)
        client.socket.sendall(PLAIN[cut:])
        assert b"200 OK" in client.answer()


def test_requests_in_one_packet_are_answered_in_order(port):
    client = Client(port)
    other = b"GET /other HTTP/1.1\r\nHost: x\r\n\r\n"
    client.socket.sendall(PLAIN + other + PLAIN + PLAIN)
    got = [client.answer() for _ in range(4)]
    assert [b'"PATH_INFO": "/other"' in answer for answer in got] == [False, True, False, False]
    assert all(b"200 OK" in answer for answer in got)


def test_a_request_with_the_beginning_of_the_next(port):
    client = Client(port)
    for cut in (1, len(HEAD), len(PLAIN) - 3):
        client.socket.sendall(PLAIN + PLAIN[:cut])
        assert b"X-Way: long" in client.answer()
        client.socket.sendall(PLAIN[cut:])
        assert b"200 OK" in client.answer()


def test_a_long_wait_between_two_requests(port):
    client = Client(port)
    time.sleep(0.3)  # the thread has given the connection back
    assert b"X-Way: short" in client.ask(PLAIN)


def test_a_client_that_goes_away(port):
    client = Client(port)
    client.socket.sendall(PLAIN)
    client.socket.close()
    client = Client(port)
    client.socket.sendall(PLAIN[:-5])
    client.socket.close()
    assert b"X-Way: short" in Client(port).ask(PLAIN)


def test_slow_and_silent_clients_do_not_hold_the_threads(port):
    silent = [Client(port, warm=False) for _ in range(8)] + [Client(port) for _ in range(8)]
    assert b"X-Way: short" in Client(port).ask(PLAIN)
    assert b"X-Way: short" in silent[-1].ask(PLAIN)


def test_more_clients_than_threads(port):
    counts = []

    def ask():
        client = Client(port)
        counts.append(sum(b"200 OK" in client.ask(PLAIN) for _ in range(100)))

    threads = [Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert counts == [100] * 12


def test_a_slow_page_does_not_stop_the_others(port):
    slow = Client(port, warm=False)
    slow.socket.sendall(b"GET /sleep HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"X-Way: short" in Client(port).ask(PLAIN)
    assert b"200 OK" in slow.answer()


# What is plain


def test_a_plain_request_is_read():
    environ = environ_of(HEAD + b"X-Forwarded-Proto: https\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n")
    assert environ == {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/api/machines/7/predict/", "HTTP_HOST": "x", "CONTENT_LENGTH": "12",
        "CONTENT_TYPE": "application/json", "HTTP_X_FORWARDED_PROTO": "https", "HTTP_ACCEPT": "*/*",
    }  # fmt: skip


NOT_PLAIN = {
    "another method": PLAIN.replace(b"POST", b"GET"),
    "another version": PLAIN.replace(b"1.1", b"1.0"),
    "another address": PLAIN.replace(b"/7/", b"/7/x/"),
    "a query": PLAIN.replace(b"predict/", b"predict/?a"),
    "an escape": PLAIN.replace(b"/7/", b"/%37/"),
    "no length": PLAIN.replace(b"Content-Length: 12\r\n", b""),
    "two lengths": HEAD + b"Content-Length: 12\r\n\r\n" + BODY,
    "two lengths that differ": HEAD + b"content-length: 2\r\n\r\n" + BODY,
    "a length with a sign": PLAIN.replace(b": 12", b": +12"),
    "a length with an underscore": PLAIN.replace(b": 12", b": 1_2"),
    "two hosts": HEAD + b"Host: y\r\n\r\n" + BODY,
    "a name with an underscore": HEAD + b"X_Forwarded_Proto: https\r\n\r\n" + BODY,
    "a name with a space": HEAD + b"Host : y\r\n\r\n" + BODY,
    "a folded line": HEAD + b"X-A: a\r\n b\r\n\r\n" + BODY,
    "a line without an end": HEAD + b"X-A: a\nX-B: b\r\n\r\n" + BODY,
    "a bare return": HEAD + b"X-A: a\rb\r\n\r\n" + BODY,
    "a NUL": HEAD + b"X-A: a\x00\r\n\r\n" + BODY,
    "beyond ASCII": HEAD + "X-A: ä\r\n\r\n".encode() + BODY,
    "a body in chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + BODY,
    "a body to be asked for": HEAD + b"Expect: 100-continue\r\n\r\n" + BODY,
    "to be closed": HEAD + b"Connection: close\r\n\r\n" + BODY,
    "to be another protocol": HEAD + b"Connection: Upgrade\r\n\r\n" + BODY,
}


@pytest.mark.parametrize("sent", NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_what_is_not_plain_is_left_to_gunicorn(sent):
    assert sent.endswith(b"\r\n\r\n" + BODY) and environ_of(sent.removesuffix(BODY)) is None


NOT_WHOLE = {
    "half a body": PLAIN[:-1],
    "no body yet": HEAD + b"\r\n",
    "half a head": HEAD,
    "a longer body was told": PLAIN.replace(b": 12", b": 13"),
}


@pytest.mark.parametrize("sent", NOT_WHOLE.values(), ids=NOT_WHOLE)
def test_the_rest_of_a_request_is_waited_for(port, sent):
    client = Client(port)
    client.socket.sendall(sent)
    time.sleep(0.05)
    client.socket.sendall(
        PLAIN.replace(b": 12", b": 13")[len(sent) :] + b" " if b": 13" in sent else PLAIN[len(sent) :]
    )
    assert b"200 OK" in client.answer()


def test_what_is_too_long_for_the_short_way(port):
    client = Client(port)
    for more in (b"X-A: " + b"a" * 5000 + b"\r\n", b"X-A: a\r\n" * 90):
        assert b"X-Way: long" in client.ask(HEAD + more + b"\r\n" + BODY)
    body = b" " * 100_000
    answer = client.ask(HEAD.replace(b": 12", b": 100000") + b"\r\n" + body)
    assert b'"body": 100000' in answer and b"X-Way: short" in client.ask(PLAIN)
