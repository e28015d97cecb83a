"""What no schema can say of CSV files, for the run of schemathesis in test_contract."""

import schemathesis
from schemathesis import Case, GenerationMode, HookContext


@schemathesis.hook
def filter_case(context: HookContext, case: Case) -> bool:  # noqa: ARG001 - its name is fixed
    """Leave out files that are no text: they would be none at all."""
    return case.media_type != "text/csv" or isinstance(case.body, str)


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: object) -> None:  # noqa: ARG001
    """Give a file a header, and do not ask for columns it lacks or for reasons."""
    if case.media_type != "text/csv":
        return
    if not case.body.startswith("id;titel"):  # as the document's own example does
        case.body = "titel\n" + "".join(filter(str.isprintable, case.body))
    if case.meta.generation.mode is GenerationMode.POSITIVE:
        for name in ("title", "description", "explain"):
            case.query.pop(name, None)
