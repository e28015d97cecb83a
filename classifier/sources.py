"""Where rows come from: files, pipes and archives, told apart by what is in them."""

import gzip
import hashlib
import json
import re
import shutil
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, BinaryIO, TypeVar, cast

from classifier.errors import InputError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ENDINGS = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".jsonld": "json",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".parquet": "parquet",
    ".pq": "parquet",
}
"""The endings of file names, and their formats."""

FORMATS = ("csv", "tsv", "jsonl", "json", "xlsx", "parquet")
"""What can be read and written."""

MAX_UNPACKED = 8 << 30
"""The most bytes that are unpacked from an archive that has to be written to a file."""

_COMPRESSIONS = {".gz": "gz", ".zst": "zst"}
_PACKED = ((b"\x1f\x8b", "gz"), (b"\x28\xb5\x2f\xfd", "zst"))
_IN_PLACE = ("xlsx", "parquet")  # formats that are not read from beginning to end
_BLOCK = 1 << 20
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_JSON = re.compile(rb"(\[\s*)*\{\s*[\"}]")  # the beginning of an object, or of a list of them
_NO_TABLES = (
    (
        re.compile(rb"\xd0\xcf\x11\xe0"),
        "an old Excel file, or one with a password; save it as .xlsx without one",
    ),
    (
        re.compile(rb"BZh\d1AY|\xfd7zXZ|7z\xbc\xaf|Rar!|\x1f\x8b|\x28\xb5\x2f\xfd"),
        "an archive that is not read, or one within another; unpack it",
    ),
    (
        re.compile(rb"%PDF|\{\\rtf"),
        "a document; save the table it was made from as .xlsx or .csv",
    ),
    (
        re.compile(
            rb"(\xef\xbb\xbf)?\s*<(!doctype|!--|\?xml|html|head|meta|body|table|style|script|div)",
            re.I,
        ),
        "a web page or XML, whatever it is called; open it in Excel and save it as .xlsx",
    ),
)


@dataclass(frozen=True)
class Source:
    """A file to read rows from, as often as need be.

    Parameters
    ----------
    name
        What messages call it.
    path
        Where it is.
    format
        One of `FORMATS`.
    compression
        ``gz``, ``zst`` or None.
    """

    name: str
    path: Path
    format: str
    compression: str | None

    def open(self) -> BinaryIO:
        """Open it for reading, unpacked.

        Raises
        ------
        OSError
            If it cannot be opened, or what is read of it is no whole archive.
        """
        return _opened(self.path, self.compression)

    def sha256(self) -> str:
        """Return the SHA-256 of its bytes as 64 hexadecimal digits."""
        with readable(self.name), self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def stamp(self) -> tuple[int, int]:
        """Return its size and when it was changed: other ones tell that it is another file."""
        with readable(self.name):
            found = self.path.stat()
        return found.st_size, found.st_mtime_ns


SomeSource = TypeVar("SomeSource", bound=Source)


def kind_of(name: str) -> tuple[str | None, str | None]:
    """Return the format and compression that a file's name tells, None where it does not.

    Examples
    --------
    >>> kind_of("titlar.csv.gz")
    ('csv', 'gz')
    >>> kind_of("titlar")
    (None, None)
    """
    path = Path(name.lower())
    compression = _COMPRESSIONS.get(path.suffix)
    if compression:
        path = path.with_suffix("")
    return ENDINGS.get(path.suffix), compression


@contextmanager
def open_source(source: str, wanted: str | None = None) -> Iterator[Source]:
    """Find out what a file is.

    Parameters
    ----------
    source
        A path, or ``-`` for standard input; what cannot be read twice is written to a file first.
    wanted
        Its format, if the user says so; else the bytes tell it, then the ending.

    Yields
    ------
    Source
        Can be read as often as need be.

    Raises
    ------
    InputError
        If it cannot be read, or is of a format that cannot be read.
    """
    name = "standard input" if source == "-" else source
    with tempfile.TemporaryDirectory(prefix="jobtitle-") as directory:
        spool = Path(directory) / "spool"
        with readable(name):
            if source == "-":
                _spool(sys.stdin.buffer, spool, name)
            elif Path(source).is_fifo():
                with Path(source).open("rb") as pipe:
                    _spool(pipe, spool, name)
            path = spool if spool.exists() else Path(source)
            found = recognised(Source(name, path, kind_of(source)[0] or "csv", None), wanted)
            if found.compression and found.format in _IN_PLACE:
                unpacked = spool.with_suffix(".unpacked")
                with found.open() as packed:
                    _spool(packed, unpacked, name, MAX_UNPACKED)
                found = replace(found, path=unpacked, compression=None)
            if found.format == "xlsx":
                _check_workbook(name, found.path)
        yield found


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Say of a file that cannot be opened or read which one it is."""
    try:
        yield
    except (gzip.BadGzipFile, zlib.error, zstd.ZstdError) as error:
        raise InputError(f"{name}: the archive is damaged ({error}); pack it again") from error
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror or error})") from error
    except UnicodeError as error:
        raise InputError(f"{name}: changed while it was read; try again") from error
    except EOFError as error:
        raise InputError(f"{name}: the archive breaks off; pack it again") from error


def _opened(path: Path, compression: str | None) -> BinaryIO:
    if compression == "gz":
        return cast(BinaryIO, gzip.open(path, "rb"))
    if compression == "zst":
        return cast(BinaryIO, zstd.open(path, "rb"))
    return path.open("rb")


def pack(data: bytes, compression: str | None) -> bytes:
    """Compress bytes, so that such parts end to end are an archive of the whole."""
    if not data or compression is None:
        return data
    # no time stands in it: the same rows, the same bytes
    return gzip.compress(data, 6, mtime=0) if compression == "gz" else zstd.compress(data)


def _spool(stream: IO[bytes], path: Path, name: str, limit: int | None = None) -> None:
    """Write a stream to a file."""
    with path.open("wb") as file:
        if limit is None:
            shutil.copyfileobj(stream, file)
            return
        while block := stream.read(_BLOCK):
            if file.tell() > limit:
                raise InputError(f"{name}: unpacks to more than {limit >> 30} GiB")
            file.write(block)


def recognised(source: SomeSource, wanted: str | None = None) -> SomeSource:
    """Find out the format and compression of a file by its bytes.

    Parameters
    ----------
    source
        The file, with the format that its ending tells, and no compression.
    wanted
        Its format, if the user says so.

    Returns
    -------
    Source
        The same file.

    Raises
    ------
    InputError
        If it is of a kind that cannot be read.
    OSError
        If it cannot be opened.
    """
    with source.open() as file:
        start = file.read(4)
    packing = next((own for magic, own in _PACKED if start.startswith(magic)), None)
    source = replace(source, compression=packing)
    with source.open() as file:
        start = file.read(_BLOCK)
    found = wanted or _from_bytes(source.name, start) or _json_kind(start, source.format)
    return replace(source, format=found or "csv")


def _from_bytes(name: str, start: bytes) -> str | None:
    """Tell a format by the first bytes of a file, whatever it is called."""
    if start.startswith(b"PAR1"):
        return "parquet"
    for bytes_of_it, what in _NO_TABLES:
        if bytes_of_it.match(start):
            raise InputError(f"{name}: {what}")
    return "xlsx" if start.startswith(_ZIP) else None


def _check_workbook(name: str, path: Path) -> None:
    """Refuse a zip archive that is no workbook."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError) as error:  # or names that are no text
        raise InputError(f"{name}: a damaged Excel file or zip archive ({error})") from error
    if "xl/workbook.xml" not in names:
        raise InputError(
            f"{name}: a zip archive, but no Excel workbook; unpack it, or save its table as .xlsx"
        )


def _json_kind(start: bytes, ending: str | None) -> str | None:
    """Tell JSON by what a file begins with; JSON Lines has a first line that is whole in itself."""
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not _JSON.match(start):
        return None if ending in _IN_PLACE else ending  # those begin as `_from_bytes` knows
    line, _, more = map(bytes.strip, start.partition(b"\n"))
    try:
        json.loads(line.decode("latin-1"))  # whatever its encoding, it is told by ASCII
    except (ValueError, RecursionError):
        return "json" if ending != "jsonl" or line in (b"[", b"{") else "jsonl"
    if line.startswith(b"["):
        return "json" if not more else "jsonl"
    return "jsonl" if more or ending != "json" else "json"
