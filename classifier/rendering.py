"""What the command line shows people: labels, reasons and figures as text."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from classifier.crosswalk import ISCO_08, SSYK_2012
from classifier.labels import Label
from classifier.policy import Policy, Rule
from classifier.taxonomy import MAX_BASIS, Taxonomy, named

if TYPE_CHECKING:  # to show labels takes no scikit-learn, which takes a second to import
    from classifier.catalogue import Catalogue, Role
    from classifier.evaluation import Evaluation
    from classifier.explanation import Explanation
    from classifier.report import CatalogueReport

_WIDEST = 50
_LONGEST = 60
_LANGUAGES = {"sv": "Swedish", "en": "English", "de": "German"}


def table(header: Sequence[str], rows: Sequence[Sequence[object]], *, widest: int = _WIDEST) -> str:
    """Lay rows out in columns, of so many characters at most; numbers stand to the right."""
    texts = [[_cell(value, widest) for value in row] for row in rows]
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


def labels_table(
    titles: Sequence[str],
    labels: Sequence[Label],
    codes: Sequence[Mapping[str, Mapping[str, str] | None]] | None = None,
) -> str:
    """Show labels beside their titles, and the codes of their roles if they are given."""
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
    if codes:
        header += [standard.name for standard in (ISCO_08, SSYK_2012)]
        for row, own in zip(rows, codes, strict=True):
            row += ["{code} {title}".format_map(code) if code else "" for code in own.values()]
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
    name = named(taxonomy.departments[label.department].names, "en", label.department)
    return f"{name}, {label.category}, {label.role}, {label.seniority}"


def _basis(label: Label, policy: Policy) -> str:
    reasons = {
        "document": f"the source document counts {label.department} there",
        "customer_contact": "the rule of customer contact: does the work mainly meet customers?",
        "role": f"the role {label.role} differs from its department",
        "outside": f"{label.department} is neither back office nor front office",
    }
    basis = label.category_basis or ""
    if basis not in reasons:  # a reason in the words of a policy of one's own
        return f"{basis} (policy {policy.id})"
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


def taxonomy_text(
    taxonomy: Taxonomy, policy: Policy, usual: Policy, roles: "Sequence[Role]"
) -> str:
    """Show departments with their categories under a policy, and the roles that differ.

    What another than the usual policy changes has a mark, and what the usual one says beside it.
    """
    departments = taxonomy.departments.values()
    languages = list(dict.fromkeys(language for d in departments for language in d.names))
    header = ["department", *(_LANGUAGES.get(own, own) for own in languages)]
    rows = [
        ([d.id, *(d.names.get(own, "") for own in languages)], *rules)
        for d in departments
        for rules in [(policy.departments[d.id], usual.departments[d.id])]
    ]
    parts = [_rules_table(header, rows, policy, usual)]
    special = [role for role in roles if role.id in {**policy.roles, **usual.roles}]
    own_rules = [
        ([r.id, r.department], policy.rule(r.department, r.id), usual.rule(r.department, r.id))
        for r in special
    ]
    if special:
        parts.append(_rules_table(["role", "department"], own_rules, policy, usual))
    if policy.id != usual.id:
        parts.append(_changes([*rows, *own_rules], len(rows), usual.id))
    return "\n\n".join(parts)


def _changes(rows: Sequence[tuple[Any, Rule, Rule]], n_departments: int, usual: str) -> str:
    """Say how many departments, the first rows, and how many roles have other rules than usual."""
    parts = []
    for own, kind in ((rows[:n_departments], "department"), (rows[n_departments:], "role")):
        changed = [ours.category != theirs.category for _, ours, theirs in own if ours != theirs]
        if changed:
            plural = "s" if len(changed) > 1 else ""
            parts.append(f"{len(changed)} {kind}{plural}, {sum(changed)} in category")
    if not parts:
        return f"nothing differs from {usual}"
    return f"* differs from {usual}: {'; '.join(parts)}"


def _rules_table(
    header: Sequence[str],
    rows: Sequence[tuple[Sequence[str], Rule, Rule]],
    policy: Policy,
    usual: Policy,
) -> str:
    """Show rules; beside another than the usual policy, what that one says where they differ."""
    compared = policy.id != usual.id
    lines = []
    for names, ours, theirs in rows:
        differs = ours != theirs
        before = f"{theirs.category} ({theirs.basis})" if differs else ""
        mark, told = (["*" if differs else ""], [before]) if compared else ([], [])
        lines.append([*mark, *names, ours.category, ours.basis, *told])
    whole = [*([""] * compared), *header, "category", "basis", *([usual.id] * compared)]
    return table(whole, lines, widest=MAX_BASIS + _WIDEST)


def amounts_text(catalogue: "Catalogue", taxonomy: Taxonomy) -> str:
    """Say in a line how much training data holds."""
    titles = Counter(language for _, language, _ in catalogue.titles())
    own = ", ".join(f"{n:,} {language}" for language, n in titles.items())
    numbers = len(taxonomy.departments), len(catalogue.roles), titles.total()
    return f"sound: {numbers[0]:,} departments, {numbers[1]:,} roles, {numbers[2]:,} titles ({own})"


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


def _cell(value: object, widest: int = _WIDEST) -> str:
    if value is None:
        return "-"
    text = f"{value:.3f}" if isinstance(value, float) else " ".join(str(value).split())
    return text if len(text) <= widest else text[: widest - 1] + "…"
