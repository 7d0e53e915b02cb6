"""Platforms that run in this process, and meetings on them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.video.fakes.zoom import FakeZoom


@pytest.fixture
def zoom() -> Iterator[FakeZoom]:
    """A Zoom of the test's own."""
    fake = FakeZoom()
    yield fake
    fake.close()
