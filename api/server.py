"""Serves the application: opens the port, and leaves model and processes to a supervisor."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from api import guards, metrics
from api.app import create_app
from api.port import address_of, listen
from api.settings import Settings
from api.supervisor import Served, Supervisor, logger
from classifier import JobTitleClassifier


def serve_model(
    load: Callable[[], tuple[JobTitleClassifier, Mapping[str, Any]]],
    host: str,
    port: int,
    settings: Settings,
    *,
    state: Callable[[], object],
    prepare: Callable[[], object],
    ready: Callable[[str], object],
) -> None:
    """Open a port, load a model, and answer requests until told to stop.

    Parameters
    ----------
    load
        Loads the model that is active, with its manifest; called when the port is open, since that
        fails sooner, and again when another may have become active.
    host, port
        Where; port 0 takes any free one.
    settings
        How many processes, and their limits.
    state
        Returns what changes when another model becomes active.
    prepare
        Called before the first model is loaded.
    ready
        Called with the address when requests are answered.

    Raises
    ------
    ClassifierError
        If the port cannot be listened on, or the model not be loaded.
    """

    def served() -> Served:
        model, facts = load()
        model.warm_up()  # no request shall wait for what the first would load
        hashes = facts.get("sha256") or {}
        told = {"name": facts.get("name", ""), "sha256": hashes.get("model.joblib", "")}
        app = create_app(model, settings, facts=facts)
        return Served(app, told, finish=app.extensions["doubts"].flush)

    with metrics.shared_between_processes(), listen(host, port) as opened:
        prepare()
        guards.log_to_stderr()
        logger.setLevel(logging.INFO)
        supervisor = Supervisor(served, state, opened, settings)
        supervisor.run(lambda: ready(address_of(opened)))
