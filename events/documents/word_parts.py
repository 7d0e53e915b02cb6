"""The parts of a Word file that are the same for every document: styles, settings, and how the parts hang together."""

from __future__ import annotations

import io
import zipfile
from xml.sax.saxutils import escape, quoteattr

HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
NAMESPACES = f'xmlns:w="{MAIN}" xmlns:r="{RELATIONS}"'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.wordprocessingml."
_LOCALES = {"en": "en-GB", "fr": "fr-FR", "de": "de-DE", "it": "it-IT", "es": "es-ES", "ru": "ru-RU"}

INK, SOFT, ACCENT, WARNING = "1A2130", "4A5263", "1C3F60", "9B1C1C"
PAGE_WIDTH, PAGE_HEIGHT, MARGIN = 11906, 16838, 1304  # A4, in twentieths of a point
TEXT_WIDTH = PAGE_WIDTH - 2 * MARGIN


def locale(language: str) -> str:
    """A language as Word names it: "de-DE"."""
    return _LOCALES.get(language, language)


# --- styles ---------------------------------------------------------------------------------------------------------


def _style(
    kind: str, key: str, name: str, paragraph: str = "", run: str = "", *, based_on: str = "Normal", after: str = ""
) -> str:
    default = ' w:default="1"' if key == "Normal" else ""
    parts = [f'<w:style w:type="{kind}"{default} w:styleId="{key}"><w:name w:val="{name}"/>']
    if kind == "paragraph" and key != "Normal":
        parts.append(f'<w:basedOn w:val="{based_on}"/>')
    if after:
        parts.append(f'<w:next w:val="{after}"/>')
    parts.append("<w:qFormat/>")
    parts.append(f"<w:pPr>{paragraph}</w:pPr>" if paragraph else "")
    parts.append(f"<w:rPr>{run}</w:rPr>" if run else "")
    return "".join(parts) + "</w:style>"


def _spacing(before: int, after: int) -> str:
    return f'<w:spacing w:before="{before}" w:after="{after}"/>'


def _heading(level: int, before: int, after: int, size: int, colour: str = ACCENT, border: str = "") -> str:
    paragraph = f'<w:keepNext/><w:keepLines/>{border}{_spacing(before, after)}<w:outlineLvl w:val="{level - 1}"/>'
    return _style(
        "paragraph", f"Heading{level}", f"heading {level}", paragraph, _run(size, colour, bold=True), after="Normal"
    )


def _run(size: int, colour: str = INK, *, bold: bool = False, italic: bool = False) -> str:
    marks = ("<w:b/><w:bCs/>" if bold else "") + ("<w:i/><w:iCs/>" if italic else "")
    return f'{marks}<w:color w:val="{colour}"/><w:sz w:val="{size}"/><w:szCs w:val="{size}"/>'


def styles(language: str) -> str:
    """word/styles.xml; sizes of letters are half points."""
    under = f'<w:pBdr><w:bottom w:val="single" w:sz="6" w:space="3" w:color="{ACCENT}"/></w:pBdr>'
    beside = '<w:pBdr><w:left w:val="single" w:sz="18" w:space="6" w:color="A8780A"/></w:pBdr>'
    hanging = '<w:ind w:left="2381" w:hanging="2381"/>'
    fonts = '<w:rFonts w:ascii="Calibri" w:hAnsi="Calibri" w:eastAsia="Calibri" w:cs="Calibri"/>'
    code = locale(language)
    parts = [
        f"<w:docDefaults><w:rPrDefault><w:rPr>{fonts}{_run(21)}"
        f'<w:lang w:val="{code}" w:eastAsia="{code}" w:bidi="ar-SA"/></w:rPr></w:rPrDefault>'
        '<w:pPrDefault><w:pPr><w:spacing w:after="120" w:line="264" w:lineRule="auto"/></w:pPr></w:pPrDefault>'
        "</w:docDefaults>",
        _style("paragraph", "Normal", "Normal"),
        '<w:style w:type="character" w:default="1" w:styleId="DefaultParagraphFont">'
        '<w:name w:val="Default Paragraph Font"/><w:uiPriority w:val="1"/><w:semiHidden/></w:style>',
        '<w:style w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/>'
        '<w:uiPriority w:val="99"/><w:semiHidden/><w:tblPr><w:tblInd w:w="0" w:type="dxa"/><w:tblCellMar>'
        '<w:top w:w="0" w:type="dxa"/><w:left w:w="108" w:type="dxa"/><w:bottom w:w="0" w:type="dxa"/>'
        '<w:right w:w="108" w:type="dxa"/></w:tblCellMar></w:tblPr></w:style>',
        _style("paragraph", "Title", "Title", f"<w:keepNext/>{_spacing(60, 160)}", _run(44, ACCENT, bold=True)),
        _style("paragraph", "Subtitle", "Subtitle", _spacing(0, 80), _run(22, SOFT)),
        _style("paragraph", "DocumentName", "Document Name", _spacing(200, 160), _run(30, bold=True)),
        _style(
            "paragraph",
            "Mark",
            "Mark",
            f'{beside}<w:shd w:val="clear" w:color="auto" w:fill="FDF5D9"/>{_spacing(80, 120)}',
            "<w:b/><w:bCs/>",
        ),
        _heading(1, 360, 160, 28, border=under),
        _heading(2, 320, 120, 24),
        _heading(3, 200, 80, 22),
        _heading(4, 160, 60, 21, INK),
        _style(
            "paragraph",
            "Fact",
            "Fact",
            f'<w:tabs><w:tab w:val="left" w:pos="2381"/></w:tabs>{_spacing(0, 60)}{hanging}',
        ),
        _style("paragraph", "Alone", "Alone", _spacing(160, 120), "<w:b/><w:bCs/>"),
        _style("paragraph", "Speaker", "Speaker", f'{_spacing(0, 80)}<w:ind w:left="567" w:hanging="283"/>'),
        _style("paragraph", "Quote", "Quote", '<w:ind w:left="567" w:right="567"/>', "<w:i/><w:iCs/>"),
        _style("paragraph", "ListParagraph", "List Paragraph", _spacing(0, 60)),
        _style(
            "paragraph", "TableText", "Table Text", '<w:spacing w:before="50" w:after="50" w:line="240"/>', _run(19)
        ),
        _style("paragraph", "Header", "header", _spacing(0, 0), _run(16, SOFT)),
        _style("paragraph", "Footer", "footer", f'{_spacing(0, 0)}<w:jc w:val="right"/>', _run(16, SOFT)),
        _style("paragraph", "FootnoteText", "footnote text", '<w:spacing w:after="40" w:line="240"/>', _run(17)),
        _style("character", "FootnoteReference", "footnote reference", run='<w:vertAlign w:val="superscript"/>'),
        _style("character", "Hyperlink", "Hyperlink", run=f'<w:color w:val="{ACCENT}"/><w:u w:val="single"/>'),
        _style("character", "Label", "Label", run=f'<w:color w:val="{SOFT}"/>'),
        _style("character", "Kicker", "Kicker", run=f'<w:b w:val="0"/><w:bCs w:val="0"/>{_run(18, SOFT)}'),
        _style("character", "Cancelled", "Cancelled", run=_run(18, WARNING, bold=True)),
    ]
    return f"{HEAD}<w:styles {NAMESPACES}>{''.join(parts)}</w:styles>"


# --- lists ----------------------------------------------------------------------------------------------------------


def numbering(starts: list[tuple[int, int]]) -> str:
    """word/numbering.xml: list 1 has bullets; each further list counts on its own. starts: depth and first number."""

    def levels(form: str, text: str) -> str:
        return "".join(
            f'<w:lvl w:ilvl="{level}"><w:start w:val="1"/><w:numFmt w:val="{form}"/>'
            f'<w:lvlText w:val="{text.format(level + 1)}"/><w:lvlJc w:val="left"/>'
            f'<w:pPr><w:ind w:left="{397 * (level + 1)}" w:hanging="340"/></w:pPr></w:lvl>'
            for level in range(9)
        )

    kinds = [levels("bullet", "•"), levels("decimal", "%{}.")]
    parts = [
        f'<w:abstractNum w:abstractNumId="{at}"><w:multiLevelType w:val="multilevel"/>{kind}</w:abstractNum>'
        for at, kind in enumerate(kinds)
    ]
    parts.append('<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>')
    for number, (level, start) in enumerate(starts, 2):
        parts.append(
            f'<w:num w:numId="{number}"><w:abstractNumId w:val="1"/><w:lvlOverride w:ilvl="{level}">'
            f'<w:startOverride w:val="{start}"/></w:lvlOverride></w:num>'
        )
    return f"{HEAD}<w:numbering {NAMESPACES}>{''.join(parts)}</w:numbering>"


# --- the file -------------------------------------------------------------------------------------------------------


def settings(language: str) -> str:
    """word/settings.xml."""
    return (
        f"{HEAD}<w:settings {NAMESPACES}>"
        '<w:zoom w:percent="100"/><w:defaultTabStop w:val="708"/><w:characterSpacingControl w:val="doNotCompress"/>'
        '<w:footnotePr><w:footnote w:id="-1"/><w:footnote w:id="0"/></w:footnotePr>'
        '<w:compat><w:compatSetting w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word" '
        'w:val="15"/></w:compat>'
        f"<w:themeFontLang w:val={quoteattr(locale(language))}/>"
        "</w:settings>"
    )


def core(title: str, language: str) -> str:
    """docProps/core.xml: title and language. No author and no date: the file says only what the programme says."""
    return (
        f'{HEAD}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>{escape(title)}</dc:title><dc:language>{escape(locale(language))}</dc:language>"
        "</cp:coreProperties>"
    )


def relations(targets: list[tuple[str, str, bool]]) -> str:
    """A part's relations, numbered rId1 and on: kind, target, and whether the target is outside the file."""
    parts = []
    for number, (kind, target, is_outside) in enumerate(targets, 1):
        base = f"{_PACKAGE}/relationships/metadata" if kind == "core-properties" else RELATIONS
        mode = ' TargetMode="External"' if is_outside else ""
        parts.append(f'<Relationship Id="rId{number}" Type="{base}/{kind}" Target={quoteattr(target)}{mode}/>')
    return f'{HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{"".join(parts)}</Relationships>'


def content_types(parts: list[str]) -> str:
    """[Content_Types].xml for our parts, by their names in word/."""
    kinds = {"document": "document.main"}
    rows = [
        f'<Override PartName="/word/{part}.xml" ContentType="{_TYPES}{kinds.get(part, part)}+xml"/>' for part in parts
    ]
    return (
        f'{HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f"{''.join(rows)}"
        '<Override PartName="/docProps/core.xml" '
        'ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>'
    )


def package(files: dict[str, str]) -> bytes:
    """The zip file, always the same for the same parts."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 0
            archive.writestr(entry, content.encode())
    return target.getvalue()
