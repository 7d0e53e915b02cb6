"""The page from which thanks are sent: what is over, how many have not been thanked, and a button."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.admin import actor
from alliance.exceptions import DomainError
from events.admin import pages
from events.models import Conference, Session
from registration.letters import thanks
from registration.models import Admission

_PERMISSION = "events.change_mailtext"


def page(request: HttpRequest, conference: Conference) -> HttpResponse:
    """List what is over and has people to thank; thank them."""
    now = timezone.now()
    if request.method == "POST":
        session = _session(conference, request.POST.get("session", ""))
        try:
            count = thanks.release(conference=conference, session=session, by=actor(request), now=now)
        except DomainError as error:
            messages.error(request, str(error.message))
        else:
            if count:
                text = ngettext("%(count)s letter was queued.", "%(count)s letters were queued.", count)
                messages.success(request, text % {"count": count})
            else:
                messages.success(request, _("The message waits for a second organiser, who must release it."))
        return HttpResponseRedirect(pages.url("thanks", conference))
    admissions = Admission.objects.filter(conference=conference).select_related("session").in_form_order()
    things: dict[int | None, Session | None] = {one.session_id: one.session for one in admissions}
    rows = [
        {
            "session": session,
            "title": session.title if session is not None else conference.title,
            "count": thanks.recipients(conference, session).count(),
        }
        for session in things.values()
        if thanks.is_over(conference, session, now)
    ]
    context = pages.context(request, conference, "thanks", _("Thanks"))
    context |= {"rows": rows, "back_url": pages.url("mails", conference)}
    return TemplateResponse(request, "admin/registration/thanks.html", context)


def _session(conference: Conference, pk: str) -> Session | None:
    if not pk:
        return None
    is_key = pk.isascii() and pk.isdigit() and len(pk) < 19
    found = Session.objects.filter(conference=conference, pk=int(pk)).first() if is_key else None
    if found is None:
        raise Http404
    return found


pages.register("thanks", page, permission=_PERMISSION, route="mails/thanks/", of="mails")
