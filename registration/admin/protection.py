"""Protection, for the officers of a conference: who is protected, setting it, and looking behind it where one is named.

Speakers and participants have the same page. What is behind an alias is shown to the named keepers only, after they
have written why, once, and is part of no address, log or cache.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import safes
from accounts.admin import actor
from accounts.models import RoleKind, Safe, User
from alliance.admin import clock_time, explain
from alliance.exceptions import DomainError
from events.admin import pages
from events.models import Conference
from registration.admin import seen
from registration.fields import NameField
from registration.models import AttendanceMode, Participant, ProtectedParticipant, Registration
from registration.services import protection
from speakers import protection as speaking
from speakers.models import Contribution, Person, Protection

explain("participant_keeps_to_protection", gettext_lazy("This is not kept of this person. Leave it empty."))
explain("seat_pair_stands_together", gettext_lazy("Two people come together here: both seats stand or fall together."))

_PERMISSION = "registration.change_protectedparticipant"
_FLAGS = ("hides_country", "hides_organisation", "no_photo", "no_recording")
_MOST = 50
_MOST_PROTECTED = 2_000  # of each kind: whoever looks after them must see all
_OFFICERS = (RoleKind.ADMINISTRATOR, RoleKind.PROTECTION)


class ProtectionForm(forms.Form):
    """How somebody is protected, and who is named. The note is never filled in: it is in the safe."""

    alias = NameField(label=gettext_lazy("Appears as"), longest=120, required=False)
    hides_country = forms.BooleanField(label=gettext_lazy("Country is shown nowhere"), required=False)
    hides_organisation = forms.BooleanField(
        label=gettext_lazy("Organisation, function and titles are shown nowhere"), required=False
    )
    no_photo = forms.BooleanField(label=gettext_lazy("No photographs"), required=False)
    no_recording = forms.BooleanField(
        label=gettext_lazy("No recording"),
        required=False,
        help_text=gettext_lazy("Meetings are made with recording off where the platform can be told so."),
    )
    note = forms.CharField(
        label=gettext_lazy("For the record"),
        required=False,
        max_length=speaking.LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Read by those named below alone. Empty: what is there stays."),
    )
    readers = forms.MultipleChoiceField(
        label=gettext_lazy("May open the record"), required=False, widget=forms.CheckboxSelectMultiple
    )
    guardians = forms.MultipleChoiceField(
        label=gettext_lazy("Are told of each opening"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, data: Any, *, conference: Conference, safe: Safe | None, has_alias: bool, **more: Any) -> None:
        super().__init__(data, **more)
        readers: Any = self.fields["readers"]
        guardians: Any = self.fields["guardians"]
        keepers = list(safe.keepers.all()) if safe is not None else []
        # Also whom another conference of a speaker has named: whoever is not shown would be struck out unseen.
        opening = {one.user_id for one in keepers if one.may_open}
        told = {one.user_id for one in keepers if one.is_told}
        readers.choices = _choices(User.objects.filter(Q(pk__in=_officers(conference)) | Q(pk__in=opening)))
        guardians.choices = _choices(User.objects.filter(Q(pk__in=_staff(conference)) | Q(pk__in=told)))
        if has_alias:
            del self.fields["alias"]
        if safe is not None:
            self.initial["readers"] = [str(pk) for pk in sorted(opening)]
            self.initial["guardians"] = [str(pk) for pk in sorted(told)]

    def keepers(self) -> tuple[safes.Named, ...]:
        """Of a valid form."""
        readers, guardians = set(self.cleaned_data["readers"]), set(self.cleaned_data["guardians"])
        return tuple(
            safes.Named(int(key), key in readers, key in guardians) for key in sorted(readers | guardians, key=int)
        )

    def flags(self) -> dict[str, bool]:
        """Of a valid form."""
        return {name: self.cleaned_data[name] for name in _FLAGS}


def _officers(conference: Conference) -> QuerySet[User]:
    """Who may be named to open: those who may open this page."""
    at = Q(roles__conference=conference) | Q(roles__conference=None, roles__session=None)
    return User.objects.filter(Q(is_superuser=True) | Q(at, roles__kind__in=_OFFICERS), is_active=True).distinct()


def _staff(conference: Conference) -> QuerySet[User]:
    at = Q(roles__conference=conference) | Q(roles__kind__isnull=False, roles__conference=None, roles__session=None)
    return User.objects.filter(Q(is_staff=True) | at, is_active=True).distinct()


def _choices(users: QuerySet[User]) -> list[tuple[str, str]]:
    return [(str(user.pk), user.get_short_name()) for user in users.order_by("name", "email")]


@dataclass(frozen=True, slots=True)
class _Subject:
    """Somebody of either kind, as the page treats them."""

    name: str
    found: ProtectedParticipant | Protection | None
    is_speaker: bool
    has_alias: bool
    shows: list[str]
    save: Callable[[ProtectionForm], object]
    lift: Callable[[], None]
    open: Callable[[str], list[tuple[str, str]]]


# --- the list ---------------------------------------------------------------------------------------------------------


def overview(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Who is protected at the conference, and a search for those who are not yet."""
    wanted = " ".join(request.GET.get("q", "").split())[:100]
    people = Participant.objects.filter(conference=conference, identity_key__isnull=False)
    speakers = Person.objects.filter(contributions__session__conference=conference).distinct()
    which = Q(display_name__icontains=wanted) if wanted else Q(protection__isnull=False)
    most = _MOST if wanted else _MOST_PROTECTED
    found: list[tuple[str, list[Any]]] = [
        (_("Participant"), list(people.filter(which).only(*_NAMED).order_by("display_name", "pk")[: most + 1])),
        (_("Speaker"), list(speakers.filter(which).only(*_NAMED).order_by("display_name", "pk")[: most + 1])),
    ]
    rows = [_row(one.display_name, kind, one, conference) for kind, those in found for one in those[:most]]
    context = pages.context(request, conference, "protection", _("Protection")) | {
        "rows": sorted(rows, key=lambda row: row["name"].casefold()),
        "wanted": wanted,
        "most": most,
        "has_more": any(len(those) > most for _kind, those in found),
    }
    return TemplateResponse(request, "admin/registration/protection.html", context)


_NAMED = ("public_id", "display_name")


def _row(name: str, kind: str, person: Participant | Person, conference: Conference) -> dict[str, str]:
    page = "protection-person" if isinstance(person, Participant) else "protection-speaker"
    return {"name": name, "kind": kind, "url": pages.url(page, conference, somebody=person.public_id)}


# --- one of them ------------------------------------------------------------------------------------------------------


def of_person(request: HttpRequest, conference: Conference, somebody: UUID) -> HttpResponse:
    """A participant."""
    person = Participant.objects.filter(
        public_id=somebody, conference=conference, identity_key__isnull=False
    ).defer("sealed_identity", "accessibility_needs").first()  # fmt: skip
    if person is None:
        raise Http404
    by, now = actor(request), timezone.now()
    found = protection.of(person)  # compared with what the form was opened with, and once more under the lock

    def save(form: ProtectionForm) -> object:
        data = form.cleaned_data
        wanted = protection.Wanted(
            **form.flags(), alias=data.get("alias", ""), note=data["note"] or None, keepers=form.keepers(),
            seen=protection.flags(found),
        )  # fmt: skip
        return protection.protect(participant_id=person.pk, wanted=wanted, by=by, now=now)

    def opened(reason: str) -> list[tuple[str, str]]:
        record = protection.open_record(participant_id=person.pk, reason=reason, by=by, now=now)
        return [
            (_("Name"), record.identity.full_name),
            (_("E-mail address"), record.identity.email),
            (_("Country"), record.country),
            (_("Organisation"), record.organisation),
            (_("Function"), record.function),
            (_("For the record"), record.note),
        ]

    subject = _Subject(
        name=person.display_name,
        found=found,
        is_speaker=False,
        has_alias=person.has_alias,
        shows=_shown_of_participant(person),
        save=save,
        lift=lambda: protection.lift(participant_id=person.pk, by=by, now=now, seen=protection.flags(found)),
        open=opened,
    )
    return _page(request, conference, subject)


def of_speaker(request: HttpRequest, conference: Conference, somebody: UUID) -> HttpResponse:
    """Somebody who speaks at the conference."""
    person = Person.objects.filter(public_id=somebody, contributions__session__conference=conference).first()
    if person is None:
        raise Http404
    by, now = actor(request), timezone.now()

    def save(form: ProtectionForm) -> object:
        wanted = speaking.Wanted(**form.flags(), note=form.cleaned_data["note"] or None, keepers=form.keepers())
        return speaking.protect(person_id=person.pk, wanted=wanted, by=by, now=now)

    def opened(reason: str) -> list[tuple[str, str]]:
        record = speaking.open_record(person_id=person.pk, reason=reason, by=by, now=now)
        return [(_("For the record"), record.note), (_("Taken out"), "\n".join(record.taken_out))]

    subject = _Subject(
        name=person.display_name,
        found=Protection.objects.select_related("safe").filter(person=person).defer("record").first(),
        is_speaker=True,
        has_alias=True,  # a pseudonym is set on the person's own page
        shows=_shown_of_speaker(person),
        save=save,
        lift=lambda: speaking.lift(person_id=person.pk, by=by, now=now),
        open=opened,
    )
    return _page(request, conference, subject)


def _page(request: HttpRequest, conference: Conference, subject: _Subject) -> HttpResponse:
    safe = subject.found.safe if subject.found is not None else None
    form = ProtectionForm(
        request.POST if "save" in request.POST else None,
        conference=conference,
        safe=safe,
        has_alias=subject.has_alias,
        initial={name: getattr(subject.found, name) for name in _FLAGS if subject.found is not None},
    )
    facts: list[tuple[str, str]] = []
    stands = _as_seen(subject)
    is_stale = not {"save", "lift"}.isdisjoint(request.POST) and seen.is_stale(request, stands)
    if is_stale:
        messages.error(request, str(seen.CHANGED_BELOW if "save" in request.POST else seen.CHANGED))
    elif request.method == "POST":
        try:
            if "open" in request.POST:
                facts = subject.open(request.POST.get("reason", ""))
            elif "lift" in request.POST:
                subject.lift()
                messages.success(request, _("The protection has ended."))
                return HttpResponseRedirect(request.path)
            elif form.is_valid():
                subject.save(form)
                messages.success(request, _("Saved. What is withheld is shown nowhere from now on."))
                return HttpResponseRedirect(request.path)
        except DomainError as error:
            messages.error(request, str(error.message))
    context = pages.context(request, conference, "protection", subject.name) | {
        "form": form,
        "seen": stands,
        "subject": subject,
        "safe": safe,
        "facts": [fact for fact in facts if fact[1]],
        "may_open": safe is not None and safes.is_reader(safe, cast("User", request.user)),
        "openings": _openings(safe, conference) if safe is not None else [],
        "back_url": pages.url("protection", conference),
        "least": safes.LEAST_REASON,
    }
    response = TemplateResponse(request, "admin/registration/protection_of.html", context)
    add_never_cache_headers(response)
    return response


def _as_seen(subject: _Subject) -> str:
    """How the protection stands. Two officers at once must not undo unseen what the other one hides."""
    found = subject.found
    if found is None:
        return seen.stamp(subject.name)
    keepers = found.safe.keepers.order_by("user").values_list("user", "may_open", "is_told")
    return seen.stamp(subject.name, [getattr(found, name) for name in _FLAGS], list(keepers))


def _openings(safe: Safe, conference: Conference) -> list[dict[str, str]]:
    return [
        {
            "at": clock_time(one.at, conference.zone),
            "who": one.user.get_short_name() if one.user is not None else "–",
            "why": one.reason,
        }
        for one in safe.openings.select_related("user").order_by("-at", "-pk")[:_MOST]
    ]


# --- where the name shows now -----------------------------------------------------------------------------------------


def _shown_of_participant(person: Participant) -> list[str]:
    rows = (
        Registration.objects.live()
        .filter(participant=person)
        .select_related("admission__session", "admission__conference")
        .order_by("pk")[:_MOST]
    )
    lines = []
    for row in rows:
        thing = row.admission.session or row.admission.conference
        if row.admission.mode == AttendanceMode.ONLINE:
            where = _("%(title)s: lists of the organisers, and the video platform")
        else:
            where = _("%(title)s: lists of the organisers, badge and door")
        lines.append(where % {"title": thing.title})
    return lines


def _shown_of_speaker(person: Person) -> list[str]:
    rows = (
        Contribution.objects.printable()
        .filter(person=person)
        .select_related("session__conference")
        .order_by("-session__conference__starts_on", "pk")[:_MOST]
    )
    return [
        _("%(title)s (%(conference)s): pages, feeds, API and documents of the programme")
        % {"title": row.session.title, "conference": row.session.conference.title}
        for row in rows
    ]


pages.register(
    "protection",
    overview,
    permission=_PERMISSION,
    label=gettext_lazy("Protection"),
    order=20,
    group=pages.Group.SAFETY,
)
pages.register(
    "protection-person", of_person, permission=_PERMISSION, route="protection/people/<uuid:somebody>/", of="protection"
)
pages.register(
    "protection-speaker",
    of_speaker,
    permission=_PERMISSION,
    route="protection/speakers/<uuid:somebody>/",
    of="protection",
)
