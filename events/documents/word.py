"""Documents as Word files (.docx, ECMA-376): headings, real footnotes, marked languages, no macros, no author.

Written here and not by a library: what offices need of them (footnotes, lists that start anew, nothing but our own
metadata, the same bytes every time) is what libraries lack. The tests read the files with python-docx.
"""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

from events.documents import word_parts as parts
from events.documents.model import Block, Day, Document, Fact, Item, Prose, Run, Runs

_FIXED = [("styles", False), ("settings", False), ("numbering", False), ("footnotes", False)]


def docx(document: Document) -> bytes:
    """The document as a Word file."""
    return _Word(document).content()


def _run(text: str, properties: str = "") -> str:
    """A run of text; line breaks in it stay."""
    said = "<w:br/>".join(
        f'<w:t xml:space="preserve">{escape(line)}</w:t>' if line else "" for line in text.split("\n")
    )
    return f"<w:r>{f'<w:rPr>{properties}</w:rPr>' if properties else ''}{said}</w:r>" if said else ""


def _paragraph(style: str, content: str, properties: str = "") -> str:
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{properties}</w:pPr>{content}</w:p>'


def _field(instruction: str, shown: str, properties: str = "") -> str:
    return f'<w:fldSimple w:instr=" {instruction} ">{_run(shown, properties)}</w:fldSimple>'


class _Part:
    """A part with runs of text, and the addresses outside the file that it leads to."""

    def __init__(self, targets: list[tuple[str, str, bool]]) -> None:
        self.targets = targets
        self._links: dict[str, int] = {}

    def run(self, run: Run) -> str:
        """A piece of text."""
        properties = '<w:rStyle w:val="Hyperlink"/>' if run.link else ""
        properties += "<w:b/><w:bCs/>" if run.is_bold else ""
        properties += "<w:i/><w:iCs/>" if run.is_italic else ""
        properties += f'<w:lang w:val="{escape(parts.locale(run.language))}"/>' if run.language else ""
        content = _run(run.text, properties)
        if not run.link:
            return content
        if run.link not in self._links:
            self.targets.append(("hyperlink", run.link, True))
            self._links[run.link] = len(self.targets)
        return f'<w:hyperlink r:id="rId{self._links[run.link]}">{content}</w:hyperlink>'


class _Word:
    """Writes one document from top to bottom."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.words = document.words
        fixed = [(name, f"{name}.xml", outside) for name, outside in _FIXED]
        self.body = _Part([*fixed, ("header", "header1.xml", False), ("footer", "footer1.xml", False)])
        self.notes = _Part([])
        self.lists: list[tuple[int, int]] = []  # numbered ones: depth and first number
        self.content_parts: list[str] = []

    # --- the file ----------------------------------------------------------------------------------------------------

    def content(self) -> bytes:
        """The bytes of the file."""
        document = self.document
        body = self._body()
        notes = self._notes()
        names = ["document", "styles", "settings", "numbering", "footnotes", "header1", "footer1"]
        types = parts.content_types(names).replace("header1+xml", "header+xml").replace("footer1+xml", "footer+xml")
        files = {
            "[Content_Types].xml": types,
            "_rels/.rels": parts.relations(
                [("officeDocument", "word/document.xml", False), ("core-properties", "docProps/core.xml", False)]
            ),
            "docProps/core.xml": parts.core(f"{document.name} – {document.plain_title}", document.language),
            "word/document.xml": body,
            "word/styles.xml": parts.styles(document.language),
            "word/settings.xml": parts.settings(document.language),
            "word/numbering.xml": parts.numbering(self.lists),
            "word/footnotes.xml": notes,
            "word/header1.xml": self._header(),
            "word/footer1.xml": self._footer(),
            "word/_rels/document.xml.rels": parts.relations(self.body.targets),
        }
        if self.notes.targets:
            files["word/_rels/footnotes.xml.rels"] = parts.relations(self.notes.targets)
        return parts.package(files)

    def _header(self) -> str:
        tab = f'<w:tabs><w:tab w:val="right" w:pos="{parts.TEXT_WIDTH}"/></w:tabs>'
        content = f"{_run(self.document.plain_title)}<w:r><w:tab/></w:r>{_run(self.document.name)}"
        return f"{parts.HEAD}<w:hdr {parts.NAMESPACES}>{_paragraph('Header', content, tab)}</w:hdr>"

    def _footer(self) -> str:
        numbers = {"{page}": _field("PAGE", "1"), "{pages}": _field("NUMPAGES", "1")}
        said = [numbers.get(part) or _run(part) for part in re.split(r"(\{pages?\})", self.words.page)]
        return f"{parts.HEAD}<w:ftr {parts.NAMESPACES}>{_paragraph('Footer', ''.join(said))}</w:ftr>"

    def _notes(self) -> str:
        def line(kind: str, number: int, mark: str) -> str:
            return f'<w:footnote w:type="{kind}" w:id="{number}"><w:p><w:r><w:{mark}/></w:r></w:p></w:footnote>'

        said = [line("separator", -1, "separator"), line("continuationSeparator", 0, "continuationSeparator")]
        for number, runs in enumerate(self.document.notes, 1):
            mark = '<w:r><w:rPr><w:rStyle w:val="FootnoteReference"/></w:rPr><w:footnoteRef/></w:r>'
            content = mark + _run(" ") + "".join(map(self.notes.run, runs))
            said.append(f'<w:footnote w:id="{number}">{_paragraph("FootnoteText", content)}</w:footnote>')
        return f"{parts.HEAD}<w:footnotes {parts.NAMESPACES}>{''.join(said)}</w:footnotes>"

    # --- texts -------------------------------------------------------------------------------------------------------

    def _runs(self, runs: Runs) -> str:
        return "".join(self._mark(run) if run.note else self.body.run(run) for run in runs)

    def _mark(self, run: Run) -> str:
        """A footnote's mark; a later one is a field that follows the number of the first."""
        style = '<w:rStyle w:val="FootnoteReference"/>'
        name = f"_RefNote{run.note}"
        if not run.is_first_mark:
            return _field(rf"NOTEREF {name} \f \h", str(run.note), style)
        reference = f'<w:r><w:rPr>{style}</w:rPr><w:footnoteReference w:id="{run.note}"/></w:r>'
        return f'<w:bookmarkStart w:id="{run.note}" w:name="{name}"/>{reference}<w:bookmarkEnd w:id="{run.note}"/>'

    def _add(self, style: str, content: str, properties: str = "") -> None:
        self.content_parts.append(_paragraph(style, content, properties))

    def _prose(self, texts: list[Prose], style: str = "Normal", level: int = -1) -> None:
        """Paragraphs and lists; level: how deep the lists around are nested, from 0."""
        for text in texts:
            if text.kind == "paragraph":
                indent = f'<w:ind w:left="{397 * (level + 1)}"/>' if level >= 0 else ""
                self._add(style, self._runs(text.runs), indent)
            elif text.kind == "quote":
                self._prose(text.items[0], "Quote", level)
            else:
                self._list(text, level + 1)

    def _list(self, text: Prose, level: int) -> None:
        number = 1
        if text.kind == "numbers":
            self.lists.append((level, text.start))
            number = len(self.lists) + 1
        place = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>'
        for item in text.items:
            first, rest = (item[0], item[1:]) if item and item[0].kind == "paragraph" else (Prose("paragraph"), item)
            self._add("ListParagraph", self._runs(first.runs), place)
            self._prose(rest, "ListParagraph", level)

    def _facts(self, facts: list[Fact]) -> None:
        for fact in facts:
            label = _run(fact.label, '<w:rStyle w:val="Label"/>')
            self._add("Fact", f"{label}<w:r><w:tab/></w:r>{self._runs(fact.runs)}")

    # --- the document ------------------------------------------------------------------------------------------------

    def _body(self) -> str:
        document = self.document
        if document.above_title:
            self._add("Subtitle", self._runs(document.above_title))
        self._add("Title", self._runs(document.title))
        for line in document.below_title:
            self._add("Subtitle", self._runs(line))
        self._add("DocumentName", _run(document.name))
        for mark in document.marks:
            self._add("Mark", _run(mark))
        for remark in document.remarks:
            self._add("Normal", self._runs(remark))
        if document.has_overview:
            self._add("Heading1", _run(self.words.overview))
            for day in document.days:
                if day.rows:
                    self._overview(day)
        for at, day in enumerate(document.days):
            new_page = "<w:pageBreakBefore/>" if at == 0 and document.has_overview else ""
            self._add("Heading1", _run(day.heading), new_page)
            if not day.items:
                self._add("Normal", _run(self.words.nothing))
            for item in day.items:
                self._item(item)
        if document.contact:
            self._add("Heading3", _run(self.words.contact))
            for line in document.contact:
                self._add("Normal", self._runs(line))
        section = (
            '<w:sectPr><w:headerReference w:type="default" r:id="rId5"/>'
            '<w:footerReference w:type="default" r:id="rId6"/><w:footerReference w:type="first" r:id="rId6"/>'
            f'<w:pgSz w:w="{parts.PAGE_WIDTH}" w:h="{parts.PAGE_HEIGHT}"/>'
            f'<w:pgMar w:top="1418" w:right="{parts.MARGIN}" w:bottom="1304" w:left="{parts.MARGIN}" '
            'w:header="680" w:footer="624" w:gutter="0"/><w:titlePg/></w:sectPr>'
        )
        content = "".join(self.content_parts)
        return f"{parts.HEAD}<w:document {parts.NAMESPACES}><w:body>{content}{section}</w:body></w:document>"

    def _label(self, label: str, *, is_cancelled: bool) -> str:
        content = _run(label, '<w:rStyle w:val="Kicker"/>')
        if is_cancelled:
            content += _run(" · ", '<w:rStyle w:val="Kicker"/>')
            content += _run(self.words.cancelled, '<w:rStyle w:val="Cancelled"/>')
        return content + "<w:r><w:br/></w:r>"

    def _item(self, item: Item) -> None:
        is_agenda = self.document.is_agenda
        label = f"{item.time} · {item.label}" if is_agenda and item.time else item.label
        self._add("Heading2", self._label(label, is_cancelled=item.is_cancelled) + self._runs(item.title))
        self._facts(item.facts)
        for section in item.sections:
            if section.heading:
                self._add("Heading3", self._runs(section.heading))
            self._prose(section.texts)
        if item.blocks and not is_agenda:
            self._add("Heading3", _run(self.words.programme))
        for block in item.blocks:
            self._block(block, 3 if is_agenda else 4)
        self._facts(item.closing)

    def _block(self, block: Block, level: int) -> None:
        time = _run(f"{block.time} ") if block.time else ""
        if block.heading:
            # Where nothing follows it heads nothing: "Discussion".
            self._add(f"Heading{level}" if block.speakers else "Alone", time + self._runs(block.heading))
        elif time:
            self._add("Normal", time)
        for speaker in block.speakers:
            role = "".join(_run(run.text + " ", self._role(run)) for run in speaker.role)
            title = _run(", ") + self._runs(speaker.title) if speaker.title else ""
            topic = "".join(self.body.run(Run(run.text, run.language, is_italic=True)) for run in speaker.topic)
            topic = f"<w:r><w:br/></w:r>{topic}" if topic else ""
            self._add("Speaker", role + self._runs(speaker.name) + title + topic)

    def _role(self, run: Run) -> str:
        language = f'<w:lang w:val="{escape(parts.locale(run.language))}"/>' if run.language else ""
        return f'<w:rStyle w:val="Label"/>{language}'

    def _overview(self, day: Day) -> None:
        self._add("Heading2", _run(day.heading))
        all_rows = [row for day in self.document.days for row in day.rows]  # the same columns on all days
        has_time = any(row.time for row in all_rows)
        has_convenors = any(row.convenors for row in all_rows)
        has_place = any(row.place for row in all_rows)
        heads = [
            (1.5, self.words.time, has_time),
            (4.0, self.words.item, True),
            (2.6, self.words.convenor, has_convenors),
            (2.0, self.words.place, has_place),
        ]
        shown = [(share, word) for share, word, is_shown in heads if is_shown]
        whole = sum(share for share, _word in shown)
        widths = [int(parts.TEXT_WIDTH * share / whole) for share, _word in shown]
        rows = [_table_row([_run(word, "<w:b/><w:bCs/>") for _share, word in shown], widths, is_head=True)]
        for row in day.rows:
            title = self._label(row.label, is_cancelled=row.is_cancelled) + self._runs(row.title)
            cells = [(has_time, _run(row.time)), (True, title)]
            cells += [(has_convenors, self._runs(row.convenors)), (has_place, self._runs(row.place))]
            rows.append(_table_row([cell for is_shown, cell in cells if is_shown], widths))
        edges = "".join(
            f'<w:{edge} w:val="single" w:sz="4" w:space="0" w:color="B9C2CC"/>' for edge in ("top", "bottom", "insideH")
        )
        grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
        self.content_parts.append(
            f'<w:tbl><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblBorders>{edges}</w:tblBorders>'
            '<w:tblLayout w:type="fixed"/><w:tblLook w:val="0020" w:firstRow="1" w:lastRow="0" w:firstColumn="0" '
            f'w:lastColumn="0" w:noHBand="1" w:noVBand="1"/></w:tblPr><w:tblGrid>{grid}</w:tblGrid>{"".join(rows)}'
            "</w:tbl>"
        )


def _table_row(cells: list[str], widths: list[int], *, is_head: bool = False) -> str:
    said = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr>{_paragraph("TableText", cell)}</w:tc>'
        for cell, width in zip(cells, widths, strict=True)
    )
    return f"<w:tr><w:trPr><w:cantSplit/>{'<w:tblHeader/>' if is_head else ''}</w:trPr>{said}</w:tr>"
