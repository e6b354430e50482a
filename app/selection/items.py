"""Objects whose values are mappings: embedded JSON, computed values, payloads, errors."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from app.core.ids import parse_id
from app.selection.catalogue import snake
from app.selection.edges import Block
from app.selection.mapping import InterfaceMap, ObjectId, ObjectMap, ObjectRef, One, TypeMap, UnionMap, granted
from app.selection.shape import Make, Run, by_items
from app.selection.sql import text_of
from app.selection.tree import Children, Field

if TYPE_CHECKING:
    from app.selection.compilation import Compilation

Reach = Callable[[Any, Run], Iterable[Any]]  # from a block's row to the mappings in it
Take = Callable[[Any, Run], Any]


class Items:
    """Compiles selections on mappings. Neighbours that are referred to by key become edges of the block."""

    def __init__(self, compilation: "Compilation", block: Block) -> None:
        self._compilation = compilation
        self._catalogue = compilation.catalogue
        self._block = block

    def object(self, type_name: str, children: Children, reach: Reach) -> Make:
        """The function from a mapping to the object of a selection on `type_name`."""
        found = self._catalogue.type(type_name)
        if not isinstance(found, UnionMap):
            return by_items([self._field(type_name, field, reach) for field in children.get(type_name, ())])
        tag, names = found.tag, found.types
        makes: dict[str, Make] = {}
        for concrete, fields in children.items():
            of_type = _only(reach, tag, names, concrete)
            makes[concrete] = by_items([self._field(concrete, field, of_type) for field in fields])

        def make(value: Any, run: Run) -> Any:
            name = value[tag]
            return makes[names.get(name, name)](value, run)

        return make

    def _field(self, type_name: str, field: Field, reach: Reach) -> tuple[str, Take]:
        if field.name == "__typename":
            return field.key, lambda value, run: type_name
        found = self._catalogue.type(type_name)
        special = found.fields.get(field.name) if isinstance(found, ObjectMap) else None
        facts = self._catalogue.facts(type_name, field.name)
        target = self._catalogue.maps.get(facts.type)
        item = special if isinstance(special, str) else snake(field.name)
        if isinstance(special, ObjectId):
            return field.key, _global_id(special)
        if isinstance(special, ObjectRef):
            return field.key, self._referred(special, field.children or {}, reach)
        if isinstance(special, One) and not granted(self._compilation.permissions, special.requires):
            return field.key, lambda value, run: None
        if isinstance(special, One):
            return field.key, self._neighbour(special.type, special.key or item, False, field, reach)
        if isinstance(target, TypeMap | InterfaceMap):
            return field.key, self._neighbour(target.name, item, facts.many, field, reach)
        if field.children is None:
            return field.key, lambda value, run: text_of(value.get(item))
        return field.key, self._nested(facts.type, item, facts.many, field.children, reach)

    def _neighbour(self, type_name: str, item: str, many: bool, field: Field, reach: Reach) -> Take:
        def collect(row: Any, run: Run) -> Iterable[Any]:
            for value in reach(row, run):
                key = value.get(item)
                if many:
                    yield from key or ()
                elif key is not None:
                    yield key

        edge = self._compilation.one_edge(type_name, field.children or {}, collect)
        self._block.edges.append(edge)
        slot = edge.slot
        if many:
            return lambda value, run: [
                found for key in value.get(item) or () if (found := run.edges[slot].get(key)) is not None
            ]
        return lambda value, run: run.edges[slot].get(value.get(item))

    def _referred(self, special: ObjectRef, children: Children, reach: Reach) -> Take:
        """The objects of ids that are given as text: one statement for each type that occurs."""
        item, slots = special.key, {}
        for prefix in special.prefixes:
            name = self._catalogue.prefixed()[prefix].name
            collect = _numbers_in(reach, item, prefix)
            edge = self._compilation.one_edge(name, {name: children.get(name, ())}, collect)
            self._block.edges.append(edge)
            slots[prefix] = edge.slot

        def take(value: Any, run: Run) -> Any:
            found = parse_id(value.get(item) or "")
            return (
                None if found is None or found.prefix not in slots else run.edges[slots[found.prefix]].get(found.number)
            )

        return take

    def _nested(self, type_name: str, item: str, many: bool, children: Children, reach: Reach) -> Take:
        def deeper(row: Any, run: Run) -> Iterable[Any]:
            for value in reach(row, run):
                found = value.get(item)
                if found is not None:
                    yield from found if many else (found,)

        make = self.object(type_name, children, deeper)
        if many:
            return lambda value, run: [make(each, run) for each in value.get(item) or ()]
        return lambda value, run: None if value.get(item) is None else make(value[item], run)


def _global_id(special: ObjectId) -> Take:
    form, key = f"{special.prefix}_%d", special.key
    return lambda value, run: None if value.get(key) is None else form % value[key]


def _numbers_in(reach: Reach, item: str, prefix: str) -> Reach:
    """The numbers of the ids of one type."""

    def numbers(row: Any, run: Run) -> Iterable[int]:
        for value in reach(row, run):
            found = parse_id(value.get(item) or "")
            if found is not None and found.prefix == prefix:
                yield found.number

    return numbers


def _only(reach: Reach, tag: str, names: Mapping[str, str], concrete: str) -> Reach:
    """Only the values of one concrete type."""
    return lambda row, run: (value for value in reach(row, run) if names.get(value[tag], value[tag]) == concrete)
