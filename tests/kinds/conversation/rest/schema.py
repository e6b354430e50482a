"""What an OpenAPI document says of an answer, as far as these documents say it: of version 3.0 and of 3.1."""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_TYPES: Mapping[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


def faults(document: Schema, schema: Schema, value: Any, at: str = "", *, closed: bool = False) -> Iterator[str]:
    """Where the value is not what the schema says; `closed` takes a member that is not declared for one, too."""
    schema = resolved(document, schema)
    if value is None and schema.get("nullable"):
        return
    types = schema.get("type")
    wanted = [types] if isinstance(types, str) else types
    if wanted and not any(_is(value, name) for name in wanted):
        yield f"{at}: {value!r} is not {' or '.join(wanted)}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is not one of {schema['enum']}"
    for several in ("anyOf", "oneOf"):
        if several in schema:
            found = [list(faults(document, each, value, at, closed=closed)) for each in schema[several]]
            if all(found):
                yield f"{at}: {min(found, key=len)[0]}"
    if isinstance(value, dict):
        known = _properties(document, schema)
        yield from (f"{at}: {name} is missing" for name in schema.get("required", ()) if name not in value)
        for name, item in value.items():
            if name in known:
                yield from faults(document, known[name], item, f"{at}/{name}", closed=closed)
            elif closed and known:
                yield f"{at}: {name} is not declared"
    if isinstance(value, list) and "items" in schema:
        for place, item in enumerate(value):
            yield from faults(document, schema["items"], item, f"{at}/{place}", closed=closed)


def _is(value: Any, name: str) -> bool:
    return isinstance(value, _TYPES[name]) and not (isinstance(value, bool) and name in ("integer", "number"))


def resolved(document: Schema, schema: Schema) -> Schema:
    """What a `$ref` leads to; anything else is itself."""
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def _properties(document: Schema, schema: Schema) -> dict[str, Any]:
    found = dict(schema.get("properties", {}))
    for part in schema.get("allOf", ()):
        found |= _properties(document, resolved(document, part))
    return found
