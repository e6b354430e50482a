"""A stand-in for the messaging bot by text message, made after the pages of its API."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from app.outbound import Answer, OutboundCode, OutboundFault

API, TOKEN = "https://api.example.com", "token-of-the-bot"
ANA, BEN = "d78c6a9e-ff0a-4fd6-b1cc-d2a31cc002d5", "fffd7e80-1691-41f5-8946-9deeaf0b8640"

_PATH = re.compile(r"/v1/customers/(?P<customer>[\w-]+)(/sessions(/(?P<session>[\w-]+)(?P<messages>/messages)?)?)?")


@dataclass
class Lemon:
    """Customers with their sessions. `faults` befall the next writes, one each: `before`, `lost` (cut off, not done),
    `after` (cut off, done), or a status; `silent` and `status` all requests."""

    now: Callable[[], datetime]
    sessions: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {ANA: [], BEN: []})
    unsubscribed: set[str] = field(default_factory=set)
    faults: list[str | int] = field(default_factory=list)
    silent: bool = False
    status: int | None = None
    embeds: bool = True
    writes: list[tuple[str, str, Any]] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    made: int = 0

    # ---- what happens there ----------------------------------------------------------------------------------------

    def hears(self, text: str, customer: str = ANA) -> dict[str, Any]:
        """A customer writes, in the current session or a new one."""
        return self.says(text, "end-user", customer)

    def says(self, text: str, role: str = "bot", customer: str = ANA, sent_at: str | None = None) -> dict[str, Any]:
        """A message of whoever has the role."""
        session = self.current(customer)
        if session is None:
            session = {
                "id": self._id(),
                "customer_id": customer,
                "need_attention": False,
                "tags": [],
                "topics": [],
                "messages": [],
                "suggested_messages": [],
                "created_at": _time(self.now()),
                "updated_at": _time(self.now()),
            }
            self.sessions[customer].append(session)
        made = {
            "id": self._id(),
            "session_id": session["id"],
            "content": text,
            "content_type": "text",
            "sender_role": role,
            "sent_at": sent_at or _time(self.now()),
            "created_at": _time(self.now()),
        }
        session["messages"].append(made)
        session["updated_at"] = _time(self.now())
        return made

    def current(self, customer: str = ANA) -> dict[str, Any] | None:
        """The session with a message of the last two hours."""
        for each in reversed(self.sessions[customer]):
            latest = max(datetime.fromisoformat(message["sent_at"]) for message in each["messages"])
            return each if latest + timedelta(hours=2) > self.now() else None
        return None

    def texts(self, customer: str = ANA) -> list[str]:
        return [message["content"] for each in self.sessions[customer] for message in each["messages"]]

    def event(self, name: str = "session.updated", customer: str = ANA) -> str:
        """The event that tells of the customer's newest session."""
        body = {"id": self._id(), "name": name, "created_at": _time(self.now()), "data": self.sessions[customer][-1]}
        return orjson.dumps(body).decode()

    def _id(self) -> str:
        self.made += 1
        return f"7cb0a876-5d34-4e03-b725-{self.made:012x}"

    # ---- what it answers -------------------------------------------------------------------------------------------

    async def send(self, method: str, url: str, *, headers: Mapping[str, str], content: bytes, **_: object) -> Answer:
        """In place of a client's requests to other servers."""
        parts = urlsplit(url)
        assert url.startswith(API)
        if self.silent:
            raise OutboundFault(OutboundCode.CONNECTION, "The server cannot be connected to.")
        if self.status is not None:
            return _answer(self.status, None)
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return _answer(401, {"error": f"Not {headers.get('authorization')}."})
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if method == "GET":
            self.reads.append(parts.path)
            return _answer(*self._read(parts.path, query))
        fault = self.faults.pop(0) if self.faults else None
        if fault == "before":
            raise OutboundFault(OutboundCode.CONNECTION, "The server cannot be connected to.")
        if fault == "lost":
            raise OutboundFault(OutboundCode.TIMEOUT, "It takes too long.", may_have_arrived=True)
        if isinstance(fault, int):
            return _answer(fault, {"message": "No."}, {"retry-after": "30"} if fault == 429 else {})
        body = orjson.loads(content)
        self.writes.append((method, parts.path, body))
        status, value = self._write(method, parts.path, body)
        if fault == "after":
            raise OutboundFault(OutboundCode.CONNECTION, "The connection ended.", may_have_arrived=True)
        return _answer(status, value)

    def _read(self, path: str, query: Mapping[str, str]) -> tuple[int, Any]:
        if path == "/v1/customers":
            assert query["phone_number"].startswith("+")
            return 200, []
        matched = _PATH.fullmatch(path)
        if matched is None or matched["customer"] not in self.sessions:
            return 404, {"error": "Not Found"}
        customer, found = matched["customer"], self.sessions[matched["customer"]]
        if not path.startswith(f"/v1/customers/{customer}/"):
            return 200, {
                "id": customer,
                "phone_number": "+4915112345678" if customer == ANA else "+4915187654321",
                "first_name": "Ana" if customer == ANA else "Ben",
                "country_code": "DE",
                "email": "no address",
                "tags": [],
                "unsubscribed": customer in self.unsubscribed,
            }
        start, size = int(query.get("offset", 0)), int(query.get("limit", 100))
        if matched["session"] is None:
            return 200, [self._shown(each) for each in reversed(found)][start : start + size]
        session = self._session(customer, matched["session"])
        if session is None:
            return 404, {"error": "Not Found"}
        if matched["messages"]:
            return 200, session["messages"][::-1][start : start + size]
        return 200, self._shown(session)

    def _write(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        matched = _PATH.fullmatch(path)
        assert matched is not None
        assert matched["session"] == "current"
        customer = matched["customer"]
        if method == "POST" and matched["messages"]:
            assert body.keys() == {"content", "content_type", "sender_role", "sent_at"}
            return 201, self.says(body["content"], body["sender_role"], customer, body["sent_at"])
        session = self.current(customer)
        if method != "PATCH" or matched["messages"] or session is None:
            return 404, {"error": "Not Found"}
        assert body.keys() <= {"need_attention", "tags", "topics", "suggested_messages"}
        if "suggested_messages" in body:
            given = body.pop("suggested_messages") or []
            session["suggested_messages"] = [{**each, "id": self._id(), "remote_id": each["id"]} for each in given]
        session.update(body, updated_at=_time(self.now()))
        return 200, self._shown(session)

    def _session(self, customer: str, session: str) -> dict[str, Any] | None:
        if session == "current":
            return self.current(customer)
        return next((each for each in self.sessions[customer] if each["id"] == session), None)

    def _shown(self, session: dict[str, Any]) -> dict[str, Any]:
        hidden = () if self.embeds else ("messages", "suggested_messages")
        return {name: value for name, value in session.items() if name not in hidden}


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def _answer(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, headers or {}, orjson.dumps(value))
