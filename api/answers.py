"""What answers look like: the models that the contract at ``/openapi.json`` is made of."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from classifier.taxonomy import BASES, SENIORITIES

Probability = Annotated[float, Field(ge=0, le=1)]

_BASES = f"{', '.join(f'`{basis}`' for basis in BASES)}, or a reason in the words of a policy"


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Candidate(_Answer):
    """A department that a posting may belong to."""

    department: Annotated[str, Field(description="Its id; names stand in `/v1/taxonomy`.")]
    category: Annotated[str, Field(description="The office category of the department.")]
    confidence: Annotated[Probability, Field(description="The probability of the department.")]


class Word(_Answer):
    """How strongly a word spoke for the department."""

    text: Annotated[str, Field(description="The word as it stands.")]
    source: Annotated[
        Literal["title", "description", "catalogue"],
        Field(description="Where it stands; `catalogue` for a whole title that is known."),
    ]
    weight: Annotated[float, Field(description="Log-odds it added; below 0 if it spoke against.")]


class Neighbour(_Answer):
    """A title of the catalogue that the posting resembles."""

    title: str
    similarity: Annotated[Probability, Field(description="Cosine of the features of both.")]


class Reasons(_Answer):
    """Why the label is what it is; offset, words and other words add up to the score."""

    department: Annotated[str | None, Field(description="The likeliest; null without text.")]
    score: Annotated[float, Field(description="Its log-odds against the mean of all departments.")]
    offset: Annotated[float, Field(description="The score without any word.")]
    words: Annotated[list[Word], Field(max_length=30, description="The strongest, in order.")]
    other_words: Annotated[float, Field(description="What all words not listed added.")]
    role: Annotated[str | None, Field(description="The closest role of the department.")]
    learned_from: Annotated[
        list[Neighbour], Field(max_length=5, description="Titles of that role, closest first.")
    ]


class Label(_Answer):
    """What a posting is."""

    id: Annotated[str | int | None, Field(description="As it was sent, if it was.")] = None
    status: Annotated[
        Literal["labelled", "unknown", "empty"],
        Field(description="`unknown`: there is nothing to go by; `empty`: there is no text."),
    ]
    department: Annotated[str | None, Field(description="An id; null unless labelled.")]
    category: Annotated[str | None, Field(description="The id of an office category, or null.")]
    category_basis: Annotated[
        str | None,
        Field(description=f"Why that category: {_BASES}; null unless labelled."),
    ]
    role: Annotated[str | None, Field(description="The id of the closest role, or null.")]
    seniority: Annotated[
        str | None,
        Field(description="The level, or null.", json_schema_extra={"enum": [*SENIORITIES, None]}),
    ]
    confidence: Annotated[
        Probability | None, Field(description="The probability of the department.")
    ]
    category_confidence: Annotated[
        Probability | None, Field(description="The probability of the category.")
    ]
    seniority_confidence: Annotated[
        Probability | None, Field(description="How often a level read like this is right.")
    ]
    candidates: Annotated[
        list[Candidate], Field(description="The likeliest departments, likeliest first.")
    ]
    basis: Annotated[
        Literal["model", "correction"],
        Field(description="`correction`: a person said what it is; its confidence is 1."),
    ]
    explanation: Annotated[Reasons | None, Field(description="Only if asked for.")] = None


class Said(_Answer):
    """What the model said of a posting when it was corrected."""

    department: Annotated[str | None, Field(description="Null if it said none.")]
    role: str | None
    confidence: Annotated[
        Probability | None, Field(description="The probability of the likeliest department.")
    ]
    model: Annotated[str | None, Field(description="SHA-256 of the model's file, if known.")]


class StoredCorrection(_Answer):
    """A correction as it was recorded."""

    id: Annotated[str, Field(description="Its own; the same correction again keeps it.")]
    at: Annotated[str, Field(description="When, in UTC, as ISO 8601 has it.")]
    title: str
    description: str
    department: str
    role: str | None
    who: str
    said: Annotated[Said | None, Field(description="What the model had said.")]


class StoredCorrections(_Answer):
    """Corrections as they were recorded, in the order in which they were sent."""

    corrections: list[StoredCorrection]


class Labels(_Answer):
    """What the postings of a batch are, in their order."""

    labels: list[Label]


class LabelledJobPosting(_Answer):
    """A JobPosting and its label."""

    posting: Annotated[
        dict[str, Any],
        Field(description="As it was sent, with its ISCO-08 group as `occupationalCategory`."),
    ]
    label: Label


class LabelledJobPostings(_Answer):
    """The JobPostings of a list or graph, in order; its other nodes are left out."""

    postings: list[LabelledJobPosting]


class Department(_Answer):
    """A department of the taxonomy."""

    id: str
    name: Annotated[str, Field(description="In the language of the answer.")]
    names: Annotated[dict[str, str], Field(description="By language.")]
    category: Annotated[str, Field(description="Its office category by the usual policy.")]
    category_basis: Annotated[str, Field(description=f"Why: {_BASES}.")]


class Category(_Answer):
    """An office category."""

    id: str
    name: Annotated[str, Field(description="In the language of the answer.")]
    names: Annotated[dict[str, str], Field(description="By language.")]


class PolicyChoice(_Answer):
    """A way to tell the category from department and role."""

    id: Annotated[str, Field(description="What `policy` takes.")]
    description: Annotated[str, Field(description="In the language of the answer.")]


class Taxonomy(_Answer):
    """What labels are made of."""

    version: str
    language: str
    departments: list[Department]
    categories: list[Category]
    policies: list[PolicyChoice]


class Figures(_Answer):
    """How good the model was on titles whose departments are known."""

    rows: Annotated[int, Field(description="How many titles it was measured on.")]
    accuracy: Annotated[Probability, Field(description="Share of all titles labelled right.")]
    category_accuracy: Annotated[Probability, Field(description="The same for categories.")]
    answered: Annotated[Probability, Field(description="Share that was not `unknown`.")]
    selective_accuracy: Annotated[Probability, Field(description="Share right of those answered.")]
    ece: Annotated[
        Probability, Field(description="How far confidence is from accuracy, on average.")
    ]


class ModelFacts(_Answer):
    """Which model answers, what it was made of, and how good it is."""

    version: Annotated[str, Field(description="Of the program.")]
    taxonomy_version: str
    min_confidence: Annotated[Probability, Field(description="Below it a label is unknown.")]
    departments: int
    roles: int
    sha256: Annotated[
        dict[str, str] | None, Field(description="Of the model's files, by their names.")
    ] = None
    training_data_sha256: Annotated[str | None, Field(description="What it was trained on.")] = None
    seed: Annotated[int | None, Field(description="What chance began with.")] = None
    figures: Figures | None = None


class Health(_Answer):
    """How the service is."""

    status: Literal["live", "ready"]


class Fault(_Answer):
    """A field that is invalid."""

    field: Annotated[str, Field(description="Its path, such as `postings.1.title`.")]
    message: str
    limit: Annotated[float | None, Field(description="The limit that it breaks.")] = None


class Problem(BaseModel):
    """What is wrong, as RFC 9457 has it."""

    type: Annotated[str, Field(description="The kind of problem; it is stable.")]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: Annotated[str, Field(description="What is wrong with this request; what to do.")]
    errors: Annotated[list[Fault] | None, Field(description="The fields at fault.")] = None
    limit: Annotated[float | None, Field(description="The limit that was passed.")] = None
