"""Searches interactions by keys, customers and words of messages."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from app.core.ids import parse_id
from app.core.sight import sees_some
from app.core.telephone import number_terms
from app.core.text import terms
from app.directory.reads.searching import customers_named
from app.interactions.reads.search import Question, question_of
from app.interactions.tables import interaction
from app.selection.mapping import Env, Filter, Scope, Sql
from app.storage.constructs import IntList, TextList, among_few, keys, texts, unindexed

MOST_MESSAGES = 1_000
"""The newest messages with the words, of which the interactions are found."""

MOST_OF_CUSTOMERS = 10_000
"""The interactions of the customers, of which any are found."""

_SHORTEST_BEGINNING = 3
_DIRECTORY = "directory:read"


class _SpokenOf(FunctionElement[int]):
    """The interactions of the newest messages that meet all terms of a question, of some kinds or (null) of all."""

    inherit_cache = True
    name = "spoken_of"


@compiles(_SpokenOf, "sqlite")
def _spoken_of_sqlite(element: _SpokenOf, compiler: SQLCompiler, **kw: Any) -> str:
    question, kinds = (compiler.process(clause, **kw) for clause in element.clauses)
    again = compiler.process(list(element.clauses)[1], **kw)
    # The index of words gives its rows newest first, so that it is read as far as is wanted.
    return (
        "(SELECT message.interaction_id AS id FROM message_search CROSS JOIN message "
        f"ON message.id = message_search.rowid WHERE message_search MATCH {question} "
        f"AND ({kinds} IS NULL OR message.kind IN (SELECT value FROM json_each({again}))) "
        f"ORDER BY message_search.rowid DESC LIMIT {MOST_MESSAGES})"
    )


@compiles(_SpokenOf, "postgresql")
def _spoken_of_postgresql(element: _SpokenOf, compiler: SQLCompiler, **kw: Any) -> str:
    question, kinds = (compiler.process(clause, **kw) for clause in element.clauses)
    return (
        "(SELECT message.interaction_id AS id FROM message "
        "WHERE array_to_tsvector(string_to_array(message.words, ' ')) "
        f"@@ CAST(CAST({question} AS text) AS tsquery) "
        f"AND ({kinds} IS NULL OR message.kind = ANY ({kinds})) "
        f"ORDER BY message.id DESC LIMIT {MOST_MESSAGES})"
    )


def found_by(kinds: Mapping[str, str]) -> Filter:
    """The condition that a text finds an interaction; `kinds` gives each prefix of ids its kind's name."""

    def clause(scope: Scope, bind: Callable[..., sa.BindParameter[Any]], numbers: int) -> Sql:
        return among_few(scope.c.id, sa.union_all(_keyed(bind), _of_customers(bind, numbers), _of_messages(bind)))

    def parts(text: str, env: Env) -> Mapping[str, object]:
        given = _plain(text)
        asked = question_of(given)
        named = parse_id(given)
        number = None if named is None or named.prefix not in kinds else named.number
        actor = env.actor
        seen = sorted(name for name in kinds.values() if sees_some(actor.viewer.permissions, name))
        leading, others = _customers_terms(given, asked)
        return {
            "keys": list(dict.fromkeys([given, given.lower()])),
            "ids": [] if number is None else [number],
            "kind": None if named is None else kinds.get(named.prefix),
            **{f"leading_{place}": term for place, term in enumerate(leading)},
            "others": others,
            "directory": actor.can(_DIRECTORY),
            "words": [_whole_if_short(term) for term in asked],
            "kinds": None if len(seen) == len(kinds) else seen,
        }

    def shape(text: str) -> int:
        given = _plain(text)
        return len(_customers_terms(given, terms(given))[0])

    return Filter(clause, shape=shape, parts=parts)


def _keyed(bind: Callable[..., sa.BindParameter[Any]]) -> sa.Select[Any]:
    """The condition that the text is the key in its contract, or its global id."""
    given = texts(bind(TextList(), "keys"), "each_key")
    has = interaction.alias("has_key")
    by_key = sa.select(has.c.id).select_from(given.join(has, has.c.contract_key == given.c.text))
    of_kind = interaction.alias("named")
    by_id = sa.select(of_kind.c.id).where(
        sa.ColumnElement.in_(of_kind.c.id, sa.select(keys(bind(IntList(), "ids"), "each_id").c.key)),
        # Not by an index: there is one row of the id.
        sa.ColumnElement.__eq__(unindexed(of_kind.c.kind), bind(sa.Text(), "kind")),
    )
    return sa.select(by_key.union_all(by_id).subquery("keyed").c.id)


def _of_customers(bind: Callable[..., sa.BindParameter[Any]], numbers: int) -> sa.Select[Any]:
    leading = [bind(sa.Text(), f"leading_{place}") for place in range(numbers)]
    customers = customers_named(leading, bind(TextList(), "others"), bind(sa.Boolean(), "directory"))
    theirs = interaction.alias("theirs")
    found = sa.select(theirs.c.id).where(sa.ColumnElement.in_(theirs.c.customer_id, customers))
    return sa.select(found.limit(sa.literal_column(str(MOST_OF_CUSTOMERS))).subquery("of_customers").c.id)


def _of_messages(bind: Callable[..., sa.BindParameter[Any]]) -> sa.Select[Any]:
    spoken = _SpokenOf(bind(Question(), "words"), bind(TextList(), "kinds"))
    return sa.select(spoken.table_valued(sa.column("id", sa.BigInteger()), name="spoken").c.id)


def _plain(text: str) -> str:
    """The text without a leading number sign: `4711` of `#4711`."""
    return text.strip().removeprefix("#")


def _customers_terms(text: str, asked: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """The terms of which a customer's entries meet one, and those that they all meet beside it."""
    numbers = number_terms(text)
    if numbers is not None and len(numbers) > 1:
        return numbers, []
    if numbers is not None:  # a few digits are a key, or a word, rather than the beginning of everybody's number
        return [f"{numbers[0]} "], []
    leading = max(asked, key=len, default=" ")
    return [leading], [term for term in asked if term != leading]


def _whole_if_short(term: str) -> str:
    """A term of messages: a beginning of one or two letters would be that of a tenth of all words."""
    return f"{term} " if term.isascii() and len(term) < _SHORTEST_BEGINNING and not term.endswith(" ") else term
