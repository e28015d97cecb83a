"""Where labelled rows go: to a pipe, or to a file that is there whole or not at all."""

import hashlib
import json
import os
import shutil
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, BinaryIO

from classifier.errors import InputError, OutputError, RowError
from classifier.files import replacing, sync_directory, write_text
from classifier.sources import pack
from classifier.tables import LateWriter, Table, Writer

CHECKPOINT = 1.0
"""How often it is written down how far a run has come, in seconds."""

_FORMAT = 1
_BLOCK = 16 << 20
_TRIES = 10
_TAKEN = "another run is writing it"
_WHAT = {
    "input": "the input has changed",
    "model": "the model is another one",
    "options": "the options are others",
    "corrections": "titles have been corrected",
}
State = Mapping[str, Any]


class Output(ABC):
    """Takes labelled rows, chunk after chunk.

    Parameters
    ----------
    writer
        Wrote them.
    table
        The rows.
    compression
        ``gz``, ``zst`` or None.
    """

    def __init__(self, writer: Writer, table: Table, compression: str | None) -> None:
        self.n_done = 0
        """How many chunks are written, also by an earlier run."""
        self.state: State = {}
        """What the earlier run gave to `add`."""
        self._late = writer if isinstance(writer, LateWriter) else None
        self._table = table
        self._compression = compression

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Write what is no chunk: the head or the tail."""

    def add(self, data: bytes, state: Callable[[], State]) -> None:  # noqa: ARG002
        """Write the next chunk; `state` gives what a later run has to know of it."""
        self.write(data)
        self.n_done += 1

    @abstractmethod
    def finish(self) -> None:
        """Make the file whole."""

    def packed(self, data: bytes) -> bytes:
        """Compress what is written at once, so that parts end to end are an archive."""
        return data if self._late else pack(data, self._compression)

    def _make(self, writer: LateWriter, segments: Path, target: Path) -> None:
        """Make a file of segments, for a format whose end depends on its beginning."""
        if self._compression is None:
            writer.finish(self._table, segments, target)
            return
        with tempfile.TemporaryDirectory(prefix="jobtitle-") as directory:
            plain = Path(directory) / "whole"
            writer.finish(self._table, segments, plain)
            with plain.open("rb") as file, target.open("wb") as archive:
                while block := file.read(_BLOCK):
                    archive.write(pack(block, self._compression))


class StreamOutput(Output):
    """Writes to a stream that cannot be taken back, such as standard output.

    Parameters
    ----------
    stream
        Open for writing.
    writer, table, compression
        As for `Output`.
    name
        What messages call it.
    """

    def __init__(
        self,
        stream: BinaryIO,
        writer: Writer,
        table: Table,
        compression: str | None = None,
        *,
        name: str = "standard output",
    ) -> None:
        super().__init__(writer, table, compression)
        self._stream = stream
        self._name = name
        self._stack = ExitStack()
        self._aside = stream

    def __enter__(self) -> "StreamOutput":
        if self._late:
            self._aside = self._stack.enter_context(tempfile.TemporaryFile())
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def write(self, data: bytes) -> None:
        with self._said():
            self._aside.write(self.packed(data))

    def finish(self) -> None:
        with self._said():
            if self._late:
                with tempfile.TemporaryDirectory(prefix="jobtitle-") as directory:
                    segments, target = Path(directory) / "segments", Path(directory) / "whole"
                    self._aside.seek(0)
                    with segments.open("wb") as file:
                        shutil.copyfileobj(self._aside, file)
                    self._make(self._late, segments, target)
                    with target.open("rb") as file:
                        shutil.copyfileobj(file, self._stream)
            self._stream.flush()

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Say of a stream that cannot be written which one it is."""
        try:
            yield
        except BrokenPipeError:  # its reader has enough
            raise
        except OSError as error:
            with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), self._stream.fileno())  # what is left would fail again
            raise OutputError(
                f"{self._name}: cannot be written ({error.strerror or error})"
            ) from error


class FileOutput(Output):
    """Writes a file under the name ``OUT.partial``, with a journal of how far it has come.

    The file gets its name when it is whole. A run that was broken off can be gone on with, to the
    same bytes, while input, model and options are the same.

    Parameters
    ----------
    path
        Where the file shall stand; one that stands there is replaced at the end.
    writer, table, compression
        As for `Output`.
    fingerprint
        Tells ``input``, ``model`` and ``options`` apart from others.
    resume
        Whether to go on with an earlier run, if there is one.
    """

    def __init__(
        self,
        path: Path,
        writer: Writer,
        table: Table,
        compression: str | None = None,
        *,
        fingerprint: Mapping[str, str] = MappingProxyType({}),
        resume: bool = False,
    ) -> None:
        super().__init__(writer, table, compression)
        self.path = path.resolve() if path.is_symlink() else path
        self.partial = self.path.with_name(f"{path.name}.partial")
        self.journal = self.path.with_name(f"{path.name}.partial.json")
        self._draft = self.path.with_name(f"{path.name}.partial.new")
        self.is_whole = False
        self._name = str(path)
        self._fingerprint = dict(fingerprint)
        self._resume = resume
        self._offset = 0
        self._last = time.monotonic()
        self._can_resume = False
        self._latest: Callable[[], State] = dict
        self._stack = ExitStack()

    def __enter__(self) -> "FileOutput":
        with self._said(), ExitStack() as stack:
            self._file = stack.enter_context(self._claimed())
            found = self._earlier() if self._resume else None
            if found is None:
                self.journal.unlink(missing_ok=True)
            else:
                self.n_done, self._offset = found["chunks"], found["bytes"]
                self.state, self.is_whole = found["state"], found["whole"]
                self._latest = lambda: self.state
                self._can_resume = True
            self._file.truncate(self._offset)
            self._stack = stack.pop_all()
        return self

    def _claimed(self) -> BinaryIO:
        """Open the file that no other run may write to."""
        for _ in range(_TRIES):  # another run may just be done with it, and have given it its name
            with ExitStack() as stack:
                file: BinaryIO = stack.enter_context(self.partial.open("a+b"))
                _lock(file, self._name)
                with suppress(FileNotFoundError):
                    if os.path.samestat(os.fstat(file.fileno()), self.partial.stat()):
                        stack.pop_all()
                        return file
        raise OutputError(f"{self._name}: {_TAKEN}")

    def _earlier(self) -> dict[str, Any] | None:
        """Read the journal of an earlier run, None if there is none."""
        try:
            written = json.loads(self.journal.read_text(encoding="utf-8"))
            found = written["run"]
            is_sound = written["sha256"] == _check(json.dumps(found)) and found["format"] == _FORMAT
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError):
            is_sound = False
        if not is_sound:
            raise InputError(f"{self.journal}: damaged; run again without --resume")
        for what, said in _WHAT.items():
            if found["fingerprint"].get(what) != self._fingerprint.get(what):
                raise InputError(
                    f"{self._name}: cannot go on, {said} since; run again without --resume"
                )
        size = self.partial.stat().st_size
        if size < found["bytes"]:
            if found["whole"] and not size and self.path.exists():
                return None  # it got its name, and only the journal was left: made once more
            raise InputError(
                f"{self.partial}: shorter than its journal says; run again without --resume"
            )
        return dict(found)

    def write(self, data: bytes) -> None:
        with self._said():
            packed = self.packed(data)
            self._file.write(packed)
            self._offset += len(packed)

    def add(self, data: bytes, state: Callable[[], State]) -> None:
        super().add(data, state)
        self._latest = state
        if time.monotonic() - self._last >= CHECKPOINT:
            self._checkpoint()

    def _checkpoint(self, *, whole: bool = False) -> None:
        """Write down how far the run has come, once all before that is on the disk."""
        with self._said():
            self._file.flush()
            os.fsync(self._file.fileno())
            found = {
                "format": _FORMAT,
                "fingerprint": self._fingerprint,
                "chunks": self.n_done,
                "bytes": self._offset,
                "whole": whole,
                "state": self._latest(),
            }
            text = json.dumps(found)
            write_text(self.journal, f'{{"sha256": "{_check(text)}", "run": {text}}}', self._draft)
        self._can_resume = True
        self._last = time.monotonic()

    def finish(self) -> None:
        self.is_whole = True
        self._checkpoint(whole=True)
        with self._said():
            if os.name == "nt":  # Windows gives no other name to what is open
                self._stack.close()
            if not self._late:
                if self.path.exists():
                    self.partial.chmod(self.path.stat().st_mode & 0o777)
                self.partial.replace(self.path)
            else:
                with replacing(self.path, self._draft) as target:
                    self._make(self._late, self.partial, target)
                self.partial.unlink()
            sync_directory(self.path.parent)
            self.journal.unlink(missing_ok=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # a full disk is said once, where it is met
            # what stands in the journal can be gone on with; a faulty row will be faulty again
            if kind is not None and (issubclass(kind, RowError) or not self._can_resume):
                for path in (self.journal, self._draft, self.partial):
                    path.unlink(missing_ok=True)
        with suppress(OSError):
            self._stack.close()

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Say of a file that cannot be written which one it is."""
        try:
            yield
        except OSError as error:
            kept = "; --resume goes on from there" if self._can_resume else ""
            raise OutputError(
                f"{self._name}: cannot be written ({error.strerror or error}){kept}"
            ) from error


def _check(text: str) -> str:
    """Return what tells that a journal is as it was written."""
    return hashlib.sha256(text.encode()).hexdigest()


def _lock(file: BinaryIO, name: str) -> None:
    """Refuse to write what another run is writing."""
    try:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OutputError(f"{name}: {_TAKEN}") from error
    except (ImportError, OSError):  # Windows, and file systems that know no locks
        pass
