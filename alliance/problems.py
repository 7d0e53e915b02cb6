"""API errors as RFC 9457 problem documents."""

from typing import Any

from rest_framework.response import Response
from rest_framework.views import exception_handler


def problem_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to an exception in an API view."""
    return exception_handler(error, context)
