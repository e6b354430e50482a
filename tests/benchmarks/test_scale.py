"""docs/scale.md, held against the code and the simulation."""

import os
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

import app.asgi
from app.schema import SLICES, build_schema
from app.storage.tables import metadata
from benchmarks.scale.sharding import ROOTS, TABLES, Reach, reach
from benchmarks.scale.simulation import SCENARIOS, simulate
from benchmarks.scale.tables import tables

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
RENEWS = "SWITCHBOARD_TESTS_RENEW_SCALE"


def test_scale_page_shows_what_the_code_and_the_simulation_say() -> None:
    text = page = PAGE.read_text(encoding="utf-8")
    for name, table in tables().items():
        begins, ends = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = page.partition(begins)
        _, _, after = rest.partition(ends)
        page = f"{before}{begins}{table}\n{ends}{after}"
    if os.environ.get(RENEWS):
        PAGE.write_text(page, encoding="utf-8")
        text = page
    assert text == page


def test_shards_have_a_place_for_every_table_and_every_field_of_query() -> None:
    assert app.asgi.CONTRACTS
    assert metadata.tables.keys() == TABLES.keys()
    for name, (_, column) in TABLES.items():
        assert not column or column in metadata.tables[name].columns
    query = build_schema(SLICES).query_type
    assert query is not None
    assert sorted(name for names in ROOTS.values() for name in names) == sorted(query.fields)


def test_statement_asks_the_shards_that_its_key_leaves() -> None:
    message, session, team = (metadata.tables[name] for name in ("message", "session", "team"))
    key: sa.BindParameter[int] = sa.bindparam("key")
    assert reach(sa.select(message.c.id).where(message.c.interaction_id == key)) is Reach.ONE
    assert reach(sa.insert(message)) is Reach.ONE
    assert reach(sa.delete(message).where(message.c.sent_at < key)) is Reach.ALL
    assert reach(sa.select(session.c.id).where(session.c.session_key == key)) is Reach.BY_KEY
    assert reach(sa.select(team.c.id).where(team.c.id == key)) is Reach.NONE


def test_simulation_follows_its_seed_and_its_load() -> None:
    first = SCENARIOS[0]
    assert simulate(first) == simulate(first) != simulate(first, seed=8)
    busier = simulate(replace(first, changes=200))
    assert busier.process_busy > 5 * simulate(first).process_busy
    assert busier.most > simulate(first).most
