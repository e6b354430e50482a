"""SuperOffice as its vendor's pages describe it, for what a connection uses; made without our own contract."""

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import RSAKey

from app.outbound import Answer, OutboundClient, OutboundFault
from app.outbound.faults import OutboundCode
from tests.conftest import ManualClock

HOME = "https://online.example.com"
TENANT = "Cust12345"
SYSTEM_TOKEN, CLIENT_SECRET, REFRESH_TOKEN = "Switchboard-kdFvTgQ8Ns", "c0ffee5ecret", "8A:refresh-of-bo"
KEY: RSAPrivateKey = generate_private_key(65_537, 2_048)
_SIGNING = RSAKey.generate_key(2_048, {"kid": "so-1", "use": "sig", "alg": "RS256"})
_STRANGE = RSAKey.generate_key(2_048, {"kid": "so-1"})

PRIVATE_KEY = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
SECRETS = (SYSTEM_TOKEN, CLIENT_SECRET, REFRESH_TOKEN, PRIVATE_KEY.splitlines()[3])
CREDENTIAL = json.dumps(
    {
        "systemUser": {
            "systemToken": SYSTEM_TOKEN,
            "clientSecret": CLIENT_SECRET,
            "privateKey": PRIVATE_KEY,
            "contextIdentifier": TENANT,
            "clientId": "app-1",
        },
        "users": {"bo": REFRESH_TOKEN},
    }
)


@dataclass
class Office(OutboundClient):
    """Answers requests within the process. `faults` befall the next requests to the contract, one each: a status, or
    `before` and `after` for a connection that is cut before or after the request was done."""

    clock: ManualClock
    number: int = 2
    state: str = "Running"
    strange: bool = False
    signs_in: bool = True
    allows_hooks: bool = True
    faults: list[int | str] = field(default_factory=list)
    tickets: set[str] = field(default_factory=set)
    tokens: dict[str, int] = field(default_factory=dict)
    chats: dict[int, dict[str, Any]] = field(default_factory=dict)
    messages: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    hooks: dict[int, dict[str, Any]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    actors: list[str] = field(default_factory=list)

    async def send(self, method: str, url: str, **request: Any) -> Answer:
        parts, headers, content = urlsplit(url), request["headers"], request["content"]
        self.requests.append(f"{method} {parts.hostname}{parts.path}")
        if url.startswith(HOME):
            return self._home(parts.path, headers, content)
        if parts.hostname != f"online{self.number}.example.com":
            return _answer(421, {"Message": "Wrong subdomain used to access tenant"})
        actor = self._actor(headers)
        if actor is None:
            return _answer(401, {"Error": True, "ErrorType": "SoSessionException", "ErrorMessage": "Not signed in"})
        fault = self.faults.pop(0) if self.faults else None
        if fault == "before":
            raise OutboundFault(OutboundCode.CONNECTION, "The server cannot be connected to.")
        if isinstance(fault, int):
            return Answer(fault, {"retry-after": "30"} if fault == 429 else {}, b"")
        self.actors.append(actor)
        path = parts.path.removeprefix(f"/{TENANT}/api/v1/")
        assert path != parts.path, parts.path
        found = self._contract(method, path, dict(parse_qsl(parts.query)), json.loads(content) if content else None)
        if fault == "after":
            raise OutboundFault(OutboundCode.PROTOCOL, "The answer ended early.", may_have_arrived=True)
        return found

    def chat(self, number: int, **more: Any) -> dict[str, Any]:
        """A chat as the pages' samples have one, in the names and times of the contract."""
        self.chats[number] = {
            "ChatSessionId": number,
            "TopicId": 7,
            "User": None,
            "Person": None,
            "CustomerAlias": "",
            "CustomerHost": "Emard Group",
            "CustomerName": "Ana",
            "CustomerEmail": "ana@example.com",
            "CustomerPhone": None,
            "CustomerConsented": True,
            "CustomerCompanyName": None,
            "Status": "InQueue",
            "FirstMessage": None,
            "LastMessage": None,
            "WhenRequested": "2026-01-05T08:55:00",
            "WhenStarted": "0001-01-01T00:00:00",
            "WhenEnded": "0001-01-01T00:00:00",
            "WhenIdle": "0001-01-01T00:00:00",
            "WhenFetched": "0001-01-01T00:00:00",
            "SessionKey": "not to be kept",
            "InitialQueuePos": 1,
            "AlertLevel": 0,
            "Rank": 0,
            "Flags": "CustomerIsTyping",
            "Contact": None,
            "Project": None,
            "Sale": None,
            "Ticket": None,
            "TransferTo": None,
            "ChatbotIsActive": False,
            "Rating": 0,
            "TableRight": None,
            "FieldProperties": {"fieldName": {"FieldRight": "FULL", "FieldType": "System.String", "FieldLength": 3}},
            **more,
        }
        self.messages.setdefault(number, [])
        return self.chats[number]

    def says(self, number: int, text: str, kind: str = "ToUser", author: str = "Ana") -> int:
        """A message of the chat; its number."""
        made = sum(map(len, self.messages.values())) + 815
        posted = f"{self.clock.now:%Y-%m-%dT%H:%M:%S}.0000000"
        said = {"ChatMessageId": made, "ChatSessionId": number, "Type": kind, "Message": text, "Author": author}
        more = {"ReadByCustomer": 0, "SpecialType": "None", "SpecialParam": "", "WhenPosted": posted}
        self.messages[number].append({**said, **more})
        self.chats[number]["LastMessage"] = text
        self.chats[number]["Status"] = "CustomerLast" if kind == "ToUser" else "UserLast"
        return made

    def _home(self, path: str, headers: Mapping[str, str], content: bytes) -> Answer:
        """The sign-in, and the page of the tenant's state; neither needs to be signed in."""
        assert "so-apptoken" not in headers
        if path == f"/api/state/{TENANT}":
            endpoint = f"https://online{self.number}.example.com/{TENANT}"
            said = {"ContextIdentifier": TENANT, "Endpoint": endpoint, "State": self.state}
            return _answer(200, {**said, "IsRunning": self.state == "Running", "Api": f"{endpoint}/api"})
        if path == "/login/.well-known/jwks":
            return _answer(200, {"keys": [_SIGNING.as_dict(private=False)]})
        if path == "/Login/api/PartnerSystemUser/Authenticate":
            return _answer(200, self._authenticated(json.loads(content)))
        assert path == "/login/common/oauth/tokens"
        form = {name: value for name, (value,) in parse_qs(content.decode()).items()}
        wanted = {"grant_type": "refresh_token", "client_id": "app-1", "client_secret": CLIENT_SECRET}
        if form != {**wanted, "refresh_token": REFRESH_TOKEN}:
            return _answer(400, {"error": "invalid_grant", "error_description": json.dumps(form)})
        token = f"8A:{len(self.tokens)}"
        self.tokens[token] = 9
        return _answer(200, {"token_type": "Bearer", "access_token": token, "expires_in": 3_600})

    def _authenticated(self, body: Mapping[str, str]) -> dict[str, Any]:
        token, minute, signature = body["SignedSystemToken"].rsplit(".", 2)
        try:
            KEY.public_key().verify(b64decode(signature), f"{token}.{minute}".encode(), PKCS1v15(), SHA256())
        except InvalidSignature:
            return {"IsSuccessful": False, "Token": None, "ErrorMessage": "The signature is wrong."}
        good = (token, minute) == (SYSTEM_TOKEN, f"{self.clock.now:%Y%m%d%H%M}")
        if not good or not self.signs_in or body["ApplicationToken"] != CLIENT_SECRET:
            return {"IsSuccessful": False, "Token": None, "ErrorMessage": f"No: {body['ApplicationToken']}"}
        assert (body["ContextIdentifier"], body["ReturnTokenType"]) == (TENANT, "JWT")
        ticket = f"7T:ticket{len(self.requests)}"
        self.tickets.add(ticket)
        claims = {
            "iss": "SuperOffice AS",
            "aud": "spn:12345",
            "exp": int(self.clock.now.timestamp()) + 300,
            "http://schemes.superoffice.net/identity/ticket": ticket,
        }
        key = _STRANGE if self.strange else _SIGNING
        signed = jwt.encode({"alg": "RS256", "kid": "so-1"}, claims, key)
        return {"IsSuccessful": True, "Token": signed, "ErrorMessage": ""}

    def _actor(self, headers: Mapping[str, str]) -> str | None:
        given = headers.get("authorization", "")
        if given.removeprefix("SOTicket ") in self.tickets and headers.get("so-apptoken") == CLIENT_SECRET:
            return "system"
        return "bo" if given.removeprefix("Bearer ") in self.tokens else None

    def _contract(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Answer:
        match method, path.split("/"):
            case "GET", ["ChatSession"]:
                return _answer(200, {"odata.metadata": "", "odata.nextLink": None, "value": self._rows(query)})
            case "GET", ["ChatSession", number]:
                found = self.chats.get(int(number))
                return _answer(404, _error("Not found")) if found is None else _answer(200, found)
            case "PATCH", ["ChatSession", number]:
                return self._patched(self.chats[int(number)], body)
            case "GET", ["ChatSession", number, "Messages"]:
                after = int(query["after"])
                return _answer(200, [each for each in self.messages[int(number)] if each["ChatMessageId"] > after])
            case "POST", ["ChatSession", number, "Messages"]:
                made = self.says(int(number), body["Message"], body["Type"], "The system user")
                return _answer(200, next(each for each in self.messages[int(number)] if each["ChatMessageId"] == made))
            case _, ["Webhook", *_] if not self.allows_hooks:
                return _answer(403, _error("The agent is restricted"))
            case "GET", ["Webhook"]:
                return _answer(200, list(self.hooks.values()))
            case "POST", ["Webhook"]:
                hook = {"WebhookId": len(self.hooks) + 1, **body}
                self.hooks[hook["WebhookId"]] = hook
                return _answer(200, hook)
            case "PATCH", ["Webhook", number]:
                return self._patched(self.hooks[int(number)], body)
        raise AssertionError(f"{method} {path} is none of the pages' operations.")

    def _rows(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """Rows of the archive by the filters that the pages show: comparisons of numbers, and one of a list."""
        found = sorted(self.chats.values(), key=lambda each: -each["ChatSessionId"])
        for part in query["$filter"].split(" and "):
            column, operator, value = part.split(" ", 2)
            if operator == "oneOf":
                assert column == "status"
                names = [_STATUSES[int(each)] for each in value.strip("()").split(",")]
                found = [each for each in found if each["Status"] in names]
            else:
                assert column == "chatSessionId"
                tests = {"eq": int.__eq__, "gt": int.__gt__, "lt": int.__lt__}
                found = [each for each in found if tests[operator](each["ChatSessionId"], int(value))]
        return [
            {
                "PrimaryKey": str(each["ChatSessionId"]),
                "EntityName": "chat",
                "chatSessionId": each["ChatSessionId"],
                "status": f"[{each['Status']}]",
                "lastMessage": each["LastMessage"],
                "chatTopic/name": "Support",
            }
            for each in found[: int(query["$top"])]
        ]

    def _patched(self, held: dict[str, Any], operations: list[dict[str, Any]]) -> Answer:
        for each in operations:
            if each["op"] == "test" and held.get(each["path"]) != each["value"]:
                return _answer(409, _error("Test failed"))
        held.update({each["path"]: each["value"] for each in operations if each["op"] == "replace"})
        return _answer(200, held)


_STATUSES = (
    "Invalid",
    "PreChatForm",
    "Faq",
    "OfflineForm",
    "InQueue",
    "CustomerLast",
    "UserLast",
    "Finished",
    "Deleted",
    "Closed",
    "RequestPosted",
    "ClosedFromQueue",
)


def _error(message: str) -> dict[str, object]:
    return {"Error": True, "ErrorType": "SoException", "ErrorMessage": message, "ErrorSource": "SuperOffice"}


def _answer(status: int, value: object) -> Answer:
    return Answer(status, {}, json.dumps(value).encode())
