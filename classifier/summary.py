"""What a run over a file did: rows by status, department and category, and rows at fault."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

MAX_FAULTS = 1_000
"""How many rows at fault are kept by place and reason; all are counted."""


class Kind(NamedTuple):
    """What rows are counted by; an empty department or category is none."""

    status: str
    department: str
    category: str


class Fault(NamedTuple):
    """A row that could not be read, and why."""

    place: int
    reason: str


@dataclass
class Summary:
    """What a run did.

    Parameters
    ----------
    kinds
        Number of rows of each kind.
    faults
        The first of the rows with status ``error``.
    n_faults
        How many there are.
    """

    kinds: Counter[Kind] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    n_faults: int = 0

    def add(self, kinds: Counter[Kind], faults: list[Fault]) -> None:
        """Count more rows."""
        self.kinds += kinds
        self.faults += faults[: MAX_FAULTS - len(self.faults)]
        self.n_faults += len(faults)

    def include(self, other: "Summary") -> None:
        """Count the rows of another run, too."""
        self.add(other.kinds, other.faults)
        self.n_faults += other.n_faults - len(other.faults)

    @property
    def rows(self) -> int:
        """How many rows there were."""
        return self.kinds.total()

    @property
    def statuses(self) -> Counter[str]:
        """Number of rows by status."""
        return self._by(0)

    def _by(self, part: int) -> Counter[str]:
        counts: Counter[str] = Counter()
        for kind, n in self.kinds.items():
            if kind[part]:
                counts[kind[part]] += n
        return counts

    def departments(self) -> list[tuple[str, str, int]]:
        """Return departments with their category and number of rows, most rows first."""
        found: Counter[tuple[str, str]] = Counter()
        for kind, n in self.kinds.items():
            if kind.department:
                found[kind.department, kind.category] += n
        return [(*key, n) for key, n in sorted(found.items(), key=lambda item: (-item[1], item[0]))]

    def as_dict(self) -> dict[str, Any]:
        """Return it for a JSON file."""
        return {
            "rows": self.rows,
            "statuses": _ranked(self.statuses),
            "categories": _ranked(self._by(2)),
            "departments": _ranked(self._by(1)),
            "departments_by_category": [
                {"department": d, "category": c, "rows": n} for d, c, n in self.departments()
            ],
            "faults": [fault._asdict() for fault in self.faults],
            "n_faults": self.n_faults,
        }

    def state(self) -> dict[str, Any]:
        """Return all there is to know of it, for a journal."""
        return {
            "kinds": [[*kind, n] for kind, n in self.kinds.items()],
            "faults": self.faults,
            "n_faults": self.n_faults,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "Summary":
        """Make it again of what `state` returned; a new one of nothing."""
        if not state:
            return cls()
        kinds = Counter({Kind(*kind): n for *kind, n in state["kinds"]})
        return cls(kinds, [Fault(*fault) for fault in state["faults"]], state["n_faults"])


def _ranked(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
