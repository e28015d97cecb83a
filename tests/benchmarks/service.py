"""The service under load: throughput, manners, overload, a long run. Run by ``make service``.

Needs wrk (Debian's package), which loads a server harder than a client in Python can.
"""

import asyncio
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classifier import load_model, paths
from classifier.corpus import TrainingData
from tests.benchmarks.benchmark import distinct_titles
from tests.benchmarks.figures import write_part

WORKERS, BATCH, ROUNDS = 2, 250, 3
SECONDS = float(os.environ.get("SECONDS_OVERLOAD", "60"))
SOAK_MINUTES = float(os.environ.get("SOAK_MINUTES", "10"))

_SCRIPT = """
local titles = {}
for line in io.lines("%s") do titles[#titles + 1] = line end
local n = 0
request = function()
  n = n %% #titles + 1
  return wrk.format("POST", "/v1/classify", {["Content-Type"] = "application/json"}, titles[n])
end
"""


@dataclass(frozen=True)
class Running:
    process: "subprocess.Popen[str]"
    address: str

    @property
    def port(self) -> int:
        return int(self.address.rsplit(":", 1)[1])

    def memory(self) -> float:
        """MiB that the processes take in all; what they share counts once."""
        own = self.process.pid
        children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
        found = 0
        for pid in (own, *children):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            found += sum(map(int, re.findall(r"^Pss: +(\d+) kB", rollup, re.MULTILINE)))
        return found / 1024


@contextmanager
def running(**settings: object) -> Iterator[Running]:
    own = {f"JOBTITLE_{name.upper()}": str(value) for name, value in settings.items()}
    with subprocess.Popen(
        [sys.executable, "-m", "classifier", "serve", "--port", "0"],
        stderr=subprocess.PIPE, text=True, env=os.environ | {"JOBTITLE_LOG_REQUESTS": "0"} | own,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        line = next(line for line in process.stderr if "listening on" in line)
        yield Running(process, line.split()[-1])
        process.send_signal(signal.SIGTERM)


def wrk(address: str, path: str, *, script: Path | None = None, connections: int = 64) -> float:
    """Return the requests a second."""
    command = ["wrk", "-t1", f"-c{connections}", "-d6s", f"{address}{path}"]
    command += ["-s", str(script)] if script else []
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in out, out
    return float(re.findall(r"Requests/sec: +([\d.]+)", out)[0])


def _script(folder: Path, name: str, bodies: list[str]) -> Path:
    """Write a script that sends bodies, in their order."""
    (folder / name).write_text("\n".join(bodies))
    script = folder / f"{name}.lua"
    script.write_text(_SCRIPT % (folder / name))
    return script


def throughput(titles: list[str]) -> None:
    """Single titles against an endpoint that does nothing; batches of a thousand."""
    single = [json.dumps({"title": title}) for title in titles]
    batches = [
        json.dumps({"candidates": 0, "postings": [{"title": t} for t in titles[n : n + 1_000]]})
        for n in range(0, 100_000, 1_000)
    ]
    nothing, new, again = [], [], []
    with tempfile.TemporaryDirectory() as name, running(workers=WORKERS, queue=1_000) as server:
        folder = Path(name)
        usual = _script(folder, "usual", single[:2_000])
        wrk(server.address, "/v1/classify", script=usual)  # what came before is remembered
        for n in range(ROUNDS):
            fresh = single[2_000 + n * 20_000 : 22_000 + n * 20_000]
            nothing.append(wrk(server.address, "/v2/health/live"))
            again.append(wrk(server.address, "/v1/classify", script=usual))
            own = _script(folder, f"new{n}", fresh)
            new.append(wrk(server.address, "/v1/classify", script=own))
        many = _script(folder, "batches", batches)
        rate = wrk(server.address, "/v1/classify", script=many, connections=4) * 1_000
    pipeline = load_model().reference.pipeline
    start = time.perf_counter()
    pipeline.predict(titles[:5_000])
    reference = 5_000 / (time.perf_counter() - start)
    idle = np.array(nothing)
    rows = [
        ("single titles that came before, against an endpoint that does nothing",
         f"{np.median(np.array(again) / idle):.2f}", "0.7"),
        ("single titles that are new, against an endpoint that does nothing",
         f"{np.median(np.array(new) / idle):.2f}", "0.7"),
        ("batches of 1,000 titles, titles a second", f"{rate:,.0f}", "20,000"),
        ("the scikit-learn pipeline alone in one process, titles a second",
         f"{reference:,.0f}", ""),
    ]  # fmt: skip
    write_part(
        "The service",
        [
            f"{WORKERS} processes, 64 connections (4 for batches), medians of {ROUNDS} rounds. An",
            f"endpoint that does nothing answered {np.median(idle):,.0f} requests a second.",
            "",
            "| measured | found | asked for |",
            "|---|---|---|",
            *(f"| {what} | {found} | {asked} |" for what, found, asked in rows),
        ],
    )


async def _ask(port: int, body: bytes) -> tuple[int, float]:
    """Post a body on a connection of its own; the status (0 for none) and the seconds."""
    start = time.perf_counter()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST /v1/classify HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
        answer = await reader.read(-1)
        writer.close()
        return int(answer[9:12]), time.perf_counter() - start
    except (OSError, ValueError, asyncio.IncompleteReadError):
        return 0, time.perf_counter() - start


async def _at_rate(port: int, body: bytes, rate: float, seconds: float) -> list[tuple[int, float]]:
    tasks = []
    start = time.perf_counter()
    for n in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, start + n / rate - time.perf_counter()))
        tasks.append(asyncio.create_task(_ask(port, body)))
    return list(await asyncio.gather(*tasks))


async def _capacity(port: int, body: bytes, clients: int, seconds: float) -> float:
    end = time.perf_counter() + seconds

    async def client() -> int:
        n = 0
        while time.perf_counter() < end:
            status, _ = await _ask(port, body)
            n += status == 200
        return n

    return sum(await asyncio.gather(*(client() for _ in range(clients)))) / seconds


def overload(titles: list[str]) -> bool:
    """Three times what can be answered: who gets an answer, and how soon."""
    body = json.dumps(
        {"candidates": 0, "postings": [{"title": t} for t in titles[:BATCH]]}
    ).encode()
    with running(workers=WORKERS, threads=4, queue=8) as server:
        capacity = asyncio.run(_capacity(server.port, body, 8, 5))
        found = asyncio.run(_at_rate(server.port, body, 3 * capacity, SECONDS))
        statuses = Counter(status for status, _ in found)
        accepted = np.array([seconds for status, seconds in found if status == 200])
        p99 = float(np.percentile(accepted, 99))
        time.sleep(5)
        after = asyncio.run(_at_rate(server.port, body, capacity / 2, 5))
    sys.stdout.write(
        f"capacity {capacity:.0f} requests a second ({BATCH} titles each); three times that for "
        f"{SECONDS:.0f} s: {dict(statuses)}, p99 of the accepted {p99:.2f} s; afterwards, at half: "
        f"{dict(Counter(status for status, _ in after))}\n"
    )
    return set(statuses) <= {200, 429, 503} and p99 < 1 and {s for s, _ in after} == {200}


def soak(titles: list[str]) -> bool:
    """Send new postings for minutes, and watch whether memory stays where it is."""
    draw = random.Random(0)
    with running(workers=WORKERS) as server:
        found = []
        end = time.monotonic() + SOAK_MINUTES * 60
        n = 0
        while time.monotonic() < end:
            own = draw.sample(titles, BATCH)
            body = json.dumps({"postings": [{"title": f"{t} {n}"} for t in own]}).encode()
            asyncio.run(_at_rate(server.port, body, 30, 5))
            n += 1
            found.append(server.memory())
    fifth = max(1, len(found) // 5)
    early, late = np.median(found[fifth : 2 * fifth]), np.median(found[-fifth:])
    sys.stdout.write(
        f"{SOAK_MINUTES:.0f} minutes: {early:.0f} MiB early, {late:.0f} MiB at the end "
        f"({late / early - 1:+.1%})\n"
    )
    return bool(late / early < 1.05)


def main() -> None:
    """Run what is named, all if nothing is."""
    if shutil.which("wrk") is None:
        sys.exit("this needs wrk: apt-get install wrk")
    load_model()
    titles = distinct_titles(TrainingData.from_directory(paths.training_data()), 200_000)
    titles = [title for title in titles if title.isprintable()]
    from tests.benchmarks.manners import manners

    wanted = sys.argv[1:] or ["throughput", "manners", "overload", "soak"]
    if "throughput" in wanted:
        throughput(titles)
    checks = {"manners": manners, "overload": overload, "soak": soak}
    well = [run(titles) for name, run in checks.items() if name in wanted]
    if not all(well):
        sys.exit("not as it should be")


if __name__ == "__main__":
    main()
