"""The page that makes the next edition from a conference: first what will be copied, then the copy."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import ADDITION
from django.contrib.admin.widgets import AdminDateWidget
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alliance.admin import explanation
from alliance.admin.history import write_history
from alliance.exceptions import DomainError
from alliance.forms import TranslatedFormField
from events import cloning
from events.admin import pages
from events.models import Conference


class NextEditionForm(forms.Form):
    """What differs from this edition."""

    title = TranslatedFormField(label=gettext_lazy("Title"), required=True)
    slug = forms.SlugField(
        label=gettext_lazy("Address"), max_length=80, help_text=gettext_lazy("Stands in the address of every page.")
    )
    edition = forms.IntegerField(label=gettext_lazy("Edition"), required=False, min_value=1, max_value=32767)
    starts_on = forms.DateField(
        label=gettext_lazy("First day"),
        widget=AdminDateWidget(),
        help_text=gettext_lazy("All dates move with it; times stay the same on the venue's clock."),
    )

    def __init__(self, *args: Any, conference: Conference, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conference = conference

    def clean_edition(self) -> int | None:
        """Numbers belong to a series, and stand in it once."""
        edition: int | None = self.cleaned_data["edition"]
        series = self.conference.series_id
        if edition is not None and series is None:
            self.add_error("edition", _("An edition number needs a series."))
        elif edition is not None and Conference.objects.filter(series=series, edition=edition).exists():
            self.add_error("edition", _("The series has this edition already."))
        return edition

    def clean_slug(self) -> str:
        """Addresses are given once."""
        slug: str = self.cleaned_data["slug"]
        if Conference.objects.filter(slug=slug).exists():
            self.add_error("slug", _("Another conference has this address."))
        return slug


def next_edition(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Ask, show what will be, and copy when it was confirmed."""
    edition = None if conference.edition is None else conference.edition + 1
    form = NextEditionForm(
        request.POST or None, conference=conference, initial={"title": conference.title, "edition": edition}
    )
    preview, refusal = None, ""
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        try:
            preview = cloning.preview(conference, starts_on=given["starts_on"])
            if "confirmed" in request.POST:
                with transaction.atomic():
                    target = cloning.clone(
                        conference_id=conference.pk,
                        slug=given["slug"],
                        edition=given["edition"],
                        starts_on=given["starts_on"],
                        title=given["title"],
                    )
                    write_history(request, [target], ADDITION, f"from #{conference.pk}")
                messages.success(request, _("The next edition was made, as a draft. Look through what is copied."))
                return HttpResponseRedirect(reverse("admin:events_conference_change", args=[target.pk]))
        except (DomainError, IntegrityError) as error:
            preview, refusal = None, explanation(error)[1]
    context = pages.context(request, conference, "next_edition", _("Make the next edition")) | {
        "form": form,
        "preview": preview,
        "refusal": refusal,
        "media": forms.Media(js=["admin/js/core.js"]) + form.media,  # the calendar needs it
    }
    return TemplateResponse(request, "admin/events/next_edition.html", context)


pages.register(
    "next_edition",
    next_edition,
    permission="events.add_conference",
    label=gettext_lazy("Next edition"),
    route="next-edition/",
    order=90,
)
