"""What the command line shows people: labels, reasons and figures as text."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from classifier.labels import Label
from classifier.policy import Policy
from classifier.taxonomy import Taxonomy

if TYPE_CHECKING:  # to show labels takes no scikit-learn, which takes a second to import
    from classifier.evaluation import Evaluation
    from classifier.explanation import Explanation
    from classifier.report import CatalogueReport

_WIDEST = 50
_LONGEST = 60


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Lay rows out in columns; numbers stand to the right."""
    texts = [[_cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *texts, strict=True)]
    numeric = [all(isinstance(row[n], int | float) for row in rows) for n in range(len(header))]
    lines = [header, ["-" * width for width in widths], *texts]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in lines
    )


def labels_table(titles: Sequence[str], labels: Sequence[Label]) -> str:
    """Show labels beside their titles."""
    header = ["title", "department", "category", "role", "seniority", "confidence"]
    rows = [
        [
            title,
            label.department or f"({label.status})",
            label.category or "",
            label.role or "",
            label.seniority or "",
            "" if label.confidence is None else f"{label.confidence:.2f}",
        ]
        for title, label in zip(titles, labels, strict=True)
    ]
    return table(header, rows)


def explanation_text(explanation: "Explanation", policy: Policy, taxonomy: Taxonomy) -> str:
    """Show a label and its reasons."""
    label = explanation.label
    if explanation.department is None:
        return "empty: there is no text to go by"
    lines = [f"{label.status}: {_described(label, taxonomy)}", ""]
    shown = [c for c in label.candidates if c.confidence >= 0.005] or label.candidates[:1]
    ranked = [(c.department, c.confidence) for c in shown]
    lines += [table(["department", "probability"], ranked), ""]
    lines.append(f"words for (+) and against (-) {explanation.department}:")
    strongest = sorted(explanation.words, key=lambda word: -abs(word.weight))[:12]
    lines += [f"  {word.weight:+6.2f}  {word.text}  ({word.source})" for word in strongest]
    lines += ["", f"closest role: {explanation.role}, learned from titles such as"]
    lines += [f"  {n.similarity:6.2f}  {n.title}" for n in explanation.closest]
    if label.category:
        lines += ["", f"why {label.category}: {_basis(label, policy)}"]
    return "\n".join(lines)


def _described(label: Label, taxonomy: Taxonomy) -> str:
    if label.department is None:
        return "no department is likely enough"
    names = taxonomy.departments[label.department].names
    return f"{names.get('en', label.department)}, {label.category}, {label.role}, {label.seniority}"


def _basis(label: Label, policy: Policy) -> str:
    reasons = {
        "document": f"the source document counts {label.department} there",
        "customer_contact": "the rule of customer contact: does the work mainly meet customers?",
        "role": f"the role {label.role} differs from its department",
        "outside": f"{label.department} is neither back office nor front office",
    }
    basis = label.category_basis or ""
    return f"{reasons[basis]} (basis {basis}, policy {policy.id})"


def evaluation_text(evaluation: "Evaluation") -> str:
    """Show figures, the table of departments and the commonest confusions."""
    figures = evaluation.figures
    names = ("accuracy", "category_accuracy", "macro_f1", "answered", "selective_accuracy", "ece")
    rows: list[tuple[str, Any]] = [("rows", figures.rows)]
    rows += [(name, _cell(getattr(figures, name))) for name in names]
    departments = [
        (name, own["precision"], own["recall"], own["f1"], own["support"])
        for name, own in figures.departments.items()
    ]
    return "\n\n".join(
        [
            table(["figure", "value"], rows),
            table(["department", "precision", "recall", "f1", "rows"], departments),
            table(
                ["gold", "labelled", "rows"],
                [(gold, said or "(no label)", n) for gold, said, n in evaluation.confusions()],
            ),
        ]
    )


def taxonomy_text(taxonomy: Taxonomy, policy: Policy) -> str:
    """Show departments with their categories under a policy, and the roles that differ."""
    rows = [
        (d.id, d.names.get("sv", ""), d.names.get("en", ""), rule.category, rule.basis)
        for d in taxonomy.departments.values()
        for rule in [policy.departments[d.id]]
    ]
    text = table(["department", "Swedish", "English", "category", "basis"], rows)
    if policy.roles:
        roles = [(role, rule.category, rule.basis) for role, rule in policy.roles.items()]
        text += "\n\n" + table(["role", "category", "basis"], roles)
    return text


def report_text(report: "CatalogueReport") -> str:
    """Show how much the catalogue holds, where it is thin and where it disagrees."""
    amounts = [(a.department, a.language, a.roles, a.titles, a.duties) for a in report.amounts]
    misplaced = [
        (m.title, m.role, m.department, m.said or "(no label)", m.confidence)
        for m in report.misplaced
    ]
    numbers = {language: 0 for _, language, *_ in amounts}
    for _, language, _, titles, _ in amounts:
        numbers[language] += titles
    sums = ", ".join(f"{number:,} {language}" for language, number in numbers.items())
    parts = [
        f"{sum(numbers.values()):,} titles ({sums})",
        table(["department", "language", "roles", "titles", "duty lines"], amounts),
        f"thin spots: {len(report.thin)}",
        table(["role", "language", "has only"], report.thin[:_LONGEST]),
        f"titles that the model places elsewhere: {len(misplaced)}",
        table(["title", "role", "department", "labelled", "confidence"], misplaced[:_LONGEST]),
        f"same words in two departments: {len(report.near_duplicates)}",
        table(["title", "department", "title", "department"], report.near_duplicates[:_LONGEST]),
    ]
    return "\n\n".join(parts)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    text = f"{value:.3f}" if isinstance(value, float) else " ".join(str(value).split())
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
