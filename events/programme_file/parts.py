"""What belongs to one session only: texts, results, materials.

The original format says the usual in short: a key for each kind of text, recommendations as a list of texts, one
video. What that cannot say has a list in full, `texts`, `results` and `materials`; an export writes it where needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from alliance.languages import Translations
from events.models import (
    Material,
    MaterialKind,
    Recommendation,
    SectionKind,
    SegmentKind,
    SegmentVisibility,
    Session,
    TakeawayKind,
    TextSection,
    Topic,
)
from events.programme_file.changes import Changes
from events.programme_file.conference import MATERIAL_FACTS, MATERIAL_SETTINGS, material_entry
from events.programme_file.entries import Document, Entry
from events.programme_file.exporting import Export, texts, without_empty
from events.programme_file.sections import Write
from events.programme_file.wording import readable

TOPICS = "topics"

# Texts of a session by the key of the file.
TEXTS = {
    "description": SectionKind.DESCRIPTION,
    "background": SectionKind.BACKGROUND,
    "objectives": SectionKind.OBJECTIVES,
    "outcomes": SectionKind.OUTCOMES,
    "questions": SectionKind.QUESTIONS,
    "format_and_audience": SectionKind.FORMAT,
    "participation": SectionKind.PARTICIPATION,
}
TEXT_FACTS = {"heading": "heading", "text": "text"}
RESULT_FACTS = {"text": "text", "addressee": "addressee"}

# Kinds of segments by their key, where the key is no kind itself.
SEGMENT_KINDS = {"welcome_remarks": SegmentKind.WELCOMING_REMARKS, "keynotes": SegmentKind.KEYNOTE_ADDRESSES}


def segment_kind(key: str) -> str:
    """The kind that the key of a segment stands for."""
    return key if key in SegmentKind.values else SEGMENT_KINDS.get(key, SegmentKind.OTHER)


def numbered(name: str, taken: Iterable[str]) -> str:
    """The name, with a number where it is taken."""
    key, number, seen = name, 1, set(taken)
    while key in seen:
        number += 1
        key = f"{name} {number}"
    return key


def stricter(row: Any, visibility: str) -> dict[str, Any]:
    """The visibility of a row that may be there: a file may hide it, but never shows what a person has hidden."""
    order = SegmentVisibility.values  # from open to closed
    if row is not None and order.index(row.visibility) > order.index(visibility):
        return {}
    return {"visibility": visibility}


# --- texts ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Texts:
    """Texts by their kind, numbered where a kind comes twice. is_full: the file lists them all, other kinds too."""

    is_full: bool = False
    found: dict[str, tuple[int, str, dict[str, Any]]] = field(default_factory=dict)


def read_texts(entry: Entry) -> Texts:
    """The texts under their own keys, or the list in full."""
    short = {name: kind for name, kind in TEXTS.items() if entry.translated(name)}
    if "texts" not in entry:
        entry.entries("texts")  # known, also where the file has none
        return Texts(
            found={
                kind: (entry.line_of(name), kind, {"text": entry.translated(name), "position": position})
                for position, (name, kind) in enumerate(short.items(), start=1)
            }
        )
    for name in short:
        entry.problem(name, "stands beside texts: say all in texts")
    full = Texts(is_full=True)
    for place, part in enumerate(entry.entries("texts"), start=1):
        kind = part.choice("kind", SectionKind, default=SectionKind.OTHER, required=True)
        position = part.integer("position", most=32_767)
        values = part.facts(TextSection, TEXT_FACTS) | {"position": place if position is None else position}
        full.found[numbered(kind, full.found)] = (part.line, kind, values)
    return full


def write_texts(changes: Changes, items: Mapping[str, tuple[Session, Texts]]) -> None:
    """Make the sessions hold their texts."""
    by_session = {session.pk: (key, listed) for key, (session, listed) in items.items()}
    existing: dict[str, TextSection] = {}
    for row in TextSection.objects.filter(session__in=by_session).order_by("position", "pk"):
        key, listed = by_session[row.session_id]
        where = numbered(f"{key}/{row.kind}", existing)
        # Under a key of its own only one text of a kind has a place; what else there is was written in the admin.
        if listed.is_full or (row.kind in TEXTS.values() and where == f"{key}/{row.kind}"):
            existing[where] = row
    found = {row.pk: where for where, row in existing.items()}
    table = changes.table(TextSection, existing.values(), key=lambda row: found[row.pk])
    for key, (session, listed) in items.items():
        for name, (line, kind, values) in listed.found.items():
            table.put(f"{key}/{name}", values, new={"session": session, "kind": kind}, line=line)
    table.remove_others()


def export_texts(export: Export, rows: list[TextSection]) -> dict[str, Any]:
    """The texts under their own keys; in full where these cannot say it."""
    names = {kind: name for name, kind in TEXTS.items()}
    order = [kind for kind in TEXTS.values() if any(row.kind == kind for row in rows)]
    usual = [(kind, place) for place, kind in enumerate(order, start=1)]
    if [(row.kind, row.position) for row in rows] == usual and all(not row.heading and row.text for row in rows):
        return {names[SectionKind(row.kind)]: texts(row.text) for row in rows}
    found = []
    for place, row in enumerate(rows, start=1):
        entry = {"kind": row.kind, **export.facts(row, TEXT_FACTS)}
        if row.position != place:
            entry["position"] = row.position
        found.append(entry)
    return {"texts": found}


# --- results --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Result:
    """An item of what came out of a session, with those below it."""

    line: int
    kind: str
    number: int
    values: dict[str, Any]
    items: list[Result] = field(default_factory=list)


@dataclass(slots=True)
class Results:
    """What came out of a session. is_full: the file lists all kinds, with everything below them."""

    is_full: bool = False
    items: list[Result] = field(default_factory=list)


def read_results(entry: Entry) -> Results:
    """Recommendations as a list of texts, or the list in full."""
    short = entry.translated_items("recommendations")
    if "results" in entry:
        if short:
            entry.problem("recommendations", "stands beside results: say all in results")
        return Results(is_full=True, items=_read_results(entry, "results", kind="", level=1))
    entry.entries("results")
    kind = TakeawayKind.RECOMMENDATION
    return Results(
        items=[Result(line, kind, number, {"text": text}) for number, (line, text) in enumerate(short, start=1)]
    )


def _read_results(entry: Entry, key: str, *, kind: str, level: int) -> list[Result]:
    found: list[Result] = []
    seen: dict[tuple[str, int], int] = {}
    for place, part in enumerate(entry.entries(key), start=1):
        own = part.choice("kind", TakeawayKind, default=kind or TakeawayKind.RECOMMENDATION)
        number = part.integer("number", most=32_767)
        number = place if number is None else number
        same = ("" if kind else own, number)  # below another item the number alone counts
        if same in seen:
            part.problem("number", f"{number} stands twice; the first is in line {seen[same]}")
        seen[same] = part.line
        values = part.facts(Recommendation, RESULT_FACTS)
        values["topics"] = part.refer_all("topics", TOPICS)
        items: list[Result] = []
        if level < 3:
            items = _read_results(part, "items", kind=own, level=level + 1)
        elif part.has("items"):
            part.entries("items")
            part.problem("items", "items stand at most three levels deep")
        found.append(Result(part.line, own, number, values, items))
    return found


def write_results(changes: Changes, items: Mapping[str, tuple[Session, Results]]) -> None:
    """Make the sessions hold their results."""
    by_session = {session.pk: (key, results) for key, (session, results) in items.items()}
    rows = {row.pk: row for row in Recommendation.objects.filter(session__in=by_session).order_by("pk")}

    def place(row: Recommendation) -> str:
        if row.parent_id:
            return f"{place(rows[row.parent_id])}.{row.number}"
        return f"{by_session[row.session_id][0]}/{row.kind} {row.number}"

    # A list of texts speaks of recommendations alone, and says nothing about what stands below them.
    covered = [
        row
        for row in rows.values()
        if by_session[row.session_id][1].is_full or (row.kind == TakeawayKind.RECOMMENDATION and row.parent_id is None)
    ]
    table = changes.table(Recommendation, covered, key=place)

    def put(where: str, session: Session, item: Result, parent: Recommendation | None) -> None:
        values = item.values if parent is None else item.values | {"kind": item.kind}
        new = {"session": session, "kind": item.kind, "number": item.number, "parent": parent}
        row = table.put(where, values, new=new, line=item.line)
        for below in item.items:
            put(f"{where}.{below.number}", session, below, row)

    for key, (session, results) in items.items():
        for item in results.items:
            put(f"{key}/{item.kind} {item.number}", session, item, None)
    table.remove_others()


def export_results(export: Export, rows: list[Recommendation]) -> dict[str, Any]:
    """Recommendations as a list of texts; in full where that cannot say it."""
    kind = TakeawayKind.RECOMMENDATION
    if all(row.kind == kind and not (row.parent_id or row.addressee or row.topics) for row in rows) and [
        row.number for row in rows
    ] == list(range(1, len(rows) + 1)):
        return {"recommendations": [texts(row.text) for row in rows]}
    below: dict[int | None, list[Recommendation]] = {}
    for row in rows:
        below.setdefault(row.parent_id, []).append(row)

    def entries(parent: int | None, kind: str) -> list[dict[str, Any]]:
        found = []
        for row in below.get(parent, []):
            export.topics.update(dict.fromkeys(row.topics))
            entry: dict[str, Any] = {} if row.kind == kind else {"kind": row.kind}
            entry |= {"number": row.number, **export.facts(row, RESULT_FACTS), "topics": list(row.topics)}
            found.append(without_empty(entry | {"items": entries(row.pk, row.kind)}) | {"number": row.number})
        return found

    return {"results": entries(None, "")}


def load_topics(document: Document) -> Write:
    """The topics that results are tagged with. The same key is the same topic in every file."""
    document.registry(TOPICS, lambda keys: set(Topic.objects.filter(key__in=keys).values_list("key", flat=True)))
    listed = [
        (entry, entry.define("key", TOPICS, longest=40), entry.translated("name", required=True))
        for entry in document.root.entries("topics")
    ]

    def write(changes: Changes) -> None:
        wanted = [key for _entry, key, _name in listed]
        table = changes.table(Topic, Topic.objects.filter(key__in=wanted), key=lambda row: row.key)
        for entry, key, name in listed:
            table.put(key, {"name": name}, new={"key": key}, line=entry.line)

    return write


def export_topics(export: Export) -> None:
    """The topics that the file names."""
    rows = Topic.objects.filter(key__in=list(export.topics)).order_by("key")
    if found := [{"key": row.key, "name": texts(row.name)} for row in rows]:
        export.root["topics"] = found


# --- materials ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Materials:
    """The related video, and the other papers where the file lists them (else None: they are not its business)."""

    video: str = ""
    line: int = 0
    others: dict[str, tuple[int, dict[str, Any]]] | None = None


def read_materials(entry: Entry) -> Materials:
    """The address of the related video, and papers and links in full."""
    video = entry.fact(Material, "url", "related_video_url") if entry.has("related_video_url") else ""
    found = Materials(video=video, line=entry.line_of("related_video_url"))
    listed = entry.entries("materials")
    if "materials" in entry:
        found.others = {}
    for place, part in enumerate(listed, start=1):
        url = part.fact(Material, "url", "url")
        values = part.facts(Material, MATERIAL_FACTS) | part.settings(Material, MATERIAL_SETTINGS)
        position = part.integer("position", most=32_767)
        values["position"] = place if position is None else position
        if url == video or (found.others and url in found.others):
            part.problem("url", f"“{url}” stands twice in this session")
        if found.others is not None:
            found.others[url] = (part.line, values)
    return found


def write_materials(changes: Changes, items: Mapping[str, tuple[Session, Materials]]) -> None:
    """Make the sessions hold their papers and links."""
    by_session = {session.pk: (key, materials) for key, (session, materials) in items.items()}
    found = list(Material.objects.filter(session__in=by_session).order_by("pk"))

    listed: dict[str, list[Material]] = {}
    for row in found:
        listed.setdefault(by_session[row.session_id or 0][0], []).append(row)
    shown = {key: video for key, rows in listed.items() if (video := _related(rows, items[key][1])) is not None}
    videos = changes.table(Material, shown.values(), key=lambda row: by_session[row.session_id or 0][0], name="video")
    papers = changes.table(
        Material,
        [
            row
            for key, rows in listed.items()
            for row in rows
            if items[key][1].others is not None and row is not shown.get(key)
        ],
        key=lambda row: f"{by_session[row.session_id or 0][0]}/{row.url}",
    )
    # First what goes: an address may become the related video that was a paper before.
    wanted = {f"{key}/{url}" for key, (_session, one) in items.items() for url in one.others or {}}
    for key in [key for key in papers.rows if key not in wanted]:
        papers.remove(key)
    for key in [key for key in videos.rows if not items[key][1].video]:
        videos.remove(key)
    for key, (session, materials) in items.items():
        new = {"conference": session.conference, "session": session}
        if materials.video:
            values: dict[str, Any] = {"url": materials.video}
            if materials.others is not None:
                values |= _NOTHING_MORE | stricter(videos.rows.get(key), SegmentVisibility.AFTER)
            videos.put(key, values, new=new | {"kind": MaterialKind.VIDEO}, line=materials.line)
        for url, (line, values) in (materials.others or {}).items():
            papers.put(f"{key}/{url}", values, new=new | {"url": url}, line=line)


# What an address alone says about a video.
_NOTHING_MORE: dict[str, Any] = {
    "title": Translations(),
    "language": "",
    "publisher": "",
    "place": "",
    "year": None,
    "published_on": None,
    "position": 1,
}


def _is_simple(row: Material) -> bool:
    """Whether an address alone says all about a video."""
    is_usual = row.kind == MaterialKind.VIDEO and row.visibility == SegmentVisibility.AFTER
    return is_usual and all(getattr(row, name) == value for name, value in _NOTHING_MORE.items())


def _related(rows: list[Material], materials: Materials) -> Material | None:
    """Of several videos of a session the file means the one with its address, else the newest."""
    others = materials.others or {}
    videos = [row for row in rows if row.kind == MaterialKind.VIDEO and row.url not in others]
    if materials.others is not None and not materials.video:
        return None
    return max(videos, key=lambda row: (row.url == materials.video, row.pk), default=None)


def export_materials(export: Export, rows: list[Material]) -> dict[str, Any]:
    """The related video by its address, and the rest in full."""
    video = next((row for row in rows if _is_simple(row)), None)
    others = [row for row in rows if row is not video]
    return {
        "related_video_url": readable(video.url) if video is not None else None,
        "materials": list(_listed(export, others)),
    }


def _listed(export: Export, rows: list[Material]) -> Iterator[dict[str, Any]]:
    for place, row in enumerate(rows, start=1):
        entry = material_entry(export, row, usual=SegmentVisibility.AFTER)
        yield entry | ({"position": row.position} if row.position != place else {})
