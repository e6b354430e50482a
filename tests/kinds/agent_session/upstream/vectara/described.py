"""Checks requests and answers against a description in OpenAPI 3.0, strictly: nothing it does not name is sent."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from tests.kinds.agent_session.upstream.vectara.platform import Request

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}
_OFTEN_SENT = {"accept", "user-agent", "content-type", "x-api-key", "authorization"}


class Description:
    """What a description says of operations."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._paths = [
            (re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)), operations)
            for path, operations in document["paths"].items()
        ]

    def faults(self, request: Request, status: int, answer: Any) -> list[str]:
        """What is wrong with a request and its answer."""
        at = f"{request.method} {request.path}"
        operation, given = self._operation(request)
        if operation is None:
            return [f"{at}: there is no such operation"]
        found = [f"{at} header {name}" for name in request.headers if name not in _OFTEN_SENT]
        parameters = {each["name"]: each for each in map(self._resolved, operation.get("parameters", ()))}
        for name, value in {**given, **request.query}.items():
            if name not in parameters:
                found.append(f"{at}: there is no parameter {name}")
                continue
            schema = self._resolved(parameters[name]["schema"])
            found += self._wrong(schema, _read(schema, value), f"{at} {name}", strict=True)
        body = operation.get("requestBody")
        if request.body is not None and body is None:
            found.append(f"{at}: there is no body")
        elif body is not None:
            schema = body["content"]["application/json"]["schema"]
            found += self._wrong(schema, request.body, f"{at} body", strict=True)
        said = operation["responses"].get(str(status))
        if said is None:
            found.append(f"{at}: there is no answer {status}")
        elif "content" in said:
            schema = said["content"]["application/json"]["schema"]
            found += self._wrong(schema, answer, f"{at} answer", strict=False)
        return found

    def _operation(self, request: Request) -> tuple[Any, Mapping[str, str]]:
        for pattern, operations in self._paths:
            matched = pattern.fullmatch(request.path)
            if matched is not None and request.method.lower() in operations:
                return operations[request.method.lower()], matched.groupdict()
        return None, {}

    def _resolved(self, schema: Any) -> Any:
        while "$ref" in schema:
            found: Any = self._document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        return schema

    def _wrong(self, schema: Any, value: Any, at: str, *, strict: bool) -> Iterator[str]:
        """What is wrong with the value; where it is `strict`, also members that the schema does not name."""
        schema = self._resolved(schema)
        if value is None:
            if not schema.get("nullable") and schema:
                yield f"{at}: null"
            return
        if "oneOf" in schema and "discriminator" in schema:
            mapping = schema["discriminator"]["mapping"]
            name = value.get(schema["discriminator"]["propertyName"]) if isinstance(value, dict) else None
            if name not in mapping:
                yield f"{at}: {name} is none of {', '.join(mapping)}"
                return
            yield from self._wrong({"$ref": mapping[name]}, value, at, strict=strict)
            return
        merged = self._merged(schema)
        wanted = _TYPES.get(merged.get("type", ""))
        if wanted is not None and (not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted)):
            yield f"{at}: {value!r} is no {merged['type']}"
        elif isinstance(value, dict):
            yield from self._wrong_members(merged, value, at, strict)
        elif isinstance(value, list):
            for number, each in enumerate(value):
                yield from self._wrong(merged.get("items", {}), each, f"{at}[{number}]", strict=strict)
        else:
            yield from _wrong_scalar(merged, value, at)

    def _wrong_members(self, schema: Any, value: Mapping[str, Any], at: str, strict: bool) -> Iterator[str]:
        properties = schema.get("properties", {})
        more = schema.get("additionalProperties", None)
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{at}: {name} is missing"
        for name, each in value.items():
            if name in properties:
                yield from self._wrong(properties[name], each, f"{at}.{name}", strict=strict)
            elif isinstance(more, dict):
                yield from self._wrong(more, each, f"{at}.{name}", strict=strict)
            elif strict and more is None and properties:
                yield f"{at}: there is no {name}"

    def _merged(self, schema: Any) -> dict[str, Any]:
        """The schema with its `allOf` in one."""
        found = {name: each for name, each in schema.items() if name != "allOf"}
        for part in map(self._resolved, schema.get("allOf", ())):
            part = self._merged(part)
            found = {
                **found,
                **part,
                "properties": {**found.get("properties", {}), **part.get("properties", {})},
                "required": [*found.get("required", ()), *part.get("required", ())],
            }
        return found


def _wrong_scalar(schema: Any, value: Any, at: str) -> Iterator[str]:
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is none of {schema['enum']}"
    if isinstance(value, str):
        if "pattern" in schema and re.search(schema["pattern"], value) is None:
            yield f"{at}: {value!r} is not as {schema['pattern']}"
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            yield f"{at}: {value!r} has {len(value)} characters"
        if schema.get("format") == "date-time":
            datetime.fromisoformat(value)
    elif not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{at}: {value!r}"


def _read(schema: Any, text: str) -> Any:
    """What a parameter's text stands for."""
    if schema.get("type") == "integer":
        return int(text)
    if schema.get("type") == "boolean":
        return {"true": True, "false": False}.get(text, text)
    return text
