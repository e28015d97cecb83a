"""Labels job titles and postings with department, office category, role and seniority."""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = [
    "ClassifierError",
    "Explanation",
    "JobTitleClassifier",
    "Label",
    "Taxonomy",
    "__version__",
    "load_model",
]

if TYPE_CHECKING:
    from classifier.errors import ClassifierError
    from classifier.explanation import Explanation
    from classifier.labels import Label
    from classifier.model import JobTitleClassifier
    from classifier.shipped import load_model
    from classifier.taxonomy import Taxonomy

_HOMES = {
    "ClassifierError": "errors",
    "Explanation": "explanation",
    "JobTitleClassifier": "model",
    "Label": "labels",
    "Taxonomy": "taxonomy",
    "load_model": "shipped",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: scikit-learn takes a second to import."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
