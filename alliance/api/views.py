"""The base of every public resource: read-only, strict about its parameters, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import resolve
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView
from rest_framework.viewsets import ReadOnlyModelViewSet

from alliance import errors, languages
from alliance.api import filters, shape, tokens
from alliance.api.paging import Ordering, Pages

M = TypeVar("M", bound=Model)

_READS = ("GET", "HEAD", "OPTIONS")


def options(view: APIView) -> Response:
    """What may be done here: the Allow header says it, there is no body."""
    return Response(status=204, headers={"Allow": ", ".join(_READS)})


class PublicViewSet(ReadOnlyModelViewSet[M]):
    """Rows that everybody may read, found by their public id."""

    permission_classes = [AllowAny]
    filter_backends = [filters.QueryParameters]
    pagination_class = Pages
    filterset_class: ClassVar[type[filters.Filters]] = filters.Filters
    orderings: ClassVar[Mapping[str, Ordering]]
    expansions: ClassVar[shape.Expansions] = {}
    wanted = shape.Shape()
    lookup_field = "public_id"
    lookup_url_kwarg = "id"
    lookup_value_converter = "uuid"
    http_method_names = ["get", "head", "options"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer in the reader's language; programs that give no ?lang= get English first (docs/api.md)."""
        with translation.override(languages.of_program(request)):
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the parameters before anything is looked up. Raises InvalidParameters, Refused."""
        super().initial(request, *args, **kwargs)
        self.now = timezone.now()
        self.language = settings.LANGUAGE_CODE
        if request.method not in _READS:
            return  # 405 follows, whatever the parameters are
        tokens.refuse_in_address(request)
        known = {"lang", *shape.PARAMETERS}
        if getattr(self, "action", None) == "list":
            known |= {*self.filterset_class.base_filters, *Pages.parameters}
        filters.check_parameters(request, known)
        self.language = filters.language_of(request) or settings.LANGUAGE_CODE
        self.wanted = shape.read(request, members=self.members, expansions=self.expansions)

    def members(self) -> list[str]:
        """The names of all members of a row, in order."""
        serializer: Any = self.get_serializer_class()()
        return list(serializer.fields)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows that are asked for, with what the reader wants whole."""
        return self.wanted.fetched(super().filter_queryset(queryset), self.expansions, now=self.now)

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """What writes the rows, in the shape that was asked for."""
        if getattr(self, "swagger_fake_view", False):  # the schema is made without a request
            return self.get_serializer_class()(*args, **kwargs)
        serializer = super().get_serializer(*args, **kwargs)
        self.wanted.applied(getattr(serializer, "child", serializer), self.expansions)
        return serializer

    def get_serializer_context(self) -> dict[str, Any]:
        """Serializers know the language of texts and the instant of the request."""
        return {**super().get_serializer_context(), "language": self.language, "now": self.now}

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Say in which language texts are preferred; a problem document is written in the active one."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers["Content-Language"] = self.language if answer.status_code == 200 else translation.get_language()
        return answer

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        """What may be done here."""
        return options(self)


class Root(APIView):
    """The resources of the API by name."""

    permission_classes = [AllowAny]
    resources: ClassVar[tuple[str, ...]] = ()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer in the reader's language."""
        with translation.override(languages.of_program(request)):
            response = super().dispatch(request, *args, **kwargs)
            response.headers["Content-Language"] = translation.get_language()
            return response

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """Addresses to start from."""
        filters.check_parameters(request, ["lang"])
        filters.language_of(request)
        names = [*(f"{name}-list" for name in self.resources), "schema", "docs"]
        return Response(
            {name.removesuffix("-list"): f"{settings.SITE_URL}{reverse(f'api:{name}')}" for name in names},
            headers={"Cache-Control": "public, max-age=3600"},
        )

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        """What may be done here."""
        return options(self)


@errors.spoken
def nothing(request: HttpRequest, rest: str = "") -> HttpResponse:
    """404 for whatever is not an address of the API; the same words as for a row that is not there."""
    detail = _("It may never have been here, may be gone, or may not be public.")
    if not request.path_info.endswith("/") and resolve(f"{request.path_info}/").url_name:
        detail = _("Addresses of the API end with a slash.")
    return errors.problem(status=404, kind="not-found", title=_("There is nothing at this address"), detail=detail)
