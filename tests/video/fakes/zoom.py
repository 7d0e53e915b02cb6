"""Zoom as far as we use it: tokens of which only the newest is good, three adds a day, "denied" after cancelling."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from tests.video.fakes.server import Exchange, Fake, Reply

PAGE = 2  # registrants on a page of the list, so that a few people make several pages


def problem(status: int, code: int, message: str = "") -> Reply:
    """An error as Zoom words it."""
    return Reply(status, {"code": code, "message": message})


class FakeZoom(Fake):
    """Meetings and webinars with registrants, kept in memory."""

    def __init__(self) -> None:
        self.token_number = self.made = 0
        self.is_known = True  # whether the application is
        self.meetings: dict[str, dict[str, Any]] = {}
        self.people: dict[str, list[dict[str, Any]]] = {}
        self.adds: dict[tuple[str, str], int] = {}
        super().__init__()

    @property
    def variables(self) -> str:
        """Credentials for a host account."""
        urls = f"TOKEN_URL={self.base}/oauth/token\nAPI_URL={self.base}"
        return f"ACCOUNT_ID=acc\nCLIENT_ID=id\nCLIENT_SECRET=canary-secret\n{urls}"

    def reply(self, exchange: Exchange) -> Reply:
        """What Zoom answers."""
        if exchange.path == "/oauth/token":
            return self._token(exchange)
        if exchange.headers.get("authorization") != f"Bearer canary-token-{self.token_number}":
            return problem(401, 124, "Invalid access token.")
        data = json.loads(exchange.body) if exchange.body else {}
        call = f"{exchange.method} {exchange.path.removeprefix('/v2')}"
        for pattern, answer in self._routes():
            if found := re.fullmatch(pattern, call):
                reply: Reply = answer(exchange, data, *found.groups())
                return reply
        raise AssertionError(f"Zoom has no {call}")

    def _routes(self) -> list[tuple[str, Any]]:
        thing = r"/(?:webinars|meetings)/(\d+)"
        return [
            (r"POST /users/[^/]+/(webinars|meetings)", self._create),
            (r"GET /users/[^/]+/(webinars|meetings)", self._list),
            (rf"GET {thing}", self._get),
            (rf"PATCH {thing}", self._update),
            (rf"DELETE {thing}", self._delete),
            (rf"POST {thing}/registrants", self._add),
            (rf"GET {thing}/registrants", self._registrants),
            (rf"PUT {thing}/registrants/status", self._status),
            (r"GET /report/(?:webinars|meetings)/(\d+)/participants", self._report),
        ]

    def _token(self, exchange: Exchange) -> Reply:
        wanted = "Basic " + base64.b64encode(b"id:canary-secret").decode()
        if exchange.headers.get("authorization") != wanted or not self.is_known:
            return Reply(401, {"reason": "Invalid client_id or client_secret", "error": "invalid_client"})
        self.token_number += 1
        token = f"canary-token-{self.token_number}"
        return Reply(200, {"access_token": token, "token_type": "bearer", "expires_in": 3600, "api_url": self.base})

    def _create(self, _exchange: Exchange, data: dict[str, Any], kind: str) -> Reply:
        self.made += 1
        number = str(90000000000 + self.made)
        self.meetings[number] = data | {"kind": kind}
        self.people[number] = []
        return Reply(201, self._shown(number))

    def _shown(self, number: str) -> dict[str, Any]:
        data = self.meetings[number]
        names = ("topic", "agenda", "start_time", "duration", "timezone", "type")
        addresses = {
            "join_url": f"https://zoom.us/j/{number}?canary",
            "start_url": f"https://zoom.us/s/{number}?canary",
        }
        return {name: data[name] for name in names if name in data} | addresses | {"id": int(number)}

    def _list(self, exchange: Exchange, _data: dict[str, Any], kind: str) -> Reply:
        rows = [self._shown(number) for number, data in self.meetings.items() if data["kind"] == kind]
        for row in rows:
            del row["start_url"]
        page = int(exchange.query.get("page_number", 1))
        shown = {kind: rows, "page_count": 1, "page_number": page, "page_size": 300, "total_records": len(rows)}
        return Reply(200, shown)

    def _get(self, _exchange: Exchange, _data: dict[str, Any], number: str) -> Reply:
        return Reply(200, self._shown(number)) if number in self.meetings else problem(404, 3001)

    def _update(self, _exchange: Exchange, data: dict[str, Any], number: str) -> Reply:
        if number not in self.meetings:
            return problem(404, 3001)
        settings = self.meetings[number].get("settings", {}) | data.get("settings", {})
        self.meetings[number] |= data | {"settings": settings}
        return Reply(204)

    def _delete(self, _exchange: Exchange, _data: dict[str, Any], number: str) -> Reply:
        return Reply(204) if self.meetings.pop(number, None) else problem(404, 3001)

    def _add(self, _exchange: Exchange, data: dict[str, Any], number: str) -> Reply:
        if number not in self.meetings:
            return problem(404, 3001)
        email = data["email"].lower()
        self.adds[number, email] = self.adds.get((number, email), 0) + 1
        if self.adds[number, email] > 3:
            return problem(429, 429, f"You have exceeded the daily rate limit of (3) for the registrant ({email})")
        person = {
            "id": f"r{len(self.people[number])}-{number}",
            "email": email,
            "first_name": data["first_name"],
            "status": "approved",
        }
        person["join_url"] = f"https://zoom.us/w/{number}?tk=canary-{person['id']}"
        self.people[number].append(person)
        names = {"id": int(number), "registrant_id": person["id"], "join_url": person["join_url"]}
        return Reply(201, names | {"topic": self.meetings[number]["topic"]})

    def _registrants(self, exchange: Exchange, _data: dict[str, Any], number: str) -> Reply:
        if number not in self.meetings:
            return problem(404, 3001)
        status = exchange.query.get("status", "approved")
        rows = [person for person in self.people[number] if person["status"] == status]
        first = int(exchange.query.get("next_page_token") or 0)
        following = str(first + PAGE) if first + PAGE < len(rows) else ""
        shown = {"page_size": 300, "total_records": len(rows), "next_page_token": following, "page_count": 1}
        return Reply(200, shown | {"registrants": rows[first : first + PAGE]})

    def _report(self, exchange: Exchange, _data: dict[str, Any], number: str) -> Reply:
        """Who was there: everybody entered, a page for each, and somebody who came another way."""
        assert exchange.query["include_fields"] == "registrant_id"
        rows = [
            {
                "id": "u",
                "name": "Canary Name",
                "user_email": "",
                "registrant_id": person["id"],
                "join_time": "2030-07-15T09:01:00Z",
                "leave_time": "2030-07-15T09:50:00Z",
                "duration": 2940,
            }
            for person in self.people[number]
        ]
        rows.append({"id": "p", "name": "Panelist", "join_time": "2030-07-15T09:00:00Z", "duration": 10})
        at = int(exchange.query.get("next_page_token") or 0)
        following = str(at + 1) if at + 1 < len(rows) else ""
        shown = {"page_count": 1, "page_size": 300, "total_records": len(rows), "next_page_token": following}
        return Reply(200, shown | {"participants": rows[at : at + 1]})

    def _status(self, _exchange: Exchange, data: dict[str, Any], number: str) -> Reply:
        ids = {one["id"] for one in data["registrants"]}
        for person in self.people.get(number, []):
            if person["id"] in ids:
                person["status"] = "approved" if data["action"] == "approve" else "denied"
        return Reply(204)
