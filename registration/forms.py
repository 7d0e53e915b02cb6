"""The form with which people register, and the one that asks for the personal link again."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.forms import BoundField
from django.utils.datastructures import MultiValueDict
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from alliance import field_errors
from alliance import time as clocks
from events.models import Country
from registration import consent_wordings, selectors
from registration.fields import BodyField, EmailField, LinesField, NameField
from registration.models import Admission, Category
from registration.questions import fields as question_fields
from registration.questions.answers import Given, Upload
from registration.selectors import Offers, Thing
from registration.services import Applicant, answers, consents

TOKEN_VALID = timedelta(hours=24)
_signer = signing.TimestampSigner(salt="registration.form")


def new_token() -> str:
    """A one-time token for a form: random, signed, with its time."""
    return _signer.sign(secrets.token_urlsafe(16))


def is_valid_token(token: str) -> bool:
    """Whether we made the token within the last 24 hours."""
    try:
        _signer.unsign(token, max_age=TOKEN_VALID)
    except signing.BadSignature:  # an expired one too
        return False
    return True


class CountrySelect(forms.Select):
    """All countries. The options are made once per language and content: there are 250, and a rush asks for them."""

    _options: dict[str, tuple[selectors.Countries, SafeString]] = {}

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """The select with the chosen country marked."""
        options = self._all_options()
        chosen = f'value="{value}"'
        if isinstance(value, str) and value.isascii() and value.isalpha() and chosen in options:
            options = SafeString(options.replace(chosen, f"{chosen} selected", 1))
        names = {"name": name, **(attrs or {})}
        listed = format_html_join(
            "", ' {}="{}"', ((key, text) for key, text in names.items() if text not in (False, True))
        )
        flags = format_html_join("", " {}", ((key,) for key, text in names.items() if text is True))
        return format_html("<select{}{}>{}</select>", listed, flags, options)

    def _all_options(self) -> SafeString:
        language = get_language() or "en"
        countries = selectors.countries()
        kept = self._options.get(language)
        if kept and kept[0] is countries:
            return kept[1]
        options = format_html('<option value="">{}</option>', _("No country")) + format_html_join(
            "",
            '<optgroup label="{}">{}</optgroup>',
            (
                (group.label, format_html_join("", '<option value="{}">{}</option>', group.countries))
                for group in countries.groups
            ),
        )
        self._options[language] = (countries, options)
        return options


class CountryField(forms.CharField):
    """A country by its ISO code; None when none is chosen."""

    widget = CountrySelect
    default_error_messages = {"unknown": gettext_lazy("Choose a country from the list.")}

    def clean(self, value: Any) -> Country | None:
        """The country."""
        if not value:
            return None
        country = selectors.countries().by_code.get(str(value))
        if country is None:
            raise ValidationError(self.error_messages["unknown"], code="unknown")
        return country


class OneWay(forms.RadioSelect):
    """The ways of attending one thing. With a single way it is a checkbox that can be left empty."""

    def __init__(self, thing: Thing, ways: Sequence[Admission]) -> None:
        super().__init__()
        self.thing = thing
        self.ways = ways
        self.input_type = "radio" if len(ways) > 1 else "checkbox"


class _Lenient(forms.TextInput):
    """Not marked as required, though its field is not optional either."""

    def use_required_attribute(self, initial: Any) -> bool:
        """Either of two fields may stay empty."""
        return False


class OneOfTwoField(NameField):
    """A name that may be empty when the other one is given; so it is neither required nor called optional."""

    def __init__(self, *, attrs: dict[str, str], **kwargs: Any) -> None:
        super().__init__(required=True, widget=_Lenient(attrs=attrs), **kwargs)

    def validate(self, value: Any) -> None:
        """The form looks at both."""


class UnseenField(forms.CharField):
    """What people neither see nor can correct: whatever is in it, it is no error of theirs."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(required=False, widget=forms.HiddenInput(attrs=attrs))
        self.validators = []


class _Shared(dict[str, forms.Field]):
    """Fields that no form changes: a rush is spared copying all of them for each person. Forms copy the dict alone."""

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, forms.Field]:
        return dict(self)


class RegistrationForm(field_errors.ClearErrors, forms.Form):
    """One form for the conference and any of its sessions.

    For each thing that is open there is a field, "attend" for the conference and "attend-<slug>" for a session; its
    value is the public id of an admission. Only shape and validity are checked here; what depends on places, audience
    and time is the service's business.
    """

    given_name = OneOfTwoField(
        label=gettext_lazy("Given name"), longest=90, attrs={"autocomplete": "given-name", "spellcheck": "false"}
    )
    family_name = OneOfTwoField(
        label=gettext_lazy("Family name"), longest=90, attrs={"autocomplete": "family-name", "spellcheck": "false"}
    )
    alias = NameField(
        label=gettext_lazy("Name to appear under"),
        longest=120,
        required=False,
        help_text=gettext_lazy(
            "If you want to be seen under another name, write it here. Lists, badges and the meeting platform then "
            "show only this name. Nobody will ask you why."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    email = EmailField(
        label=gettext_lazy("E-mail address"),
        help_text=gettext_lazy(
            "Your confirmation and your personal link go there. It is shown to no other participant."
        ),
        error_messages={"required": gettext_lazy("Enter your e-mail address: your personal link goes there.")},
    )
    category = forms.ChoiceField(
        label=gettext_lazy("You come from"),
        choices=[("", gettext_lazy("Choose one")), *Category.choices],
        help_text=gettext_lazy("Some events are open to certain groups, and the report counts people by group."),
        error_messages={
            "required": gettext_lazy("Choose where you come from; “Other” is possible."),
            "invalid_choice": gettext_lazy("Choose one of the groups in the list."),
        },
    )
    country = CountryField(
        label=gettext_lazy("Country"),
        required=False,
        help_text=gettext_lazy("Needed for members of a delegation. For others it only counts in the report."),
    )
    organisation = BodyField(
        label=gettext_lazy("Organisation"),
        longest=200,
        required=False,
        help_text=gettext_lazy("Some events are open to partner organisations. The organisers see it."),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    function = BodyField(
        label=gettext_lazy("Function"),
        longest=200,
        required=False,
        help_text=gettext_lazy("It helps the organisers to decide where approval is needed."),
        widget=forms.TextInput(attrs={"autocomplete": "organization-title"}),
    )
    interpretation_language = forms.ChoiceField(
        label=gettext_lazy("Interpretation into"),
        required=False,
        help_text=gettext_lazy("Tells the organisers for which languages interpreters are needed."),
        error_messages={"invalid_choice": gettext_lazy("Choose one of the languages in the list.")},
    )
    accessibility_needs = LinesField(
        label=gettext_lazy("What you need to take part"),
        longest=1000,
        required=False,
        help_text=gettext_lazy(
            "For example captions, sign language, a place for a wheelchair. Say what, not why. It is kept encrypted "
            "and read only by the organisers who arrange it."
        ),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    time_zone = UnseenField(**{"data-own-zone": True})
    token = UnseenField()
    website = UnseenField()  # programs fill it in

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        offered: Offers,
        now: datetime,
        chosen: str = "",
        named: frozenset[int] = frozenset(),
        files: MultiValueDict[str, UploadedFile[Any]] | None = None,
    ) -> None:
        """now: decides what is open. chosen: the slug of a session whose only way is ticked in an empty form.

        named: keys of admissions the person is invited to.
        """
        super().__init__(data, files)
        self.offered = offered
        self.now = now
        self.given: list[Given] = []  # answers to the organisers' questions, once the form is cleaned
        self.things = [(thing, ways) for thing in offered.things if (ways := thing.open_admissions(now, named))]
        for thing, ways in self.things:
            self.fields[thing.name] = self._choice_field(thing, ways)
            if len(ways) == 1 and (thing.name == f"attend-{chosen}" or len(offered.things) == 1):
                self.initial[thing.name] = str(ways[0].public_id)
        spoken = self._interpretation_languages()
        if spoken:
            field: Any = copy.deepcopy(self.base_fields["interpretation_language"])
            field.choices = [("", _("None")), *spoken]
            self.fields["interpretation_language"] = field
        else:
            del self.fields["interpretation_language"]
        self.consents = {f"consent-{purpose}": purpose for purpose in consents.asked(offered.conference)}
        for name, purpose in self.consents.items():
            wording = consent_wordings.current(purpose)
            self.fields[name] = forms.BooleanField(
                label=str(wording.sentence), help_text=str(wording.reason), required=False
            )
        self.questions = [
            question
            for question in offered.questions
            if (until := question.deleted_from(offered.conference)) is None or now < until
        ]
        self.fields |= question_fields.build_all(self.questions)
        self.order_fields([*(thing.name for thing, _ways in self.things), *self.base_fields])

    @staticmethod
    def _choice_field(thing: Thing, ways: Sequence[Admission]) -> forms.ChoiceField:
        labels = [(str(admission.public_id), admission.get_mode_display()) for admission in ways]
        subject = thing.session.title if thing.session is not None else ways[0].conference.title
        return forms.ChoiceField(
            label=str(subject),
            choices=[*labels, ("", _("Not attending"))] if len(ways) > 1 else labels,
            required=False,
            widget=OneWay(thing, ways),
            error_messages={"invalid_choice": gettext_lazy("This choice is not on offer any more. Choose again.")},
        )

    def _interpretation_languages(self) -> list[tuple[str, str]]:
        values = list(self.offered.conference.interpretation_languages or [])
        for thing in self.offered.things:
            values += thing.session.interpretation_languages if thing.session is not None else []
        known = dict(settings.LANGUAGES)
        return [(value, str(known.get(value, value))) for value in dict.fromkeys(values)]

    @property
    def choices(self) -> list[BoundField]:
        """The fields with which things are chosen."""
        return [self[thing.name] for thing, _ways in self.things]

    @property
    def about_person(self) -> list[BoundField]:
        """The fields that say who comes."""
        names = ["given_name", "family_name", "alias", "email"]
        return [self[name] for name in names]

    @property
    def about_role(self) -> list[BoundField]:
        """The fields that say for whom somebody comes."""
        return [self[name] for name in ["category", "country", "organisation", "function"]]

    @property
    def about_needs(self) -> list[BoundField]:
        """The fields that say what somebody needs."""
        return [self[name] for name in ["interpretation_language", "accessibility_needs"] if name in self.fields]

    @property
    def about_consents(self) -> list[BoundField]:
        """What people may agree to besides, as the conference asks for it."""
        return [self[name] for name in self.consents]

    @property
    def about_questions(self) -> list[question_fields.Asked]:
        """What the organisers ask."""
        session_fields = {thing.session.pk: thing.name for thing, _ways in self.things if thing.session is not None}
        return question_fields.shown(self, self.questions, session_fields=session_fields)

    @property
    def uploads(self) -> dict[int, Upload]:
        """The files that came along or were kept, by key of their question."""
        return {one.question.pk: one.value for one in self.given if isinstance(one.value, Upload)}

    def _kept_uploads(self) -> dict[int, Upload]:
        return answers.kept(form_token=self.data.get("token", ""), now=self.now)

    def clean_time_zone(self) -> str:
        """A zone we know, or nothing: the browser fills it in, nobody can correct it."""
        zone: str = self.cleaned_data["time_zone"]
        return zone if len(zone) <= 40 and zone in clocks.zone_names() else ""

    def clean(self) -> dict[str, Any]:
        """What concerns several fields."""
        data = super().clean() or self.cleaned_data
        if "given_name" in data and "family_name" in data and not (data["given_name"] or data["family_name"]):
            self.add_error("given_name", _("Enter your given name or your family name."))
        if data.get("category") == Category.DELEGATION and "country" in data and data["country"] is None:
            self.add_error("country", _("Choose the country of your delegation."))
        sessions = {thing.session.pk for thing, _ways in self.things if thing.session and data.get(thing.name)}
        self.given = question_fields.settle(self, self.questions, sessions=sessions, find_kept=self._kept_uploads)
        if data.get("website"):
            raise ValidationError(_("Please send the form once more."), code="honeypot")
        if not is_valid_token(data.get("token", "")):
            raise ValidationError(
                _("The form was open for more than a day. Nothing is lost: send it once more."), code="token"
            )
        return data

    def admissions(self) -> list[Admission]:
        """What was chosen, of a valid form."""
        chosen = [self.offered.find(self.cleaned_data.get(thing.name, "")) for thing, _ways in self.things]
        return [found[1] for found in chosen if found]

    def applicant(self, *, language: str) -> Applicant:
        """Who registers, of a valid form."""
        data = self.cleaned_data
        return Applicant(
            given_name=data["given_name"],
            family_name=data["family_name"],
            alias=data["alias"],
            email=data["email"],
            language=language,
            time_zone=data["time_zone"],
            category=data["category"],
            country=data["country"],
            organisation_id=self.offered.organisation_id(data["organisation"]),
            organisation_text=data["organisation"],
            function=data["function"],
            interpretation_language=data.get("interpretation_language", ""),
            accessibility_needs=data["accessibility_needs"],
            given=tuple(self.given),
            consents=tuple(str(purpose) for name, purpose in self.consents.items() if data[name]),
        )


RegistrationForm.base_fields = _Shared(RegistrationForm.base_fields)


class ResendForm(field_errors.ClearErrors, forms.Form):
    """Asks for the personal link again."""

    email = EmailField(
        label=gettext_lazy("E-mail address"),
        help_text=gettext_lazy("The one you registered with."),
        error_messages={"required": gettext_lazy("Enter the e-mail address you registered with.")},
    )
