"""Workbooks as LibreOffice reads them: no text becomes a formula, and what it saves again is the same programme."""

from __future__ import annotations

import csv
import shutil
import subprocess
from pathlib import Path

import pytest

from events import programme_file
from events.models import Conference, Session
from speakers.models import Contribution, Person
from tests.events import programme_state
from tests.events.programmes_of_all_kinds import make_everything
from tests.events.test_programme_workbook import DANGEROUS

OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
# LibreOffice without its spreadsheet program reads no workbooks (Debian: libreoffice-calc-nogui).
HAS_CALC = OFFICE is not None and (Path(OFFICE).resolve().parent / "libsclo.so").exists()
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not HAS_CALC, reason="needs LibreOffice Calc"),
]


def convert(file: Path, to: str, folder: Path) -> None:
    """Let LibreOffice open a file and save it as something else."""
    assert OFFICE is not None
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [OFFICE, profile, "--headless", "--convert-to", to, "--outdir", str(folder), str(file)]
    subprocess.run(command, check=True, capture_output=True, timeout=150)


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    """A workbook with something in every column, and with texts that look like formulas."""
    make_everything()
    session = Session.objects.get(key="opening")
    for number, text in enumerate(DANGEROUS, start=100):
        Contribution.objects.create(
            session=session, person=Person.objects.get(key="ada"), position=number, role_title={"en": text},
        )  # fmt: skip
    file = tmp_path / "programme.xlsx"
    file.write_bytes(programme_file.export_workbook(Conference.objects.get()))
    return file


def test_what_libreoffice_saves_again_changes_nothing(workbook: Path, tmp_path: Path) -> None:
    before = programme_state.state()

    convert(workbook, "xlsx", tmp_path / "again")

    assert programme_file.load((tmp_path / "again" / "programme.xlsx").read_bytes()).lines == []
    assert programme_state.state() == before


def test_libreoffice_computes_nothing(workbook: Path, tmp_path: Path) -> None:
    # The eighth sheet, contributions, with what its cells show.
    convert(workbook, "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,8", tmp_path / "csv")

    (file,) = (tmp_path / "csv").glob("*.csv")
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    shown = [row["Title (en)"] for row in rows if row["Title (en)"]]
    assert [text for text in DANGEROUS if text in shown] == DANGEROUS
