"""What the contracts say of themselves holds: generated requests, right and wrong, are answered as described.

A small edition of what `scripts/conformance schemathesis` does at length: a few requests for each operation, the same
in every run."""

import asyncio
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from app.asgi import create_app
from app.interactions.kind import InteractionKind
from app.interactions.service.messages import receive_message
from app.registry import KINDS
from app.rest.bodies import Body
from app.settings import Settings
from app.storage.database import open_database
from app.storage.work import Work
from tests.conftest import CountingIds, ManualClock
from tests.graph.running import RULES
from tests.kinds.conftest import BO, store_users
from tests.kinds.rest import Names
from tests.postgres import Copies
from tests.sizes import sized

SERVED = [kind for kind in KINDS if kind.contract is not None]
EXAMPLES = sized(2, 3)
"""How many right and how many wrong requests each operation gets."""

# A description does not say what makes a telephone number, and a second, wrong credential beside the right one is not
# looked at.
NOT_ASKED = ("positive_data_acceptance", "ignored_auth")

# Models that find out which other one reads the body, or which chat a query means; and the one that a topic's body is
# made into.
CHOOSING = frozenset({"NewEvent", "NewMessage", "SavedChat", "OfEntity"})
FURTHER = {"OfTopic": "ChatSessionInput"}


@pytest.fixture
def apps(
    kind: InteractionKind, sqlite_template: Path, postgres_copies: Copies, tmp_path: Path
) -> Iterator[Sequence[Starlette]]:
    """The application over a database of each sort, each with one interaction of the kind."""
    from schemathesis.python import asgi

    path = tmp_path / "switchboard.db"
    shutil.copyfile(sqlite_template, path)
    with postgres_copies.fresh() as url:
        yield [_over(found, kind) for found in (f"sqlite:///{path}", url)]
        asgi.shutdown_lifespans()


def _over(database_url: str, kind: InteractionKind) -> Starlette:
    given, ids, clock = Settings(database_url=database_url), CountingIds(), ManualClock()

    def fill(work: Work) -> None:
        store_users(work)
        target = import_module(f"tests.kinds.{kind.name}.contract").target(work, "4711")
        receive_message(work, BO, {"kind": kind.name, **target}, [{"type": "text", "content": "Where is my parcel?"}])

    async def filled() -> None:
        database = await open_database(database_url, clock=clock, ids=ids, settings=given, kinds=RULES)
        await database.command(fill)
        await database.close()

    asyncio.run(filled())
    return create_app(given, clock=clock, ids=ids, authenticator=lambda _: Names())


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names of the models that read a request's body or parameters, as they do."""
    found, by = set[str](), vars(Body)["read"].__func__

    def told(model: type[Body], value: object) -> Body:
        found.add(model.__name__)
        made: Body = by(model, value)
        return made

    monkeypatch.setattr(Body, "read", classmethod(told))
    return found


def described(raw: Any, schema: Any) -> set[str]:
    """The names of the models that a schema leads to."""
    text, names = orjson.dumps(schema).decode(), set[str]()
    while more := set(re.findall(r'"#/components/schemas/([^"]+)"', text)) - names:
        names |= more
        text = orjson.dumps([raw["components"]["schemas"][name] for name in more]).decode()
    return names


@pytest.mark.parametrize("kind", SERVED, ids=lambda kind: kind.name)
def test_requests_and_answers_are_as_described(
    apps: Sequence[Starlette], kind: InteractionKind, read: set[str]
) -> None:
    import schemathesis
    from schemathesis.core.result import Ok

    assert kind.contract is not None
    known: Mapping[str, Any] = import_module(f"tests.kinds.{kind.name}.contract").PATH
    # Who is let in, and how, is no part of this.
    config = schemathesis.Config.from_dict({"seed": 1, "generation": {"with-security-parameters": False}})
    description = schemathesis.openapi.from_asgi(f"{kind.contract.base}/openapi.json", apps[0], config=config)
    operations = [each.ok() for each in description.get_all_operations() if isinstance(each, Ok)]
    assert len(operations) == len(kind.contract.operations)
    # What deletes comes last, so that there is something to read.
    everywhere = set[str]()
    for operation in sorted(operations, key=lambda each: each.method == "delete"):
        read.clear()
        check(operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE), known, apps)
        # In paths nearly every text will do.
        if list(operation.body) or list(operation.query):
            check(operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE), known, apps)
        models = described(description.raw_schema, operation.definition.raw.get("requestBody", {}))
        more = {further for model, further in FURTHER.items() if model in models}
        assert read - CHOOSING - more <= models, operation.label
        everywhere |= read
    assert everywhere


def check(cases: Any, known: Mapping[str, Any], apps: Sequence[Starlette]) -> None:
    """Send some of the cases to each application, for to draw one takes longer than to answer it; every other one to
    what is there."""
    from schemathesis.checks import CHECKS
    from schemathesis.core.parameters import ParameterLocation

    excluded = [CHECKS.get_one(name) for name in NOT_ASKED]

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases, st.booleans())
    def send(case: Any, there: bool) -> None:
        if there and not case.meta.is_negative_at(ParameterLocation.PATH):
            named = {name: known[name] for name in case.path_parameters if name in known}
            case.path_parameters = {**case.path_parameters, **named}
        for app in apps:
            case.call_and_validate(headers={"authorization": "Bearer ada"}, excluded_checks=excluded, app=app)

    send()
