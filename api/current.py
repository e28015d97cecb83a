"""What the app that answers a request was made with."""

from flask import current_app

from api.settings import Settings
from classifier import JobTitleClassifier


def current_model() -> JobTitleClassifier:
    """Return the model that answers."""
    model: JobTitleClassifier = current_app.extensions["classifier"]
    return model


def current_settings() -> Settings:
    """Return the limits that hold."""
    settings: Settings = current_app.config["SETTINGS"]
    return settings
