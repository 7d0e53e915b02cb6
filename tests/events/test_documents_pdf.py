"""The PDF: tagged as assistive technology needs it, whole whatever its texts, and set where nothing can be reached."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pypdf
import pytest
import structlog.testing
from pypdf.generic import IndirectObject

from events import documents
from events.documents import build, pdf, renderer
from events.documents.model import Document, Kind
from events.models import Session
from tests.events.documents import pdf as read
from tests.events.documents import pdf_text, word_text
from tests.factories import (
    NOW,
    ContributionFactory,
    ConvenorshipFactory,
    OrganisationFactory,
    PersonFactory,
    ReferenceFactory,
    SegmentFactory,
    SideEventFactory,
    TextSectionFactory,
)

pytestmark = pytest.mark.django_db

LANGUAGES = ["en", "fr", "de", "it", "es", "ru"]
# Every letter of the six languages, of the names of the region, and the signs of print.
ALPHABET = (
    "ÀÂÆÇÈÉÊËÎÏÔŒÙÛÜŸàâæçèéêëîïôœùûüÿ ÄÖÜẞäöüß ÀÈÉÌÍÎÒÓÙÚ ÁÉÍÑÓÚÜáéíñóúü¿¡ "
    "АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдеёжзийклмнопрстуфхцчшщъыьэюя "
    "ĄĆĘŁŃÓŚŹŻąćęłńóśźż ČĎĚŇŘŠŤŮŽčďěňřšťůž ĐđĆćČčŠšŽž ŐőŰű ĂÂÎȘȚăâîșț ĞğİıŞş ĖėĮįŲųŪūĀāĒēĢģĪīĶķĻļŅņ ŻżĦħĠġĊċ Ëë "
    "ЂЉЊЋЏђљњћџ ЃЅЈЌѓѕјќ ҐЄІЇґєії Ўў ӘҒҚҢӨҰҮҺІәғқңөұүһі ҶҲӢӮҷҳӣӯ ÅØåøæ ÞÐþð Ŵŵ ŷ Ə ə "
    "„“”‚‘’«»‹›–—…•·§†‡№€£°±×½ ¹²³"
)


def document(session: Session, language: str = "en") -> Document:
    """The programme of the session's conference, as data."""
    return build.conference_document(Kind.PROGRAMME, session.conference, now=NOW, language=language)


def resolved(value: Any) -> Any:
    """What a reference in a PDF refers to."""
    return value.get_object() if isinstance(value, IndirectObject) else value


def elements(reader: pypdf.PdfReader) -> Iterator[Any]:
    """The structure elements in the order of reading."""

    def walk(node: Any) -> Iterator[Any]:
        node = resolved(node)
        if isinstance(node, list):
            for child in node:
                yield from walk(child)
        elif isinstance(node, dict):
            if "/S" in node and node.get("/Type") != "/Action":
                yield node
            yield from walk(node.get("/K"))

    root: Any = reader.trailer["/Root"]
    yield from walk(root["/StructTreeRoot"]["/K"])


@pytest.fixture
def session() -> Session:
    """A side event with one of everything."""
    side: Session = SideEventFactory(title={"en": "Side by side", "ru": "Рядом"}, number=1)
    ConvenorshipFactory(session=side)
    text = "First.\n\n- One\n- Two\n\n1. Eins\n2. Zwei\n\n> Said\n\n**Bold** and [a link](https://a.example/)"
    TextSectionFactory(session=side, kind="background", text={"en": text})
    ReferenceFactory(conference=side.conference, session=side)
    segment = SegmentFactory(session=side)
    ContributionFactory(session=side, segment=segment)
    return side


# --- accessible -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_pdf_is_tagged_and_promises_pdf_ua(session: Session, language: str) -> None:
    reader = read(documents.as_pdf(document(session, language)))
    root: Any = reader.trailer["/Root"]

    assert root["/Lang"] == language
    assert root["/MarkInfo"]["/Marked"].value is True
    assert root["/ViewerPreferences"]["/DisplayDocTitle"].value is True
    assert str(session.conference.title) in reader.metadata.title  # type: ignore[union-attr, operator]
    assert reader.metadata.author is None  # type: ignore[union-attr]
    assert reader.metadata.creation_date is None  # type: ignore[union-attr]
    assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_data()
    assert not {"/AcroForm", "/OpenAction", "/AA"} & set(root)
    assert "/JavaScript" not in root.get("/Names", {})
    assert "/EmbeddedFiles" not in root.get("/Names", {})


def test_pdf_has_headings_lists_tables_notes_and_links_in_its_structure(session: Session) -> None:
    kinds = [str(element["/S"]) for element in elements(read(documents.as_pdf(document(session))))]

    levels = [int(kind[2:]) for kind in kinds if kind[:2] == "/H" and kind[2:].isdigit()]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels)), levels
    for kind in ("/Table", "/TH", "/TD", "/L", "/LI", "/Link", "/Note", "/BlockQuote", "/Strong"):
        assert kind in kinds, sorted(set(kinds))


def test_text_in_another_language_is_marked(session: Session) -> None:
    marked = [element.get("/Lang") for element in elements(read(documents.as_pdf(document(session, "ru"))))]

    assert "en" in marked


def test_all_pages_say_which_they_are_of_how_many(session: Session) -> None:
    reader = read(documents.as_pdf(document(session)))
    count = len(reader.pages)

    assert count > 1
    for number, page in enumerate(reader.pages, 1):
        assert f"Page {number} of {count}" in page.extract_text()
        width, height = page.mediabox.width, page.mediabox.height
        assert (round(width), round(height)) == (595, 842)  # A4


def test_every_letter_of_the_region_has_a_picture_in_the_shipped_font() -> None:
    setter = renderer.Setter(Path(), pdf.fonts())

    assert setter.missing("".join(sorted(set(ALPHABET)))) == ""
    assert setter.missing("a漢b😀") == "漢😀"
    assert (pdf.fonts().parent / "LICENSE").read_text(encoding="utf-8").count("SIL Open Font License") > 0


def test_letters_come_out_as_they_went_in(session: Session) -> None:
    session.summary = {"en": ALPHABET}
    session.save()

    made = document(session)

    for text in (pdf_text(documents.as_pdf(made)), word_text(documents.as_docx(made))):
        assert ALPHABET.replace(" ", "") in text.replace(" ", "")  # lines may be broken anywhere in it


def test_only_our_font_is_embedded(session: Session) -> None:
    reader = read(documents.as_pdf(document(session, "ru")))
    fonts = {
        str(resolved(font)["/BaseFont"]).partition("+")[2]
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()  # type: ignore[index]
    }

    assert fonts
    assert all(font.startswith("NotoSans") for font in fonts), fonts


# --- hostile texts ----------------------------------------------------------------------------------------------------

HOSTILE = [
    pytest.param('#read("/etc/passwd")', id="typst reads"),
    pytest.param('#import "@preview/example:0.1.0": *', id="typst loads"),
    pytest.param("#panic() $x^2$ *bold* _it_ `raw` <label> @ref = H // c /* d */ \\ ~ -- ---", id="typst markup"),
    pytest.param('"; #let doc = 1; {[(\\u{41})]}', id="typst code"),
    pytest.param("</w:t></w:r><w:r><w:t>&amp;&lt;![CDATA[x]]>", id="xml"),
    pytest.param("{page} {pages} {{ x }} %(page)s {% raw %}", id="placeholders"),
    pytest.param("a\tb c", id="blanks"),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_printed_as_they_stand(text: str) -> None:
    side = SideEventFactory(title={"en": text}, platform_label=text[:80])
    side.conference.title = {"en": text}
    side.conference.save()
    ConvenorshipFactory(session=side, organisation=OrganisationFactory(name={"en": text}))
    ReferenceFactory(conference=side.conference, session=side, citation=text)
    segment = SegmentFactory(session=side, heading={"en": text})
    person = PersonFactory(display_name=text)
    ContributionFactory(session=side, segment=segment, person=person, role_title={"en": text})

    made = document(side)

    expected = " ".join(text.split())
    for content in (pdf_text(documents.as_pdf(made)), word_text(documents.as_docx(made))):
        # Lines may be broken anywhere in it.
        assert content.replace(" ", "").count(expected.replace(" ", "")) >= 7


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x\x00\x01\x08\x0b\x1f\x7f\ufffe\uffff\ud7ff y", id="control"),
        pytest.param("W" * 10_000, id="a very long word"),
        pytest.param("Ж" * 300 + " " + "漢" * 300, id="long words"),
        pytest.param("漢字 😀 ᠮᠣᠩ \ue000", id="letters without a picture"),
        pytest.param("مرحبا بالعالم שלום \u202etxt.exe\u2066", id="right to left"),
        pytest.param("e\u0301" * 50 + "\u0300\u0301\u0302", id="combining"),
        pytest.param("\u200b\u00ad\u200d\ufeff\u2028\u2029", id="invisible"),
        pytest.param("> " * 60 + "deep\n\n" + "".join(" " * 2 * at + "- x\n" for at in range(40)), id="deep nesting"),
        pytest.param("<script>alert(1)</script> ![x](https://x.example/x.png) [y](javascript:alert(1))", id="html"),
    ],
)
def test_documents_come_out_whatever_the_texts(text: str) -> None:
    text = text.replace("\x00", "")  # which PostgreSQL cannot hold
    side = SideEventFactory(title={"en": f"{text[:400]} end"}, summary={"en": text})
    TextSectionFactory(session=side, kind="background", text={"en": text}, heading={"en": text[:400]})
    ContributionFactory(session=side, person=PersonFactory(display_name=f"N {text[:150]}"))

    made = document(side)
    reader = read(pdf.pdf(made))

    root: Any = reader.trailer["/Root"]
    assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_data()
    assert 2 <= len(reader.pages) < 20
    assert "end" in word_text(documents.as_docx(made))
    assert "javascript" not in str([run.link for run in runs_of(made)])
    assert "\u202e" not in made.as_json().decode()


def runs_of(made: Document) -> list[Any]:
    """All runs in the texts of a document."""
    found = []
    texts = [text for day in made.days for item in day.items for section in item.sections for text in section.texts]
    while texts:
        text = texts.pop()
        found += text.runs
        texts += [child for item in text.items for child in item]
    return found


def test_letters_without_a_picture_become_the_sign_for_unknown() -> None:
    side = SideEventFactory(title={"en": "A漢B"})

    assert "A\ufffdB" in pdf_text(documents.as_pdf(document(side)))


def test_long_words_stay_on_the_page() -> None:
    side = SideEventFactory(title={"en": "W" * 400})
    reader = read(documents.as_pdf(document(side)))
    rights: list[float] = []

    def visit(text: str, _cm: Any, matrix: Any, _font: Any, size: Any) -> None:
        if "W" in text:
            rights.append(float(matrix[4]))

    for page in reader.pages:
        page.extract_text(visitor_text=visit)
    assert len(rights) > 10
    assert max(rights) < 595 - 60


# --- the process that sets --------------------------------------------------------------------------------------------


def behind_the_door(code: str) -> subprocess.CompletedProcess[str]:
    """What becomes of code in a process that has given up what the renderer gives up."""
    start = (
        "import importlib.util, sys, typst\n"
        f"spec = importlib.util.spec_from_file_location('renderer', {str(Path(renderer.__file__))!r})\n"
        "renderer = importlib.util.module_from_spec(spec); spec.loader.exec_module(renderer)\n"
        "renderer.give_up()\n"
    )
    return subprocess.run(
        [sys.executable, "-I", "-c", start + code], capture_output=True, text=True, timeout=60, check=False
    )


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's filter is Linux's")


@on_linux
@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import socket; socket.create_connection(('127.0.0.1', 9), 1)", id="network"),
        pytest.param("import socket; socket.socket(socket.AF_UNIX)", id="unix socket"),
        pytest.param("import os; os.execv('/bin/true', ['true'])", id="program"),
        pytest.param("import subprocess; subprocess.run(['/bin/true'])", id="child"),
    ],
)
def test_renderer_reaches_no_network_and_no_program(code: str) -> None:
    answer = behind_the_door(code)

    assert answer.returncode != 0
    assert "PermissionError" in answer.stderr


@on_linux
def test_renderer_writes_no_file_and_has_an_end_of_memory(tmp_path: Path) -> None:
    target = tmp_path / "file"
    answer = behind_the_door(f"open({str(target)!r}, 'wb', buffering=0).write(b'x')")
    assert answer.returncode != 0
    assert not target.exists() or target.stat().st_size == 0

    assert "MemoryError" in behind_the_door("x = bytearray(2 * 1024 ** 3)").stderr
    assert behind_the_door("print('fine')").stdout == "fine\n"


def test_template_reads_nothing_outside_its_folder(tmp_path: Path) -> None:
    import typst

    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("canary")
    template = folder / "document.typ"
    for path in ("../secret.txt", "/../secret.txt", str(tmp_path / "secret.txt")):
        template.write_text(f"#read({json.dumps(path)})")
        with pytest.raises(typst.TypstError):
            renderer.Setter(template, pdf.fonts()).compile({}, ["1.7"])


def test_renderer_knows_nothing_of_our_environment(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    real = subprocess.run

    def watched(command: Any, **more: Any) -> Any:
        given.append((command, more))
        return real(command, **more)

    monkeypatch.setattr(subprocess, "run", watched)

    pdf.pdf(document(session))

    [(command, more)] = given
    assert not set(more["env"]) & {name for name in os.environ if "KEY" in name or "URL" in name}
    assert command[1] == "-I"
    assert more["timeout"] < 30


def test_renderer_that_hangs_or_fails_is_an_error_without_content(
    session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slow, broken = tmp_path / "slow.py", tmp_path / "broken.py"
    slow.write_text("import time; time.sleep(60)")
    broken.write_text("import sys; sys.stdout.write('not a PDF'); sys.exit('what was wrong')")
    monkeypatch.setattr(pdf, "_SECONDS", 0.5)
    for script, reason in ((slow, "time is up"), (broken, "what was wrong")):
        monkeypatch.setattr(pdf, "_RENDERER", script)
        with structlog.testing.capture_logs() as logs, pytest.raises(documents.DocumentFailed) as caught:
            pdf.pdf(document(session))
        assert "Side by side" not in str(caught.value)
        assert [(entry["event"], entry["reason"]) for entry in logs] == [("document_failed", reason)]


def test_renderer_says_what_failed_without_the_content() -> None:
    command = [sys.executable, "-I", renderer.__file__, "/nothing/document.typ", str(pdf.fonts())]

    answer = subprocess.run(command, input=b'{"title": "canary"}', capture_output=True, timeout=60, check=False)

    assert (answer.returncode, answer.stdout) == (1, b"")
    assert answer.stderr.strip() == b"FileNotFoundError"


def test_too_large_a_document_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Large:
        def as_json(self) -> bytes:
            return b" " * (renderer.MOST_BYTES + 1)

    with pytest.raises(documents.DocumentFailed):
        pdf.pdf(Large())  # type: ignore[arg-type]
