"""Notes on the conversations of the messaging bot: left, changed and deleted on both sides."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Node = Mapping[str, Any]
Do = tuple[str, dict[str, Any]]

ADD, EDIT, DELETE = "addNote", "editNote", "deleteNote"
ADDED = "NOTE"
"""The action of an outbox that leaves a note."""

BEGINS = "Note: "
"""With this each note begins."""

ASKED = "notes(first: 100) { nodes { id text } pageInfo { hasNextPage } }"
"""What is asked of an interaction to see its notes."""

_EDITED = ", edited by "


def adds_note(node: Node, said: str, _choose: random.Random) -> Do:
    """A user leaves a note."""
    return ADD, {"id": node["id"], "text": f"{BEGINS}{said}"}


def edits_note(node: Node, said: str, choose: random.Random) -> Do | None:
    """A user changes a note, whoever left it on whichever side."""
    found = _any(node, choose)
    return None if found is None else (EDIT, {"id": found["id"], "text": f"{origin(found['text'])}{_EDITED}{said}"})


def deletes_note(node: Node, _said: str, choose: random.Random) -> Do | None:
    """A user deletes a note, whoever left it on whichever side."""
    found = _any(node, choose)
    return None if found is None else (DELETE, {"id": found["id"]})


def of_there(on: Any) -> Any:
    """The same only to a note that was left there: a change of ours, made before our connection knows whether it
    arrived, could not be told from one that did not."""

    def do(node: Node, said: str, choose: random.Random) -> Do | None:
        own = [each for each in _nodes(node) if " there " in origin(each["text"])]
        return on({**node, "notes": {"nodes": own}}, said, choose)  # type: ignore[no-any-return]

    return do


def origin(text: str) -> str:
    """The words with which the note was left, which no other note has."""
    return text.partition(_EDITED)[0]


@dataclass
class Noted:
    """The notes of a run: those whose leaving was acknowledged, and those that somebody wanted deleted, on either
    side, by the words with which they were left."""

    left: set[str] = field(default_factory=set)
    deleted_there: set[str] = field(default_factory=set)
    deleted_here: set[str] = field(default_factory=set)

    def asked(self, do: Do, node: Node, *, here: bool) -> None:
        """Somebody is about to do this: that a deletion was done may never be known."""
        mutation, given = do
        if mutation == DELETE:
            texts = {each["id"]: each["text"] for each in _nodes(node)}
            (self.deleted_here if here else self.deleted_there).add(origin(texts[given["id"]]))

    def done(self, do: Do) -> None:
        """This was acknowledged."""
        mutation, given = do
        if mutation == ADD:
            self.left.add(origin(given["text"]))

    def differing(self, there: Node, here: Node) -> Iterator[str]:
        """Where the notes of a conversation differ: only what was deleted there may stay here."""
        if any(each["notes"]["pageInfo"]["hasNextPage"] for each in (there, here)):
            yield "has more notes than are compared"
            return
        theirs, ours = Counter(_texts(there)), Counter(_texts(here))
        for text in (theirs - ours).elements():
            yield f"the note {text!r} is there alone"
        for text in (ours - theirs).elements():
            if origin(text) not in self.deleted_there:
                yield f"the note {text!r} is here alone"

    def missing(self, there: Mapping[str, Node], here: Mapping[str, Node]) -> Iterator[str]:
        """Which notes are twice on a side, and which have disappeared although nobody deleted them."""
        sides = {"there": there, "here": here}
        counts = {
            name: Counter(origin(text) for node in nodes.values() for text in _texts(node))
            for name, nodes in sides.items()
        }
        for name, found in counts.items():
            yield from (f"the note {each!r} is {name} {many} times" for each, many in found.items() if many > 1)
        # One that was deleted there before it was read has never been here.
        kept = self.left - self.deleted_there - self.deleted_here
        for name, found in counts.items():
            yield from (f"the note {each!r} is not {name}" for each in sorted(kept - found.keys()))


def _texts(node: Node) -> list[str]:
    return [each["text"] for each in _nodes(node)]


def _any(node: Node, choose: random.Random) -> Node | None:
    nodes = _nodes(node)
    return choose.choice(nodes) if nodes else None


def _nodes(node: Node) -> list[Node]:
    return list(node["notes"]["nodes"])
