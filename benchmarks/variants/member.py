"""A caller who sees the interactions of its teams, and those that it asks for in these teams."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import uuid4

import orjson

from app.core.actor import permission_name
from benchmarks.cases import KEY, Case, request
from benchmarks.client import BenchmarkError, KeptAlive, ask

_KINDS = ("session", "agent_session", "chat_session", "conversation")
_SEES_A_PART = [permission_name(f"{kind}:read:{part}") for kind in _KINDS for part in ("team", "own")]

_USER = "mutation($input: CreateUserInput!) { createUser(input: $input) { user { id } errors { message } } }"
_TEAM = "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { id } errors { message } } }"
_API_KEY = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret errors { message } } }"
_GIVE = "mutation($input: AssignTeamInput!) { assignTeam(input: $input) { errors { message } } }"


async def key_of_member(port: int, sessions: Iterable[str], reads: Sequence[Case]) -> str:
    """The key of a new user with two teams. A third each of what is read is of one team, of the other, and of none.

    `sessions` are ids that are read one by one. Raises BenchmarkError when the server refuses any of it."""
    connection = await KeptAlive.connect(port)
    try:
        name = f"member-{uuid4().hex}"
        given = {"name": "Member", "login": name, "permissions": _SEES_A_PART}
        user = (await _done(connection, _USER, given))["user"]["id"]
        teams = [None]
        for number in range(2):
            made = await _done(connection, _TEAM, {"name": f"{name} {number}", "memberIds": [user]})
            teams.append(made["team"]["id"])
        lists = [orjson.loads(await connection.ask(case.connections[0][0])) for case in reads]
        for place, each in enumerate(dict.fromkeys([*sessions, *_ids(lists)])):
            await _done(connection, _GIVE, {"id": each, "teamId": teams[place % len(teams)]})
        secret: str = (await _done(connection, _API_KEY, {"name": "bench", "userId": user}))["secret"]
        return secret
    finally:
        await connection.close()


def as_asked_with(key: str, case: Case) -> Sequence[Sequence[bytes]]:
    """The requests of a case with another key."""
    return [[_with(key, each) for each in requests] for requests in case.connections]


async def prove_alike(asked: Iterable[tuple[int, str]], reads: Sequence[Case]) -> None:
    """Raise BenchmarkError unless all of these ports and keys get the same answers."""
    those = list(asked)
    for case in reads:
        answers = {await ask(port, _with(key, case.connections[0][0])) for port, key in those}
        if len(answers) != 1:
            raise BenchmarkError(f"{case.name}: the variants do not give the same answer.")


def _with(key: str, asked: bytes) -> bytes:
    return asked.replace(f"Bearer {KEY}\r\n".encode(), f"Bearer {key}\r\n".encode())


def _ids(answers: Iterable[Any]) -> list[str]:
    """The ids of the nodes of lists."""
    roots = (root for answer in answers for root in answer["data"].values() if "nodes" in root)
    return [node["id"] for root in roots for node in root["nodes"]]


async def _done(connection: KeptAlive, document: str, given: Mapping[str, object]) -> dict[str, Any]:
    answer = orjson.loads(await connection.ask(request(document, {"input": given})))
    if "errors" in answer:
        raise BenchmarkError(f"The server answered: {answer['errors']}")
    (payload,) = answer["data"].values()
    if payload["errors"]:
        raise BenchmarkError(f"The server answered: {payload['errors']}")
    found: dict[str, Any] = payload
    return found
