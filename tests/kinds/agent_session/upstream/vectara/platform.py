"""A stand-in for the AI agents' platform, made after its public description of the API."""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import orjson

from app.outbound import Answer, OutboundCode, OutboundFault

API, AUTH = "https://api.example.com", "https://auth.example.com/oauth2/token"
KEY, CLIENT, SECRET = "zut_api_key_of_the_account", "client-1", "s3cret-of-the-client"
AGENT = "agt_support"

_SESSION = re.compile(r"/v2/agents/(?P<agent>[\w-]+)/sessions/(?P<session>[\w-]+)(?P<rest>/.*)?")


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass
class Platform:
    """Agents with their sessions and events, by API key or token. `faults` befall the next writes, one each: `before`,
    `lost` (cut off, not done), `after` (cut off, done), or a status; `silent` and `status` all requests."""

    now: Callable[[], datetime]
    agents: dict[str, str] = field(default_factory=lambda: {AGENT: "Support"})
    sessions: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    events: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    traces: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str | int] = field(default_factory=list)
    silent: bool = False
    status: int | None = None
    lists_traces: bool = True
    page: int = 2
    loops: bool = False
    """Whether the last page of a list leads back to its first one."""
    tokens: dict[str, datetime] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    patience: dict[str, float] = field(default_factory=dict)
    answers: list[tuple[Request, int, Any]] = field(default_factory=list)

    # ---- what happens there ----------------------------------------------------------------------------------------

    def opens(self, session: str, agent: str = AGENT, **more: Any) -> None:
        """Somebody opens a session."""
        made = {
            "key": session,
            "agent_key": agent,
            "name": f"Session {session}",
            "metadata": {},
            "enabled": True,
            "status": "unstarted",
            "tti_minutes": 0,
            "created_at": _time(self.now()),
            **more,
        }
        self.sessions[agent, session] = made
        self.events[agent, session] = []

    def hears(self, session: str, text: str, agent: str = AGENT, at: datetime | None = None) -> str:
        """A customer says something; the agent begins to work on it."""
        self.sessions[agent, session]["status"] = "running"
        return self._event(agent, session, "input_message", at, messages=[{"type": "text", "content": text}])

    def answers_with(self, session: str, text: str, agent: str = AGENT, at: datetime | None = None) -> str:
        """The agent thinks, answers, and ends its work: one run."""
        self._event(agent, session, "thinking", at, content="Hm.")
        made = self._event(agent, session, "agent_output", at, content=text)
        self.sessions[agent, session]["status"] = "stopped"
        self.runs(session, agent, at)
        return made

    def runs(self, session: str, agent: str = AGENT, at: datetime | None = None) -> None:
        """A run of the agent is listed."""
        self.traces.append(
            {
                "trace_id": f"{len(self.traces):032x}",
                "agent_key": agent,
                "session_key": session,
                "started_at": _time(at or self.now()),
                "duration_ms": 1200,
                "status": "ok",
            }
        )

    def forgets(self, session: str, agent: str = AGENT) -> None:
        """The session was idle for too long, or somebody deleted it: nothing is said of it."""
        del self.sessions[agent, session], self.events[agent, session]

    def said(self, session: str, agent: str = AGENT) -> list[str]:
        """What customers have said in the session."""
        return [
            each["messages"][0]["content"] for each in self.events[agent, session] if each["type"] == "input_message"
        ]

    def _event(self, agent: str, session: str, kind: str, at: datetime | None, **more: Any) -> str:
        number = sum(map(len, self.events.values())) + 1
        made = {
            "id": f"aev_{session}_{number}",
            "session_key": session,
            "created_at": _time(at or self.now()),
            "type": kind,
            **more,
        }
        self.events[agent, session].append(made)
        return f"{session}_{number}"

    # ---- what it answers -------------------------------------------------------------------------------------------

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes, seconds: float, **_: object
    ) -> Answer:
        """In place of a client's requests to other servers."""
        parts = urlsplit(url)
        form = headers.get("content-type", "").startswith("application/x-www-form")
        body = dict(parse_qsl(content.decode())) if form else orjson.loads(content) if content else None
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        request = Request(method, parts.path, query, headers, body)
        if self.silent:
            raise OutboundFault(OutboundCode.CONNECTION, "The server cannot be connected to.")
        if url == AUTH:
            return _answer(*self._token(request))
        self.requests.append(request)
        self.patience[method] = seconds
        assert url.startswith(API)
        if self.status is not None:
            return _answer(self.status, {"messages": ["No."]}, {"retry-after": "30"} if self.status == 429 else {})
        if not self._lets_in(headers):
            return _answer(401, {"messages": [f"Not {headers.get('x-api-key')}."]})
        fault = self.faults.pop(0) if self.faults and method != "GET" else None
        if fault == "before":
            raise OutboundFault(OutboundCode.CONNECTION, "The server cannot be connected to.")
        if fault == "lost":
            raise OutboundFault(OutboundCode.TIMEOUT, "It takes too long.", may_have_arrived=True)
        if isinstance(fault, int):
            return _answer(fault, {"messages": ["No."]}, {"retry-after": "30"} if fault == 429 else {})
        status, value = self._answered(request)
        self.answers.append((request, status, value))
        if fault == "after":
            raise OutboundFault(OutboundCode.CONNECTION, "The connection ended.", may_have_arrived=True)
        return _answer(status, value)

    def _token(self, request: Request) -> tuple[int, Any]:
        wanted = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET}
        if request.body != wanted:
            return 401, {"error": "invalid_client", "error_description": str(request.body)}
        token = f"jwt-{len(self.tokens) + 1}"
        self.tokens[token] = self.now() + timedelta(minutes=30)
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 1800}

    def _lets_in(self, headers: Mapping[str, str]) -> bool:
        until = self.tokens.get(headers.get("authorization", "").removeprefix("Bearer "))
        return headers.get("x-api-key") == KEY or (until is not None and until > self.now())

    def _answered(self, request: Request) -> tuple[int, Any]:
        path, method = request.path, request.method
        if path == "/v2/agents" and method == "GET":
            agents = [self._agent(key) for key in self.agents]
            return 200, self._page(request, "agents", agents)
        if path == "/v2/agent_analytics/traces" and method == "GET" and self.lists_traces:
            since = datetime.fromisoformat(request.query["started_after"])
            found = [each for each in self.traces if datetime.fromisoformat(each["started_at"]) > since]
            return 200, self._page(request, "traces", found)
        agent = path.removeprefix("/v2/agents/").removesuffix("/sessions")
        if agent in self.agents and method == "GET":
            if path.endswith("/sessions"):
                found = [each for (of, _), each in self.sessions.items() if of == agent]
                return 200, self._page(request, "sessions", found)
            return 200, self._agent(agent)
        matched = _SESSION.fullmatch(path)
        keys = None if matched is None else (matched["agent"], matched["session"])
        if matched is None or keys not in self.sessions:
            return 404, {"id": "", "messages": ["There is no such thing."], "request_id": "r-1"}
        return self._of_session(request, keys, matched["rest"] or "")

    def _of_session(self, request: Request, keys: tuple[str, str], rest: str) -> tuple[int, Any]:
        session, events = self.sessions[keys], self.events[keys]
        match request.method, rest.split("/")[1:]:
            case "GET", []:
                return 200, session
            case "PATCH", []:
                session.update(request.body)
                return 200, session
            case "GET", ["events"]:
                hidden = request.query.get("include_hidden") == "true"
                shown = [each for each in events if hidden or each["id"] not in self.hidden]
                return 200, self._page(request, "events", shown)
            case "POST", ["events"]:
                if session["status"] == "running":
                    return 409, {"messages": ["The session is already running."]}
                if not session["enabled"]:
                    return 400, {"messages": ["The session is disabled."], "field_errors": {}}
                agent, key = keys
                self._event(agent, key, "input_message", None, messages=request.body["messages"])
                self.answers_with(key, "Here you are.", agent)
                return 201, {"events": events[-3:], "session_key": key}
            case "POST", ["events", event, ("hide" | "unhide") as verb]:
                (self.hidden.add if verb == "hide" else self.hidden.discard)(event)
                return 200, next(each for each in events if each["id"] == event)
        return 404, {"messages": ["There is no such thing."]}

    def _page(self, request: Request, name: str, items: list[dict[str, Any]]) -> dict[str, Any]:
        """A page, at most as long as asked and as `page` has it; the key of the next one is opaque."""
        start = int(b64decode(request.query["page_key"]).decode()) if "page_key" in request.query else 0
        size = min(self.page, int(request.query.get("limit", 10)))
        end = start + size
        more = {"page_key": _opaque(end)} if end < len(items) else {}
        if self.loops and not more:
            more = {"page_key": _opaque(0)}
        return {name: items[start:end], "metadata": more}

    def _agent(self, key: str) -> dict[str, Any]:
        return {
            "key": key,
            "name": self.agents[key],
            "tool_configurations": {},
            "model": {"name": "gpt"},
            "first_step": {"name": "first", "instructions": [], "output_parser": {"type": "default"}},
            "enabled": True,
        }


def _opaque(number: int) -> str:
    return b64encode(str(number).encode()).decode()


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def _answer(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, headers or {}, orjson.dumps(value))
