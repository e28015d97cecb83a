"""Where training data and models stand, in a checkout and in an installed package."""

from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).resolve().parent


def _checkout() -> Path | None:
    """Return the root of the checkout this code runs from, if it runs from one."""
    root = _PACKAGE.parent
    return root if (root / "pyproject.toml").is_file() else None


def training_data() -> Path:
    """Return the directory of taxonomy, policies, catalogue and word lists."""
    root = _checkout()
    return root / "training_data" if root else _PACKAGE / "training_data"


def models() -> Path:
    """Return the directory of the default model: the checkout's, or the user's cache."""
    root = _checkout()
    return root / "models" if root else Path(platformdirs.user_cache_dir("jobtitle")) / "models"


def corrections() -> Path:
    """Return where the user's own database of corrections stands, or would."""
    return Path(platformdirs.user_data_dir("jobtitle", appauthor=False)) / "corrections.sqlite3"
