"""Fixtures of the tests of roles."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.template.response import TemplateResponse

from alliance import errors


@pytest.fixture
def unrendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages answer without being drawn, and refusals too: what is asked here is whether they answer at all."""
    monkeypatch.setattr(TemplateResponse, "rendered_content", "")
    monkeypatch.setattr(errors, "_answer", lambda request, said: HttpResponse(status=said.status))
