"""Who speaks: persons, their dated affiliations, and their contributions to sessions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from alliance.db import PublicIdField
from alliance.languages import Translations
from alliance.translated import TranslatedField
from events.models import Country, Organisation, Segment, SegmentVisibility, Session
from events.models.session import session_end
from speakers.invitation_models import SpeakerConsent as SpeakerConsent
from speakers.invitation_models import SpeakerInvitation as SpeakerInvitation
from speakers.invitation_models import SpeakerInvitationQuerySet as SpeakerInvitationQuerySet
from speakers.invitation_models import SpeakerPurpose as SpeakerPurpose
from speakers.invitation_models import SpeakerTakeDown as SpeakerTakeDown
from speakers.protection_models import Protection as Protection


class PersonQuerySet(models.QuerySet["Person"]):
    """Persons who speak."""

    def visible(self) -> Self:
        """Everybody who is not hidden. One flag hides a person everywhere at once (docs/design.md section 4.6)."""
        return self.filter(is_hidden=False)


class Person(models.Model):
    """A person who speaks. The display name decides; given and family name are never split or joined by rule.

    A pseudonym is the whole name: the database keeps no other name, spelling, biography or note in the same row. Forms
    and programme files refuse affiliations and names printed for an occasion beside it, and ask for a key of its own.
    There is no field that tells whether somebody is a survivor, on purpose.
    """

    public_id = PublicIdField()
    key = models.SlugField(_("key"), max_length=100, unique=True, help_text=_("Stable name in programme files."))
    display_name = models.CharField(_("display name"), max_length=200)
    given_name = models.CharField(_("given name"), max_length=120, blank=True)
    family_name = models.CharField(_("family name"), max_length=120, blank=True)
    sort_name = models.CharField(_("sort name"), max_length=200, blank=True)
    post_nominals = models.CharField(_("post-nominals"), max_length=60, blank=True)
    aliases = ArrayField(models.CharField(max_length=200), default=list, blank=True, verbose_name=_("other spellings"))
    alias_sources = models.JSONField(
        _("where other spellings stand"), default=dict, blank=True, help_text=_("The document, by spelling.")
    )
    biography = TranslatedField(_("short biography"))
    is_pseudonym = models.BooleanField(_("the name is a pseudonym"), default=False)
    is_hidden = models.BooleanField(
        _("hidden everywhere"), default=False, help_text=_("Removes the person from every page, feed and document.")
    )
    internal_note = models.TextField(_("internal note"), blank=True, help_text=_("Never shown outside the admin."))
    # Set and emptied by events.removals alone. Whoever is taken down is hidden, and a form cannot show them again.
    taken_down_at = models.DateTimeField(_("taken down at"), null=True, editable=False)
    updated_at = models.DateTimeField(_("changed at"), auto_now=True)

    objects: ClassVar[PersonQuerySet] = PersonQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("persons")
        constraints = [
            models.CheckConstraint(name="person_has_display_name", condition=~Q(display_name="")),
            models.CheckConstraint(
                name="person_taken_down_is_hidden", condition=Q(taken_down_at__isnull=True) | Q(is_hidden=True)
            ),
            # A pseudonym beside another name, or beside words about the person, would be a trace to who is behind it.
            models.CheckConstraint(
                name="person_pseudonym_has_no_other_name",
                condition=Q(is_pseudonym=False)
                | Q(family_name="", internal_note="", aliases=[], alias_sources={}, biography={}, post_nominals="")
                & (Q(given_name="") | Q(given_name=F("display_name")))
                & (Q(sort_name="") | Q(sort_name=F("display_name"))),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.display_name} (#{self.pk})"

    def get_absolute_url(self) -> str:
        """The public page in the active language."""
        return reverse("speakers:person", args=[self.public_id])


class Affiliation(models.Model):
    """What a person was where and when. It only proposes values; each contribution keeps its own approved wording."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="affiliations", verbose_name=_("person"))
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="affiliations", null=True, blank=True,
        verbose_name=_("organisation"),
    )  # fmt: skip
    role_title = TranslatedField(_("title"), blank=False)
    since = models.DateField(_("since"), null=True, blank=True)
    until = models.DateField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("affiliation")
        verbose_name_plural = _("affiliations")
        constraints = [
            models.CheckConstraint(name="affiliation_ends_after_it_starts", condition=Q(until__gte=F("since"))),
        ]

    def __str__(self) -> str:
        return f"{self.role_title} (#{self.pk})"


class Role(models.TextChoices):
    """Roles at the lectern."""

    WELCOMING_REMARKS = "welcoming_remarks", _("Welcoming remarks")
    OPENING_REMARKS = "opening_remarks", _("Opening remarks")
    KEYNOTE = "keynote", _("Keynote")
    MODERATOR = "moderator", _("Moderator")
    MODERATOR_AND_PRESENTER = "moderator_and_presenter", _("Moderation and presentation")
    PRESENTATION = "presentation", _("Presentation")
    SPEAKER = "speaker", _("Speaker")
    PANEL_PRESENTATION = "panel_presentation", _("Panel presentation")
    EXPERT = "expert", _("Expert")
    CONTRIBUTION = "contribution", _("Contribution")
    TESTIMONY = "testimony", _("Testimony")
    VIDEO_MESSAGE = "video_message", _("Video message")
    CLOSING_REMARKS = "closing_remarks", _("Closing remarks")
    CHAIR = "chair", _("Chair")
    HOST = "host", _("Host")
    FACILITATOR = "facilitator", _("Facilitator")
    TRAINER = "trainer", _("Trainer")
    MASTER_OF_CEREMONIES = "master_of_ceremonies", _("Master of ceremonies")
    INTERPRETER = "interpreter", _("Interpreter")


class ContributionStatus(models.TextChoices):
    """Where an invitation to speak stands."""

    INVITED = "invited", _("Invited")
    TBC = "tbc", _("To be confirmed")
    CONFIRMED = "confirmed", _("Confirmed")
    DECLINED = "declined", _("Declined")
    REPLACED = "replaced", _("Replaced")


class CountryMeaning(models.TextChoices):
    """What a country printed with a person says; only "represented" counts as a State speaking."""

    STATE_REPRESENTED = "state_represented", _("State represented")
    ORGANISATION_SEAT = "organisation_seat", _("Seat of the organisation")
    STATED = "stated", _("As stated")


class TookPart(models.TextChoices):
    """Not named in the report is not the same as absent."""

    UNKNOWN = "unknown", _("Not known")
    YES = "yes", _("Took part")
    NO = "no", _("Did not take part")


class Delivery(models.TextChoices):
    """How somebody spoke."""

    LIVE = "live", _("Live")
    VIDEO = "video", _("By video")


class ContributionQuerySet(models.QuerySet["Contribution"]):
    """Contributions."""

    def printable(self) -> Self:
        """What may be shown at all: not declined or replaced, not hidden, never those marked "never"."""
        return self.exclude(
            Q(status__in=[ContributionStatus.DECLINED, ContributionStatus.REPLACED])
            | Q(person__is_hidden=True)
            | Q(visibility=SegmentVisibility.NEVER)
            | Q(segment__visibility=SegmentVisibility.NEVER)
        )

    def visible_at(self, now: datetime) -> Self:
        """What may be shown at the instant: printable, and some only once the session is over.

        Those are the ones marked "after", by themselves or with their segment, and those the programme did not
        announce: some testimonies are never announced.
        """
        later = (
            Q(visibility=SegmentVisibility.AFTER)
            | Q(segment__visibility=SegmentVisibility.AFTER)
            | Q(is_announced=False)
        )
        return (
            self.printable()
            .alias(session_is_over_at=session_end("session__"))
            .filter(~later | Q(session_is_over_at__lte=now))
        )

    def under_their_own_name(self) -> Self:
        """Those whose wording is shown. Whoever asks for a country or a body must not find a pseudonym by it."""
        return self.exclude(person__is_pseudonym=True)

    def in_printed_order(self) -> Self:
        """The approved order; never by the alphabet (docs/design.md section 4.7)."""
        return self.order_by("segment__position", "position", "pk")


@dataclass(frozen=True, slots=True)
class Wording:
    """What is shown of a contribution beside name, role, status and place in the programme.

    Without arguments it is what is shown under a pseudonym: nothing, and nothing of what somebody may add here later.
    """

    unnamed_label: Translations = field(default_factory=Translations)
    heading: Translations = field(default_factory=Translations)
    honorific: str = ""
    post_nominals: str = ""
    role_title: Translations = field(default_factory=Translations)
    organisation: Organisation | None = None
    country: Country | None = None
    country_meaning: str = ""
    topic: Translations = field(default_factory=Translations)
    delivery: str = ""
    # Only once the session is over. "Did not take part" is never shown: why somebody stayed away (fear, illness, a
    # threat) is theirs, and a page that says it of some would say something of all others. It looks like "not known".
    took_part: bool = False
    is_announced: bool | None = None


class Contribution(models.Model):
    """A person, or a seat without a name, in one session in one role, worded as approved for this occasion."""

    public_id = PublicIdField()
    session = models.ForeignKey(
        Session, on_delete=models.CASCADE, related_name="contributions", verbose_name=_("session")
    )
    segment = models.ForeignKey(
        Segment, on_delete=models.CASCADE, related_name="contributions", null=True, blank=True,
        verbose_name=_("segment"),
    )  # fmt: skip
    person = models.ForeignKey(
        Person, on_delete=models.PROTECT, related_name="contributions", null=True, blank=True, verbose_name=_("person")
    )
    unnamed_label = TranslatedField(
        _("seat without a name"), help_text=_("Such as “Representative of local authorities”.")
    )
    position = models.PositiveSmallIntegerField(_("position"))
    agenda_position = models.PositiveSmallIntegerField(_("position in the printed agenda"), null=True, blank=True)
    role = models.CharField(_("role"), max_length=24, choices=Role, default=Role.SPEAKER)
    heading_printed = TranslatedField(_("printed heading"))
    status = models.CharField(
        _("status"), max_length=12, choices=ContributionStatus, default=ContributionStatus.INVITED
    )
    final_status = models.CharField(_("status in the end"), max_length=12, choices=ContributionStatus, blank=True)
    honorific = models.CharField(_("honorific"), max_length=60, blank=True)
    name_printed = models.CharField(
        _("name as printed"), max_length=200, blank=True, help_text=_("Empty: the person's display name.")
    )
    post_nominals = models.CharField(_("post-nominals"), max_length=60, blank=True)
    role_title = TranslatedField(_("title as approved"))
    role_title_in_report = TranslatedField(_("title in the report"))
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="contributions", null=True, blank=True,
        verbose_name=_("organisation"),
    )  # fmt: skip
    other_organisations = models.ManyToManyField(
        Organisation, related_name="+", blank=True, verbose_name=_("further organisations")
    )
    country = models.ForeignKey(
        Country, on_delete=models.PROTECT, related_name="contributions", null=True, blank=True,
        verbose_name=_("country"),
    )  # fmt: skip
    country_meaning = models.CharField(_("meaning of the country"), max_length=20, choices=CountryMeaning, blank=True)
    topic = TranslatedField(_("title of the talk"))
    delivery = models.CharField(_("delivery"), max_length=8, choices=Delivery, blank=True)
    visibility = models.CharField(
        _("visible"), max_length=8, choices=SegmentVisibility, default=SegmentVisibility.BEFORE
    )
    is_announced = models.BooleanField(_("announced in the programme"), default=True)
    is_in_report = models.BooleanField(_("named in the report"), default=False)
    took_part = models.CharField(_("took part"), max_length=8, choices=TookPart, default=TookPart.UNKNOWN)
    sources = ArrayField(models.CharField(max_length=120), default=list, blank=True, verbose_name=_("sources"))
    internal_note = models.TextField(_("internal note"), blank=True, help_text=_("Never shown outside the admin."))

    objects: ClassVar[ContributionQuerySet] = ContributionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("contribution")
        verbose_name_plural = _("contributions")
        constraints = [
            models.UniqueConstraint(
                name="contribution_position_unique_in_session",
                fields=["session", "position"],
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                name="contribution_has_person_or_label", condition=Q(person__isnull=False) | ~Q(unnamed_label={})
            ),
            models.CheckConstraint(name="contribution_role_is_known", condition=Q(role__in=Role.values)),
            models.CheckConstraint(
                name="contribution_status_is_known", condition=Q(status__in=ContributionStatus.values)
            ),
            models.CheckConstraint(
                name="contribution_final_status_is_known",
                condition=Q(final_status__in=["", *ContributionStatus.values]),
            ),
            models.CheckConstraint(name="contribution_took_part_is_known", condition=Q(took_part__in=TookPart.values)),
            models.CheckConstraint(
                name="contribution_delivery_is_known", condition=Q(delivery__in=["", *Delivery.values])
            ),
            models.CheckConstraint(
                name="contribution_visibility_is_known", condition=Q(visibility__in=SegmentVisibility.values)
            ),
            models.CheckConstraint(
                name="contribution_country_and_meaning_are_a_pair",
                condition=Q(country__isnull=True, country_meaning="")
                | Q(country__isnull=False, country_meaning__in=CountryMeaning.values),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} (#{self.pk})"

    @property
    def name(self) -> str:
        """The name to show: as approved, else the person's display name; empty for a seat without a name.

        A pseudonym is shown as it is: a name printed for the occasion could be another one.
        """
        if self.person is None:
            return ""
        if self.is_under_pseudonym:
            return self.person.display_name
        return self.name_printed or self.person.display_name

    @property
    def is_under_pseudonym(self) -> bool:
        """Whether the person's name is a pseudonym. Then name, role, status and place are all that anybody sees."""
        return self.person is not None and self.person.is_pseudonym

    @property
    def wording(self) -> Wording:
        """What pages and programs show beside the name. Under a pseudonym: nothing (docs/design.md section 4.6)."""
        if self.is_under_pseudonym:
            return Wording()
        return Wording(
            unnamed_label=self.unnamed_label,
            heading=self.heading_printed,
            honorific=self.honorific,
            post_nominals=self.post_nominals,
            role_title=self.role_title,
            organisation=self.organisation,
            country=self.country,
            country_meaning=self.country_meaning,
            topic=self.topic,
            delivery=self.delivery,
            took_part=self.took_part == TookPart.YES,
            is_announced=self.is_announced,
        )

    def further_organisations(self) -> list[Organisation]:
        """The bodies beside the first that are shown; none under a pseudonym. Asks the database unless prefetched."""
        return [] if self.is_under_pseudonym else list(self.other_organisations.all())

    @property
    def is_to_be_confirmed(self) -> bool:
        """Whether "(tbc)" is printed. The programme keeps what it announced: the status in the end does not count."""
        return self.status in (ContributionStatus.INVITED, ContributionStatus.TBC)

    def names_in_title(self, organisation: Organisation) -> bool:
        """Whether the approved title says the organisation already, or the organisation is only the title's office.

        Printing it once more would read "Head, Strategic Police Matters Unit, Strategic Police Matters Unit".
        """
        for language, title in self.role_title.items():
            said = title.casefold()
            if organisation.abbreviation and re.search(rf"\b{re.escape(organisation.abbreviation)}\b", title):
                return True
            full = organisation.name.get(language, "")
            # "General Prosecutor's Office, Moldova" is named by a title that ends with "General Prosecutor's Office".
            for name in map(str.casefold, [full, full.rpartition(",")[0], *organisation.aliases]):
                if name and (name in said or (said in name and 2 * len(said) > len(name))):
                    return True
        return False

    def organisation_printed(self) -> Organisation | None:
        """The organisation to print after the title: none that the title names, none whose name was made by us."""
        organisation = self.wording.organisation
        if organisation is None or organisation.is_name_derived or self.names_in_title(organisation):
            return None
        return organisation
