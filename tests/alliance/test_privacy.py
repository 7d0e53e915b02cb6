"""The privacy page promises what the tables keep."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import translation

from alliance.db import EncryptedTextField
from registration.models import Participant

pytestmark = pytest.mark.django_db

SEALED = (
    "Your address, the name behind another name you appear under, and what you need in order to take part are stored "
    "encrypted. The name you appear under, your organisation, function, group and country are stored readably, for "
    "the office that holds the conference."
)


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_page_says_in_every_language_what_is_encrypted(client: Client, language: str) -> None:
    with translation.override(language):
        address, promised = reverse("privacy"), translation.gettext(SEALED)

    page = client.get(address).content.decode()

    assert promised in page
    assert (promised == SEALED) is (language == "en")


def test_what_the_page_calls_encrypted_or_readable_is_so() -> None:
    encrypted = {field.name for field in Participant._meta.get_fields() if isinstance(field, EncryptedTextField)}
    readable = {"display_name", "organisation", "organisation_text", "function", "category", "country"}

    assert encrypted == {"accessibility_needs"}  # address and names are in sealed_identity
    assert readable <= {field.name for field in Participant._meta.get_fields()} - encrypted
