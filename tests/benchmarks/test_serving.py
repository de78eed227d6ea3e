"""What the servers of the serving benchmark have in common: one network, asked by one client."""

import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

from benchmarks import net
from benchmarks.client import Connection, family, watch
from benchmarks.servers import Server
from benchmarks.serving import OURS, OURS_UPLOADED, Window, ratios
from machines.forms.rows import reader_of
from machines.serving.predictor import Predictor

pytestmark = pytest.mark.engine


def test_the_network_answers_the_same_in_each_form():
    weights = net.make_weights()
    wanted = net.answer(weights, np.array([net.ROW], np.float32))
    bare = Predictor(net.bare_onnx(weights))
    assert bare._run(["y"], {"x": np.array([net.ROW], np.float32)}, None)[0] == pytest.approx(wanted, rel=1e-5)
    machine = Predictor(net.machine_onnx(weights))
    rows = reader_of(machine).read({"rows": [dict(zip(net.NAMES, net.ROW, strict=True))]})
    (answer,) = machine.predict(rows.table)
    assert rows.warnings == [] and answer.values == pytest.approx(wanted[0], rel=1e-5)


def test_a_wrong_answer_stops_the_measurement():
    wanted = float(net.answer(net.make_weights(), np.array([net.ROW]))[0, 0])
    Server._check(f'{{"a": {{"b": [[{wanted}]]}}}}'.encode())
    with pytest.raises(SystemExit, match="should be"):
        Server._check(b'{"prediction": [[0.0]]}')


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200 if body == b"good" else 422)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def address():
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/predict"
    server.shutdown()


def test_the_client_counts_and_refuses_what_is_not_200(address):
    connection = Connection(address, b"good", {})
    assert connection.ask() == b"ok"
    window = watch(connection, 0.2, os.getpid())
    assert window.rps > 1 and 0 < window.p50 <= window.p99 and window.cpu > 0
    connection.close()
    with pytest.raises(ConnectionError, match="422"):
        Connection(address, b"bad", {}).ask()


def test_children_belong_to_a_process():
    assert os.getpid() in family(os.getppid())


def test_ratios():
    windows = {OURS: Window(900, 1, 2, 3), OURS_UPLOADED: Window(600, 1, 2, 3), "BentoML": Window(100, 1, 2, 3)}
    found = {figure.name: figure for figure in ratios(windows)}
    assert found["ours / BentoML"].value == 9 and found["ours / BentoML"].is_met
    assert found["ours, uploaded / BentoML"].value == 6
