"""Errors as `application/problem+json`.

References
----------
.. [1] RFC 9457, "Problem Details for HTTP APIs".
"""

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, json
from werkzeug.exceptions import HTTPException, InternalServerError

KINDS_BY_STATUS = {
    400: "bad-request",
    404: "not-found",
    405: "wrong-method",
    413: "too-large",
    415: "unsupported-type",
    500: "fault",
}
"""The kinds of problems that Flask itself finds."""


class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """A request that cannot be answered.

    Parameters
    ----------
    status
        HTTP status code.
    kind
        The stable name of the kind of problem.
    title
        What the kind of problem is.
    detail
        What is wrong with this request and what to do.
    headers
        Headers of the answer, such as ``Retry-After``.
    more
        Further members of the problem, such as the faulty fields.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        title: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})
        self.body = {"type": f"/problems/{kind}", "title": title, "status": status, **more}
        self.body["detail"] = detail


def problem_body(status: int, kind: str, title: str, detail: str) -> str:
    """Return a problem as JSON, for what is refused before the application sees it."""
    return _as_json(Problem(status, kind, title, detail).body)


def _as_json(body: Mapping[str, Any]) -> str:
    return json.dumps(body) + "\n"


def _response(body: Mapping[str, Any], status: int) -> Response:
    return Response(_as_json(body), status, content_type="application/problem+json")


def _from_problem(problem: Problem) -> Response:
    response = _response(problem.body, problem.status)
    response.headers.update(problem.headers)
    return response


def _from_http(error: HTTPException) -> Response:
    status = error.code or 500
    kind = KINDS_BY_STATUS.get(status)
    body = {
        "type": f"/problems/{kind}" if kind else "about:blank",
        "title": error.name,
        "status": status,
    }
    response = _response(body | {"detail": error.description or error.name}, status)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def register(app: Flask) -> None:
    """Make an app answer every error as a problem.

    Parameters
    ----------
    app
        The app; what goes wrong unforeseen is logged there, without the request's text.
    """

    def unforeseen(error: Exception) -> Response:
        # the message may quote what was sent, and titles are personal data: the type has to do
        app.logger.error("unforeseen %s", type(error).__name__)
        return _from_http(InternalServerError())

    app.register_error_handler(Problem, _from_problem)
    app.register_error_handler(HTTPException, _from_http)
    app.register_error_handler(Exception, unforeseen)
