"""The application factory."""

from collections.abc import Mapping
from typing import Any

from flask import Flask

from api import correcting, guards, metrics, openapi, page, problems, review, routes
from api.database import Database
from api.doubts import Doubts
from api.remembered import Remembered
from api.settings import Settings
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
        The model's manifest: what ``/v1/model`` shall tell besides, and the titles that it must
        label right to be ready.

    Returns
    -------
    flask.Flask
        A WSGI application.

    Raises
    ------
    DatabaseError
        If a database was named and cannot be opened.
    """
    settings = settings or Settings()
    app = Flask(__name__, static_folder=None)
    app.config["SETTINGS"] = settings
    app.config["MODEL_FACTS"] = dict(facts or {})
    app.config["USUAL_NAMES"] = read_toml(paths.training_data() / "columns.toml")
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    database = Database.open(settings)
    corrections = model.corrections if database is None else database.live()
    answering = model.asking(corrections)
    app.extensions["classifier"] = answering
    app.extensions["plain"] = model.asking(None)
    app.extensions["remembered"] = Remembered()
    app.extensions["database"] = database
    app.extensions["doubts"] = Doubts(database, settings.review_queue)
    metrics.declare()
    guards.register(app, settings)
    problems.register(app)
    routes.register(app)
    correcting.register(app)
    openapi.register(app, model, settings)
    if not settings.key_hashes:  # a browser has no key to send
        page.register(app)
        review.register(app)
    return app
