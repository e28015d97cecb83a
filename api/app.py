"""The application factory."""

from collections.abc import Mapping
from typing import Any

from flask import Flask

from api import guards, metrics, openapi, page, problems, routes
from api.settings import Settings
from api.together import Together
from classifier import JobTitleClassifier, paths
from classifier.taxonomy import read_toml


def create_app(
    model: JobTitleClassifier,
    settings: Settings | None = None,
    *,
    facts: Mapping[str, Any] | None = None,
) -> Flask:
    """Build the service around a loaded model.

    Parameters
    ----------
    model
        Answers the requests.
    settings
        Limits, keys and origins; the usual ones if None.
    facts
        What ``/v1/model`` shall tell besides.

    Returns
    -------
    flask.Flask
        A WSGI application.
    """
    settings = settings or Settings()
    app = Flask(__name__, static_folder=None)
    app.config["SETTINGS"] = settings
    app.config["MODEL_FACTS"] = dict(facts or {})
    app.config["USUAL_NAMES"] = read_toml(paths.training_data() / "columns.toml")
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["classifier"] = model
    app.extensions["together"] = Together(model)
    metrics.declare()
    guards.register(app, settings)
    problems.register(app)
    routes.register(app)
    openapi.register(app, model, settings)
    if not settings.key_hashes:  # a browser has no key to send
        page.register(app)
    return app
