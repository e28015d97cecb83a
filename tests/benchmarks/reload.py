"""Models exchanged under load, again and again. Run by ``make reload``.

Two models without a department in common, a service, clients on old and new connections: no request
may fail, and no answer may hold labels of both.
"""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from classifier.training import train
from tests.small_models import ONE, OTHER, small_data

FLIPS = int(os.environ.get("FLIPS", "10"))
BATCH = 50
WORKERS = 2


@dataclass
class Service:
    """A running service, and the lines that it logged."""

    process: "subprocess.Popen[str]"
    port: int
    lines: list[str]

    @property
    def workers(self) -> set[int]:
        own = self.process.pid
        return set(map(int, Path(f"/proc/{own}/task/{own}/children").read_text().split()))

    def logged(self, message: str) -> list[dict[str, object]]:
        found = (json.loads(line) for line in list(self.lines) if line.startswith("{"))
        return [line for line in found if line["message"] == message]


@contextmanager
def serving(store: Path, workers: int = WORKERS) -> Iterator[Service]:
    """Serve the active model of a store; the service must end well."""
    environment = {"JOBTITLE_LOG_REQUESTS": "0", "JOBTITLE_DATABASE_URL": "none"}
    command = [sys.executable, "-m", "classifier", "serve", "--port", "0"]
    with subprocess.Popen(
        [*command, "--workers", str(workers), "--model", str(store)],
        stderr=subprocess.PIPE, text=True, env=os.environ | environment,
    ) as process:  # fmt: skip
        try:
            assert process.stderr is not None
            lines: list[str] = []
            for line in process.stderr:
                lines.append(line)
                if "listening on" in line:
                    break
            found = re.search(r":(\d+)\s*$", lines[-1])
            assert found, lines
            reading = threading.Thread(target=lambda: lines.extend(process.stderr), daemon=True)
            reading.start()
            yield Service(process, int(found[1]), lines)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=12) == 0, process.returncode
        finally:
            process.kill()


@dataclass
class Load:
    """Clients that send batches until told to stop, and what they were answered.

    Parameters
    ----------
    port
        Of the service.
    """

    port: int
    answers: list[tuple[float, float, str]] = field(default_factory=list)  # begun, ended, whose
    faults: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def whose(self, body: bytes) -> str:
        """Return which model an answer is of."""
        found = {label["department"] for label in json.loads(body)["labels"]}
        if found <= set(ONE):
            return "one"
        return "other" if found <= set(OTHER) else f"mixed: {sorted(map(str, found))}"

    def ask(self, connection: http.client.HTTPConnection, n: int) -> None:
        """Send a batch on a connection, and note what came back; no fault is forgiven."""
        postings = [{"title": f"Chef {n} enhet {m}"} for m in range(BATCH)]
        body = json.dumps({"postings": postings, "candidates": 0, "min_confidence": 0})
        begun = time.monotonic()
        try:
            connection.request("POST", "/v1/classify", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            status, own = answer.status, answer.read()
            found = self.whose(own) if status == 200 else f"status {status}"
        except (OSError, http.client.HTTPException) as error:
            found = repr(error)
            connection.close()
        if found not in ("one", "other"):
            self.faults.append(found)
        self.answers.append((begun, time.monotonic(), found))

    def client(self, number: int, pause: float, *, kept: bool) -> None:
        """Ask on one connection for as long as it lasts, or each time on a new one."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        n = number * 1_000_000
        while not self.stopped.wait(pause):
            n += 1
            self.ask(connection, n)
            if not kept:
                connection.close()
        connection.close()

    def slow(self) -> None:
        """Send a batch a few bytes at a time, so that models change in its midst."""
        while not self.stopped.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            postings = [{"title": f"Chef {m}"} for m in range(BATCH)]
            body = json.dumps({"postings": postings, "candidates": 0, "min_confidence": 0}).encode()
            begun = time.monotonic()
            try:
                connection.putrequest("POST", "/v1/classify")
                connection.putheader("Content-Type", "application/json")
                connection.putheader("Content-Length", str(len(body)))
                connection.endheaders()
                for start in range(0, len(body), 40):
                    connection.send(body[start : start + 40])
                    time.sleep(0.05)
                answer = connection.getresponse()
                found = self.whose(answer.read()) if answer.status == 200 else str(answer.status)
            except (OSError, http.client.HTTPException) as error:
                found = f"slow: {error!r}"
            if found not in ("one", "other"):
                self.faults.append(found)
            self.answers.append((begun, time.monotonic(), found))
            connection.close()

    @contextmanager
    def running(self, clients: int) -> Iterator["Load"]:
        """Ask while the block runs: so many clients of each kind, and a slow one."""
        work: list[Callable[[], None]] = [self.slow]
        for n in range(clients):
            work.append(lambda n=n: self.client(n, 0, kept=True))  # type: ignore[misc]
            work.append(lambda n=n: self.client(10 + n, 0, kept=False))  # type: ignore[misc]
            work.append(lambda n=n: self.client(20 + n, 0.7, kept=True))  # type: ignore[misc]
        threads = [threading.Thread(target=own) for own in work]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self.stopped.set()
            for thread in threads:
                thread.join()


def activate(store: Path, name: str) -> float:
    """Activate a version as a user does; when it was done, on the monotonic clock."""
    command = [sys.executable, "-m", "classifier", "models", "activate", name]
    subprocess.run([*command, "--store", str(store)], check=True, capture_output=True)
    written = (store / "active.json").stat().st_mtime
    return time.monotonic() - (time.time() - written)


def settled(load: Load, name: str, since: float, quiet: float) -> float:
    """Wait until only one model answers; the seconds until the last answer of the other."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        time.sleep(0.1)
        own = [ended for begun, ended, whose in load.answers if whose == name and ended > since]
        other = [ended for begun, ended, whose in load.answers if whose != name and ended > since]
        now = time.monotonic()
        if own and now - max(other, default=since) > quiet:
            return max(other, default=since) - since
    raise AssertionError(f"{name} does not answer alone after a minute")


def make_models(store: Path, *, roles: int = 8) -> None:
    """Train both models."""
    with tempfile.TemporaryDirectory() as folder:
        for name, departments in (("one", ONE), ("other", OTHER)):
            data = small_data(Path(folder) / name, departments, roles)
            train(data, store / name)


def flip(
    store: Path, flips: int, *, clients: int = 3, quiet: float = 3.0
) -> tuple[Load, list[float], Service]:
    """Exchange the models under load, each time the other has been quiet for some seconds."""
    activate(store, "one")
    took = []
    with serving(store) as service, Load(service.port).running(clients) as load:
        time.sleep(1)
        for n in range(flips):
            name = ("other", "one")[n % 2]
            since = activate(store, name)
            took.append(settled(load, name, since, quiet))
            sys.stdout.write(
                f"{name}: alone after {took[-1]:.2f} s; {len(load.answers):,} answers, "
                f"{len(load.faults)} faults, {len(service.workers)} processes\n"
            )
            sys.stdout.flush()
    return load, took, service


def main() -> None:
    """Train two models, serve them, exchange them, and say what happened."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder)
        make_models(store)
        load, took, service = flip(store, FLIPS)
    seconds = [line["seconds"] for line in service.logged("model loaded")]
    sys.stdout.write(
        f"{FLIPS} exchanges, {len(load.answers):,} requests of {BATCH} titles, "
        f"{len(load.faults)} failed or mixed; the new model answered alone after "
        f"{max(took):.1f} s at most; loading took {max(seconds)} s at most\n"  # type: ignore[type-var]
    )
    if load.faults or len(seconds) != FLIPS:
        sys.exit(f"not as it should be: {load.faults[:5]}")


if __name__ == "__main__":
    main()
