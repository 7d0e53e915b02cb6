"""Teams webinars as far as we use them: two tokens, empty answers to entries, drafts, webinars cancelled for good."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote
from xml.etree import ElementTree as ET

import pytest

from tests.video.fakes.judge import SPECS
from tests.video.fakes.server import Exchange, Fake, Reply

PAGE = 2
ROOT = "/v1.0/solutions/virtualEvents/webinars"
NUMBER = "a57082a9-7629-4f74-8da0-{0:012d}@4aa05bcc-1cac-4a83-a9ae-0db84b88f4ba"
ONLY_THE_ORGANISER = rf"POST {ROOT}|PATCH .*|POST {ROOT}/[^/]+/(publish|cancel)|GET {ROOT}/getByUserRole.*"


class FakeTeams(Fake):
    """Webinars with registrations, kept in memory."""

    def __init__(self) -> None:
        self.refreshed = 0
        self.meetings: dict[str, dict[str, Any]] = {}
        self.people: dict[str, list[dict[str, Any]]] = {}
        super().__init__()

    @property
    def variables(self) -> str:
        """Credentials for a host account."""
        urls = f"LOGIN_URL={self.base}\nAPI_URL={self.base}/v1.0"
        return f"TENANT_ID=tenant\nCLIENT_ID=id\nCLIENT_SECRET=canary-secret\nREFRESH_TOKEN=canary-refresh-0\n{urls}"

    def reply(self, exchange: Exchange) -> Reply:
        """What Graph answers."""
        path = unquote(exchange.path)
        if path == "/tenant/oauth2/v2.0/token":
            return self._token({name: values[0] for name, values in parse_qs(exchange.body.decode()).items()})
        needs_organiser = re.fullmatch(ONLY_THE_ORGANISER, f"{exchange.method} {path}") is not None
        allowed = {"Bearer canary-organiser"} | (set() if needs_organiser else {"Bearer canary-application"})
        if exchange.headers.get("authorization") not in allowed:
            return self._problem(401 if "canary" not in exchange.headers.get("authorization", "") else 403)
        data = json.loads(exchange.body) if exchange.body else {}
        match [exchange.method, *path.removeprefix(ROOT).strip("/").split("/")]:
            case ["POST", ""]:
                number = NUMBER.format(len(self.meetings) + 1)
                self.meetings[number] = {**data, "status": "draft"}
                self.people[number] = []
                return Reply(201, self._shown(number))
            case ["GET", "getByUserRole(role='organizer')"]:
                return Reply(200, {"value": [self._shown(number) for number in self.meetings]})
            case [_method, number, *_rest] if number not in self.meetings:
                return self._problem(404)
            case ["GET", number]:
                return Reply(200, self._shown(number))
            case ["PATCH", number]:
                self.meetings[number] |= data
                return Reply(200, self._shown(number))
            case ["POST", number, "publish" | "cancel" as action]:
                self.meetings[number]["status"] = {"publish": "published", "cancel": "canceled"}[action]
                return Reply(204)
            case [method, number, "registrations", *rest]:
                return self._registrations(exchange, method, number, rest, data)
        raise AssertionError(f"Graph has no {exchange.method} {path}")

    def _token(self, form: dict[str, str]) -> Reply:
        assert (form["client_id"], form["client_secret"]) == ("id", "canary-secret")
        if form["grant_type"] == "client_credentials":
            assert form["scope"].endswith("/.default")
            return Reply(200, {"token_type": "Bearer", "expires_in": 3599, "access_token": "canary-application"})
        if form["refresh_token"] != f"canary-refresh-{self.refreshed}":
            return Reply(400, {"error": "invalid_grant", "error_description": "AADSTS70000"})
        self.refreshed += 1
        given = {"access_token": "canary-organiser", "refresh_token": f"canary-refresh-{self.refreshed}"}
        return Reply(200, {"token_type": "Bearer", "expires_in": 3599} | given)

    def _registrations(
        self, exchange: Exchange, method: str, number: str, rest: list[str], data: dict[str, Any]
    ) -> Reply:
        people = self.people[number]
        match [method, *rest]:
            case ["POST"]:
                assert self.meetings[number]["status"] == "published", "nobody can enter a draft"
                assert set(data) == {"firstName", "lastName", "email", "preferredTimezone", "preferredLanguage"}
                if any(one["email"] == data["email"] and one["status"] == "registered" for one in people):
                    return self._problem(409)
                people.append(data | {"id": f"r{len(people)}", "status": "registered"})
                return Reply(204)
            case ["GET"]:
                rows = people
                if wanted := exchange.query.get("$filter"):
                    email = wanted.removeprefix("email eq '").removesuffix("'").replace("''", "'").lower()
                    rows = [one for one in people if one["email"].lower() == email]
                first = int(exchange.query.get("$skiptoken", 0))
                following = f"https://elsewhere.example/x?$skiptoken={first + PAGE}"
                more = {"@odata.nextLink": following} if first + PAGE < len(rows) else {}
                return Reply(200, {"value": rows[first : first + PAGE]} | more)
        found = next((one for one in people if one["id"] == rest[0]), None)
        if found is None:
            return self._problem(404)
        match [method, *rest[1:]]:
            case ["GET"]:
                return Reply(200, found)
            case ["POST", "cancel"]:
                found["status"] = "canceled"
                return Reply(204)
            case ["GET", "sessions"]:
                link = f"https://teams.microsoft.com/l/meetup-join/canary-{found['id']}"
                return Reply(200, {"value": [{"id": "s", "joinWebUrl": link}]})
        raise AssertionError(f"Graph has no {method} {rest}")

    def _shown(self, number: str) -> dict[str, Any]:
        return self.meetings[number] | {"id": number}

    @staticmethod
    def _problem(status: int) -> Reply:
        return Reply(status, {"error": {"code": "No", "message": "No.", "innerError": {}}})


@cache
def properties(entity: str) -> frozenset[str]:
    """The properties that Graph's own metadata gives to a type, with those of what it is made from."""
    file = SPECS / "msgraph" / "graph-virtual-events.csdl.xml"
    if not file.is_file():
        pytest.skip("Graph's own metadata is not beside the checkout.")
    types = {one.get("Name"): one for one in ET.parse(file).iter() if one.tag.endswith(("EntityType", "ComplexType"))}  # noqa: S314 - a file of ours
    found: set[str] = {"id"}
    while entity in types:
        found |= {str(one.get("Name")) for one in types[entity] if one.tag.endswith("}Property")}
        entity = str(types[entity].get("BaseType", "")).removeprefix("graph.")
    return frozenset(found)
