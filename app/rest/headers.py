"""Headers of requests, as ASGI has them."""

from collections.abc import Mapping

from starlette.types import Scope

Headers = Mapping[bytes, bytes]


def header_of(scope: Scope, name: bytes) -> bytes | None:
    """The value of the first header of this name, which is in lower case; None without one."""
    for found, value in scope.get("headers", ()):
        if found == name:
            first: bytes = value
            return first
    return None
