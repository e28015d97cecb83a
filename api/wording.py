"""What the page says: names, numbers and sentences in Swedish or English."""

from dataclasses import dataclass
from typing import Any

from api.naming import name_in
from classifier import JobTitleClassifier, Label

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
        return name_in(self.language, self.model.taxonomy.departments[key].names, key)

    def category(self, key: str) -> str:
        """Return the name of a category."""
        return name_in(self.language, self.model.taxonomy.category_names[key], key)

    def role(self, key: str) -> str:
        """Return the name of a role."""
        names = next(role.names for role in self.model.roles if role.id == key)
        return name_in(self.language, names, key)

    def departments(self) -> list[tuple[str, str]]:
        """List the departments by name, each with its id."""
        own = ((key, self.department(key)) for key in self.model.taxonomy.departments)
        return sorted(own, key=lambda item: item[1].casefold())

    def roles(self) -> list[tuple[str, str, list[tuple[str, str]]]]:
        """List the ids and names of departments, each with the ids and names of its roles."""
        found: dict[str, list[tuple[str, str]]] = {}
        for role in self.model.roles:
            name = name_in(self.language, role.names, role.id)
            found.setdefault(role.department, []).append((role.id, name))
        return [
            (key, name, sorted(found.get(key, []), key=lambda item: item[1].casefold()))
            for key, name in self.departments()
        ]

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

    def basis(self, label: Label) -> str:
        """Say why a category is what it is; a reason of one's own stands as it is."""
        reason = label.category_basis or ""
        if reason not in self.texts["basis"]:
            return reason
        return str(self.texts["basis"][reason]).format(
            department=self.department(label.department or ""),
            category=self.category(label.category or "").lower(),
            role=self.role(label.role or ""),
        )
