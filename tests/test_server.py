"""The server with its processes: overload, hostile clients, deaths, and a quiet end."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.usefixtures("model")

TITLE = json.dumps({"title": "Lönechef"}).encode()


@dataclass(frozen=True)
class Server:
    """A running service."""

    process: "subprocess.Popen[str]"
    host: str
    port: int

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.host, self.port, timeout=30)

    def ask(
        self, body: bytes = TITLE, path: str = "/v1/classify"
    ) -> tuple[int, dict[str, str], bytes]:
        connection = self.connect()
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST" if body else "GET", path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.headers), answer.read()
        finally:
            connection.close()

    def workers(self) -> set[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return set(map(int, children.split()))


@contextmanager
def running(**settings: object) -> Iterator[Server]:
    environment = {f"JOBTITLE_{name.upper()}": str(value) for name, value in settings.items()}
    with subprocess.Popen(
        [sys.executable, "-m", "classifier", "serve", "--port", "0"],
        stderr=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ | environment,
    ) as process:  # fmt: skip
        try:
            assert process.stderr is not None
            line = next((line for line in process.stderr if "listening on" in line), "")
            found = re.search(r"//([\d.]+):(\d+)", line)
            assert found, "the server did not say where it listens"
            threading.Thread(target=process.stderr.read, daemon=True).start()
            yield Server(process, found[1], int(found[2]))
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                assert process.wait(timeout=20) == 0
        finally:
            process.kill()


@pytest.fixture(scope="module")
def server(model: object) -> Iterator[Server]:  # noqa: ARG001 - trained before it is served
    with running(workers=2) as own:
        yield own


def test_workers_count_together(server: Server) -> None:
    """What each process counted stands in every /metrics."""
    for _ in range(20):
        assert server.ask()[0] == 200
    text = server.ask(b"", "/metrics")[2].decode()
    found = re.search(
        r'jobtitle_request_seconds_count{method="POST",path="/v1/classify",status="200"} (\S+)',
        text,
    )
    assert found is not None
    assert float(found[1]) >= 20


@pytest.mark.parametrize("kind", ["declared", "chunked", "ten times"])
def test_large_bodies_are_refused(server: Server, kind: str) -> None:
    """A body over the limit is answered 413 as a problem, whether its length is declared or not."""
    size = (10 if kind == "ten times" else 1) * (1 << 20) + 1
    connection = server.connect()
    headers = {"Content-Type": "application/json"}
    if kind == "chunked":
        blocks = (b" " * 65_536 for _ in range(size // 65_536 + 1))
        with suppress(OSError):  # the answer may come before all is sent
            connection.request("POST", "/v1/classify", blocks, headers, encode_chunked=True)
    else:
        connection.request("POST", "/v1/classify", b" " * size, headers)
    answer = connection.getresponse()
    problem = json.loads(answer.read())
    assert (answer.status, problem["type"]) == (413, "/problems/too-large")
    assert answer.headers["Content-Type"] == "application/problem+json"
    connection.close()
    assert server.ask()[0] == 200


def test_what_is_no_http_is_a_problem(server: Server) -> None:
    """A request that cannot be read is answered 400 as a problem."""
    with socket.create_connection((server.host, server.port), timeout=30) as client:
        client.sendall(b"POST /v1/classify HTTP/1.1\r\nContent-Length: x\r\n\r\n")
        answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 ") or answer.startswith(b"HTTP/1.0 400 ")
    assert b"application/problem+json" in answer


def test_hostile_clients_do_not_keep_others_waiting(server: Server) -> None:
    """Forty each of slow headers, slow bodies and idle connections: others are answered."""
    starts = (
        b"POST /v1/classify HTTP/1.1\r\nHost: a\r\nX-Slow: ",
        b"POST /v1/classify HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{",
        b"",
    )
    with ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection((server.host, server.port), timeout=30))
            for _ in range(40)
            for _ in starts
        ]
        for n, client in enumerate(clients):
            client.sendall(starts[n % 3])
        for client in clients[::7]:
            if client is not clients[2]:
                client.sendall(b"a")
        for _ in range(5):
            assert server.ask()[0] == 200


def test_a_dead_worker_is_made_again(server: Server) -> None:
    """A killed process is replaced, and requests go on."""
    before = server.workers()
    assert len(before) == 2
    os.kill(min(before), signal.SIGKILL)
    deadline = time.monotonic() + 20
    while len(server.workers() - before) < 1 or len(server.workers()) < 2:
        assert time.monotonic() < deadline, "no worker came back"
        time.sleep(0.05)
    assert [server.ask()[0] for _ in range(5)] == [200] * 5


def test_too_many_waiting_are_turned_away() -> None:
    """With one thread and room for one, others get 503 and the time to come back, or their label."""
    big = json.dumps({"postings": [{"title": f"Kock {n}"} for n in range(1_000)]}).encode()
    with running(threads=1, queue=1) as server:
        answers: list[tuple[int, dict[str, str], bytes]] = []

        def ask() -> None:
            answers.extend(server.ask(big) for _ in range(4))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answers) == 32
        assert {status for status, _, _ in answers} == {200, 503}
        refused = next(answer for answer in answers if answer[0] == 503)
        assert refused[1]["Retry-After"] == "1"
        assert json.loads(refused[2])["type"] == "/problems/busy"
        assert server.ask()[0] == 200


def test_nothing_accepted_is_lost_at_the_end() -> None:
    """SIGTERM under load: every request that was sent in full is answered, and the exit is 0."""
    lost: list[str] = []
    answered: list[int] = []
    stop = threading.Event()

    def ask(server: Server) -> None:
        while not stop.is_set():
            try:
                client = socket.create_connection((server.host, server.port), timeout=30)
            except OSError:
                return  # no longer listening
            with client:
                head = (
                    b"POST /v1/classify HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                )
                try:
                    client.sendall(head % len(TITLE) + TITLE)
                    answer = client.makefile("rb").read()
                except OSError as error:
                    lost.append(repr(error))
                    continue
                if answer.startswith(b"HTTP/1.1 200 "):
                    answered.append(1)
                else:
                    lost.append(answer[:60].decode("latin-1"))

    with running(workers=2) as server:
        threads = [threading.Thread(target=ask, args=(server,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=15) == 0
        stop.set()
        for thread in threads:
            thread.join()
    assert not lost
    assert len(answered) > 20
