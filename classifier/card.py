"""The model card: what a model is for, what it was made of and how good it is."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from classifier.calibration import DISAGREEMENT, TEXT_DISAGREEMENT
from classifier.catalogue import Catalogue
from classifier.evaluation import NO_LABEL, Evaluation, Figures, Shares

_FACTS = ("taxonomy_version", "seed", "temperature", "doubt", "min_confidence", "target_accuracy")
_CARD = """\
# Model card

Written by `python -m classifier train`; do not edit.

## What it is for

It reads a job title or a posting in the languages of its catalogue ({spoken}) and says which
department it belongs to, which category that falls in ({categories}), which role it is closest to
and its seniority. It is meant for sorting many titles at once: statistics, routing, search,
cleaning of registers.

## What it must not be used for

It must not be used to judge people: not to hire, promote, pay or dismiss, and not to guess at what
a person can do. A title says what a job is called. Where a label has consequences for someone, a
person must look at it first.

## Data

{n_roles} roles with {n_titles:,} titles and {n_duties:,} duty lines. Taxonomy version
{taxonomy_version}, seed {seed}, training data with SHA-256 `{sha}`.{besides}

## Method

Words, pairs of words and pieces of words, weighted by rarity; one linear support vector machine a
department, trained on the catalogue and on titles composed from it with ranks, places, employers,
contracts and typing errors. One more class stands for text that names no work. The title and the
sentences of a description are scored one by one and added up, each sentence by how surely it
speaks of work. A title that stands in the catalogue word for word counts for its department.

A softmax with temperature {temperature} turns scores into confidence, of which a share, the doubt,
is spread evenly: {doubt}, fitted like the temperature on titles and roles that were held out,
decorated and misspelt as ads write them; {disagreement} more because others draw the borders
elsewhere; and up to {text_disagreement} more with a description. A text whose best department stays
below {min_confidence} is `unknown`: above that, {target_accuracy:.0%} of the held-out titles are
right. The closest role is found by naive Bayes within the department. The category is not learned:
it follows from department and role by a policy.

## Figures

On titles of the catalogue that were held out, and on the titles of whole roles left out: work of a
kind the classifier had never seen. Real titles lie between the two, nearer the first.

| figure | titles held out | roles left out |
|---|---|---|
{figures}

What a threshold would do (`--min-confidence`), on the titles held out:

| threshold | answered | right among those |
|---|---|---|
{thresholds}

| language | titles | department | category | answered | right among those | calibration error |
|---|---|---|---|---|---|---|
{languages}

| department | roles | titles | precision | recall | held out |
|---|---|---|---|---|---|
{table}

{examples}{selection}## Known weak spots

The commonest confusions on the titles held out:

| belongs to | labelled | titles |
|---|---|---|
{confusions}

## Limits

- Other languages than those of the catalogue and of examples are not known; their titles are
  guessed from words they share with these, or `unknown`.
- A title that names no function (*Konsult*, *Medarbetare*) needs a description.
- Seniority is read from the words of the title, else from the role or the text; titles inflate. Its
  confidence is a rate for that way of reading, not a probability computed for the title.
- Confidence is calibrated on titles of our own, with an allowance for how public registers and
  employers draw the borders. Measure it on your own rows with `evaluate` before relying on it.
- Departments follow the function, not the employer's trade; borderline cases are settled in the
  taxonomy, and other organisations draw them differently.

## Made again

    python -m classifier train --seed {seed}{again}

To measure the model on rows of your own, with plots:

    python -m classifier evaluate rows.csv --gold department --report report
"""

_LANGUAGES = {"sv": "Swedish", "en": "English"}

FEW = 50
"""Of fewer examples, those held back are too few to measure on."""

CAUTION = "There are too few examples for the figures on those held back to be worth much."

_SELECTION = """\
## Choice

Measured on titles held out, and on whole roles left out, which asks whether a kind of work never
seen is placed right. Composed titles were left aside. `make selection` measures again.

| candidate | titles held out | roles left out |
|---|---|---|
{candidates}

Roles left out, five folds, with the chosen candidate:

| department | right |
|---|---|
{roles}

"""


_EXAMPLES = """\
## Examples

{rows:,} labelled titles and postings were learned besides ({with_description:,} with a description;
SHA-256 of all `{sha256}`). They stand for themselves: a title among them gets the department that
they say. {clashes:,} titles that the catalogue has elsewhere were moved. The model holds them: who
may not see them must not get it.

| file | SHA-256 | examples | without a department, left out | weight |
|---|---|---|---|---|
{files}

| department | examples |
|---|---|
{departments}

What they changed, measured on {held_back:,} of them that were held back and on titles of the
catalogue that were held out: without the examples, and with {learned:,} others.

| figure | examples, before | after | catalogue, before | after |
|---|---|---|---|---|
{effect}
{caution}
"""


def model_card(
    catalogue: Catalogue,
    evaluations: Mapping[str, Evaluation],
    facts: Mapping[str, Any],
    selection: Mapping[str, Any] | None = None,
    examples: Mapping[str, Any] | None = None,
) -> str:
    """Write the card of a model.

    Parameters
    ----------
    catalogue
        What it was trained on.
    evaluations
        On the ``titles`` held out and, if there are any, on those of the ``roles`` left out.
    facts
        The manifest's facts.
    selection
        As `classifier.selection.select` returns it.
    examples
        Facts of the examples that were learned besides, and what they changed.

    Returns
    -------
    str
        Markdown.
    """
    figures = evaluations["titles"].figures
    languages = dict.fromkeys(language for _, language, _ in catalogue.titles())
    return _CARD.format(
        n_roles=len(catalogue.roles),
        n_titles=sum(1 for _ in catalogue.titles()),
        n_duties=sum(1 for _ in catalogue.duties()),
        sha=facts["training_data_sha256"],
        spoken=", ".join(_LANGUAGES.get(language, language) for language in languages),
        categories=", ".join(facts["categories"]),
        disagreement=DISAGREEMENT,
        text_disagreement=TEXT_DISAGREEMENT,
        figures=_figures(figures, evaluations["roles"].figures if "roles" in evaluations else None),
        thresholds=_rows(
            (f"{at['threshold']:.2f}", at["answered"], at["accuracy"])
            for at in figures.thresholds[::2]
        ),
        languages=_rows((name, own.rows, *_shares(own)) for name, own in figures.languages.items()),
        table=_departments(catalogue, figures),
        confusions=_rows(
            (gold, said, n)
            for gold, said, n in evaluations["titles"].confusions(30)
            if said != NO_LABEL
        ),
        selection=_selection_text(selection),
        examples=_examples_text(examples),
        again=" --examples FILE --output DIR" if examples else "",
        besides=" Examples were learned besides; see below." if examples else "",
        **{key: facts[key] for key in _FACTS},
    )


def _figures(titles: Figures, roles: Figures | None) -> str:
    names = (
        "department right, unknown counts as wrong", "category right", "got a label",
        "right among those", "calibration error",
    )  # fmt: skip
    rows = zip(names, _shares(titles), _shares(roles), strict=True)
    n_roles, macro_f1 = (0, None) if roles is None else (roles.rows, roles.macro_f1)
    return _rows([("titles", titles.rows, n_roles), *rows, ("macro F1", titles.macro_f1, macro_f1)])


def _shares(own: Shares | None) -> tuple[float | None, ...]:
    if own is None:
        return (None,) * 5
    right, category = own.accuracy, own.category_accuracy
    return right, category, own.answered, own.selective_accuracy, own.ece


def _departments(catalogue: Catalogue, figures: Figures) -> str:
    titles = Counter(role.department for *_, role in catalogue.titles())
    roles = Counter(role.department for role in catalogue.roles.values())
    return _rows(
        (name, roles[name], titles[name], own["precision"], own["recall"], int(own["support"]))
        for name, own in figures.departments.items()
    )


def _rows(rows: Iterable[Iterable[object]]) -> str:
    """Lay rows out as lines of a Markdown table."""
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in rows)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _selection_text(selection: Mapping[str, Any] | None) -> str:
    if selection is None:
        return ""
    candidates = "\n".join(
        f"| {name}{' (chosen)' if name == selection['chosen'] else ''} "
        f"| {found['titles']:.3f} | {found['roles']:.3f} |"
        for name, found in selection["candidates"].items()
    )
    roles = "\n".join(f"| {name} | {share:.3f} |" for name, share in selection["roles"].items())
    return _SELECTION.format(candidates=candidates, roles=roles)


def _examples_text(examples: Mapping[str, Any] | None) -> str:
    if not examples:
        return ""
    before, after = examples["before"], examples["after"]
    columns = [own[part] or {} for part in ("examples", "catalogue") for own in (before, after)]
    shown = {
        "files": _rows(
            (f["name"], f"`{f['sha256']}`", f["rows"], f["left_out"], f"{f['weight']:g}")
            for f in examples["files"]
        ),
        "departments": _rows(examples["departments"].items()),
        "effect": _rows((name, *(c.get(name) for c in columns)) for name in before["catalogue"]),
        "caution": f"\n{CAUTION}\n" if is_little(examples) else "",
    }
    return _EXAMPLES.format(**{**examples, **shown})


def is_little(examples: Mapping[str, Any]) -> bool:
    """Return whether there are too few examples for the figures on them to say much."""
    return bool(examples["rows"] < FEW)
