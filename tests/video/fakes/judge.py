"""Judges what adapters and fakes say by the platforms' own documents, made strict. They are no part of the product."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from tests.video.fakes.server import Exchange

SPECS = Path(__file__).resolve().parents[4] / "shared" / "specs"
METHODS = {"get", "put", "post", "delete", "patch"}


@cache
def document(name: str, paths: tuple[str, ...]) -> OpenAPI:
    """A strict document cut down to some paths and what they refer to: reading all of it takes seconds."""
    file = SPECS / f"{name}.strict.openapi.json"
    if not file.is_file():
        pytest.skip("The platforms' own OpenAPI documents are not beside the checkout.")
    whole = json.loads(file.read_text(encoding="utf-8"))
    kept: dict[str, Any] = {kind: {} for kind in whole["components"]}
    waiting: list[Any] = [whole["paths"][path] for path in paths]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str):
                _hash, _components, kind, key = reference.split("/")
                if key not in kept[kind]:
                    kept[kind][key] = whole["components"][kind][key]
                    waiting.append(kept[kind][key])
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    # Every call carries a bearer token (judge() sees to it); the library knows no OAuth and would only warn.
    kept["securitySchemes"] = {}
    kept_paths = {path: whole["paths"][path] for path in paths}
    for operations in kept_paths.values():
        for method in METHODS & set(operations):
            operations[method].pop("security", None)
    for node in (*kept.get("responses", {}).values(), *_answers(kept_paths)):
        for kind in list(node.get("content", {})):  # the library takes a charset for part of the type's name
            node["content"][kind.partition(";")[0]] = node["content"].pop(kind)
        if node.get("content") == {}:  # taken for "something, of no type"
            del node["content"]
    cut = {name: value for name, value in whole.items() if name != "security"}
    cut |= {"paths": kept_paths, "components": kept}
    patches = Config(extra_media_type_deserializers={"application/json-patch+json": json.loads})
    return OpenAPI.from_dict(cut, config=patches)


def _answers(paths: dict[str, Any]) -> list[dict[str, Any]]:
    """All answers in a document's operations."""
    operations = [node for path in paths.values() for name, node in path.items() if name in METHODS]
    return [answer for operation in operations for answer in operation["responses"].values()]


def judge(openapi: OpenAPI, host: str, exchange: Exchange) -> None:
    """Raise what is wrong with a request of ours, or with an answer of a fake. host: where the document says it is."""
    assert exchange.headers.get("authorization", "").startswith("Bearer ")
    request = MockRequest(
        host,
        exchange.method.lower(),
        exchange.path,
        args=exchange.query,
        headers={"authorization": exchange.headers.get("authorization", "")},
        data=exchange.body or None,
        content_type=exchange.headers.get("content-type", "application/json").partition(";")[0],
    )
    openapi.validate_request(request)
    if exchange.is_real:
        response = MockResponse(exchange.answer, status_code=exchange.status, content_type="application/json")
        openapi.validate_response(request, response)
