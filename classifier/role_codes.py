"""The codes of roles in official classifications of occupations."""

from collections.abc import Iterable, Iterator, Sequence

from classifier.catalogue import Role
from classifier.crosswalk import ISCO_08, SSYK_2012, Standard, shipped_crosswalk


def code_of(role: Role, standard: Standard) -> str | None:
    """Return the code of a role in a classification, four digits; None if it has none."""
    codes = {ISCO_08: role.isco, SSYK_2012: role.ssyk}
    return codes.get(standard)


def codes_of_roles(
    roles: Sequence[Role], wanted: Iterable[str | None]
) -> list[dict[str, dict[str, str] | None]]:
    """Return the codes of roles, with what the standards call their groups.

    Parameters
    ----------
    roles
        All roles.
    wanted
        Ids of roles; None where there is none.

    Returns
    -------
    list of dict
        For each, ``isco08`` and ``ssyk2012``: ``code`` and ``title`` (empty if not known), or None
        where the role has no code.

    Raises
    ------
    TrainingDataError
        If a crosswalk shipped here is faulty.
    """
    by_id = {role.id: role for role in roles}
    crosswalks = [shipped_crosswalk(standard) for standard in (ISCO_08, SSYK_2012)]

    def codes(role: Role | None) -> Iterator[tuple[str, dict[str, str] | None]]:
        for own in crosswalks:
            code = code_of(role, own.standard) if role else None
            yield own.standard.id, {"code": code, "title": own.title(code)} if code else None

    return [dict(codes(by_id.get(role or ""))) for role in wanted]
