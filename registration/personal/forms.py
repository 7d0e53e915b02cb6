"""The forms by which people correct what is kept of them."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.forms import BoundField
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alliance import field_errors, zones
from registration.fields import EmailField
from registration.forms import RegistrationForm
from registration.models import Category
from registration.questions import answers
from registration.questions import fields as question_fields
from registration.questions.answers import OwnAnswer
from registration.selectors import Offers
from registration.services.own_corrections import OwnData

_NAMES = ("given_name", "family_name", "alias")
_ROLE = ("category", "country", "organisation", "function")
_NEEDS = ("interpretation_language", "accessibility_needs")


class CorrectionForm(field_errors.ClearErrors, forms.Form):
    """All that people correct about themselves, but for the address.

    Of a member of a delegation the fields that the delegation fills in are missing. Answers to the organisers'
    questions are among the fields as registration.questions.fields says.
    """

    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=settings.LANGUAGES,
        help_text=gettext_lazy("Of this page and of our mails to you."),
    )
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        required=False,
        help_text=gettext_lazy("Times are shown on this clock beside that of the venue."),
        error_messages={"invalid_choice": gettext_lazy("Choose one of the clocks in the list.")},
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        files: MultiValueDict[str, Any] | None = None,
        own: OwnData,
        own_answers: Sequence[OwnAnswer],
        sessions: set[int],
        offered: Offers | None,
        is_member: bool,
    ) -> None:
        """own, own_answers: how things stand. sessions: keys of those the person is registered for. offered: what the
        conference offers, as far as it still does; it knows how organisations are spelled."""
        initial = {
            **{name: getattr(own, name) for name in (*_NAMES, "category", "function", *_NEEDS)},
            "language": own.language,
            "time_zone": own.time_zone,
            "organisation": own.organisation_text,
            "country": own.country.iso2 if own.country is not None else "",
            **question_fields.initial(own_answers),
        }
        super().__init__(data, files, initial=initial)
        self.own, self.offered, self.is_member = own, offered, is_member
        self.open_answers = [one for one in own_answers if one.is_open]
        self.questions = [one.question for one in self.open_answers]
        self.sessions = sessions
        self.given: list[answers.Given] = []
        names = _NEEDS if is_member else (*_NAMES, *_ROLE, *_NEEDS)
        for name in names:
            self.fields[name] = copy.deepcopy(RegistrationForm.base_fields[name])
        self._offer_languages()
        zone: Any = self.fields["time_zone"]
        zone.choices = self._zones()
        for one in self.open_answers:
            self.fields[one.question.name] = question_fields.build(one.question, present=one.value)
        self.order_fields([*names, "language", "time_zone"])

    def _offer_languages(self) -> None:
        known = dict(settings.LANGUAGES)
        values = [self.own.interpretation_language] if self.own.interpretation_language else []
        if self.offered is not None:
            values += self.offered.conference.interpretation_languages or []
            for thing in self.offered.things:
                values += (thing.session.interpretation_languages or []) if thing.session is not None else []
        field: Any = self.fields["interpretation_language"]
        field.choices = [("", _("None")), *((one, str(known.get(one, one))) for one in dict.fromkeys(values))]
        if not values:
            del self.fields["interpretation_language"]

    def _zones(self) -> list[tuple[str, str]]:
        offered = [(zone.name, zone.city) for zone in zones.choices()]
        present = self.own.time_zone
        if present and present not in dict(offered):
            offered.append((present, zones.city(present)))
        return [("", _("The clock of the venue")), *offered]

    def _those(self, names: Sequence[str]) -> list[BoundField]:
        return [self[name] for name in names if name in self.fields]

    @property
    def about_person(self) -> list[BoundField]:
        """The fields that say who comes; none for members of a delegation."""
        return self._those(_NAMES)

    @property
    def about_role(self) -> list[BoundField]:
        """The fields that say for whom; none for members of a delegation."""
        return self._those(_ROLE)

    @property
    def about_needs(self) -> list[BoundField]:
        """What somebody needs, and on which clock and in which language we speak."""
        return self._those([*_NEEDS, "language", "time_zone"])

    @property
    def about_questions(self) -> list[question_fields.Asked]:
        """What the organisers ask."""
        return question_fields.shown(self, self.questions)

    def clean(self) -> dict[str, Any]:
        """What concerns several fields."""
        data = super().clean() or self.cleaned_data
        if "given_name" in data and "family_name" in data and not (data["given_name"] or data["family_name"]):
            self.add_error("given_name", _("Enter your given name or your family name."))
        if data.get("category") == Category.DELEGATION and "country" in data and data["country"] is None:
            self.add_error("country", _("Choose the country of your delegation."))
        has_file = question_fields.with_file(self.open_answers)
        self.given = question_fields.settle(self, self.questions, sessions=self.sessions, has_file=has_file)
        return data

    @property
    def files_that_stay(self) -> set[int]:
        """Keys of the questions whose stored file stays, of a valid form."""
        has_file = question_fields.with_file(self.open_answers)
        return question_fields.files_that_stay(self, self.given, has_file, self.questions)

    def wanted(self) -> OwnData:
        """What is to stand from now on, of a valid form."""
        data, own = self.cleaned_data, self.own
        text = data.get("organisation", own.organisation_text)
        return OwnData(
            given_name=data.get("given_name", own.given_name),
            family_name=data.get("family_name", own.family_name),
            alias=data.get("alias", own.alias),
            language=data["language"],
            time_zone=data["time_zone"],
            category=data.get("category", own.category),
            country=data.get("country", own.country),
            organisation_id=own.organisation_id if text == own.organisation_text else self._organisation_id(text),
            organisation_text=text,
            function=data.get("function", own.function),
            interpretation_language=data.get("interpretation_language", own.interpretation_language),
            accessibility_needs=data["accessibility_needs"],
        )

    def _organisation_id(self, text: str) -> int | None:
        return self.offered.organisation_id(text) if self.offered is not None else None


class AddressForm(field_errors.ClearErrors, forms.Form):
    """Asks for another address."""

    email = EmailField(
        label=gettext_lazy("New e-mail address"),
        help_text=gettext_lazy(
            "We send a mail there. The address counts once you have opened its link, within 24 hours."
        ),
        error_messages={"required": gettext_lazy("Enter the new address.")},
    )
