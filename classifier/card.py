"""The model card: what a model is for, what it was made of and how good it is."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from classifier.catalogue import Catalogue
from classifier.taxonomy import Taxonomy

_FACTS = ("taxonomy_version", "seed", "temperature", "min_confidence", "target_accuracy")
_CARD = """\
# Model card

Written by `python -m classifier train`; do not edit.

## What it is for

It reads a job title or a posting, in Swedish or English, and says which department it belongs to,
whether that is back office, front office or outside the office, which role it is closest to and
its seniority. It is meant for sorting many titles at once: statistics, routing, search, cleaning
of registers.

It must not be used to judge people. A title says what a job is called, not what a person can do.

## Data

{n_roles} roles with {n_titles} titles and {n_duties} duty lines, written for this project; no
register or job ad was copied. Training data SHA-256 `{sha}`, taxonomy version {taxonomy_version},
seed {seed}.

## Method

Words, pairs of words and pieces of words, weighted by rarity; one linear support vector machine a
department, trained on the catalogue and on titles composed from it with ranks, places, employers,
contracts and typing errors; a softmax with temperature {temperature}, fitted on held-out titles.

A text whose best department stays below {min_confidence} is `unknown`; above it, at least
{target_accuracy:.0%} of the held-out titles are right. A title that stands in the catalogue word
for word counts for its department. The closest role is found by naive Bayes within the department.
The category is not learned: it follows from department and role by a policy.

## Figures

On {rows} titles of the catalogue that were held out. Real titles differ more than these do from
what was trained on, so expect a few points less.

| figure | value |
|---|---|
| department right | {accuracy:.3f} |
| category right | {category_accuracy:.3f} |
| macro F1 | {macro_f1:.3f} |
| got a label | {answered:.3f} |
| right among those | {selective_accuracy:.3f} |
| calibration error | {ece:.3f} |

| department | roles | titles | precision | recall | held out |
|---|---|---|---|---|---|
{table}

{selection}## Limits

- Languages other than Swedish and English are not known; their titles are guessed from words they
  share with these two, or `unknown`.
- A title that names no function (*Konsult*, *Medarbetare*) needs a description.
- Seniority is read from the words of the title; titles inflate.
- Departments follow the function, not the employer's trade; borderline cases are settled in the
  taxonomy, and other organisations draw them differently.

## Made again

    python -m classifier train --seed {seed}
"""


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


def model_card(
    catalogue: Catalogue,
    taxonomy: Taxonomy,
    figures: Mapping[str, Any],
    facts: Mapping[str, Any],
    selection: Mapping[str, Any] | None = None,
) -> str:
    """Write the card of a model.

    Parameters
    ----------
    catalogue, taxonomy
        What it was trained on.
    figures
        As `classifier.evaluation.Figures.as_dict` returns them.
    facts
        The manifest's facts.
    selection
        As `classifier.selection.select` returns it.

    Returns
    -------
    str
        Markdown.
    """
    titles = Counter(role.department for *_, role in catalogue.titles())
    roles = Counter(role.department for role in catalogue.roles.values())
    rows = []
    for department in taxonomy.departments:
        own = figures["departments"].get(department, {"precision": 0, "recall": 0, "support": 0})
        rows.append(
            f"| {department} | {roles[department]} | {titles[department]} "
            f"| {own['precision']:.3f} | {own['recall']:.3f} | {own['support']} |"
        )
    shown = {key: 0.0 if value is None else value for key, value in figures.items()}
    return _CARD.format(
        n_roles=len(catalogue.roles),
        n_titles=titles.total(),
        n_duties=sum(1 for _ in catalogue.duties()),
        sha=facts["training_data_sha256"],
        table="\n".join(rows),
        selection=_selection_text(selection),
        **{key: facts[key] for key in _FACTS},
        **{key: value for key, value in shown.items() if key != "departments"},
    )


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
