"""What the app that answers a request was made with."""

from flask import current_app

from api.database import Database
from api.settings import Settings
from classifier import JobTitleClassifier


def current_model() -> JobTitleClassifier:
    """Return the model that answers."""
    model: JobTitleClassifier = current_app.extensions["classifier"]
    return model


def current_plain_model() -> JobTitleClassifier:
    """Return the same model, but such that it knows of no corrections."""
    model: JobTitleClassifier = current_app.extensions["plain"]
    return model


def current_settings() -> Settings:
    """Return the limits that hold."""
    settings: Settings = current_app.config["SETTINGS"]
    return settings


def current_database() -> Database | None:
    """Return where corrections are kept, None if nowhere."""
    database: Database | None = current_app.extensions["database"]
    return database
