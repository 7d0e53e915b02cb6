"""The kinds of long work of registration: files about people, and lists of other platforms that are read.

What such a file holds is personal data. It lies encrypted for some hours, for whoever ordered it alone and while they
have the right; when somebody of the conference is erased, protected or taken down, it is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actors import Actor
from accounts.permissions import READ_CONFIDENTIAL
from events import jobs
from events.documents import DocumentFailed, DocumentNotMade, TooBusy
from events.models import Conference
from events.removals import services as removals
from registration import external_lists
from registration.delegations import listing as delegation_listing
from registration.door import badges
from registration.door.badges import Sheet
from registration.exports import answers, registrations
from registration.figures import counting as figures
from registration.figures import files as figure_files
from registration.figures.files import Line
from registration.models import Figure

BADGES, PARTICIPANTS, REGISTRATIONS = "badges", "participant-list", "registrations"
ANSWERS, CONFIDENTIAL_ANSWERS = "answers", "confidential-answers"
FIGURES, LIST = "figures", "external-list"

# What is done in the request takes a second or two.
LARGE_BADGES = 100
LARGE_LISTING = 400
LARGE_REGISTRATIONS = 1000  # also for figures, which count them
LARGE_ANSWERS = 1000
_LARGE_TEXT, _LARGE_WORKBOOK = 600_000, 100_000  # bytes of another platform's list

SHEETS = {
    "csv": ("text/csv; charset=utf-8", "csv"),
    "csv-mark": ("text/csv; charset=utf-8", "csv"),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
}
LISTINGS = {"csv": "text/csv; charset=utf-8", "pdf": "application/pdf"}
_PORTION = 100  # lines between two looks


def register() -> None:
    """Called when the app is ready."""
    for name, run, label, permission in (
        (BADGES, make_badges, gettext_lazy("Badges"), "registration.view_registration"),
        (PARTICIPANTS, make_listing, gettext_lazy("List of participants"), "registration.change_delegation"),
        (REGISTRATIONS, make_registrations, gettext_lazy("Registrations"), "registration.view_registration"),
        (ANSWERS, make_answers, gettext_lazy("Answers"), "registration.view_participant"),
        (CONFIDENTIAL_ANSWERS, make_confidential, gettext_lazy("Confidential answers"), READ_CONFIDENTIAL),
    ):
        jobs.register(name, run, label=label, may=jobs.by_permission(permission), holds_people=True)
    label, may = gettext_lazy("Figures from another platform's list"), jobs.by_permission("registration.change_figure")
    jobs.register(LIST, read_list, label=label, may=may)  # what comes of it names nobody
    jobs.register(
        FIGURES, make_figures, label=gettext_lazy("Figures"), may=jobs.by_permission("registration.view_figure")
    )


def is_large_list(data: bytes) -> bool:
    """Whether reading it is for a worker. A workbook is a zip file."""
    return len(data) > (_LARGE_WORKBOOK if data.startswith(b"PK") else _LARGE_TEXT)


def make_badges(work: jobs.Work) -> jobs.Result:
    """Badges: one file of the conference's (sheet, part), or those of chosen people (people)."""
    conference, order = _conference(work), work.order
    everybody = badges.of_conference(conference)
    if "people" in order:
        chosen = conference.participants.filter(pk__in=order["people"], identity_key__isnull=False)
        people = list(badges.with_affiliation(chosen.order_by("display_name", "pk")))
        sheet, name = Sheet.A4, f"badges-{conference.slug}.pdf"
    else:
        first = (order["part"] - 1) * badges.MOST
        people, sheet = list(everybody[first : first + badges.MOST]), Sheet(order["sheet"])
        name = f"badges-{conference.slug}-{sheet}-{order['part']}.pdf"
    work.step(0, len(people))
    try:
        content = badges.as_pdf(conference, people, sheet=sheet)
    except (DocumentFailed, TooBusy) as error:
        raise DocumentNotMade from error
    work.step(len(people), len(people))
    removals.made(conference, kind="badges.pdf", by=Actor.organiser(work.owner))
    return jobs.Result(content=content, name=name, content_type="application/pdf")


def make_listing(work: jobs.Work) -> jobs.Result:
    """The list of participants by delegation (kind), published or not."""
    conference, kind = _conference(work), work.order["kind"]
    listing = delegation_listing.of(conference)
    work.step(0, listing.number)
    try:
        csv = kind == "csv"
        content = delegation_listing.as_csv(listing) if csv else delegation_listing.as_pdf(listing, conference)
    except (DocumentFailed, TooBusy) as error:
        raise DocumentNotMade from error
    work.step(listing.number, listing.number)
    return jobs.Result(content=content, name=f"participants-{conference.slug}.{kind}", content_type=LISTINGS[kind])


def make_registrations(work: jobs.Work) -> jobs.Result:
    """Chosen registrations (ids) as a table (kind)."""
    conference, order = _conference(work), work.order
    by, now = Actor.organiser(work.owner), timezone.now()
    lines = registrations.table(conference, order["ids"], reader=work.owner, by=by, now=now)
    removals.made(conference, kind=f"registrations.{SHEETS[order['kind']][1]}", by=by)
    return _sheet(work, lines, total=len(order["ids"]), name="registrations", title=_("Registrations"))


def make_answers(work: jobs.Work) -> jobs.Result:
    """What people answered, as a table (kind), but to questions with readers of their own."""
    return _answers(work, confidential=False)


def make_confidential(work: jobs.Work) -> jobs.Result:
    """What people answered to questions with readers of their own, as a table (kind)."""
    return _answers(work, confidential=True)


def _answers(work: jobs.Work, *, confidential: bool) -> jobs.Result:
    conference, by = _conference(work), Actor.organiser(work.owner)
    total = answers.count(conference)

    def each(number: int) -> None:
        if number % _PORTION == 0:
            work.step(number, total)

    lines = answers.table(conference, confidential=confidential, by=by, now=timezone.now(), each=each)
    name = CONFIDENTIAL_ANSWERS if confidential else ANSWERS
    return _sheet(work, lines, total=len(lines), name=name, title=_("Answers"))


def make_figures(work: jobs.Work) -> jobs.Result:
    """All figures, counted now, as a table (kind)."""
    conference = _conference(work)
    work.step(0)
    imported = Figure.objects.filter(conference=conference).select_related("session").order_by("measure", "pk")
    lines = figure_files.table(figures.count(conference, now=timezone.now()), imported)
    return _sheet(work, lines, total=len(lines), name="figures", title=_("Figures"))


def read_list(work: jobs.Work) -> jobs.Result:
    """The list of another platform, for the page on which its columns are said (session: of which it is)."""
    conference = _conference(work)
    work.step(0)
    packed = external_lists.pack(external_lists.read(work.upload), scope=work.order["session"])
    url = f"{reverse('admin:events_conference_external-lists', args=[conference.pk])}?work={work.public_id}"
    return jobs.Result(said=_("The list is read; nothing is kept yet."), content=packed.encode(), url=url)


def _conference(work: jobs.Work) -> Conference:
    if work.conference is None:
        raise Conference.DoesNotExist
    return work.conference


def _sheet(work: jobs.Work, lines: Iterable[Line], *, total: int, name: str, title: str) -> jobs.Result:
    """A table as a file that no spreadsheet program takes a formula from."""
    kind: Any = work.order["kind"]
    content_type, ending = SHEETS[kind]
    watched = _watched(work, lines, total)
    if kind == "xlsx":
        content = figure_files.as_workbook(watched, name=title)
    else:
        content = figure_files.as_csv(watched, with_mark=kind == "csv-mark")
    at = f"{timezone.localtime():%Y%m%d-%H%M}"
    return jobs.Result(
        content=content, name=f"{name}-{_conference(work).slug}-{at}.{ending}", content_type=content_type
    )


def _watched(work: jobs.Work, lines: Iterable[Line], total: int) -> Iterator[Line]:
    """The lines, with a look whether to stop between portions."""
    for number, line in enumerate(lines):
        if number % _PORTION == 0:
            work.step(number, total)
        yield line
