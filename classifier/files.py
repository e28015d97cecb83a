"""Writing files so that they are there whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path, part: Path | None = None) -> Iterator[Path]:
    """Give a path to write to, which takes the place of another when all went well.

    Parameters
    ----------
    path
        Where the file shall stand; one that stands there is replaced only at the end.
    part
        What it is called until then, in the same directory, where no one else writes to it: a
        process that is killed leaves one such file, not one more each time. A new name if None.

    Yields
    ------
    Path
        An empty file in the same directory; it is gone if the block raises.

    Raises
    ------
    OSError
        If the directory cannot be written.
    """
    if part is None:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        part = Path(name)
    try:
        part.write_bytes(b"")
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        part.replace(path)
        sync_directory(path.parent)
    finally:
        part.unlink(missing_ok=True)


def write_text(path: Path, text: str, part: Path | None = None) -> None:
    """Write a UTF-8 file, whole or not at all, as `replacing` does."""
    with replacing(path, part) as own:
        own.write_text(text, encoding="utf-8")


def sync_directory(directory: Path) -> None:
    """Bring the names in a directory to the disk, where the system can."""
    with suppress(OSError, AttributeError):
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
