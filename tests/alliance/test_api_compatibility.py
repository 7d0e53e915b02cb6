"""The API of the last release goes on working: docs/api-schema.json, and what counts as a break."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from alliance.api import compatibility
from alliance.management.commands import api_schema


def test_no_client_of_the_last_release_breaks() -> None:
    """After a break that is meant: `./run manage api_schema --keep`, with a line in CHANGELOG.md."""
    assert compatibility.breaks(api_schema.kept(), api_schema.present()) == []


def test_break_in_our_own_schema_stops_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = api_schema.present()
    del broken["components"]["schemas"]["Session"]["properties"]["title"]
    del broken["paths"]["/api/v1/rooms/"]
    broken["components"]["schemas"]["Nominee"]["required"] += ["function"]
    monkeypatch.setattr(api_schema, "present", lambda: broken)

    with pytest.raises(CommandError) as refusal:
        call_command("api_schema")

    assert "GET /api/v1/rooms/ is gone" in str(refusal.value)
    assert "GET /api/v1/sessions/ 200.results[].title is gone" in str(refusal.value)
    assert "POST /api/v1/participants/ body.function is required now" in str(refusal.value)


OLD: dict[str, Any] = {
    "paths": {
        "/things/": {
            "get": {
                "parameters": [
                    {"in": "query", "name": "kind", "schema": {"type": "string", "enum": ["a", "b"]}},
                    {"in": "query", "name": "size", "schema": {"type": "integer", "maximum": 200}},
                ],
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}
                },
            },
            "post": {
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/NewThing"}}},
                    "required": True,
                },
                "responses": {"201": {}},
            },
        }
    },
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "required": ["id", "name"],
                "properties": {
                    "id": {"type": "string"},
                    "name": {"type": "string"},
                    "tags": {"type": "array", "items": {"type": "string"}},
                },
            },
            "NewThing": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": ["string", "null"], "maxLength": 90}, "kind": {"enum": ["a", "b"]}},
            },
        }
    },
}


def things(new: Any) -> Any:
    return new["paths"]["/things/"]


def schemas(new: Any) -> Any:
    return new["components"]["schemas"]


BREAKS: dict[str, Callable[[Any], Any]] = {
    "GET /things/ is gone": lambda new: things(new).pop("get"),
    "GET /things/ needs a token now": lambda new: things(new)["get"].update(security=[{"token": []}]),
    "GET /things/ query kind is gone": lambda new: things(new)["get"]["parameters"].pop(0),
    "GET /things/ query kind takes b no more": lambda new: things(new)["get"]["parameters"][0]["schema"]["enum"].pop(),
    "GET /things/ query kind is required now": lambda new: things(new)["get"]["parameters"][0].update(required=True),
    "GET /things/ query size has maximum 100 now": lambda new: things(new)["get"]["parameters"][1]["schema"].update(
        maximum=100
    ),
    "GET /things/ query size takes no integer more": lambda new: things(new)["get"]["parameters"][1].update(
        schema={"type": "string", "maximum": 200}
    ),
    "GET /things/ header Q is new and required": lambda new: things(new)["get"]["parameters"].append(
        {"in": "header", "name": "Q", "required": True, "schema": {}}
    ),
    "GET /things/ 200.name is gone": lambda new: schemas(new)["Thing"]["properties"].pop("name"),
    "GET /things/ 200.name may be left out now": lambda new: schemas(new)["Thing"].update(required=["id"]),
    "GET /things/ 200.id may be null now": lambda new: schemas(new)["Thing"]["properties"]["id"].update(
        type=["string", "null"]
    ),
    "GET /things/ 200.tags[] may be integer now": lambda new: schemas(new)["Thing"]["properties"]["tags"].update(
        items={"type": "integer"}
    ),
    "POST /things/ answers 201 no more": lambda new: things(new)["post"].update(responses={"200": {}}),
    "POST /things/ body application/json is gone": lambda new: things(new)["post"].pop("requestBody"),
    "POST /things/ body.kind is required now": lambda new: schemas(new)["NewThing"]["required"].append("kind"),
    "POST /things/ body.name takes no null more": lambda new: schemas(new)["NewThing"]["properties"]["name"].update(
        type="string"
    ),
    "POST /things/ body.name has maxLength 80 now": lambda new: schemas(new)["NewThing"]["properties"]["name"].update(
        maxLength=80
    ),
}


@pytest.mark.parametrize("said", BREAKS)
def test_break_is_named(said: str) -> None:
    new = copy.deepcopy(OLD)
    BREAKS[said](new)

    assert compatibility.breaks(OLD, new) == [said]


def test_additions_break_nobody() -> None:
    new = copy.deepcopy(OLD)
    new["paths"]["/others/"] = things(new)
    things(new)["get"]["parameters"].append({"in": "query", "name": "more", "schema": {"type": "string"}})
    things(new)["get"]["parameters"][0]["schema"]["enum"].append("c")
    schemas(new)["Thing"]["properties"]["more"] = {"type": "string"}
    schemas(new)["Thing"]["required"].append("more")
    schemas(new)["NewThing"]["properties"]["more"] = {"type": "string"}
    schemas(new)["NewThing"]["required"].clear()

    assert compatibility.breaks(OLD, new) == []
