"""What people say titles are: kept in a database, so that nothing accepted is lost."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from classifier import paths
from classifier.catalogue import title_key
from classifier.errors import DatabaseError, InputError
from classifier.labels import Corrected
from classifier.matching import Live, Said, Snapshot, posting_key, text_key

if TYPE_CHECKING:  # SQLAlchemy takes a third of a second to import
    from classifier.database import Database, Row

MAX_TITLE = 4_000
"""Characters of a title."""

MAX_DESCRIPTION = 200_000
"""Characters of a description."""

MAX_NAME = 200
"""Characters of a department, of a role, and of who said it."""

MAX_SAID = 4_000
"""Characters of what the model had said, as JSON."""

MAX_QUEUE = 5_000
"""How many postings wait for review, unless said otherwise."""

OFF = "none"
"""What is said instead of the address of a database for there to be none."""


@dataclass(frozen=True)
class Correction:
    """What a person said a posting is.

    Parameters
    ----------
    title
        Free text.
    department
        The id of the right department.
    description
        Free text; empty if the title was corrected by itself.
    role
        The id of the right role; None if the person did not say.
    who
        Who said it.
    said
        What the model had said: department, role, confidence, model.
    id, at
        Given by the store: a UUID, and when it was said last, in UTC.
    """

    title: str
    department: str
    description: str = ""
    role: str | None = None
    who: str = ""
    said: Mapping[str, Any] | None = None
    id: str | None = None
    at: datetime | None = None

    @property
    def posting(self) -> str:
        """The same for all corrections of one posting."""
        return posting_key(self.title, self.description)


@dataclass(frozen=True)
class QueueEntry:
    """A posting that a person should look at.

    Parameters
    ----------
    title, description
        Free text.
    department, role
        What the model said; None if it did not know.
    confidence
        The probability of the likeliest department, 0-1.
    reason
        Why it is here: ``unknown``, ``close`` or ``low``.
    count
        How often it came.
    id, at
        Given by the store: 32 hexadecimal digits, the same for the same posting, and when it came
        last, in UTC.
    """

    title: str
    description: str = ""
    department: str | None = None
    role: str | None = None
    confidence: float = 0.0
    reason: str = "unknown"
    count: int = 1
    id: str | None = None
    at: datetime | None = None


class CorrectionStore:
    """The database of corrections, and of the postings that wait for one.

    It may be shared by threads and by forked processes, and opened by any number of processes.

    Parameters
    ----------
    database
        Holds the rows.
    """

    def __init__(self, database: "Database") -> None:
        self._database = database

    @classmethod
    def open(cls, url: str) -> "CorrectionStore":
        """Open a database, made or brought up to date first if need be.

        Parameters
        ----------
        url
            Any that SQLAlchemy takes, such as ``sqlite:///corrections.sqlite3``.

        Raises
        ------
        DatabaseError
            If it cannot be opened, or a newer version of this program made it.
        """
        from classifier.database import Database

        return cls(Database.open(url))

    @classmethod
    def find(cls, url: str | None, *, create: bool) -> "CorrectionStore | None":
        """Open the database that is wanted.

        Parameters
        ----------
        url
            As for `open`; ``none`` for no database, None for a file of the user's own.
        create
            Whether that file is made if it is not there.

        Returns
        -------
        CorrectionStore or None
            None if none is wanted, or it is not there and shall not be made.

        Raises
        ------
        DatabaseError
            If it cannot be opened.
        """
        if url == OFF:
            return None
        if url is not None:
            return cls.open(url)
        path = paths.corrections()
        if not path.exists():
            if not create:
                return None
            _make_directory(path.parent)
        return cls.open(f"sqlite:///{path}")

    def close(self) -> None:
        """Leave the database; it is connected to again when it is used again."""
        self._database.close()

    def __enter__(self) -> "CorrectionStore":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def name(self) -> str:
        """Where the corrections are, without a password."""
        return self._database.name

    def add(self, corrections: Sequence[Correction]) -> list[Correction]:
        """Keep what was said: all of it or nothing, and for good when this returns.

        The same said again by the same person stays one, and becomes the latest.

        Parameters
        ----------
        corrections : sequence of shape (n_corrections,)
            The later ones count where several are about one posting.

        Returns
        -------
        list of n_corrections Correction
            As they are kept, with ids and times.

        Raises
        ------
        InputError
            If one cannot be kept; the message names its position.
        DatabaseError
            If they could not be written.
        """
        for n, one in enumerate(corrections, 1):
            fault = fault_of(one)
            if fault is not None:
                raise InputError(f"correction {n}: {fault}" if len(corrections) > 1 else fault)
        return [_correction(row) for row in self._database.add([_row(c) for c in corrections])]

    def all(self) -> Iterator[Correction]:
        """Go through all that was said, oldest first.

        Raises
        ------
        DatabaseError
            If it cannot be read.
        """
        return map(_correction, self._database.rows())

    def delete(
        self,
        *,
        id: str | None = None,  # noqa: A002 - what it is called everywhere
        title: str | None = None,
        who: str | None = None,
        everything: bool = False,
    ) -> int:
        """Take corrections out, with the postings that wait for review of the same title.

        Parameters
        ----------
        id, title, who
            Those with this id, of this title in any spelling, by this person; all must hold.
        everything
            All there are.

        Returns
        -------
        int
            How many corrections and waiting postings there were.

        Raises
        ------
        InputError
            If nothing was named.
        DatabaseError
            If they cannot be taken out.
        """
        wanted = {
            "id": id,
            "title_digest": None if title is None else _title_digest(title),
            "who": None if who is None else who.strip(),
        }
        named = {name: value for name, value in wanted.items() if value is not None}
        if bool(named) == everything:
            raise InputError("name the corrections to delete by id, title or who, or delete all")
        return self._database.delete(named)

    def snapshot(self) -> Snapshot:
        """Return what has been said up to now.

        Raises
        ------
        DatabaseError
            If it cannot be read.
        """
        return self._refreshed(Snapshot())

    def live(self, changed: Callable[[], int] | None = None) -> Live:
        """Return what keeps itself up to date, and goes on with what it knows if it cannot.

        Parameters
        ----------
        changed
            Returns another number when something was said that must be known at once.

        Raises
        ------
        DatabaseError
            If it cannot be read to begin with.
        """
        return Live(self.snapshot(), self._refreshed, changed)

    def _refreshed(self, known: Snapshot) -> Snapshot:
        """Return what has been said up to now, from what is known."""
        news = self._database.since(known.version)
        if news.revision == known.version:
            return known
        said = [
            Said(row["title"], row["description"], Corrected(row["department"], row["role"]))
            for row in news.rows
        ]
        return (Snapshot() if news.is_all else known).updated(said, news.revision)

    def enqueue(self, entries: Sequence[QueueEntry], limit: int = MAX_QUEUE) -> None:
        """Let postings wait for review; those that were corrected need not.

        Parameters
        ----------
        entries
            What cannot be kept, such as a title that is too long, is passed over.
        limit
            How many wait at most; those go where a look would mend least.

        Raises
        ------
        DatabaseError
            If they could not be written.
        """
        rows: dict[str, Row] = {}
        for entry in entries:
            if _text_fault(entry.title, entry.description) is None:
                row = _queue_row(entry)
                earlier = rows.get(row["id"])
                rows[row["id"]] = row | {"count": row["count"] + (earlier or {"count": 0})["count"]}
        if rows:
            self._database.enqueue(list(rows.values()), limit)

    def queue(self, limit: int = MAX_QUEUE, offset: int = 0) -> list[QueueEntry]:
        """Return the postings that wait for review, those first where one look mends most.

        Raises
        ------
        DatabaseError
            If they cannot be read.
        """
        return [
            QueueEntry(
                row["title"],
                row["description"],
                row["department"],
                row["role"],
                row["confidence"],
                row["reason"],
                row["count"],
                row["id"],
                row["at"].replace(tzinfo=UTC),
            )
            for row in self._database.queue(limit, offset)
        ]

    def dismiss(self, ids: Sequence[str]) -> int:
        """Take postings out of the review queue; return how many were in it.

        Raises
        ------
        DatabaseError
            If they cannot be taken out.
        """
        return self._database.dismiss(ids)


def latest(corrections: Iterable[Correction]) -> list[Correction]:
    """Return what counts: the last that was said of each posting, oldest first."""
    found: dict[str, Correction] = {}
    for one in corrections:
        found.pop(one.posting, None)
        found[one.posting] = one
    return list(found.values())


def fault_of(correction: Correction) -> str | None:
    """Return why a correction cannot be kept, None if it can."""
    names = {
        "department": correction.department,
        "role": correction.role or "",
        "who": correction.who,
    }
    for name, text in names.items():
        if len(text) > MAX_NAME or not _can_be_kept(text):
            return f"the {name} must be plain text of at most {MAX_NAME} characters"
    if not correction.department.strip():
        return "the right department is missing"
    if len(_said(correction) or "") > MAX_SAID:
        return f"what the model had said must be at most {MAX_SAID:,} characters of JSON"
    return _text_fault(correction.title, correction.description)


def _text_fault(title: str, description: str) -> str | None:
    if not title.strip() and not description.strip():
        return "there is neither a title nor a description"
    for name, text, longest in (
        ("title", title, MAX_TITLE),
        ("description", description, MAX_DESCRIPTION),
    ):
        if len(text) > longest:
            return f"the {name} has {len(text):,} characters; {longest:,} can be kept"
        if not _can_be_kept(text):
            return f"the {name} has characters that cannot be kept (NUL, or half of one)"
    return None


def _can_be_kept(text: str) -> bool:
    """Return whether every database can hold a text: PostgreSQL takes no NUL."""
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def _said(correction: Correction) -> str | None:
    if correction.said is None:
        return None
    return json.dumps(correction.said, ensure_ascii=True, sort_keys=True, default=str)


def _title_digest(title: str) -> str:
    """Stand for a title in an index: titles may be longer than an index takes."""
    key = title_key(title).encode("utf-8", "surrogatepass")
    return blake2b(key, digest_size=16).hexdigest()


def _row(correction: Correction) -> "Row":
    """Return a correction as the database holds it, but for its place among others."""
    title, description = correction.title.strip(), correction.description.strip()
    department, who = correction.department.strip(), correction.who.strip()
    role = (correction.role or "").strip() or None
    parts = (title_key(title), text_key(description), department, role or "", who)
    return {
        "id": str(uuid4()),
        "digest": blake2b("\0".join(parts).encode(), digest_size=32).hexdigest(),
        "at": datetime.now(UTC).replace(tzinfo=None),
        "title": title,
        "title_digest": _title_digest(title),
        "description": description,
        "posting": posting_key(title, description),
        "department": department,
        "role": role,
        "who": who,
        "said": _said(correction),
    }


def _correction(row: "Row") -> Correction:
    said = None if row["said"] is None else json.loads(row["said"])
    at = row["at"].replace(tzinfo=UTC)
    return Correction(
        row["title"],
        row["department"],
        row["description"],
        row["role"],
        row["who"],
        said,
        row["id"],
        at,
    )


def _queue_row(entry: QueueEntry) -> "Row":
    title, description = entry.title.strip(), entry.description.strip()
    return {
        "id": posting_key(title, description),
        "at": datetime.now(UTC).replace(tzinfo=None),
        "title": title,
        "title_digest": _title_digest(title),
        "description": description,
        "department": entry.department,
        "role": entry.role,
        "confidence": entry.confidence,
        "reason": entry.reason,
        "count": entry.count,
    }


def _make_directory(path: Path) -> None:
    """Make the directory of the user's own database, for nobody else to look into."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(f"{path}: cannot be made ({error.strerror})") from error
