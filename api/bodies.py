"""The bodies of requests, never longer than allowed."""

from flask import request

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
    body = b""
    if request.content_length is None or request.content_length <= limit:
        body = request.stream.read(limit + 1)
    if (not body and request.content_length) or len(body) > limit:
        detail = f"send at most {limit} bytes, in several requests if need be"
        raise Problem(413, "too-large", "The body is too large", detail, limit=limit)
    return body
