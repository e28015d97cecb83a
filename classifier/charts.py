"""Plots of what a run found."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from textwrap import fill

from classifier.errors import InputError
from classifier.files import replacing
from classifier.summary import Summary

_COLOURS = ("#1f5fa8", "#d9822b", "#8a8f98")
_OTHERS = ("unknown", "empty", "error")
_WIDTH = 34  # of names, in characters; longer ones are broken


def check_plot(path: Path) -> None:
    """Refuse a plot that cannot be drawn, before there is anything to draw.

    Raises
    ------
    InputError
        If the ending tells no format of a plot, or matplotlib is not installed.
    """
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise InputError(f"{path}: the name of a plot ends in .png, .svg or .pdf")
    try:
        import matplotlib  # noqa: F401 - only to see whether it is there
    except ImportError as error:
        raise InputError(
            "a plot needs matplotlib; run: pip install 'jobtitle-classifier[report]'"
        ) from error


def plot_departments(
    summary: Summary, names: Mapping[str, str], categories: Sequence[str], path: Path
) -> None:
    """Draw the rows of each department, coloured by category.

    Parameters
    ----------
    summary
        What a run found.
    names
        Department id to the name that is shown.
    categories
        All categories; each has a colour.
    path
        Where to; the ending tells the format: ``.png``, ``.svg`` or ``.pdf``.

    Raises
    ------
    InputError
        If matplotlib is not installed, or the file cannot be written.
    """
    check_plot(path)
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    kind = path.suffix.lower().removeprefix(".")
    counts: dict[str, dict[str, int]] = {}
    colours = dict(zip(categories, cycle(_COLOURS), strict=False))
    for department, category, n in summary.departments():
        counts.setdefault(department, {})[category] = n
    others = {s: summary.statuses[s] for s in reversed(_OTHERS) if summary.statuses[s]}
    figure = Figure(figsize=(8, 1.4 + 0.3 * (len(counts) + len(others))), layout="constrained")
    axes = figure.subplots()
    ranked = sorted(counts, key=lambda name: sum(counts[name].values()))
    labels = [f"({s})" for s in others] + [fill(names.get(name, name), _WIDTH) for name in ranked]
    for n, count in enumerate(others.values()):
        axes.barh(n, count, color="#d5d8dd")
    for n, department in enumerate(ranked, len(others)):
        left = 0
        for category, count in sorted(counts[department].items()):
            axes.barh(n, count, left=left, color=colours[category])
            left += count
    sums = [*others.values(), *(sum(counts[name].values()) for name in ranked)]
    for n, total in enumerate(sums):
        axes.annotate(
            f"{total:,}", (total, n), xytext=(4, 0), textcoords="offset points", va="center"
        )
    axes.set_yticks(range(len(labels)), labels, linespacing=0.9)
    axes.set(xlabel="rows", xlim=(0, max(sums, default=1) * 1.12), ylim=(-0.6, len(labels) - 0.4))
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    used = {category for own in counts.values() for category in own}
    for category, colour in colours.items():
        if category in used:
            axes.barh(0, 0, color=colour, label=category.replace("_", " "))
    if used:
        figure.legend(loc="outside upper center", ncols=len(used), frameon=False)
    try:
        with replacing(path) as part, rc_context({"svg.hashsalt": "departments"}):
            figure.savefig(part, format=kind, dpi=150, metadata=_undated(kind))
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error


def _undated(kind: str) -> dict[str, None]:
    """Leave out what would make the same plot other bytes."""
    return {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[kind]
