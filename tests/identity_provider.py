"""An identity provider on this machine: signs tokens, rotates its keys, and fails as it is told."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

import orjson
from joserfc import jws
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from app.core.issuers import Issuer

KEYS_AT = "/keys"
METADATA_AT = "/.well-known/openid-configuration"
AUDIENCE = "switchboard"

Reply = tuple[int, dict[str, str], bytes]
Fault = Literal["down", "slow", "redirect", "huge", "many", "not_json", "elsewhere"]


class _AnyAlgorithm(jws.JWSRegistry):
    """Signs with what no server should take, and without warnings."""

    def get_alg(self, name: str) -> Any:
        return self.algorithms[name]


def made_key(algorithm: str, kid: str) -> Key:
    """A fresh private key for the algorithm."""
    parameters = {"kid": kid, "use": "sig", "alg": algorithm}
    if algorithm.startswith(("RS", "PS")):
        return RSAKey.generate_key(2048, parameters)  # type: ignore[arg-type]
    if algorithm.startswith("ES"):
        return ECKey.generate_key("P-256", parameters)  # type: ignore[arg-type]
    return OKPKey.generate_key("Ed25519", parameters)  # type: ignore[arg-type]


def signed(header: dict[str, Any], claims: Any, key: Key | None) -> str:
    """A token with exactly this header."""
    registry = _AnyAlgorithm(strict_check_header=False)
    registry.max_header_length = 100_000
    return jws.serialize_compact(header, orjson.dumps(claims), key, registry=registry)


class IdentityProvider:
    """Its documents, and how it answers when it is asked for them."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: Counter[str] = Counter()
        self.fault: Fault | None = None
        self.more: dict[str, Any] = {}
        """Further items of the metadata."""
        self.handlers: dict[str, Callable[[str, bytes], Reply]] = {}
        """What answers at further paths, by the query string and the body of the request."""
        self.keys: dict[str, Key] = {"first": made_key("ES256", "first")}

    @property
    def url(self) -> str:
        """The issuer."""
        return f"http://127.0.0.1:{self.port}/realm"

    def issuer(self, **more: Any) -> Issuer:
        """The setting of this provider."""
        return Issuer.model_validate({"issuer": self.url, "audiences": [AUDIENCE], **more})

    def claims(self, now: float, **more: Any) -> dict[str, Any]:
        """What a token says that is issued now; a claim that is None is left out."""
        given = {"iss": self.url, "aud": AUDIENCE, "sub": "ana", "iat": int(now), "exp": int(now) + 300, **more}
        return {name: value for name, value in given.items() if value is not None}

    def token(self, now: float, kid: str = "first", **more: Any) -> str:
        """A token of the key, with these claims beside or in place of the usual ones."""
        key = self.keys[kid]
        return signed({"alg": str(key.alg), "kid": kid, "typ": "at+jwt"}, self.claims(now, **more), key)

    def rotate(self, kid: str, algorithm: str = "ES256") -> None:
        """Sign with a new key alone from now on."""
        self.keys = {kid: made_key(algorithm, kid)}

    def public_keys(self) -> list[dict[str, Any]]:
        return [dict(key.as_dict(private=False)) for key in self.keys.values() if not isinstance(key, OctKey)]

    async def _answer(self, path: str, body: bytes) -> Reply:
        place, _, query = path.removeprefix("/realm").partition("?")
        self.asked[place] += 1
        if (handler := self.handlers.get(place)) is not None:
            return handler(query, body)
        if self.fault == "slow":
            await asyncio.sleep(60)
        if self.fault == "redirect":
            return 302, {"location": f"http://127.0.0.1:{self.port}/other{place}"}, b""
        if self.fault == "not_json":
            return 200, {}, b"<html>"
        if place == METADATA_AT:
            issuer = "https://other.example.com" if self.fault == "elsewhere" else self.url
            return 200, {}, orjson.dumps({"issuer": issuer, "jwks_uri": f"{self.url}{KEYS_AT}", **self.more})
        if place != KEYS_AT:
            return 404, {}, b"{}"
        keys = self.public_keys()
        if self.fault == "many":
            keys = [{}] * 10_000
        if self.fault == "huge":
            keys[0]["comment"] = "x" * 5_000_000
        return 200, {}, orjson.dumps({"keys": keys})

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if self.fault == "down":
                self.asked["down"] += 1
                return
            length = re.search(rb"content-length: *([0-9]+)", head, re.IGNORECASE)
            content = b"" if length is None else await reader.readexactly(int(length[1]))
            status, headers, body = await self._answer(head.split(b" ")[1].decode(), content)
            lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", "connection: close"]
            lines.append("access-control-allow-origin: *")
            lines += [f"{name}: {value}" for name, value in headers.items()]
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has left
        finally:
            writer.close()


@asynccontextmanager
async def identity_provider() -> AsyncIterator[IdentityProvider]:
    """A provider that listens until the end of the block."""
    provider = IdentityProvider()
    waiting = set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        waiting.add(task)
        try:
            await provider._serve(reader, writer)
        except asyncio.CancelledError:
            pass  # the test has ended
        finally:
            waiting.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    provider.port = server.sockets[0].getsockname()[1]
    try:
        yield provider
    finally:
        server.close()
        for task in list(waiting):
            task.cancel()
        if waiting:
            await asyncio.wait(list(waiting))
