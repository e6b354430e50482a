"""What is found of replicas, each broken in one way."""

import pytest

from app.doctor import State
from app.doctor.replicas import judged, replicas
from app.settings import Settings
from app.storage.engines import parse_database_url
from tests.replication import Replicated
from tests.serving import PATIENCE

pytestmark = pytest.mark.anyio

SOUND = {"may_read": True, "feeds_back": True, "connections": 17}


async def test_replicas_are_each_examined(replicated: Replicated) -> None:
    itself = f"{replicated.url}&port=5432"
    gone = replicated.replica_url.replace("replica", "nowhere")
    elsewhere = replicated.replica_url.replace("/replicated?", "/postgres?")
    wrong = f"{replicated.replica_url}&colour=red"
    urls = (replicated.replica_url, itself, gone, elsewhere, wrong)
    settings = Settings.model_validate({"database_url": replicated.url, "read_url": urls})
    found = [each async for each in replicas(parse_database_url(replicated.url), settings, 1, PATIENCE)]
    assert {each.topic for each in found} == {"replicas"}
    sound, *others = [(each.state, each.text) for each in found]
    assert (sound[0], sound[1].startswith("Replica 1 has what the primary had ")) == (State.OK, True)
    assert others == [
        (State.FAULT, "Replica 2 is none: the server takes changes of its own."),
        (State.FAULT, "PostgreSQL at replica 3 cannot be reached: No such file or directory."),
        (State.FAULT, "Replica 4 follows another server, another database or another timeline."),
        (State.FAULT, "Replica 5: The database address has an option 'colour' that there is no support for."),
    ]


async def test_replicas_are_left_out_where_there_are_none(replicated: Replicated) -> None:
    settings = Settings.model_validate({"database_url": replicated.url})
    assert [each async for each in replicas(parse_database_url(replicated.url), settings, 1)] == []


@pytest.mark.parametrize(
    ("took", "change", "says"),
    [
        (None, {}, "Replica 1 is more than 5 s behind: the primary answers its reads."),
        (0.1, {"may_read": False}, "The user may not read every table of replica 1."),
        (0.1, {"feeds_back": False}, "Replica 1 ends reads whose rows the primary cleans up."),
        (0.1, {"connections": 16}, "1 process opens at most 17 connections to replica 1, which has 16."),
    ],
)
def test_replica_state_is_judged(took: float | None, change: dict[str, bool | int], says: str) -> None:
    findings = list(judged("replica 1", took, {**SOUND, **change}, Settings(pool_size=16), 1))
    assert [each.text for each in findings if each.state is not State.OK] == [says]
    assert all(each.advice for each in findings if each.state is not State.OK)
    assert all(each.state is State.OK for each in judged("replica 1", 0.1, SOUND, Settings(pool_size=16), 1))
