"""A bare uvicorn WebSocket that sends ready bytes to all its sockets: what that alone costs on this machine."""

import re
import sys
from typing import Any

import uvicorn

from benchmarks.baseline import serve

_NUMBER = re.compile(rb'"bench-([0-9]+)"')
_ACK = '{"type":"connection_ack"}'


def main(size: int) -> None:
    """Serve frames of `size` bytes until ended. Each POST is a change: it is answered, then sent to everyone."""
    sockets: list[Any] = []

    async def answer(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            number = _NUMBER.search((await receive())["body"])
            assert number is not None
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": b"{}"})
            message = {"type": "websocket.send", "bytes": number[0].ljust(size, b"x")}
            for each in sockets:
                await each(message)
            return
        await receive()
        await send({"type": "websocket.accept", "subprotocol": scope["subprotocols"][0]})
        await receive()
        await send({"type": "websocket.send", "text": _ACK})
        await receive()
        sockets.append(send)
        while (await receive())["type"] != "websocket.disconnect":
            pass
        sockets.remove(send)

    serve(
        uvicorn.Config(
            answer,
            loop="uvloop",
            http="httptools",
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            lifespan="off",
            access_log=False,
            log_level="warning",
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
