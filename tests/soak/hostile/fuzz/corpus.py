"""Generated documents and REST requests that a fuzz begins with."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from graphql import GraphQLScalarType, get_introspection_query, is_specified_scalar_type
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException
from hypothesis_graphql import mutations, nodes, queries

from app.interactions.kind import InteractionKind
from app.registry import KINDS
from app.rest.openapi import written
from tests.graph.running import SCHEMA

_SCALAR = st.one_of(
    st.text(max_size=30).map(nodes.String),
    st.integers().map(nodes.Int),
    st.floats(allow_nan=False, allow_infinity=False).map(nodes.Float),
    st.sampled_from(("2026-01-01T00:00:00Z", "2026-01-01", "0193f6a0-0000-7000-8000-000000000001", "{}")).map(
        nodes.String
    ),
)
_SCALARS = {
    name: _SCALAR
    for name, found in SCHEMA.type_map.items()
    if isinstance(found, GraphQLScalarType) and not is_specified_scalar_type(found)
}
_SUBSCRIPTIONS = (
    "subscription { interactionChanged { topic cursor } }",
    "subscription { attentionChanged { topic interaction { id } } }",
    'subscription { messageAdded(after: "AQ") { topic } }',
    "subscription { attentionSummaryChanged(groupBy: KIND) { count } }",
)


@dataclass(frozen=True, slots=True)
class RestRequest:
    """A generated request of a contract."""

    method: str
    path: str
    media_type: str
    body: bytes


@dataclass(frozen=True)
class Corpus:
    """What is sent as it is, or changed."""

    documents: tuple[str, ...]
    requests: tuple[RestRequest, ...]


def corpus(number: int, documents: int, requests: int) -> Corpus:
    """So many queries and mutations each, and so many requests for every operation of every contract.

    The same number makes the same ones."""
    made = _drawn(queries(SCHEMA, custom_scalars=_SCALARS), number, documents)
    made += _drawn(mutations(SCHEMA, custom_scalars=_SCALARS), number, documents)
    rest = [each for kind in KINDS if kind.contract is not None for each in _of_contract(kind, number, requests)]
    return Corpus((*made, *_SUBSCRIPTIONS, get_introspection_query()), tuple(rest))


def _of_contract(kind: InteractionKind, number: int, requests: int) -> list[RestRequest]:
    import schemathesis
    from schemathesis.core.result import Ok

    assert kind.contract is not None
    config = schemathesis.Config.from_dict({"seed": number, "generation": {"with-security-parameters": False}})
    described = orjson.loads(written(kind.contract))
    found = []
    for result in schemathesis.openapi.from_dict(described, config=config).get_all_operations():
        if not isinstance(result, Ok):
            continue
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            cases = _drawn(result.ok().as_strategy(generation_mode=mode), number, requests)
            found += [_request(kind.contract.base, case) for case in cases]
    return found


def _request(base: str, case: Any) -> RestRequest:
    sent: Mapping[str, Any] = case.as_transport_kwargs(base_url="")
    path = str(sent["url"])
    # Some descriptions leave the base to the server's address.
    path = path if path.startswith((base, "/oauth2")) else f"{base}{path}"
    pairs = urlencode([(str(name), str(value)) for name, value in (sent.get("params") or {}).items()])
    body = sent.get("json", sent.get("data"))
    if isinstance(body, str):
        body = body.encode(errors="replace")
    elif body is not None and not isinstance(body, bytes):
        try:
            body = orjson.dumps(body)
        except TypeError:
            body = repr(body).encode(errors="replace")
    path = quote(path, safe="/%:@!$&'()*+,;=-._~")
    return RestRequest(case.method, f"{path}?{pairs}" if pairs else path, case.media_type or "", body or b"")


def _drawn(strategy: st.SearchStrategy[Any], number: int, count: int) -> list[Any]:
    """Values of a strategy, at most so many; none where it has none."""
    found: list[Any] = []

    def collect(value: Any) -> None:
        found.append(value)

    quiet = settings(
        max_examples=count,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
    )
    run: Callable[[], None] = seed(number)(quiet(given(strategy)(collect)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            run()
        except HypothesisException:
            # Nothing is wrong where everything is right.
            return found
    return found
