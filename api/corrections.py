"""What corrections look like when they are sent, checked by pydantic."""

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from api.schemas import MAX_POSTINGS, document_of, invalid, validated
from classifier import corrections

NO_NULL = r"^[^\x00]*$"
"""Text that every database can hold."""

WORDS = r"[^\x00-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"  # not `isspace`
"""Text with something in it."""


class NewCorrection(BaseModel):
    """What a person says that a title or posting is."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: Annotated[
        str,
        Field(
            max_length=corrections.MAX_TITLE,
            pattern=NO_NULL,
            description="Text or HTML, as it stood.",
        ),
    ] = ""
    description: Annotated[
        str,
        Field(
            max_length=corrections.MAX_DESCRIPTION,
            pattern=NO_NULL,
            description="Text or HTML. A posting with a description is answered by what was said "
            "of the same posting, else of its title alone.",
        ),
    ] = ""
    department: Annotated[str, Field(max_length=200, description="The id of the right one.")]
    role: Annotated[
        Annotated[str, Field(max_length=200)] | None,
        Field(description="The id of the right role, one of the department; null if not told."),
    ] = None
    who: Annotated[
        str,
        Field(
            max_length=corrections.MAX_NAME,
            pattern=NO_NULL,
            description="Who says so; may be empty.",
        ),
    ] = ""

    @model_validator(mode="after")
    def _has_words(self) -> "NewCorrection":
        if not re.search(WORDS, self.title) and not re.search(WORDS, self.description):
            raise PydanticCustomError("empty", "there is neither title nor description")
        return self


class NewCorrections(BaseModel):
    """Several corrections: all are recorded, or none."""

    model_config = ConfigDict(extra="forbid", strict=True)

    corrections: Annotated[list[NewCorrection], Field(max_length=MAX_POSTINGS)]


def parse_corrections(body: bytes) -> NewCorrection | NewCorrections:
    """Read a request body with one correction or several.

    Parameters
    ----------
    body
        JSON in UTF-8.

    Raises
    ------
    Problem
        400 if it is not JSON, 422 if a field is invalid; the problem names the fields.
    """
    document = document_of(body)
    if not isinstance(document, dict):
        detail = 'send an object: {"title": …, "department": …} or {"corrections": […]}'
        raise invalid("The body is not an object", "body", detail)
    if "corrections" in document:
        return validated(NewCorrections, document)
    return validated(NewCorrection, document)
