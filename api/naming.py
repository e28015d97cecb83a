"""Names in the language that is wanted, or the nearest there is."""

from collections.abc import Mapping

from classifier.taxonomy import Taxonomy


def name_in(language: str, names: Mapping[str, str], key: str) -> str:
    """Return a name.

    Parameters
    ----------
    language
        The language that is wanted; where it is missing, English, then whichever there is.
    names
        Names by language.
    key
        What has the names; it stands for itself if there are none.
    """
    return names.get(language) or names.get("en") or next(iter(names.values()), "") or key


def languages(taxonomy: Taxonomy) -> list[str]:
    """Return the languages in which a taxonomy has names, English first if it is among them."""
    named = [own.names for own in taxonomy.departments.values()]
    found = dict.fromkeys(language for names in named for language in names)
    return sorted(found, key="en".__ne__) or ["en"]
