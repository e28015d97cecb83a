"""What the page says: names, numbers and sentences in Swedish or English."""

from dataclasses import dataclass
from typing import Any

from classifier import Explanation, JobTitleClassifier

LANGUAGES = ("en", "sv")
"""The languages of the page; the first is for browsers that want neither."""


class Fault(Exception):  # noqa: N818 - what a person did that cannot be answered
    """Something that cannot be answered, as a text of the page.

    Parameters
    ----------
    text
        The name of the text that says what is wrong.
    status
        HTTP status code.
    words
        What the text is filled in with.
    """

    def __init__(self, text: str, status: int = 422, **words: str) -> None:
        super().__init__(text)
        self.text, self.status, self.words = text, status, words


@dataclass(frozen=True)
class Wording:
    """Names, numbers and sentences in one language.

    Parameters
    ----------
    language
        One of `LANGUAGES`.
    texts
        Its texts.
    model
        Knows the names of labels.
    """

    language: str
    texts: dict[str, Any]
    model: JobTitleClassifier

    def department(self, key: str) -> str:
        """Return the name of a department."""
        return self.model.taxonomy.departments[key].names.get(self.language, key)

    def category(self, key: str) -> str:
        """Return the name of a category."""
        return self.model.taxonomy.category_names[key].get(self.language, key)

    def role(self, key: str) -> str:
        """Return the name of a role."""
        names = next(role.names for role in self.model.roles if role.id == key)
        return names.get(self.language, key)

    def percent(self, share: float) -> str:
        """Return a share, 0-1, as a whole percentage; none or all only if it is so."""
        whole = f"{round(share * 100)}"
        if 0 < share < 0.005:
            whole = "<1"
        elif 0.995 < share < 1:
            whole = ">99"
        return whole + ("\u00a0%" if self.language == "sv" else "%")

    def number(self, number: int) -> str:
        """Return a number with its thousands apart."""
        return f"{number:,}".replace(",", "\u00a0" if self.language == "sv" else ",")

    def size(self, n_bytes: int) -> str:
        """Return a number of bytes."""
        if n_bytes < 1 << 20:
            return f"{n_bytes >> 10} kB"
        return f"{n_bytes / (1 << 20):.3g} MB"

    def say(self, text: str, **words: str) -> str:
        """Return one of the texts, filled in."""
        return str(self.texts[text].format(**words))

    def basis(self, explanation: Explanation) -> str:
        """Say why a category is what it is."""
        label = explanation.label
        return str(self.texts["basis"][label.category_basis or ""]).format(
            department=self.department(label.department or ""),
            category=self.category(label.category or "").lower(),
            role=self.role(label.role or ""),
        )
