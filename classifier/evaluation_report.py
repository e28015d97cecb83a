"""An evaluation as a page to look at: figures, plots and examples of errors."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jinja2 import Environment, PackageLoader

from classifier.errors import InputError
from classifier.evaluation import NO_LABEL, Evaluation
from classifier.files import write_text

if TYPE_CHECKING:  # matplotlib is imported only when a report is written
    from matplotlib.figure import Figure

_EXAMPLES = 5
_BLUE, _GREY, _RED = "#1f5fa8", "#8a8f98", "#b3382c"


def write_report(
    evaluation: Evaluation, titles: Sequence[str], name: str, threshold: float, directory: Path
) -> None:
    """Write ``report.html`` and ``metrics.json``.

    Parameters
    ----------
    evaluation
        The figures.
    titles : sequence of shape (n_rows,)
        What was labelled; examples of errors are shown.
    name
        What was measured, for the heading.
    threshold
        The confidence below which a row was unknown, 0-1.
    directory
        Where to; made if it is not there.

    Raises
    ------
    InputError
        If matplotlib is not installed, or the directory cannot be written.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise InputError(
            "a report needs matplotlib; run: pip install 'jobtitle-classifier[report]'"
        ) from error
    matplotlib.rcParams.update(
        {
            "svg.fonttype": "none",  # text stays text: searchable, and in the page's font
            "svg.hashsalt": "report",  # the same figures, the same bytes
            "font.size": 10,
            "axes.spines.top": False,
            "axes.spines.right": False,
        }
    )
    page = Environment(loader=PackageLoader("classifier", "."), autoescape=True)
    text = page.get_template("evaluation_report.html").render(
        name=name,
        figures=evaluation.figures,
        threshold=threshold,
        plots={
            "risk_coverage": _svg(_risk_coverage(evaluation, threshold)),
            "reliability": _svg(_reliability(evaluation)),
            "departments": _svg(_departments(evaluation)),
            "confusion": _svg(_confusion(evaluation)),
        },
        confusions=_examples(evaluation, titles),
    )
    metrics = json.dumps(evaluation.figures.as_dict(), indent=2, ensure_ascii=False)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_text(directory / "metrics.json", metrics + "\n")
        write_text(directory / "report.html", text)
    except OSError as error:
        raise InputError(f"{directory}: cannot be written ({error.strerror})") from error


def _examples(evaluation: Evaluation, titles: Sequence[str]) -> list[dict[str, Any]]:
    """List the commonest confusions with the rows on which the model was surest."""
    rows = evaluation.rows.assign(title=list(titles))
    found = []
    for gold, said, n in evaluation.confusions():
        own = rows[(rows["gold"] == gold) & (rows["said"] == said)]
        surest = own.sort_values("confidence", ascending=False, kind="stable").head(_EXAMPLES)
        examples = list(zip(surest["title"], surest["confidence"], strict=True))
        found.append({"gold": gold, "said": said or "(no label)", "rows": n, "examples": examples})
    return found


def _risk_coverage(evaluation: Evaluation, threshold: float) -> "Figure":
    figure, axes = _figure(6, 3.6)
    curve = evaluation.curve
    step = max(1, len(curve) // 500)  # more points than pixels only make the page heavy
    axes.plot(curve["coverage"].iloc[::step], curve["accuracy"].iloc[::step], color=_BLUE)
    figures = evaluation.figures
    if figures.selective_accuracy is not None:
        axes.plot(figures.answered, figures.selective_accuracy, "o", color=_RED)
        axes.annotate(
            f"threshold {threshold:.2f}",
            (figures.answered, figures.selective_accuracy),
            xytext=(-8, 10),
            textcoords="offset points",
            ha="right",
            color=_RED,
        )
    axes.set(xlabel="share of rows answered", ylabel="share of those right", xlim=(0, 1.02))
    lowest = float(curve["accuracy"].iloc[len(curve) // 20 :].min())  # the first few rows jump
    axes.set_ylim(max(0.0, np.floor(lowest * 20 - 1) / 20), 1.005)
    return figure


def _reliability(evaluation: Evaluation) -> "Figure":
    figure, axes = _figure(4.4, 3.6)
    bins = evaluation.figures.reliability
    most = max(own["rows"] for own in bins)
    axes.plot([0, 1], [0, 1], "--", color=_GREY, linewidth=1)
    axes.scatter(
        [own["confidence"] for own in bins],
        [own["accuracy"] for own in bins],
        s=[20 + 180 * own["rows"] / most for own in bins],
        color=_BLUE,
        alpha=0.8,
        linewidths=0,
    )
    axes.set(xlabel="confidence", ylabel="share right", xlim=(0, 1.04), ylim=(0, 1.04))
    return figure


def _departments(evaluation: Evaluation) -> "Figure":
    departments = evaluation.figures.departments
    names = sorted(departments, key=lambda name: departments[name]["f1"])
    figure, axes = _figure(6, 0.8 + 0.27 * len(names))
    for n, name in enumerate(names):
        own = departments[name]
        axes.plot([own["precision"], own["recall"]], [n, n], color=_GREY, linewidth=1, zorder=1)
        axes.scatter(own["precision"], n, color=_BLUE, s=28, zorder=2)
        axes.scatter(own["recall"], n, facecolors="white", edgecolors=_BLUE, s=28, zorder=2)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="● precision   ○ recall", xlim=(0, 1.02))
    axes.grid(axis="x", color="#e3e5e8")
    return figure


def _confusion(evaluation: Evaluation) -> "Figure":
    counts = evaluation.confusion
    counts = counts[sorted(counts.columns, key=lambda name: (name == NO_LABEL, name))]
    table = counts.to_numpy()
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    figure, axes = _figure(1.9 + 0.32 * len(counts.columns), 1.7 + 0.3 * len(counts))
    axes.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), n in np.ndenumerate(table):
        if n:
            dark = shares[row, column] > 0.4
            axes.text(
                column, row, str(n), ha="center", va="center", fontsize=7,
                color="white" if dark else "black",
            )  # fmt: skip
    columns = [str(c) if c != NO_LABEL else "(no label)" for c in counts.columns]
    axes.set_xticks(range(len(columns)), columns, rotation=90)
    axes.set_yticks(range(len(counts)), list(map(str, counts.index)))
    axes.set(xlabel="labelled", ylabel="right department")
    axes.tick_params(length=0)
    return figure


def _figure(width: float, height: float) -> tuple["Figure", Any]:
    from matplotlib.figure import Figure  # no window, no global state

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _svg(figure: "Figure") -> str:
    file = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(file, format="svg", metadata=nothing, transparent=True)
    text = file.getvalue()
    return text[text.index("<svg") :]
