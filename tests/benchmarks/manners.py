"""How the service takes deaths, its end, large bodies, bombs and slow clients: with figures."""

import http.client
import json
import os
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

from tests.benchmarks.service import Running, running

LIMIT = 1 << 20
BACK, ENDED, GROWN, BOMB, ORDINARY = 2.0, 10.0, 10.0, 0.05, 1.0  # seconds, but for MiB grown
DEEP = 100_000

BOMBS = {
    "100,000 lists deep": b"[" * DEEP + b"]" * DEEP,
    "100,000 objects deep": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "a title 100,000 lists deep": b'{"title":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "an integer of 900,000 digits": b'{"title": "Kock", "candidates": ' + b"9" * 900_000 + b"}",
    "a number beyond all": b'{"title": "Kock", "min_confidence": 1e999999}',
    "1 MiB of opening brackets": b"[" * (LIMIT - 1),
    "1 MiB of opening braces": b"{" * (LIMIT - 1),
    "1 MiB of empty lists": b"[" + b"[]," * ((LIMIT - 6) // 3) + b"[]]",
    "1 MiB of empty postings": b'{"postings":[' + b"{}," * ((LIMIT - 20) // 3) + b"{}]}",
}


def ask(
    server: Running, body: object, *, chunked: bool = False, kind: str = "application/json"
) -> tuple[int, float]:
    """Post a body on a connection of its own; the status and the seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    begun = time.perf_counter()
    try:
        with suppress(BrokenPipeError, ConnectionResetError):  # refused before all was sent
            connection.request(
                "POST", "/v1/classify", body, {"Content-Type": kind}, encode_chunked=chunked
            )
        status = connection.getresponse().status
        return status, time.perf_counter() - begun
    finally:
        connection.close()


def workers(server: Running) -> list[int]:
    own = server.process.pid
    return [int(n) for n in Path(f"/proc/{own}/task/{own}/children").read_text().split()]


def say(what: str, found: str, well: bool) -> bool:
    sys.stdout.write(f"{what}: {found}{'' if well else '  <-- NOT AS IT SHOULD BE'}\n")
    sys.stdout.flush()
    return well


def deaths(body: bytes) -> bool:
    """Kill the only worker, and ask at once."""
    found = []
    with running(workers=1) as server:
        for _ in range(5):
            ask(server, body)
            begun = time.perf_counter()
            os.kill(workers(server)[0], signal.SIGKILL)
            while ask_or_nothing(server, body) != 200:
                time.sleep(0.01)
            found.append(time.perf_counter() - begun)
            time.sleep(2.5)
    return say("a killed worker is back", f"after {max(found):.2f} s", max(found) < BACK)


def ask_or_nothing(server: Running, body: bytes) -> int:
    with suppress(OSError, http.client.HTTPException):
        return ask(server, body)[0]
    return 0


def end(titles: list[str]) -> bool:
    """Send SIGTERM under load."""
    body = json.dumps({"postings": [{"title": t} for t in titles[:500]]}).encode()
    head = (
        b"POST /v1/classify HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    )
    answered, lost = [], []
    with running(workers=2) as server:

        def client() -> None:
            while True:
                try:
                    own = socket.create_connection(("127.0.0.1", server.port), timeout=30)
                except OSError:
                    return  # no longer listening
                with own:
                    try:
                        own.sendall(head + body)
                        answer = own.makefile("rb").read()
                    except OSError as error:
                        answer = repr(error).encode()
                (answered if answer.startswith(b"HTTP/1.1 200 ") else lost).append(answer[:60])

        threads = [threading.Thread(target=client) for _ in range(16)]
        for thread in threads:
            thread.start()
        time.sleep(3)
        begun = time.perf_counter()
        server.process.send_signal(signal.SIGTERM)
        code = server.process.wait(timeout=30)
        seconds = time.perf_counter() - begun
        for thread in threads:
            thread.join()
    return say(
        "SIGTERM under load",
        f"exit {code} after {seconds:.2f} s; {len(answered):,} answered, {len(lost)} lost",
        code == 0 and seconds < ENDED and not lost,
    )


def bodies(body: bytes) -> bool:
    """Send bodies that are too large, and watch the worker's memory."""

    def chunks(size: int) -> Callable[[], Iterator[bytes]]:
        return lambda: (b" " * 65_536 for _ in range(size // 65_536 + 1))

    kinds: dict[str, tuple[Callable[[], object], bool]] = {
        "declared": (lambda: b" " * (LIMIT + 1), False),
        "chunked": (chunks(LIMIT), True),
        "ten times too large, declared": (lambda: b" " * (10 * LIMIT), False),
        "ten times too large, chunked": (chunks(10 * LIMIT), True),
    }
    well = True
    with running(workers=1) as server:
        for _ in range(100):
            ask(server, body)
        for made, chunked in kinds.values():
            for _ in range(5):
                ask(server, made(), chunked=chunked)
        for name, (made, chunked) in kinds.items():
            before = server.memory()
            statuses = {ask(server, made(), chunked=chunked)[0] for _ in range(100)}
            grown = server.memory() - before
            found = f"{sorted(statuses)}, {grown:+.1f} MiB in the worker"
            well &= say(f"100 bodies {name}", found, statuses == {413} and grown < GROWN)
    return well


def bombs(body: bytes) -> bool:
    """Send JSON that is made to hurt."""
    well = True
    with running(workers=1) as server:
        for _ in range(20):
            ask(server, body)
        for name, bomb in BOMBS.items():
            found = [ask(server, bomb) for _ in range(10)]
            statuses = {status for status, _ in found}
            soonest = min(seconds for _, seconds in found)  # what else runs here does not count
            refused = all(400 <= status < 500 for status in statuses)
            text = f"{sorted(statuses)} in {soonest * 1_000:.0f} ms"
            well &= say(name, text, refused and soonest < BOMB)
        well &= say("afterwards", f"{ask(server, body)[0]}", ask(server, body)[0] == 200)
    return well


def slow(body: bytes) -> bool:
    """Hold forty connections of each bad kind, and ask an ordinary question."""
    starts = {
        "idle": b"",
        "slow headers": b"POST /v1/classify HTTP/1.1\r\nHost: a\r\nX-Slow: ",
        "slow bodies": b"POST /v1/classify HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{",
        "no readers": None,
    }
    big = json.dumps({"postings": [{"title": f"Kock {n}"} for n in range(1_000)]}).encode()
    whole = (
        b"POST /v1/classify HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % len(big) + big
    )
    well = True
    for name, start in starts.items():
        with running(workers=1) as server, ExitStack() as stack:
            ask(server, body)
            clients = [
                stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
                for _ in range(40)
            ]
            for client in clients:
                client.sendall(whole if start is None else start)
            if start is None:
                time.sleep(3)  # all have been labelled, and nobody reads
            found = []
            for n in range(20):
                if start:
                    clients[n].sendall(b"a")
                found.append(ask(server, body))
            worst = max(seconds for _, seconds in found)
            statuses = {status for status, _ in found}
            text = f"{sorted(statuses)} in {worst:.3f} s at most"
            well &= say(f"others beside 40 {name}", text, statuses == {200} and worst < ORDINARY)
    return well


def manners(titles: list[str]) -> bool:
    """Measure all of it."""
    body = json.dumps({"title": re.sub(r"\s+", " ", titles[0])}).encode()
    return all([deaths(body), end(titles), bodies(body), bombs(body), slow(body)])
