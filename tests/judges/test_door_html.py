"""The pages of those who sign in are valid HTML, in every language."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.judges import nu, scenes, staff_scenes

pytestmark = [
    pytest.mark.html,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(nu.java() is None, reason="needs Java (Debian, Ubuntu: apt install default-jre-headless)"),
    pytest.mark.timeout(400),
]


@pytest.mark.parametrize(
    "scene",
    [
        staff_scenes.door,
        staff_scenes.delegations,
        staff_scenes.convenors,
        staff_scenes.speakers,
        staff_scenes.signing,
    ],
)
def test_pages_of_those_who_sign_in(scene: Callable[[list[str]], dict[str, str]], tmp_path: Path) -> None:
    assert nu.complaints(scene(scenes.LANGUAGES), tmp_path) == []
