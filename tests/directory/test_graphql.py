"""The directory through GraphQL: what is answered, to whom, and in how many statements."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from app.core.actor import Actor, permission_name
from app.directory import service
from app.directory.authenticator import KeyAuthenticator
from app.directory.graphql import DIRECTORY
from app.graph.slice import ERRORS, NODES
from app.schema import build_schema
from app.storage.database import Database
from tests.directory.conftest import Ask, told

pytestmark = pytest.mark.anyio

NOW = "2026-01-05T09:00:00.000000Z"
NOBODY = Actor(user_id=9, name="Nobody", permissions=frozenset({"session:read"}))
READER = replace(NOBODY, permissions=frozenset({"directory:read"}))
WRITER = replace(NOBODY, permissions=frozenset({"directory:read", "directory:write"}))

CREATE = """
mutation ($input: CreateCustomerInput!) {
  createCustomer(input: $input) {
    customer { id name system }
    errors { __typename code message path }
    clientMutationId
  }
}
"""
CUSTOMER = """{
  id customerKey system channel displayId name phoneNumber unconfirmedPhoneNumber countryCode email firstName
  lastName timeZone tags shippingRate unsubscribed billingAddress shippingAddress card companyName confirmedAt
  createdAt updatedAt version
  profile { id name }
}"""
FULL: dict[str, Any] = {
    "customerKey": "k",
    "system": "CONVERSATION",
    "channel": "WHATSAPP",
    "displayId": "49152",
    "name": "Ána Berg",
    "phoneNumber": "+49152",
    "unconfirmedPhoneNumber": "0152",
    "countryCode": "DE",
    "email": "ana@example.com",
    "firstName": "Ana",
    "lastName": "Berg",
    "timeZone": "Europe/Oslo",
    "tags": ["vip"],
    "shippingRate": 5,
    "billingAddress": {"b": 1, "a": 2},
    "shippingAddress": {},
    "card": {"brand": "visa"},
    "companyName": "Berg AS",
    "confirmedAt": NOW,
}


async def fill(ask: Ask, **given: Any) -> str:
    """Make a customer; its id."""
    answer = await ask(WRITER, CREATE, input={"system": "SESSION", **given})
    assert answer["data"]["createCustomer"]["errors"] == []
    return str(answer["data"]["createCustomer"]["customer"]["id"])


async def test_a_customer_is_made_and_read(ask: Ask, database: Database) -> None:
    answer = await ask(WRITER, CREATE, input={**FULL, "clientMutationId": "m"})
    assert answer == {
        "data": {
            "createCustomer": {
                "customer": {"id": "cus_1", "name": "Ána Berg", "system": "CONVERSATION"},
                "errors": [],
                "clientMutationId": "m",
            }
        }
    }
    assert [(event.topic, event.client_mutation_id) for event in await told(database)] == [("customer.created", "m")]
    answer = await ask(READER, f'{{ a: customer(id: "cus_1") {CUSTOMER} b: customer(customerKey: "k") {{ id }} }}')
    assert answer == {
        "data": {
            "a": {
                **FULL,
                "id": "cus_1",
                "unsubscribed": False,
                "createdAt": NOW,
                "updatedAt": NOW,
                "version": 1,
                "profile": None,
            },
            "b": {"id": "cus_1"},
        }
    }


async def test_refusals_are_in_the_payload(ask: Ask, database: Database) -> None:
    await fill(ask)
    update = "mutation ($i: UpdateCustomerInput!) { updateCustomer(input: $i) { customer { id } errors { %s } } }"
    plain = update % "__typename code path"
    cases: list[tuple[Actor, dict[str, Any], dict[str, Any]]] = [
        (READER, {"id": "cus_1"}, {"__typename": "GenericError", "code": "FORBIDDEN", "path": []}),
        (WRITER, {"id": "cus_9"}, {"__typename": "GenericError", "code": "NOT_FOUND", "path": ["input", "id"]}),
        (WRITER, {"id": "prf_1"}, {"__typename": "GenericError", "code": "INVALID_INPUT", "path": ["input", "id"]}),
        (
            WRITER,
            {"id": "cus_1", "tags": ["a", ""]},
            {"__typename": "GenericError", "code": "INVALID_INPUT", "path": ["input", "tags", "1"]},
        ),
    ]
    for actor, given, error in cases:
        answer = await ask(actor, plain, i=given)
        assert answer == {"data": {"updateCustomer": {"customer": None, "errors": [error]}}}
    answer = await ask(
        WRITER, update % "code ... on VersionConflictError { currentVersion }", i={"id": "cus_1", "ifVersion": 3}
    )
    assert answer["data"]["updateCustomer"]["errors"] == [{"code": "VERSION_CONFLICT", "currentVersion": 1}]
    assert len(await told(database)) == 1


async def test_updates_are_tri_state(ask: Ask) -> None:
    await fill(ask, **FULL)
    update = f"mutation ($i: UpdateCustomerInput!) {{ updateCustomer(input: $i) {{ customer {CUSTOMER} }} }}"
    given = {"id": "cus_1", "email": None, "tags": None, "name": "B", "card": {"x": [1.5, None]}}
    answer = await ask(WRITER, update, i=given)
    changed = answer["data"]["updateCustomer"]["customer"]
    assert changed == {
        **FULL,
        "id": "cus_1",
        "email": None,
        "tags": [],
        "name": "B",
        "card": {"x": [1.5, None]},
        "unsubscribed": False,
        "createdAt": NOW,
        "updatedAt": NOW,
        "version": 2,
        "profile": None,
    }


async def test_the_life_of_a_customer_and_a_profile(ask: Ask) -> None:
    await fill(ask, name="Ana")
    answer = await ask(
        WRITER,
        """mutation {
          a: createProfile(input: {name: "Ana Berg", gender: FEMALE, dateOfBirth: "1970-01-01", custom1: "x"}) {
            profile { id name gender dateOfBirth custom1 custom2 blocked salutation }
          }
          b: linkCustomer(input: {id: "cus_1", profileId: "prf_1"}) { customer { profile { id name } version } }
          c: blockProfile(input: {id: "prf_1"}) { profile { blocked customers { edges { node { id name } } } } }
          d: unblockProfile(input: {id: "prf_1", ifVersion: 2}) { profile { blocked version } }
          e: updateProfile(input: {id: "prf_1", salutation: INFORMAL, custom1: null, dateOfBirth: null}) {
            profile { name salutation custom1 dateOfBirth }
          }
          f: unsubscribeCustomer(input: {id: "cus_1"}) { customer { unsubscribed } }
          g: subscribeCustomer(input: {id: "cus_1"}) { customer { unsubscribed } }
          h: unlinkCustomer(input: {id: "cus_1"}) { customer { profile { id } } }
          i: deleteProfile(input: {id: "prf_1", clientMutationId: "x"}) { deletedId clientMutationId errors { code } }
          j: deleteProfile(input: {id: "prf_1"}) { deletedId errors { code } }
        }""",
    )
    assert answer == {
        "data": {
            "a": {
                "profile": {
                    "id": "prf_1",
                    "name": "Ana Berg",
                    "gender": "FEMALE",
                    "dateOfBirth": "1970-01-01",
                    "custom1": "x",
                    "custom2": None,
                    "blocked": False,
                    "salutation": None,
                }
            },
            "b": {"customer": {"profile": {"id": "prf_1", "name": "Ana Berg"}, "version": 2}},
            "c": {"profile": {"blocked": True, "customers": {"edges": [{"node": {"id": "cus_1", "name": "Ana"}}]}}},
            "d": {"profile": {"blocked": False, "version": 3}},
            "e": {"profile": {"name": "Ana Berg", "salutation": "INFORMAL", "custom1": None, "dateOfBirth": None}},
            "f": {"customer": {"unsubscribed": True}},
            "g": {"customer": {"unsubscribed": False}},
            "h": {"customer": {"profile": None}},
            "i": {"deletedId": "prf_1", "clientMutationId": "x", "errors": []},
            "j": {"deletedId": None, "errors": [{"code": "NOT_FOUND"}]},
        }
    }


async def test_contact_details_are_for_who_may_read_them(ask: Ask, admin: Actor) -> None:
    await fill(ask, **FULL)
    writer = replace(WRITER, permissions=frozenset({"directory:write"}))
    answer = await ask(
        writer,
        f'mutation {{ linkless: unlinkCustomer(input: {{id: "cus_1"}}) {{ customer {CUSTOMER} }} }}',
    )
    profile = await ask(
        writer,
        """mutation {
          createProfile(input: {name: "Ana", email: "a@b.c", gender: MALE, address: "A", custom5: "5"}) {
            profile { name email gender address custom5 blocked customers { totalCount } }
          }
        }""",
    )
    hidden = {
        *("displayId", "phoneNumber", "unconfirmedPhoneNumber", "countryCode", "email", "firstName", "lastName"),
        *("timeZone", "tags", "shippingRate", "billingAddress", "shippingAddress", "card", "companyName"),
        "confirmedAt",
    }
    customer = answer["data"]["linkless"]["customer"]
    assert {name for name, value in customer.items() if value is None} == hidden | {"profile"}
    assert (customer["name"], customer["unsubscribed"]) == ("Ána Berg", False)
    assert profile["data"]["createProfile"]["profile"] == {
        "name": "Ana",
        "email": None,
        "gender": None,
        "address": None,
        "custom5": None,
        "blocked": False,
        "customers": None,
    }
    user = '{ user(id: "usr_1") { name login roles permissions email apiKeys { totalCount } } }'
    assert (await ask(NOBODY, user))["data"]["user"] == {
        "name": "Admin",
        "login": "admin",
        "roles": None,
        "permissions": None,
        "email": None,
        "apiKeys": None,
    }
    assert (await ask(READER, user))["data"]["user"] == {
        "name": "Admin",
        "login": "admin",
        "roles": ["admin"],
        "permissions": [],
        "email": None,
        "apiKeys": None,
    }
    assert (await ask(admin, user))["data"]["user"]["apiKeys"] == {"totalCount": 1}


@pytest.mark.parametrize(
    "field",
    [
        'customer(id: "cus_1") { id }',
        "customers { totalCount }",
        'profile(id: "prf_1") { id }',
        "profiles { totalCount }",
    ],
)
async def test_the_directory_is_closed_without_permission(ask: Ask, field: str) -> None:
    (error,) = (await ask(NOBODY, f"{{ {field} }}"))["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"


async def test_nobody_counts_up_ids_to_learn_names(ask: Ask, admin: Actor) -> None:
    await fill(ask, name="Ana")
    await ask(WRITER, 'mutation { createProfile(input: {name: "P"}) { errors { code } } }')
    nodes = """{ nodes(ids: ["cus_1", "prf_1", "usr_1", "key_1"]) {
      id ... on Customer { called: name } ... on Profile { name } ... on User { name }
    } }"""
    user = {"id": "usr_1", "name": "Admin"}
    assert (await ask(NOBODY, nodes))["data"]["nodes"] == [None, None, user, None]
    assert (await ask(READER, nodes))["data"]["nodes"] == [
        {"id": "cus_1", "called": "Ana"},
        {"id": "prf_1", "name": "P"},
        user,
        None,
    ]


@pytest.mark.parametrize("arguments", ["", '(id: "cus_1", customerKey: "k")'])
async def test_a_customer_is_asked_for_in_one_way(ask: Ask, arguments: str) -> None:
    (error,) = (await ask(READER, f"{{ customer{arguments} {{ id }} }}"))["errors"]
    assert error["extensions"] == {"code": "INVALID_INPUT", "argument": ["id"]}


async def found(ask: Ask, search: str, *, root: str = "customers") -> list[str]:
    query = f"query ($s: String) {{ {root}(search: $s) {{ totalCount edges {{ node {{ id }} }} }} }}"
    connection = (await ask(READER, query, s=search))["data"][root]
    ids = [edge["node"]["id"] for edge in connection["edges"]]
    assert connection["totalCount"] == len(ids)
    return ids


async def test_customers_are_searched(ask: Ask, database: Database) -> None:
    await fill(ask, name="Ána-Maria Berg", email="ana@example.com", phoneNumber="+49 152 2436")
    await fill(ask, name="Bergljot 100%", companyName="Ana AS", tags=["gold_card"])
    await fill(ask, name="Øyvind", customerKey="7d9f", unconfirmedPhoneNumber="+47 111")
    expected = {
        "": ["cus_3", "cus_2", "cus_1"],
        " ": ["cus_3", "cus_2", "cus_1"],
        "ana": ["cus_2", "cus_1"],
        "ANA berg": ["cus_2", "cus_1"],
        "berg ana": ["cus_1"],
        "bergl": ["cus_2"],
        "example ana maria": ["cus_1"],
        "ana@example": ["cus_1"],
        "+49 (152) 24": ["cus_1"],
        "152": ["cus_1"],
        "100%": ["cus_2"],
        "%": ["cus_3", "cus_2", "cus_1"],
        "gold_c": ["cus_2"],
        "øyv": ["cus_3"],
        "oyv": ["cus_3"],
        "7d9f": ["cus_3"],
        "47111": ["cus_3"],
        "ana nobody": [],
        "a' OR 1=1 --": [],
        "a a a a": ["cus_2", "cus_1"],
        "\U0010ffff": ["cus_3", "cus_2", "cus_1"],
    }
    expected["a a a a"] = []
    assert {search: await found(ask, search) for search in expected} == expected
    update = "mutation ($i: UpdateCustomerInput!) { updateCustomer(input: $i) { errors { code } } }"
    await ask(WRITER, update, i={"id": "cus_1", "name": "Carl", "email": None})
    assert await found(ask, "carl") == ["cus_1"]
    assert await found(ask, "ana") == ["cus_2"]
    await database.command(service.delete_customer, WRITER, "cus_2")
    assert await found(ask, "ana") == []


async def test_users_and_profiles_are_searched(ask: Ask, database: Database, admin: Actor) -> None:
    tony: Any = {"name": "Tony", "login": "ty", "full_name": "Anthony Yates", "email": "hidden@example.com"}
    await database.command(service.create_user, admin, tony)
    await database.command(service.create_profile, admin, {"name": "Tony Curtis"})
    assert await found(ask, "yates t", root="users") == ["usr_2"]
    assert await found(ask, "hidden", root="users") == []
    assert await found(ask, "", root="users") == ["usr_1", "usr_2"]
    assert await found(ask, "tony", root="profiles") == ["prf_1"]


async def test_lists_are_filtered_and_paged(ask: Ask, database: Database, admin: Actor) -> None:
    for number in range(5):
        await fill(ask, system="SESSION" if number % 2 else "CHAT_SESSION", name=f"Ana {number}")
    await database.command(service.create_profile, WRITER, {"name": "P"})
    await database.command(service.link_customer, WRITER, "cus_4", "prf_1")
    query = """query ($after: String) {
      customers(search: "ana", system: SESSION, first: 1, after: $after) {
        totalCount pageInfo { hasNextPage endCursor } edges { node { id } }
      }
      linked: customers(profileId: "prf_1") { edges { node { id } } }
      there: users(present: true) { totalCount }
      away: users(present: false, active: true) { totalCount }
      gone: users(active: false) { totalCount }
    }"""
    first = (await ask(READER, query))["data"]
    assert (first["customers"]["totalCount"], first["customers"]["edges"]) == (2, [{"node": {"id": "cus_4"}}])
    assert first["linked"] == {"edges": [{"node": {"id": "cus_4"}}]}
    assert [first[name]["totalCount"] for name in ("there", "away", "gone")] == [0, 1, 0]
    second = await ask(READER, query, after=first["customers"]["pageInfo"]["endCursor"])
    assert second["data"]["customers"]["edges"] == [{"node": {"id": "cus_2"}}]
    assert not second["data"]["customers"]["pageInfo"]["hasNextPage"]


async def test_the_viewer_and_its_keys(ask: Ask, admin: Actor, authenticator: KeyAuthenticator) -> None:
    viewer = """{ viewer {
      user { id name presence { present changedAt } isService type active }
      permissions
      apiKey { id name isCurrent permissions expiresAt revokedAt createdAt user { id } }
      apiKeys { totalCount edges { node { id isCurrent } } }
    } }"""
    made = await ask(
        admin,
        """mutation {
          createUser(input: {name: "Tony", login: "tony", permissions: [SESSION_READ, DIRECTORY_READ]}) {
            user { id login permissions version }
          }
          createApiKey(input: {
            name: "ci", userId: "usr_2", permissions: [SESSION_READ], expiresAt: "2027-01-01T00:00:00Z"
          }) {
            secret apiKey { id prefix isCurrent user { id } } errors { code }
          }
          setPresence(input: {present: true, userId: "usr_2"}) { user { presence { present changedAt } } }
        }""",
    )
    assert made["data"]["createUser"]["user"] == {
        "id": "usr_2",
        "login": "tony",
        "permissions": ["SESSION_READ", "DIRECTORY_READ"],
        "version": 1,
    }
    assert made["data"]["setPresence"] == {"user": {"presence": {"present": True, "changedAt": NOW}}}
    secret = made["data"]["createApiKey"]["secret"]
    assert made["data"]["createApiKey"]["apiKey"] == {
        "id": "key_2",
        "prefix": secret[4:12],
        "isCurrent": False,
        "user": {"id": "usr_2"},
    }
    tony = await authenticator.actor_of(secret)
    assert tony is not None
    assert await ask(tony, viewer) == {
        "data": {
            "viewer": {
                "user": {
                    "id": "usr_2",
                    "name": "Tony",
                    "presence": {"present": True, "changedAt": NOW},
                    "isService": False,
                    "type": "INTERNAL_ASSOCIATE",
                    "active": True,
                },
                "permissions": ["SESSION_READ"],
                "apiKey": {
                    "id": "key_2",
                    "name": "ci",
                    "isCurrent": True,
                    "permissions": ["SESSION_READ"],
                    "expiresAt": "2027-01-01T00:00:00.000000Z",
                    "revokedAt": None,
                    "createdAt": NOW,
                    "user": {"id": "usr_2"},
                },
                "apiKeys": {"totalCount": 1, "edges": [{"node": {"id": "key_2", "isCurrent": True}}]},
            }
        }
    }
    assert await ask(NOBODY, viewer) == {"data": {"viewer": None}}
    assert (await ask(admin, "{ viewer { permissions } }"))["data"]["viewer"]["permissions"] == sorted(
        map(permission_name, admin.permissions)
    )
    revoked = await ask(tony, 'mutation { revokeApiKey(input: {id: "key_2"}) { apiKey { revokedAt } } }')
    assert revoked == {"data": {"revokeApiKey": {"apiKey": {"revokedAt": NOW}}}}
    assert await authenticator.actor_of(secret) is None


async def test_users_through_mutations(ask: Ask, admin: Actor) -> None:
    answer = await ask(
        admin,
        """mutation {
          a: createUser(input: {name: "Tony", login: "tony", idempotencyKey: "k", personId: 7}) { user { id } }
          b: createUser(input: {name: "Tony", login: "tony", idempotencyKey: "k", personId: 7}) { user { id personId } }
          c: createUser(input: {name: "Tony", login: "tony"}) { user { id } errors { code path } }
          d: updateUser(input: {id: "usr_2", email: "t@example.com", roles: ["support"], personId: null}) {
            user { email roles personId version }
          }
          e: deactivateUser(input: {id: "usr_2"}) { user { active } }
          f: activateUser(input: {id: "usr_2", ifVersion: 1}) { user { active } errors { code } }
          g: activateUser(input: {id: "usr_2"}) { user { active } }
          h: createApiKey(input: {name: "k", idempotencyKey: "x"}) { apiKey { id } }
          i: createApiKey(input: {name: "k", idempotencyKey: "x"}) { secret apiKey { id } }
        }""",
    )
    assert answer["data"] == {
        "a": {"user": {"id": "usr_2"}},
        "b": {"user": {"id": "usr_2", "personId": 7}},
        "c": {"user": None, "errors": [{"code": "ALREADY_EXISTS", "path": ["input", "login"]}]},
        "d": {"user": {"email": "t@example.com", "roles": ["support"], "personId": None, "version": 2}},
        "e": {"user": {"active": False}},
        "f": {"user": None, "errors": [{"code": "VERSION_CONFLICT"}]},
        "g": {"user": {"active": True}},
        "h": {"apiKey": {"id": "key_2"}},
        "i": {"secret": None, "apiKey": {"id": "key_2"}},
    }


def undescribed() -> Iterator[str]:
    for name, type_ in build_schema((ERRORS, NODES, DIRECTORY)).type_map.items():
        if name.startswith("__"):
            continue
        if not type_.description:
            yield name
        members = {**getattr(type_, "fields", {}), **getattr(type_, "values", {})}
        for member, found in members.items():
            described = [(member, found), *getattr(found, "args", {}).items()]
            yield from (f"{name}.{member}: {part}" for part, one in described if not one.description)


def test_everything_is_described() -> None:
    assert list(undescribed()) == []


@pytest.mark.parametrize(
    ("given", "search", "found_too"),
    [
        ({"phoneNumber": "+47 22 12 34 56"}, "3456", True),
        ({"phoneNumber": "+47 22 12 34 56"}, "22 12 34 56", True),
        ({"phoneNumber": "+47 22 12 34 56"}, "456", False),
        ({"phoneNumber": "22 12 34 56", "countryCode": "no"}, "+47 22 12 34 56", True),
        ({"phoneNumber": "22 12 34 56"}, "+47 22 12 34 56", False),
        ({"phoneNumber": "+44 (0)20 7946 0958"}, "+44 20 7946 0958", True),
        ({"unconfirmedPhoneNumber": "+５５ 11 98765-4321"}, "+55 11 8765 4321", True),
        ({"channel": "WHATSAPP", "displayId": "5215512345678"}, "+52 55 1234 5678", True),
        ({"channel": "WHATSAPP", "displayId": "4922123456"}, "0221 23456", True),
    ],
)
async def test_customers_are_found_by_telephone_number(
    ask: Ask, database: Database, given: dict[str, str], search: str, found_too: bool
) -> None:
    await fill(ask, name="Nobody", phoneNumber="+1 650 253 0000")
    await fill(ask, **{"system": "CONVERSATION" if "channel" in given else "SESSION", **given})
    assert await found(ask, search) == (["cus_2"] if found_too else [])
    update = "mutation ($i: UpdateCustomerInput!) { updateCustomer(input: $i) { errors { code } } }"
    if "phoneNumber" in given:
        await ask(WRITER, update, i={"id": "cus_2", "phoneNumber": "+1 650 253 1111"})
        assert await found(ask, search) == []
        assert await found(ask, "1111") == ["cus_2"]
