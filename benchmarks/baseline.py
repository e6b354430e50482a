"""uvicorn answering a constant of a given size: what HTTP alone costs on this machine."""

import socket
import sys
from typing import Any

import uvicorn


def main(size: int) -> None:
    """Answer every request with so many bytes."""
    body = b"x" * size
    headers = [(b"content-type", b"application/json"), (b"content-length", str(size).encode())]

    async def answer(scope: dict[str, Any], receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    serve(
        uvicorn.Config(
            answer,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="off",
            access_log=False,
            log_level="warning",
        )
    )


def serve(config: uvicorn.Config) -> None:
    """Serve until ended, at a free port that is printed as the real server prints its own."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/graphql", flush=True)  # noqa: T201 - read by the benchmark
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(int(sys.argv[1]))
