"""Documents name what exists."""

import re

import pytest

from tests.services import ROOT


def test_index_of_decisions_names_each_with_its_title() -> None:
    folder = ROOT / "docs" / "decisions"
    index = dict(re.findall(r"^\| \[\d{4}\]\((\S+)\) \| (.+) \|$", (folder / "README.md").read_text(), re.MULTILINE))
    pages = {page.name: page.read_text().splitlines()[0] for page in folder.glob("0*.md")}

    assert {name: f"# {int(name[:4])}. {title}" for name, title in index.items()} == pages


@pytest.mark.parametrize("page", ["docs/testing.md", "docs/operations.md", "docs/decisions/0008-identity.md"])
def test_files_named_in_documents_exist(page: str) -> None:
    named = re.findall(r"`((?:tests|registration|outbox|alliance|deploy)/[\w/*.-]+)`", (ROOT / page).read_text())

    assert [name for name in named if not list(ROOT.glob(name))] == []
