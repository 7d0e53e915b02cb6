"""Entering a person by hand, for organisers: who asked by telephone or at the desk registers like everybody else."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin import actor
from alliance.exceptions import DomainError
from events.admin import pages
from events.models import Conference
from registration import selectors, services
from registration.admin.admissions import admission_label
from registration.fields import BodyField, EmailField, NameField
from registration.forms import CountryField, is_valid_token, new_token
from registration.models import Admission, Category
from registration.services import Answer, Applicant, ByHand

PERMISSION = "registration.change_participant"


class ByHandForm(forms.Form):
    """What somebody tells about themself, typed by an organiser."""

    given_name = NameField(label=gettext_lazy("Given name"), longest=90, required=False)
    family_name = NameField(label=gettext_lazy("Family name"), longest=90, required=False)
    alias = NameField(
        label=gettext_lazy("Name to appear under"),
        longest=120,
        required=False,
        help_text=gettext_lazy("Only if the person wants to be seen under another name. Nobody asks why."),
    )
    email = EmailField(label=gettext_lazy("E-mail address"))
    language = forms.ChoiceField(label=gettext_lazy("Language of the mails"), choices=settings.LANGUAGES)
    category = forms.ChoiceField(label=gettext_lazy("Comes from"), choices=[("", "---------"), *Category.choices])
    country = CountryField(label=gettext_lazy("Country"), required=False)
    organisation = BodyField(label=gettext_lazy("Organisation"), longest=200, required=False)
    function = BodyField(label=gettext_lazy("Function"), longest=200, required=False)
    admissions = forms.MultipleChoiceField(
        label=gettext_lazy("Registers for"), widget=forms.CheckboxSelectMultiple(), choices=[]
    )
    override = forms.CharField(
        label=gettext_lazy("Admit in spite of the audience rule, because"),
        required=False,
        max_length=250,
        widget=forms.TextInput(attrs={"size": 60}),
        help_text=gettext_lazy(
            "Empty: the audience rule counts. The reason goes into the audit trail; name nobody in it. Where all "
            "places are taken the person joins the waiting list all the same."
        ),
    )
    asked = forms.BooleanField(
        label=gettext_lazy("They asked us to register them, and know what is kept about them"),
        error_messages={"required": gettext_lazy("Register only people who have asked for it.")},
    )
    token = forms.CharField(widget=forms.HiddenInput())

    def __init__(self, data: Any = None, *, admissions: list[Admission]) -> None:
        super().__init__(data, initial={"token": new_token(), "language": "en"})
        self.by_id = {str(admission.pk): admission for admission in admissions}
        field: Any = self.fields["admissions"]
        field.choices = [(pk, admission_label(admission)) for pk, admission in self.by_id.items()]

    def renew(self) -> None:
        """Go on under another token: this one is too old, or something else was sent with it before."""
        data = cast("QueryDict", self.data).copy()
        data["token"] = new_token()
        self.data = data

    def clean_token(self) -> str:
        """A token we made."""
        token: str = self.cleaned_data["token"]
        if not is_valid_token(token):
            raise forms.ValidationError(
                _("The form was open for more than a day. Nothing is lost: send it once more."), code="token"
            )
        return token

    def clean(self) -> dict[str, Any]:
        """What concerns several fields."""
        data = super().clean() or self.cleaned_data
        if "given_name" in data and "family_name" in data and not (data["given_name"] or data["family_name"]):
            self.add_error("given_name", _("Enter a given name or a family name."))
        if data.get("category") == Category.DELEGATION and "country" in data and data["country"] is None:
            self.add_error("country", _("Choose the country of the delegation."))
        return data

    def chosen(self) -> list[Admission]:
        """What the person registers for, of a valid form."""
        return [self.by_id[pk] for pk in self.cleaned_data["admissions"]]

    def applicant(self, conference: Conference) -> Applicant:
        """Who registers, of a valid form."""
        data = self.cleaned_data
        offered = selectors.offers(conference.slug)
        return Applicant(
            given_name=data["given_name"],
            family_name=data["family_name"],
            alias=data["alias"],
            email=data["email"],
            language=data["language"],
            category=data["category"],
            country=data["country"],
            organisation_id=offered.organisation_id(data["organisation"]) if offered is not None else None,
            organisation_text=data["organisation"],
            function=data["function"],
        )


def _admissions(conference: Conference) -> list[Admission]:
    found = (
        Admission.objects.filter(conference=conference)
        .with_meeting()
        .select_related("session__day")
        .prefetch_related("audience_organisations")
        .in_form_order()
    )
    now = timezone.now()
    return [admission for admission in found if not admission.is_cancelled and not admission.is_over(now)]


def page(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Enter somebody. What is said afterwards is the same whether the address was known or not, and names nobody."""
    admissions = _admissions(conference)
    form = ByHandForm(request.POST or None, admissions=admissions)
    if request.method == "POST" and not form.is_valid() and "token" in form.errors:
        form.renew()
    elif request.method == "POST" and form.is_valid():
        try:
            answer = services.register(
                conference=conference,
                admissions=form.chosen(),
                applicant=form.applicant(conference),
                form_token=form.cleaned_data["token"],
                now=timezone.now(),
                by_hand=ByHand(actor(request), override=" ".join(form.cleaned_data["override"].split())),
            )
        except services.FormSentBefore as error:
            form.add_error(None, str(error.message))
            form.renew()
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            _say(request, admissions, answer)
            form = ByHandForm(admissions=admissions)
    context = pages.context(request, conference, "by-hand", _("Enter a person by hand")) | {"form": form}
    return TemplateResponse(request, "admin/registration/by_hand.html", context)


def _say(request: HttpRequest, admissions: list[Admission], answer: Answer) -> None:
    by_public_id = {str(admission.public_id): admission for admission in admissions}
    lines = [f"{admission_label(by_public_id[one.admission])}: {one.status.label}" for one in answer.outcomes]
    messages.success(
        request,
        _(
            "The person gets a mail that says how everything stands. An earlier registration of the address stays as "
            "it is."
        ),
    )
    new = ngettext("A new registration gets this:", "New registrations get this:", len(lines))
    messages.info(request, f"{new} {'; '.join(lines)}")


pages.register(
    "by-hand",
    page,
    permission=PERMISSION,
    label=gettext_lazy("Enter a person"),
    order=50,
    group=pages.Group.REGISTRATION,
)
