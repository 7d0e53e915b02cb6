"""OpenAPI 3.1: what every operation has in common, and the document itself."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from functools import lru_cache, wraps
from typing import Any

from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import get_doc
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from alliance import errors, languages
from alliance.api import shape
from alliance.problems import CONTENT_TYPE

_ALLOWED = "GET, HEAD, OPTIONS"


class FaultSerializer(serializers.Serializer[Any]):
    """What is wrong with one parameter or field."""

    where = serializers.CharField(help_text="query, header or body.")
    name = serializers.CharField(help_text="Empty: the body as a whole.")
    detail = serializers.CharField()
    pointer = serializers.CharField(required=False, help_text="Where in the body, such as #/members/2/email.")

    class Meta:
        ref_name = "Fault"


class ProblemSerializer(serializers.Serializer[Any]):
    """A problem document (RFC 9457). type is stable; title and detail are in the reader's language."""

    type = serializers.CharField(help_text="Such as urn:alliance:problem:invalid-parameters.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(allow_blank=True)
    code = serializers.CharField(required=False, help_text="Which rule said no (409).")
    errors = FaultSerializer(many=True, required=False)  # type: ignore[assignment]  # hides a property of forms' use

    class Meta:
        ref_name = "Problem"


# What can stand in the place of an answer: the kind, and when.
_PROBLEMS = {
    400: ("invalid-parameters", "The request cannot be read, or values in it cannot be used."),
    401: ("not-authenticated", "No token, or one that does not work."),
    403: ("scope-missing", "The token is for other uses."),
    404: ("not-found", "No such row, or none that may be seen."),
    406: ("not-acceptable", "The API answers in JSON only."),
    409: ("nomination-refused", "The rules do not allow this; nothing was changed."),
    412: ("precondition-failed", "The row has changed since it was read."),
    413: ("content-too-large", "The body is too large."),
    415: ("unsupported-media-type", "The API reads JSON only."),
    428: ("precondition-required", "If-Match is missing."),
    429: ("too-many-requests", "Too many requests; Retry-After says when to come back."),
    503: ("unavailable", "Busy for a moment; Retry-After says when to come back."),
}


def refusals(statuses: Iterable[int]) -> dict[Any, Any]:
    """Answers with these statuses, as problem documents."""
    found: dict[Any, Any] = {}
    for status in sorted(statuses):
        kind, when = _PROBLEMS[status]
        example = OpenApiExample(
            kind,
            value={"type": f"urn:alliance:problem:{kind}", "title": when, "status": status, "detail": "..."},
            response_only=True,
            status_codes=[str(status)],
            media_type=CONTENT_TYPE,
        )
        found[status, CONTENT_TYPE] = OpenApiResponse(ProblemSerializer, description=when, examples=[example])
    return found


class Schema(AutoSchema):
    """Every operation: what it does, ?lang=, and problem documents for what goes wrong."""

    def get_summary(self) -> str:
        """What stands beside the address: the beginning of what is told of the operation."""
        if self._is("retrieve"):
            return "One of them by its id"
        return re.split(r"[.:;](\s|$)", self.get_description(), maxsplit=1)[0]

    def get_description(self) -> str:  # type: ignore[override]  # as in drf-spectacular
        """What is told of the rows, where they are read; else of what is done to them."""
        told = get_doc(self.view.__class__) if self._is("list") or self._is("retrieve") else super().get_description()
        return str(told)

    def _is(self, action: str) -> bool:
        return getattr(self.view, "action", None) == action

    def get_override_parameters(self) -> list[Any]:
        """The language of texts, and the members of public rows."""
        found = [
            OpenApiParameter(
                "lang",
                str,
                enum=languages.codes(),
                default="en",
                description="Preferred language of texts and messages. Each text says which language it became.",
            )
        ]
        members = getattr(self.view, "members", None)
        if members is not None and self.method == "GET":
            found += shape.parameters(members(), getattr(self.view, "expansions", {}))
        return found

    def get_response_serializers(self) -> Any:
        """The rows, and what can go wrong."""
        rows: Any = super().get_response_serializers()
        return {200: rows, **refusals({400, 429, 503} | (set() if self._is_list_view(rows) else {404}))}


def fields_may_be_left_out(result: Any, generator: Any, request: Any, public: bool) -> Any:
    """drf-spectacular hook: of rows that ?fields= can make smaller, only the id is promised."""
    schemas = result["components"]["schemas"]
    for operations in result["paths"].values():
        operation = operations.get("get", {})
        if any(parameter["name"] == "fields" for parameter in operation.get("parameters", ())):
            shape_of_answer = operation["responses"]["200"]["content"].get("application/json", {}).get("schema", {})
            if page := schemas.get(_name(shape_of_answer)):
                rows = page["properties"].get("results", {}).get("items") if "next" in page["properties"] else None
                schemas[_name(rows or shape_of_answer)]["required"] = [shape.ALWAYS]
    return result


def rows_are_linked(result: Any, generator: Any, request: Any, public: bool) -> Any:
    """drf-spectacular hook: where an answer gives the id of a row, and the version that a change must name."""
    paths = result["paths"]
    for path, operations in paths.items():
        whole, is_row, _what = path.partition("{id}/")
        if not is_row:
            continue
        for method, operation in operations.items():
            needs = {part["name"] for part in operation.get("parameters", ()) if part.get("required")}
            if "If-Match" in needs:
                seen = {"path.id": "$request.path.id", "header.If-Match": "$response.header.ETag"}
                _link(paths[f"{whole}{{id}}/"]["get"], "200", operation, seen)
            elif method == "get":
                _link(paths[whole]["get"], "200", operation, {"path.id": "$response.body#/results/0/id"})
                if "post" in paths[whole]:
                    _link(paths[whole]["post"], "201", operation, {"path.id": "$response.body#/participant"})
    return result


def _link(cause: Any, status: str, operation: Any, parameters: dict[str, str]) -> None:
    """What an answer is good for. cause: the operation that gives it."""
    name = operation["operationId"]
    cause["responses"][status].setdefault("links", {})[name] = {"operationId": name, "parameters": parameters}


def _name(reference: Any) -> str:
    return str(reference.get("$ref", "")).rpartition("/")[2]


@lru_cache(maxsize=1)
def document() -> bytes:
    """The OpenAPI document: it depends on the code alone, and making it takes a third of a second."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    rendered: bytes = OpenApiJsonRenderer().render(schema, renderer_context={})
    return rendered


def read_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Other methods are refused as everywhere in the API: with a problem document."""

    @wraps(view)
    def answer(request: HttpRequest, **captured: str) -> HttpResponseBase:
        if request.method in {"GET", "HEAD"}:
            return view(request, **captured)
        if request.method == "OPTIONS":
            return HttpResponse(status=204, headers={"Allow": _ALLOWED})
        return errors.method_not_allowed(request, _ALLOWED)

    return answer


@lru_cache(maxsize=1)
def _etag() -> str:
    return f'"{hashlib.sha256(document()).hexdigest()[:32]}"'


@read_only
@cache_control(public=True, max_age=3600)
@condition(etag_func=lambda request: _etag())
def schema(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document as JSON."""
    return HttpResponse(document(), content_type="application/vnd.oai.openapi+json")


# Swagger UI draws its icons from data: addresses. Only this page may do so; it shows nothing of ours but the schema.
@read_only
@cache_control(public=True, max_age=3600)
@csp_update({"img-src": ["data:"]})
def docs(request: HttpRequest) -> HttpResponse:
    """The API's documentation to read and try, from our own files."""
    return render(request, "api/docs.html")
