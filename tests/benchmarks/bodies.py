"""Fifty thousand bodies made by hypothesis: none is answered with a 5xx. Run by ``make bodies``."""

import json
import sys
import time
from collections import Counter

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from api.app import create_app
from classifier import load_model
from tests.test_contract import BODY

BODIES = 50_000

TYPES = st.sampled_from(
    ["application/json"] * 6
    + ["application/ld+json"] * 2
    + ["text/csv", "text/csv; charset=utf-16"]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)
QUERIES = st.sampled_from(
    [
        "",
        "",
        "?explain=true",
        "?candidates=0&min_confidence=0",
        "?policy=x",
        "?title=1",
        "?prefix=a,",
    ]
)


def damaged(body: bytes, cut: int, put: bytes) -> bytes:
    """Cut a body off somewhere, and put other bytes there."""
    cut %= len(body) + 1
    return body[:cut] + put + body[cut:]


BYTES = st.one_of(
    (BODY | ANYTHING).map(lambda body: json.dumps(body).encode()),
    BODY.map(lambda body: json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")),
    st.builds(
        damaged, BODY.map(lambda body: json.dumps(body).encode()), st.integers(0, 500), st.binary()
    ),
    st.binary(),
    st.lists(st.lists(st.text(), min_size=1, max_size=3), max_size=5).map(
        lambda rows: b"titel,nr\n" + "\n".join(map(",".join, rows)).encode()
    ),
)


def main() -> None:
    """Send the bodies, and show what they were answered with."""
    client = create_app(load_model()).test_client()
    found: Counter[int] = Counter()
    slowest = [0.0]

    @seed(0)
    @settings(
        max_examples=BODIES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(body=BYTES, kind=TYPES, query=QUERIES)
    def answered(body: bytes, kind: str, query: str) -> None:
        begun = time.perf_counter()
        answer = client.post(f"/v1/classify{query}", data=body, content_type=kind, buffered=True)
        slowest[0] = max(slowest[0], time.perf_counter() - begun)
        found[answer.status_code] += 1
        if answer.status_code >= 500:
            raise AssertionError(f"{answer.status_code} for {body!r} as {kind} {query}")

    begun = time.perf_counter()
    answered()
    seconds = time.perf_counter() - begun
    statuses = ", ".join(f"{status}: {n:,}" for status, n in sorted(found.items()))
    sys.stdout.write(
        f"{found.total():,} bodies in {seconds:.0f} s; the slowest took {slowest[0]:.2f} s\n"
        f"{statuses}\n"
    )
    if found.total() < BODIES:
        sys.exit("fewer bodies than wanted: hypothesis ran out of new ones")


if __name__ == "__main__":
    main()
