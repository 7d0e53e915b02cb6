"""Webex as far as we use it: links are asked for at the click, and the list has pages by the Link header."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

from tests.video.fakes.server import Exchange, Fake, Reply

PAGE = 2
LINK = "https://office.webex.com/meet/canary-"


class FakeWebex(Fake):
    """Meetings with registrants, kept in memory."""

    def __init__(self) -> None:
        self.made = 0
        self.meetings: dict[str, dict[str, Any]] = {}
        self.people: dict[str, list[dict[str, Any]]] = {}
        super().__init__()

    @property
    def variables(self) -> str:
        """Credentials for a host account."""
        urls = f"TOKEN_URL={self.base}/v1/access_token\nAPI_URL={self.base}/v1"
        return f"CLIENT_ID=id\nCLIENT_SECRET=canary-secret\nREFRESH_TOKEN=canary-refresh\n{urls}"

    def reply(self, exchange: Exchange) -> Reply:
        """What Webex answers."""
        path = exchange.path.removeprefix("/v1")
        if path == "/access_token":
            form = parse_qs(exchange.body.decode())
            assert form["grant_type"] == ["refresh_token"]
            assert form["refresh_token"] == ["canary-refresh"]
            return Reply(200, {"access_token": "canary-token", "expires_in": 1209600})
        if exchange.headers.get("authorization") != "Bearer canary-token":
            return self._problem(401)
        data = json.loads(exchange.body) if exchange.body else {}
        match [exchange.method, *path.strip("/").split("/")]:
            case ["POST", "meetings", "join"]:
                link = f"{LINK}{data['email']}"
                return Reply(200, {"joinLink": link, "expiration": "2030-07-15T10:00:00Z"})
            case ["POST", "meetings"]:
                self.made += 1
                self.people[f"m{self.made}"] = []
                self.meetings[f"m{self.made}"] = data
                return Reply(200, self._shown(f"m{self.made}"))
            case ["GET", "meetingParticipants"]:
                people = self.people[exchange.query["meetingId"]]
                rows = [{"id": f"x{at}", "email": one["email"], "state": "end"} for at, one in enumerate(people)]
                times = {"joinedTime": "2030-07-15T09:01:00Z", "leftTime": "1970-01-01T00:00:00.000Z"}
                return Reply(200, {"items": [row | times for row in rows]})
            case ["GET", "meetings"]:
                tag = exchange.query["integrationTag"]
                found = [one for one, data in self.meetings.items() if tag in data["integrationTags"]]
                return Reply(200, {"items": [self._shown(one) | {"meetingSeriesId": one} for one in found]})
            case [_method, "meetings", number, *_rest] if number not in self.meetings:
                return self._problem(404)
            case ["PATCH", "meetings", number]:
                self.meetings[number] |= data
                return Reply(200, self._shown(number) | {"meetingSeriesId": number})
            case ["DELETE", "meetings", number]:
                assert exchange.query["sendEmail"] == "false"
                del self.meetings[number]
                return Reply(204)
            case [method, "meetings", number, "registrants", *rest]:
                return self._registrants(exchange, method, self.people[number], rest, data)
        raise AssertionError(f"Webex has no {exchange.method} {path}")

    def _registrants(
        self, exchange: Exchange, method: str, people: list[dict[str, Any]], rest: list[str], data: dict[str, Any]
    ) -> Reply:
        if method == "POST" and not rest:
            assert data["sendEmail"] is False, "Webex would write to the person"
            person = {name: data[name] for name in ("firstName", "lastName", "email")}
            person |= {"id": f"p{len(people)}", "status": "approved"}
            people.append(person)
            return Reply(200, person)
        if rest == ["query"]:
            wanted = {email.lower() for email in data["emails"]}
            fits = [one for one in people if one["email"].lower() in wanted and one["status"] == data["status"]]
            return Reply(200, {"items": fits})
        if rest == ["bulkDelete"]:
            gone = {one["id"] for one in data["registrants"]}
            people[:] = [one for one in people if one["id"] not in gone]
            return Reply(204)
        assert (method, rest) == ("GET", [])
        first = int(exchange.query.get("offset", 0))
        more = first + PAGE < len(people)
        link = f'<https://elsewhere.example/registrants?max=100&offset={first + PAGE}>; rel="next"'
        return Reply(200, {"items": people[first : first + PAGE]}, {"Link": link} if more else {})

    def _shown(self, number: str) -> dict[str, Any]:
        data = self.meetings[number]
        return {name: data[name] for name in ("title", "start", "end", "timezone")} | {
            "id": number,
            "password": "canary-word",
            "meetingType": "meetingSeries",
            "state": "active",
            "hostUserId": "u",
            "hostDisplayName": "Office",
            "hostEmail": "host@office.example",
            "hostKey": "123456",
            "siteUrl": "office.webex.com",
            "webLink": f"{LINK}{number}",
            "telephony": {"accessCode": "1", "callInNumbers": [], "links": []},
            "enabledBreakoutSessions": False,
        }

    @staticmethod
    def _problem(status: int) -> Reply:
        return Reply(status, {"message": "No.", "errors": [{"description": "No."}], "trackingId": "t"})
