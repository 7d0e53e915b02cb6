"""Errors as problem documents: what the handler makes of each kind."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.translation import gettext_lazy
from rest_framework import exceptions, serializers

from alliance import problems
from alliance.exceptions import DomainError


class NoPlaceLeft(DomainError):
    """A rule for the test."""

    code = "no-place-left"
    message = gettext_lazy("All places are taken.")


def handled(error: Exception) -> Any:
    """What the handler makes of an error."""
    response = problems.problem_handler(error, {})
    assert response is not None
    assert response.content_type == "application/problem+json"
    return response


def test_rule_that_says_no_is_409_with_its_code() -> None:
    response = handled(NoPlaceLeft())

    assert response.status_code == 409
    assert response.data == {
        "type": "urn:alliance:problem:no-place-left",
        "title": "The rules do not allow this",
        "status": 409,
        "detail": "All places are taken.",
        "code": "no-place-left",
    }


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (exceptions.ParseError(), 400, "bad-request"),
        (exceptions.NotAuthenticated(), 401, "not-authenticated"),
        (exceptions.AuthenticationFailed(), 401, "not-authenticated"),
        (exceptions.PermissionDenied(), 403, "forbidden"),
        (exceptions.UnsupportedMediaType("text/csv"), 415, "unsupported-media-type"),
        (exceptions.Throttled(wait=7), 429, "too-many-requests"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_of_the_framework_are_problem_documents(error: Exception, status: int, kind: str) -> None:
    response = handled(error)

    assert (response.status_code, response.data["type"]) == (status, f"urn:alliance:problem:{kind}")
    assert response.headers.get("Retry-After") == ("7" if status == 429 else None)


def test_faults_of_a_body_are_told_by_field() -> None:
    error = exceptions.ValidationError({"people": [{}, {"email": ["Not an address."]}], "note": ["Too long."]})

    response = handled(serializers.ValidationError(error.detail))

    assert response.data["errors"] == [
        {
            "where": "body",
            "name": "people.1.email",
            "detail": "Not an address.",
            "pointer": "#/people/1/email",
        },
        {"where": "body", "name": "note", "detail": "Too long.", "pointer": "#/note"},
    ]


def test_error_of_ours_is_left_to_the_middleware() -> None:
    assert problems.problem_handler(ZeroDivisionError(), {}) is None
