"""The Word files: opened again by python-docx, with headings, footnotes, languages, and nothing that is not ours."""

from __future__ import annotations

import io
import re
import zipfile
from xml.etree import ElementTree as ET

import pytest

from events.documents import build, word, word_parts
from events.documents.model import Document, Kind
from events.models import Session
from tests.events.documents import W, word_headings, word_part
from tests.events.documents import word as read
from tests.factories import (
    NOW,
    ContributionFactory,
    ConvenorshipFactory,
    CountryFactory,
    ReferenceFactory,
    SegmentFactory,
    SideEventFactory,
    TextSectionFactory,
)

pytestmark = pytest.mark.django_db

# The order that the schema of the format (ECMA-376, wml.xsd) asks of what we write; Word refuses files that differ.
ORDER = {
    "rPr": "rStyle rFonts b bCs i iCs color sz szCs u vertAlign lang",
    "pPr": "pStyle keepNext keepLines pageBreakBefore numPr pBdr shd tabs spacing ind jc outlineLvl",
    "tblPr": "tblW tblInd tblBorders tblLayout tblCellMar tblLook",
    "trPr": "cantSplit tblHeader",
    "sectPr": "headerReference footerReference pgSz pgMar titlePg",
    "style": "name basedOn next uiPriority semiHidden qFormat pPr rPr tblPr",
    "lvl": "start numFmt lvlText lvlJc pPr",
    "settings": "zoom defaultTabStop characterSpacingControl footnotePr compat themeFontLang",
}


@pytest.fixture
def session() -> Session:
    """A side event with one of everything."""
    side: Session = SideEventFactory(title={"en": "Side by side", "ru": "Рядом"}, number=1, state="cancelled")
    ConvenorshipFactory(session=side)
    text = "First.\n\n- One\n  1. Deep\n- Two\n\n3. Drei\n4. Vier\n\nThen\n\n1. Eins\n\n> Said\n\n**Bold** [link](https://a.example/?a&b)"
    TextSectionFactory(session=side, kind="background", text={"en": text})
    ReferenceFactory(conference=side.conference, session=side, url="https://source.example/1")
    country = CountryFactory(footnote={"en": "A note."})
    for _number in (1, 2):
        ContributionFactory(
            session=side, segment=SegmentFactory(session=side), country=country, country_meaning="stated"
        )
    SegmentFactory(session=side, kind="discussion", heading={"en": "Discussion"})
    return side


def document(session: Session, kind: Kind = Kind.PROGRAMME, language: str = "en") -> Document:
    """A document about the session's conference, as data."""
    return build.conference_document(kind, session.conference, now=NOW, language=language)


def parts(content: bytes) -> dict[str, ET.Element]:
    """All parts of the file, read."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: ET.fromstring(archive.read(name)) for name in archive.namelist()}  # noqa: S314  # our own


def test_headings_build_an_outline_without_gaps(session: Session) -> None:
    programme = word_headings(word.docx(document(session)))
    agenda = word_headings(word.docx(document(session, Kind.AGENDA)))

    title = str(session.conference.title)
    assert programme == [
        (0, title),
        (1, "Overview"),
        (2, "Day 1: Monday 15 July 2030"),
        (1, "Day 1: Monday 15 July 2030"),
        (2, "Side event 1 · Cancelled Side by side"),
        (3, "Background"),
        (3, "Programme"),
        (4, "Speakers"),
        (4, "Speakers"),
    ]
    assert agenda == [
        (0, title),
        (1, "Day 1: Monday 15 July 2030"),
        (2, "11:00–12:00 · Side event 1 · Cancelled Side by side"),
        (3, "Speakers"),
        (3, "Speakers"),
    ]


@pytest.mark.parametrize(("language", "locale"), [("en", "en-GB"), ("fr", "fr-FR"), ("ru", "ru-RU")])
def test_languages_are_marked(session: Session, language: str, locale: str) -> None:
    content = word.docx(document(session, language=language))

    assert read(content).core_properties.language == locale
    styles = word_part(content, "word/styles.xml")
    assert styles.find(f"{W}docDefaults//{W}lang").get(f"{W}val") == locale
    marked = {
        run.find(f"{W}rPr/{W}lang").get(f"{W}val"): "".join(text.text or "" for text in run.iter(f"{W}t"))
        for run in word_part(content, "word/document.xml").iter(f"{W}r")
        if run.find(f"{W}rPr/{W}lang") is not None
    }
    assert set(marked) == (set() if language == "en" else {"en-GB"})


def test_footnotes_are_real_and_counted_through(session: Session) -> None:
    content = word.docx(document(session))
    body, notes = word_part(content, "word/document.xml"), word_part(content, "word/footnotes.xml")

    marks = [mark.get(f"{W}id") for mark in body.iter(f"{W}footnoteReference")]
    told = {note.get(f"{W}id"): "".join(text.text or "" for text in note.iter(f"{W}t")).strip() for note in notes}
    assert marks == ["1", "2"]
    assert told == {"-1": "", "0": "", "1": "A source https://source.example/1", "2": "A note."}
    fields = [field.get(f"{W}instr").split() for field in body.iter(f"{W}fldSimple")]
    assert fields == [["NOTEREF", "_RefNote2", "\\f", "\\h"]]
    assert "_RefNote2" in [mark.get(f"{W}name") for mark in body.iter(f"{W}bookmarkStart")]


def test_lists_count_on_their_own_and_nest(session: Session) -> None:
    content = word.docx(document(session))
    found = []
    for paragraph in read(content).paragraphs:
        number = paragraph._p.find(f"{W}pPr/{W}numPr")
        if number is not None:
            found.append((paragraph.text, *(int(part.get(f"{W}val")) for part in number)))
    numbering = word_part(content, "word/numbering.xml")
    starts = {
        int(num.get(f"{W}numId")): int(num.find(f"{W}lvlOverride/{W}startOverride").get(f"{W}val"))
        for num in numbering.iter(f"{W}num")
        if num.find(f"{W}lvlOverride") is not None
    }

    assert found == [("One", 0, 1), ("Deep", 1, 2), ("Two", 0, 1), ("Drei", 0, 3), ("Vier", 0, 3), ("Eins", 0, 4)]
    assert starts == {2: 1, 3: 3, 4: 1}


def test_file_holds_only_our_parts_and_no_author_or_date(session: Session) -> None:
    content = word.docx(document(session))
    properties = read(content).core_properties

    assert set(parts(content)) == {
        "[Content_Types].xml",
        "_rels/.rels",
        "docProps/core.xml",
        "word/document.xml",
        "word/styles.xml",
        "word/settings.xml",
        "word/numbering.xml",
        "word/footnotes.xml",
        "word/header1.xml",
        "word/footer1.xml",
        "word/_rels/document.xml.rels",
        "word/_rels/footnotes.xml.rels",
    }
    assert properties.title == f"Programme – {session.conference.title}"
    assert (properties.author, properties.last_modified_by, properties.comments) == ("", "", "")
    assert (properties.created, properties.modified) == (None, None)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert content == word.docx(document(session))


def test_every_relation_leads_somewhere_and_every_style_exists(session: Session) -> None:
    content = word.docx(document(session))
    found = parts(content)
    styles = {style.get(f"{W}styleId") for style in found["word/styles.xml"].iter(f"{W}style")}
    used = set()
    for name, root in found.items():
        for node in root.iter():
            if node.tag in (f"{W}pStyle", f"{W}rStyle", f"{W}basedOn", f"{W}next"):
                used.add(node.get(f"{W}val"))
            if relation := node.get(f"{{{word_parts.RELATIONS}}}id"):
                folder, _slash, part = name.rpartition("/")
                targets = {row.get("Id"): row for row in found[f"{folder}/_rels/{part}.rels"]}
                target = targets[relation]
                outside = target.get("TargetMode") == "External"
                assert outside or f"word/{target.get('Target')}" in found
    assert used <= styles
    links = [row.get("Target") for row in found["word/_rels/document.xml.rels"] if row.get("TargetMode")]
    assert "https://a.example/?a&b" in links


def test_elements_stand_in_the_order_of_the_schema(session: Session) -> None:
    checked = set()
    for root in parts(word.docx(document(session))).values():
        for node in root.iter():
            name = node.tag.removeprefix(W)
            if name in ORDER:
                order = ORDER[name].split()
                places = [order.index(child.tag.removeprefix(W)) for child in node]
                assert places == sorted(places), (name, [child.tag for child in node])
                checked.add(name)
    assert checked == set(ORDER)


def test_table_repeats_its_head_and_pages_are_counted(session: Session) -> None:
    content = word.docx(document(session))
    [table] = read(content).tables
    section = read(content).sections[0]

    assert [cell.text for cell in table.rows[0].cells] == ["Time", "Session", "Convenor"]
    assert table.rows[0]._tr.find(f"{W}trPr/{W}tblHeader") is not None
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
    footer = ET.tostring(parts(content)["word/footer1.xml"], encoding="unicode")
    assert re.findall(r'instr=" (\w+) "', footer) == ["PAGE", "NUMPAGES"]
    assert session.conference.title.best().text in section.header.paragraphs[0].text
