"""Where the benchmarks write what they found: a part of `models/BENCHMARKS.md` each."""

import re
import sys
from collections.abc import Iterable

from classifier import paths

_HEADING = re.compile(r"^## ", re.MULTILINE)


def write_part(heading: str, lines: Iterable[str]) -> None:
    """Put lines in the place of a part of the file, or at its end, and show them.

    Parameters
    ----------
    heading
        The part's title; empty for what stands before all others.
    lines
        What stands below it.
    """
    path = paths.models() / "BENCHMARKS.md"
    first, *others = _HEADING.split(path.read_text("utf-8") if path.exists() else "")
    parts = {"": first} | {part.partition("\n")[0]: part.partition("\n")[2] for part in others}
    text = "\n".join(lines)
    parts[heading] = f"\n{text}\n\n" if heading else f"{text}\n\n"
    whole = "".join(f"## {name}\n{own}" if name else own for name, own in parts.items())
    path.write_text(whole.rstrip() + "\n", encoding="utf-8")
    sys.stdout.write(f"{text}\n")
