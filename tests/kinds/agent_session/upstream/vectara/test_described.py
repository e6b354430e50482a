"""Our requests, and the stand-in's answers, are as the platform's own description of its API has them.

The description is not part of the repository: SWITCHBOARD_TESTS_VECTARA_OPENAPI says where a copy lies. What was sent
is written to the file that SWITCHBOARD_TESTS_VECTARA_REQUESTS names, for tests/conformance/prism."""

import os
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.core.ids import GlobalId
from app.interactions.service.messages import receive_message
from app.interactions.service.state import close
from app.kinds.agent_session import service
from tests.kinds.agent_session.upstream.vectara.conftest import AGS, Desk
from tests.kinds.agent_session.upstream.vectara.described import Description
from tests.kinds.agent_session.upstream.vectara.platform import Platform, Request
from tests.kinds.conftest import BO

pytestmark = pytest.mark.anyio

WHERE = "SWITCHBOARD_TESTS_VECTARA_OPENAPI"
RECORD = "SWITCHBOARD_TESTS_VECTARA_REQUESTS"
ANY = r"/\1/…"
ONE_OF_MANY = re.compile(r"/(agents|sessions|events)/[^/]+")


@pytest.fixture(scope="module")
def description() -> Description:
    path = os.environ.get(WHERE)
    if path is None:
        pytest.skip(f"{WHERE} names no copy of the platform's description")
    yaml: Any = pytest.importorskip("yaml")
    return Description(yaml.load(Path(path).read_text(), Loader=yaml.CSafeLoader))


async def test_requests_and_answers_are_as_described(desk: Desk, platform: Platform, description: Description) -> None:
    platform.opens("s1", metadata={"customer_id": "c-17"}, description="About parcels")
    platform.hears("s1", "Where is it?")
    platform.answers_with("s1", "On its way.")
    platform.opens("s2")
    await desk.sync()
    changes = {"name": "Parcel", "description": None, "tti_minutes": 5, "metadata": {"customer_id": "c-18", "n": 1.5}}
    await desk.run(service.update, BO, str(AGS), changes)
    await desk.run(service.hide_event, BO, GlobalId("msg", 1), hidden=True)
    await desk.run(service.hide_event, BO, GlobalId("msg", 2), hidden=True)
    await desk.work()
    await desk.run(service.hide_event, BO, GlobalId("msg", 1), hidden=False)
    await desk.run(receive_message, BO, {"interaction": AGS}, [{"type": "text", "content": "And now?"}])
    await desk.work()
    platform.faults = ["lost"]
    await desk.run(receive_message, BO, {"interaction": AGS}, [{"type": "text", "content": "Still there?"}])
    await desk.run(close, BO, AGS)
    await desk.work()
    await desk.later(31)
    platform.forgets("s2")
    await desk.walk()
    assert (await desk.queue(), await desk.keys()) == ([], ["s1"])
    kinds = {(each.method, each.path.rpartition("/")[2]) for each, _, _ in platform.answers}
    assert {("PATCH", "s1"), ("POST", "events"), ("POST", "hide"), ("POST", "unhide"), ("GET", "traces")} <= kinds
    faults = [fault for each in platform.answers for fault in description.faults(*each)]
    assert faults == []
    if RECORD in os.environ:
        record(Path(os.environ[RECORD]), [each for each, _, _ in platform.answers])


def record(path: Path, requests: Sequence[Request]) -> None:
    """Write the requests, each with its operation: the method, and the path without what names one of many."""
    sent = [{"operation": f"{each.method} {ONE_OF_MANY.sub(ANY, each.path)}", **asdict(each)} for each in requests]
    path.write_bytes(orjson.dumps(sent))


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (Request("PATCH", "/v2/agents/a/sessions/s", {}, {}, {"enabled": "no"}), "body.enabled: 'no' is no boolean"),
        (Request("PATCH", "/v2/agents/a/sessions/s", {}, {}, {"state": 1}), "body: there is no state"),
        (Request("PUT", "/v2/agents/a/sessions/s", {}, {}, {}), "there is no such operation"),
        (Request("GET", "/v2/agents/a/sessions", {"limit": "101"}, {}, None), "limit: 101"),
        (Request("GET", "/v2/agents/a/sessions", {"after": "1"}, {}, None), "there is no parameter after"),
        (Request("POST", "/v2/agents/a/sessions/s/events", {}, {}, {"type": "x"}), "x is none of"),
    ],
)
def test_request_that_is_not_as_described_is_seen(description: Description, wrong: Request, fault: str) -> None:
    assert fault in "\n".join(description.faults(wrong, 404, {}))
