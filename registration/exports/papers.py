"""Papers that prove something: one person's ledger of consents, and what was deleted. Long ones are for a worker."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from django.utils import timezone, translation
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from accounts.actors import Actor
from alliance import dates, spreadsheets
from alliance.admin import clock_time
from events import jobs
from events.documents import DocumentFailed, DocumentNotMade, TooBusy, pdf
from events.models import Conference
from registration import consent_wordings, retention
from registration.models import Consent, DeletionProof, Participant
from registration.services import consents, data_life

CONSENTS, DELETIONS = "consent-ledger", "deletion-proofs"
LARGE_LEDGER, LARGE_PROOFS = 200, 1000  # lines; what is done in the request takes a second or two
_PORTION = 100  # lines between two looks
_TEMPLATE = Path(__file__).resolve().parents[1] / "typst" / "paper.typ"
_T = TypeVar("_T")


def register() -> None:
    """Called when the app is ready."""
    jobs.register(
        CONSENTS,
        make_ledger,
        label=gettext_lazy("Ledger of consents"),
        may=jobs.by_permission("registration.change_participant"),
        holds_people=True,
    )
    jobs.register(
        DELETIONS,
        make_proofs,
        label=gettext_lazy("Proofs of deletion"),
        may=jobs.by_permission("registration.view_deletionproof"),
    )


def typeset(paper: dict[str, Any]) -> bytes:
    """A paper of tables as PDF. Raises DocumentNotMade, whose message says what to do."""
    try:
        return pdf.typeset(json.dumps(paper, ensure_ascii=False).encode(), template=_TEMPLATE)
    except (DocumentFailed, TooBusy) as error:
        raise DocumentNotMade from error


# --- what one person agreed to ----------------------------------------------------------------------------------------


def make_ledger(work: jobs.Work) -> jobs.Result:
    """The ledger of one person (participant: the key) as PDF: which words, where and when, and what was taken down."""
    conference = _conference(work)
    person = Participant.objects.get(pk=work.order["participant"], conference=conference, identity_key__isnull=False)
    lines, done = consents.ledger(person, by=Actor.organiser(work.owner), now=timezone.now())
    zone = conference.zone

    def line_of(line: Consent) -> list[str]:
        answer = _("agreed") if line.is_given else _("taken back")
        return [
            clock_time(line.at, zone),
            f"{line.get_purpose_display()}: {answer}",
            _sentence(line),
            f"{line.wording}, {line.language}",
            line.get_source_display(),
            clock_time(line.expires_at, zone) if line.expires_at is not None else "",
        ]

    paper = {
        "title": _("Ledger of consents"),
        "conference": str(conference.title),
        "language": get_language() or "en",
        "intro": f"{person.display_name} · {person.public_id}",
        "parts": [
            {
                "heading": _("Lines"),
                "head": [_("When"), _("What"), _("In these words"), _("Version"), _("Where"), _("Until")],
                "widths": [3, 3, 6, 2, 3, 3],
                "rows": list(_each(work, lines, line_of, total=len(lines))),
            },
            {
                "heading": _("To take down"),
                "head": [_("What"), _("Withdrawn"), _("Taken down")],
                "widths": [3, 2, 3],
                "rows": [
                    [
                        row.get_purpose_display(),
                        clock_time(row.asked_at, zone),
                        f"{clock_time(row.done_at, zone)}, {row.done_by.name if row.done_by else '–'}"
                        if row.done_at is not None
                        else _("Not yet"),
                    ]
                    for row in done
                ],
            },
        ],
    }
    return jobs.Result(content=typeset(paper), name="consents.pdf", content_type="application/pdf")


def _sentence(line: Consent) -> str:
    """The words that were agreed to, in the language in which they were shown."""
    with translation.override(line.language):
        return str(consent_wordings.find(line.purpose, line.wording).sentence)


# --- what was deleted -------------------------------------------------------------------------------------------------


def labels() -> dict[str, str]:
    """What each rule of deletion is called, by its key."""
    of_conference = {rule.key: str(rule.label) for rule in retention.RULES}
    return of_conference | {one.key: str(one.label) for one in retention.FIXED}


def make_proofs(work: jobs.Work) -> jobs.Result:
    """The proofs of deletion of the conference (rule, year: as filtered on the page) as .csv or PDF (kind)."""
    conference, order = _conference(work), work.order
    found = data_life.proofs_of(conference, rule=order["rule"], year=order["year"])
    rows, total = found.iterator(chunk_size=500), found.count()
    name = f"deletions-{conference.slug}"
    known = labels()
    if order["kind"] == "pdf":
        paper = _proofs_paper(conference, list(_each(work, rows, lambda row: _printed(row, known), total=total)))
        return jobs.Result(content=typeset(paper), name=f"{name}.pdf", content_type="application/pdf")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["day", "kind", "label", "number", "days_kept", "rule_version", "proof"])
    writer.writerows(_each(work, rows, lambda row: _cells(row, known), total=total))
    content = text.getvalue().encode("utf-8")
    return jobs.Result(content=content, name=f"{name}.csv", content_type="text/csv; charset=utf-8")


def _cells(row: DeletionProof, known: dict[str, str]) -> list[str]:
    cells = [row.on_day.isoformat(), row.rule, known.get(row.rule, row.rule), row.count, row.days, row.version]
    return [spreadsheets.harmless("" if cell is None else str(cell)) for cell in [*cells, row.public_id]]


def _printed(row: DeletionProof, known: dict[str, str]) -> list[str]:
    return [
        dates.day(row.on_day, with_weekday=False),
        known.get(row.rule, row.rule),
        str(row.count),
        "" if row.days is None else str(row.days),
        str(row.version),
    ]


def _proofs_paper(conference: Conference, rows: list[list[str]]) -> dict[str, Any]:
    return {
        "title": _("Proofs of deletion"),
        "conference": str(conference.title),
        "language": get_language() or "en",
        "intro": _("What was deleted, when, and by which rule. No line says whose it was."),
        "parts": [
            {
                "heading": "",
                "head": [_("Day"), _("Kind"), _("Number"), _("Days kept"), _("Version")],
                "widths": [2, 5, 1, 1, 1],
                "rows": rows or [[_("Nothing was deleted yet."), "", "", "", ""]],
            }
        ],
    }


# ---


def _conference(work: jobs.Work) -> Conference:
    if work.conference is None:
        raise Conference.DoesNotExist
    return work.conference


def _each(work: jobs.Work, rows: Iterable[_T], made: Callable[[_T], list[str]], *, total: int) -> Iterator[list[str]]:
    """Each row as cells, with a look whether to stop between portions."""
    for number, row in enumerate(rows):
        if number % _PORTION == 0:
            work.step(number, total)
        yield made(row)
