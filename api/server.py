"""Serves the application with waitress."""

from collections.abc import Callable, Mapping
from typing import Any

from waitress.server import create_server

from api.app import create_app
from api.routes import MAX_BODY
from classifier import ClassifierError, JobTitleClassifier


def run(
    model: JobTitleClassifier,
    host: str,
    port: int,
    *,
    facts: Mapping[str, Any] | None = None,
    ready: Callable[[str], object] | None = None,
) -> None:
    """Answer requests until interrupted.

    Parameters
    ----------
    model
        Answers the requests.
    host, port
        Where to listen; port 0 takes any free one.
    facts
        What ``/v1/model`` shall tell of the model.
    ready
        Called with the address once the port is open.

    Raises
    ------
    ClassifierError
        If the address cannot be listened on.
    """
    app = create_app(model, {"MODEL_FACTS": dict(facts or {})})
    try:
        # waitress refuses far larger bodies itself; the application answers the others as problems
        server = create_server(app, host=host, port=port, max_request_body_size=16 * MAX_BODY)
    except OSError as error:
        raise ClassifierError(f"{host}:{port}: cannot listen there ({error.strerror})") from error
    if ready is not None:
        ready(f"http://{server.effective_host}:{server.effective_port}")
    server.run()
