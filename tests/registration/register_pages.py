"""The form of registration as a browser fills and sends it."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client

from registration import forms
from registration.models import Admission


def address(admission: Admission, language: str = "en") -> str:
    """The form of the admission's conference."""
    return f"/{language}/{admission.conference.slug}/register/"


def field(admission: Admission) -> str:
    """The name of the field that chooses the admission."""
    return f"attend-{admission.session.slug}" if admission.session else "attend"


def filled(*admissions: Admission, **more: Any) -> dict[str, Any]:
    """What a browser sends for a filled form."""
    values: dict[str, Any] = {
        "token": forms.new_token(),
        "given_name": "Ada",
        "family_name": "Guest",
        "alias": "",
        "email": "ada@mail.example",
        "category": "civil_society",
        "country": "",
        "organisation": "",
        "function": "",
        "accessibility_needs": "",
        "time_zone": "Asia/Almaty",
        "website": "",
    }
    return values | {field(admission): str(admission.public_id) for admission in admissions} | more


def text(response: Any) -> str:
    """The page without its markup, with single blanks."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def follow(client: Client, response: Any) -> Any:
    """The page the answer sends the browser to."""
    assert response.status_code == 303
    return client.get(response["Location"])


def resend_address(admission: Admission) -> str:
    """Where the link is asked for."""
    return f"/en/{admission.conference.slug}/register/resend/"
