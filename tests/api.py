"""The resources of the API by name, written out, and what every test of a refusal looks at."""

from __future__ import annotations

from typing import Any

LISTS = [
    "conferences",
    "sessions",
    "side-events",
    "speakers",
    "organisations",
    "rooms",
    "releases",
    "materials",
    "recommendations",
    "countries",
    "admissions",
    "figures",
]

WITH_TOKEN = ["delegations", "participants", "registrations"]  # tests/registration/test_api_access.py has the table


def problem(response: Any, status: int, kind: str) -> dict[str, Any]:
    """The problem document of an answer. Fails on anything else."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    assert (found["type"], found["status"]) == (f"urn:alliance:problem:{kind}", status)
    assert found["title"]
    assert "Traceback" not in response.content.decode()
    return found
