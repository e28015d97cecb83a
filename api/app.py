"""The application factory."""

from collections.abc import Mapping
from typing import Any

from flask import Flask

from api import problems, routes
from classifier import JobTitleClassifier


def create_app(model: JobTitleClassifier, config: Mapping[str, Any] | None = None) -> Flask:
    """Build the service around a loaded model.

    Parameters
    ----------
    model
        Answers the requests.
    config
        Flask settings; ``MODEL_FACTS`` holds what ``/v1/model`` shall tell besides.

    Returns
    -------
    flask.Flask
        A WSGI application.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MODEL_FACTS"] = {}
    app.config.from_mapping(config or {})
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["classifier"] = model
    problems.register(app)
    routes.register(app)
    return app
