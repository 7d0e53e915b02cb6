"""What every test needs."""

from collections.abc import Iterator

import pytest

from events import page_cache


@pytest.fixture(autouse=True)
def fresh_pages() -> Iterator[None]:
    """No page kept from another test: test databases count the content version from the same number again."""
    page_cache.forget()
    yield
    page_cache.forget()
