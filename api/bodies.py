"""The bodies of requests, never longer than allowed."""

from flask import request
from werkzeug.wsgi import get_input_stream

from api.current import current_settings
from api.problems import Problem


def read_body() -> bytes:
    """Return the request's body, whether its length was declared or not.

    Raises
    ------
    Problem
        413 if it is too large; the problem tells the limit.
    """
    limit = current_settings().max_body
    declared = request.content_length
    body = b""
    if declared is None or declared <= limit:
        body = get_input_stream(request.environ).read(limit + 1)
    if (not body and declared) or len(body) > limit:
        detail = f"send at most {limit} bytes, in several requests if need be"
        raise Problem(413, "too-large", "The body is too large", detail, limit=limit)
    return body
