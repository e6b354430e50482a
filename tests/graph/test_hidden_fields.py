"""What is hidden from a caller is told apart from what is absent."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from graphql import GraphQLNonNull, get_named_type, is_leaf_type

from app.core.actor import Actor
from app.schema import SLICES
from app.selection.mapping import InlineMap, InterfaceMap, TypeMap
from tests.graph.filled import Filled
from tests.graph.running import SCHEMA
from tests.graph.test_permissions import without

pytestmark = pytest.mark.anyio

IDS = {"User": "usr_2", "ApiKey": "key_2", "Customer": "cus_1", "Profile": "prf_1"}
NEEDED = {
    "User": {"directory:read", "users:manage"},
    "ApiKey": {"users:manage"},
    "Customer": {"directory:read"},
    "Profile": {"directory:read"},
}
"""The permissions without which something of a type is hidden."""

LACKING: Sequence[tuple[str, ...]] = ((), ("directory:read",), ("users:manage",), ("directory:read", "users:manage"))


def test_each_type_with_fields_that_need_a_permission_says_which_are_hidden() -> None:
    guarded = {
        mapping.name
        for slice_ in SLICES
        for mapping in slice_.mappings
        if isinstance(mapping, TypeMap | InlineMap | InterfaceMap)
        and any(getattr(field, "requires", None) for field in mapping.fields.values())
    }
    saying = {name for name, type_ in SCHEMA.type_map.items() if "hiddenFields" in getattr(type_, "fields", ())}
    assert guarded == saying == set(IDS)


def selection(type_name: str) -> str:
    """All fields of a type that may be null."""
    fields = SCHEMA.type_map[type_name].fields.items()  # type: ignore[attr-defined]
    nullable = [(name, field) for name, field in fields if not isinstance(field.type, GraphQLNonNull)]
    return " ".join(
        name if is_leaf_type(get_named_type(field.type)) else f"{name} {{ __typename }}" for name, field in nullable
    )


async def read(filled: Filled, actor: Actor, type_name: str, selected: str) -> Mapping[str, Any]:
    """The object of this type by way of what everybody sees, or by its id."""
    by_id = f'node(id: "{IDS[type_name]}") {{ ... on {type_name} {{ {selected} }} }}'
    ways = {
        "Customer": f"interactions(first: 100) {{ nodes {{ customer {{ {selected} }} }} }}",
        "Profile": f"interactions(first: 100) {{ nodes {{ customer {{ profile {{ {selected} }} }} }} }}",
        "ApiKey": f"viewer {{ apiKey {{ {selected} }} }}",
    }
    found: Any = await filled.graph.read(f"{{ {ways.get(type_name, by_id)} }}", actor)
    if type_name == "ApiKey":
        return dict(found["viewer"]["apiKey"])
    if type_name == "User":
        return dict(found["node"])
    nodes = [node["customer"] for node in found["interactions"]["nodes"] if node["customer"] is not None]
    return dict(nodes[0] if type_name == "Customer" else next(each["profile"] for each in nodes if each["profile"]))


@pytest.mark.parametrize("lacking", LACKING, ids=str)
@pytest.mark.parametrize("type_name", IDS)
async def test_hidden_fields_are_null_and_named(filled: Filled, type_name: str, lacking: tuple[str, ...]) -> None:
    found = await read(filled, without(*lacking), type_name, f"hiddenFields {selection(type_name)}")
    hidden = found["hiddenFields"]
    assert hidden == sorted(hidden)
    assert {name for name in hidden if found[name] is not None} == set()
    shown = await read(filled, without(), type_name, f"hiddenFields {selection(type_name)}")
    assert shown["hiddenFields"] == []
    # Whatever the permissions that are there decide is named, and nothing else.
    assert {name for name, value in shown.items() if value != found[name]} <= {"hiddenFields", *hidden}
    assert bool(hidden) == bool(NEEDED[type_name] & set(lacking))


async def test_names_of_hidden_fields_cost_no_column(filled: Filled) -> None:
    seen = []
    for selected in ("id", "id hiddenFields"):
        filled.graph.statements.clear()
        await filled.graph.read(f"{{ users {{ nodes {{ {selected} }} }} }}", without("directory:read"))
        seen.append(list(filled.graph.statements))
    assert len(seen[0]) == 1
    assert seen[0] == seen[1]
