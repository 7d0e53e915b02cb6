"""What every resource that needs a token shares: who asks, what for, and how often. writes.py reads what is sent.

Refused in this order: too many requests from an address (429), a token in the address (400), no token or one that does
not work (401), the wrong use (403), too many requests with the token (429), then what the operation itself refuses.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, MutableSequence
from typing import Any, ClassVar, TypeVar, cast

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import Actor
from accounts.models import ActorKind, User
from alliance import clients, crypto
from alliance.api import filters, tokens
from alliance.api.limits import Limit, Standing
from alliance.api.views import PublicViewSet
from alliance.problems import Refused
from registration.api.writes import etag_of
from registration.models import ApiGrant, Scope
from registration.services import api_tokens

M = TypeVar("M", bound=Model)

PER_TOKEN = Limit("token", 300)
PER_ADDRESS = Limit("address", 600)
WRONG_TOKENS = Limit("wrong-tokens", 30)

_TOKEN = re.compile(rf"\b{api_tokens.BEGINS}[A-Za-z0-9_-]{{43}}")
_TOKEN_NAMES = frozenset({"token", "access_token", "api_token", "api_key", "apikey", "key", "bearer", "authorization"})


def too_many(standing: Standing) -> Refused:
    """429, with when to come back."""
    return Refused(
        status=429,
        kind="too-many-requests",
        title=_("Too many requests"),
        detail=_("Retry-After says after how many seconds to send it again."),
        wait=standing.seconds,
    )


class TokenDoesNotWork(exceptions.AuthenticationFailed):
    """401 with a kind of its own."""

    def __init__(self, kind: str, title: str, detail: str) -> None:
        self.kind = kind
        self.title = title
        super().__init__(detail)


class TokenAuthentication(BaseAuthentication):
    """Authorization: Bearer all_..., and no other way."""

    def authenticate(self, request: Request) -> tuple[User, ApiGrant] | None:
        """Who made the token, and what it reaches. Raises Refused, TokenDoesNotWork."""
        refuse_in_address(request)
        header = request.headers.get("Authorization")
        if header is None:
            return None
        scheme, _blank, secret = header.partition(" ")
        address = clients.network_of(request)
        standing = WRONG_TOKENS.count(address, step=0)
        if standing.used >= WRONG_TOKENS.most:
            raise too_many(standing)
        grant = api_tokens.find(secret.strip()) if scheme.lower() == "bearer" else None
        if grant is None:
            WRONG_TOKENS.count(address)
            raise TokenDoesNotWork(
                "token-unknown",
                _("This token is not known"),
                _("Send Authorization: Bearer and the token, unchanged, as it was shown when it was made."),
            )
        self._refuse_if_over(grant)
        api_tokens.note_use(grant.token, now=timezone.now())
        return grant.token.owner, grant

    def _refuse_if_over(self, grant: ApiGrant) -> None:
        if grant.token.revoked_at is not None:
            raise TokenDoesNotWork("token-revoked", _("This token was revoked"), _("Ask for a new one."))
        if grant.token.expires_at <= timezone.now():
            raise TokenDoesNotWork("token-expired", _("This token has expired"), _("Ask for a new one."))
        if not api_tokens.still_stands(grant):
            raise TokenDoesNotWork(
                "token-revoked",
                _("This token was revoked"),
                _("Whoever made it no longer looks after what it reaches. Ask for a new one."),
            )

    def authenticate_header(self, request: Request) -> str:
        """For WWW-Authenticate."""
        return 'Bearer realm="Alliance API"'


def refuse_in_address(request: Request) -> None:
    """A token in the address is refused, and revoked: it is in logs and histories by now. Raises Refused."""
    found = {name for name in request.query_params if name.lower() in _TOKEN_NAMES}
    told = [text for name, values in request.query_params.lists() for text in (name, *values)]
    secrets = _TOKEN.findall(" ".join(told))
    if not found and not secrets:
        return
    for secret in secrets[:3]:
        api_tokens.revoke_leaked(secret, now=timezone.now())
    raise Refused(
        status=400,
        kind="token-in-address",
        title=_("A token must not stand in an address"),
        detail=_(
            "Addresses are kept in logs and histories on their way, so a token that stood in one counts as leaked. If "
            "it was one of ours, it is revoked now. Make a new one, and send it as Authorization: Bearer."
        ),
    )


# --- reading the public programme -------------------------------------------------------------------------------------

_REMEMBERED = 10.0  # seconds: a token that is revoked reads what everybody may read so much longer at its own count
_MOST_REMEMBERED = 10_000
_readers: dict[bytes, tuple[float, str | None]] = {}


def reader(header: str) -> str | None:
    """By what somebody is counted who reads the public programme with this Authorization header; None: by the address.

    It opens nothing: whoever sends a token without programme:read, or one that does not work, reads as everybody does.
    """
    scheme, _blank, secret = header.partition(" ")
    if scheme.lower() != "bearer" or not _TOKEN.fullmatch(secret.strip()):
        return None
    key, now = crypto.token_hash(secret.strip()), time.monotonic()
    until, found = _readers.get(key, (0.0, None))
    if now < until:
        return found
    try:
        found = _find_reader(secret.strip())
    except (InterfaceError, OperationalError):  # the database is away: what is kept is read all the same
        return None
    if len(_readers) >= _MOST_REMEMBERED:
        _readers.clear()
    _readers[key] = (now + _REMEMBERED, found)
    return found


def forget_readers() -> None:
    """For tests."""
    _readers.clear()


def _find_reader(secret: str) -> str | None:
    grant, now = api_tokens.find(secret), timezone.now()
    if grant is None or Scope.PROGRAMME_READ.value not in grant.token.scopes:
        return None
    if grant.token.revoked_at is not None or grant.token.expires_at <= now or not api_tokens.still_stands(grant):
        return None
    api_tokens.note_use(grant.token, now=now)
    return str(grant.pk)


def register() -> None:
    """Let public reads know our tokens. Called when the app is ready."""
    tokens.register(reader=reader, refuse_in_address=refuse_in_address)


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The token in the OpenAPI document."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """How the token is sent."""
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": f"{api_tokens.BEGINS}...",
            "description": "Made by a focal point or an organiser, shown once, bound to one delegation or side event.",
        }

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[str]]:
        """With the use that the operation needs."""
        view = auto_schema.view
        scope = view.scopes.get(view.action)
        return {self.name: [str(scope.value)] if scope else []}


class HasScope(BasePermission):
    """The token may be used for what the operation does."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """False without a token. Raises Refused when it is for other uses."""
        grant = request.auth
        if not isinstance(grant, ApiGrant):
            return False
        scope = view.scopes.get(view.action)
        if scope is not None and scope.value not in grant.token.scopes:
            raise Refused(
                status=403,
                kind="scope-missing",
                title=_("This token is for other uses"),
                detail=_("It would need %(scope)s. Make another token for that.") % {"scope": scope.value},
            )
        return True


class TokenViewSet(PublicViewSet[M]):
    """Rows that a token reaches. Every other row is 404, as one that does not exist."""

    authentication_classes = [TokenAuthentication]
    permission_classes = [HasScope]
    scopes: ClassVar[Mapping[str, Scope]]
    http_method_names = ["get", "head", "post", "patch", "delete", "options"]
    standings: MutableSequence[Standing]

    @property
    def grant(self) -> ApiGrant:
        """What the token of this request reaches."""
        return cast("ApiGrant", self.request.auth)

    @property
    def actor(self) -> Actor:
        """Who writes, for services: the delegation, through the token."""
        return Actor(ActorKind.DELEGATION, self.grant.token.owner, self.grant.token)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Count, find out who asks, check the parameters."""
        self.standings = []
        self._count(PER_ADDRESS, clients.network_of(request))
        super().initial(request, *args, **kwargs)
        if request.method in {"POST", "PATCH", "DELETE"} and self.action is not None:
            filters.check_parameters(request, {"lang"})
            self.language = filters.language_of(request) or settings.LANGUAGE_CODE

    def check_throttles(self, request: Request) -> None:
        """After permissions: count what the token does. Raises Refused."""
        self._count(PER_TOKEN, str(self.grant.pk))

    def _count(self, limit: Limit, who: str) -> None:
        standing = limit.count(who)
        self.standings.append(standing)
        if standing.is_over:
            raise too_many(standing)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A page of rows with its ETag."""
        page = super().list(request, *args, **kwargs).data
        return self.seen(page, etag=etag_of(page))

    def seen(self, data: Any, *, etag: str) -> Response:
        """An answer with its validator; 304 without it where the reader has this version already."""
        known = {tag.removeprefix("W/") for tag in parse_etags(self.request.headers.get("If-None-Match", ""))}
        if known & {"*", etag}:
            return Response(status=304, headers={"ETag": etag})
        return Response(data, headers={"ETag": etag})

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Nothing here is kept by anybody; say how many requests are left."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers["Cache-Control"] = "no-store"
        if standings := getattr(self, "standings", []):
            answer.headers["RateLimit-Policy"] = ", ".join(standing.limit.policy for standing in standings)
            answer.headers["RateLimit"] = ", ".join(standing.header for standing in standings)
        return answer

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        """What may be done here: the Allow header says it, there is no body."""
        return Response(status=204, headers={"Allow": ", ".join(self.allowed_methods)})
