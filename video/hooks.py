"""The addresses that platforms call. No session, no cookie, no page: a signature decides.

Refused in this order, each before the next is looked at: too many calls, another method, another type, no length or too
much of it (unread), an account that is not there, a signature that is not right.
"""

from __future__ import annotations

from uuid import UUID

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from alliance import clients
from alliance.api.limits import Limit
from video import adapters
from video.adapters.base import WebhookChallenge, WebhookRejected
from video.adapters.errors import VideoError
from video.models import SERVICE_OF, HostAccount, Service
from video.services import events

log = structlog.get_logger("video")
MOST_BYTES = 100_000  # an event has two thousand
PER_ADDRESS = Limit("hooks", 1200)
WITH_HOOKS = frozenset({Service.ZOOM, Service.WEBEX})
_STATUS = {"signature": 401, "stale": 401, "unreadable": 400, "no_webhooks": 404}


@csrf_exempt
def hook(request: HttpRequest, service: str, account: UUID) -> HttpResponse:
    """Take what a platform tells under an account. Answers 204 when it is kept, or was before."""
    standing = PER_ADDRESS.count(clients.network_of(request))
    if standing.is_over:
        return HttpResponse(status=429, headers={"Retry-After": str(standing.seconds)})
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    if request.content_type != "application/json":
        return HttpResponse(status=415)
    length = request.headers.get("Content-Length", "")
    if not (length.isascii() and length.isdigit()):
        return HttpResponse(status=411)
    if len(length) > 9 or int(length) > MOST_BYTES:
        return HttpResponse(status=413)
    found = HostAccount.objects.filter(public_id=account, service=service, is_active=True).first()
    if found is None or service not in WITH_HOOKS:
        return HttpResponse(status=404)
    return _take(found, request)


def _take(account: HostAccount, request: HttpRequest) -> HttpResponse:
    platform = next(name for name, service in SERVICE_OF.items() if service == account.service)
    now = timezone.now()
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        said = adapters.adapter_for(platform, account).parse_webhook(headers, request.body, now=now)
    except VideoError as error:
        log.error("hook_failed", account=str(account.public_id), code=error.code)
        return HttpResponse(status=503, headers={"Retry-After": "60"})
    if isinstance(said, WebhookRejected):
        log.warning("hook_refused", account=str(account.public_id), reason=said.reason)
        return HttpResponse(status=_STATUS.get(said.reason, 400))
    if isinstance(said, WebhookChallenge):
        return HttpResponse(said.body, content_type="application/json")
    events.keep(account, said, request.body, now=now)
    return HttpResponse(status=204)
