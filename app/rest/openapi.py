"""A contract's OpenAPI 3.1 document, generated from its operations."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from app.rest.contract import Contract, Operation
from app.rest.describing import JSON_TYPE, REFUSED, About, Description, Sent
from app.rest.parameters import Parameter

_SCHEMAS = "#/components/schemas/{model}"
_SEGMENT = re.compile(r"\{(\w+)\}")


def written(contract: Contract) -> bytes:
    """The document as bytes. Raises as `document` does."""
    return orjson.dumps(document(contract))


def document(contract: Contract) -> dict[str, Any]:
    """The document. Raises ValueError for an operation whose path and declared parameters differ."""
    description, shapes = contract.description, _Shapes()
    paths: dict[str, dict[str, Any]] = {}
    for operation in contract.operations:
        if operation.about is not None:
            path = operation.path.removeprefix(description.server.rstrip("/"))
            paths.setdefault(path, {})[operation.method.lower()] = _operation(
                operation, operation.about, description, shapes
            )
    refused = sorted({status for each in contract.operations for status in _refusals(each, description)})
    responses = {REFUSED[status].name: _refusal(status, description, shapes) for status in refused}
    ways = {scheme.name: dict(scheme.described) for scheme in contract.schemes} | dict(description.security)
    return {
        "openapi": "3.1.0",
        "info": {"title": description.title, "version": description.version, "description": description.what},
        "servers": [{"url": description.server}],
        "security": [{name: []} for name in ways],
        "paths": paths,
        "components": {"securitySchemes": ways, "responses": responses, "schemas": shapes.resolved()},
    }


def _operation(operation: Operation, about: About, description: Description, shapes: "_Shapes") -> dict[str, Any]:
    named = sorted(each.name for each in about.parameters if each.place == "path")
    if named != sorted(_SEGMENT.findall(operation.path)):
        raise ValueError(f"{operation.method} {operation.path} declares the parameters {named}.")
    found: dict[str, Any] = {"operationId": about.id, "summary": about.summary}
    if about.tags:
        found["tags"] = list(about.tags)
    if operation.public:
        found["security"] = []
    if about.parameters:
        found["parameters"] = [_parameter(each) for each in about.parameters]
    if about.body is not None:
        found["requestBody"] = _body(about.body, shapes)
    answers = {
        str(answer.status): _content(
            {"description": answer.what}, () if answer.shape is None else description.answered_in, answer.shape, shapes
        )
        for answer in about.answers
    }
    refusals = {
        str(status): {"$ref": f"#/components/responses/{REFUSED[status].name}"}
        for status in _refusals(operation, description)
        if str(status) not in answers
    }
    found["responses"] = dict(sorted((answers | refusals).items()))
    return found


def _refusals(operation: Operation, description: Description) -> set[int]:
    about = operation.about
    if about is None:
        return set()
    always = () if operation.public else description.always
    answered = {answer.status for answer in about.answers}
    return {*always, *about.refuses, *(description.with_body if about.body is not None else ())} - answered


def _refusal(status: int, description: Description, shapes: "_Shapes") -> dict[str, Any]:
    refused = REFUSED[status]
    found: dict[str, Any] = {"description": refused.what}
    if refused.headers:
        found["headers"] = dict(refused.headers)
    return _content(found, (JSON_TYPE,), description.errors.get(status, description.error), shapes)


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "description": parameter.what,
        "schema": parameter.schema(),
    }


def _body(sent: Sent, shapes: "_Shapes") -> dict[str, Any]:
    content = {media_type: {"schema": shapes.of(shape)} for media_type, shape in sent.shapes.items()}
    return {"required": sent.required, "content": content}


def _content(found: dict[str, Any], types: Iterable[str], shape: Any, shapes: "_Shapes") -> dict[str, Any]:
    content = {media_type: {"schema": shapes.of(shape)} for media_type in types}
    return {**found, "content": content} if content else found


class _Shapes:
    """Schemas of types, generated together, so that each named type is described once."""

    def __init__(self) -> None:
        self._wanted: list[tuple[dict[str, Any], TypeAdapter[Any]]] = []

    def of(self, shape: Any) -> dict[str, Any]:
        """A reference to the schema of this type, which `resolved` generates."""
        schema: dict[str, Any] = {}
        self._wanted.append((schema, TypeAdapter(shape)))
        return schema

    def resolved(self) -> dict[str, Any]:
        """The types with a name."""
        made, named = TypeAdapter.json_schemas(
            [(place, "validation", adapter) for place, (_, adapter) in enumerate(self._wanted)],
            ref_template=_SCHEMAS,
            schema_generator=_Schemas,
        )
        for place, (schema, _) in enumerate(self._wanted):
            schema.update(made[place, "validation"])
        schemas: dict[str, Any] = named.get("$defs", {})
        return schemas


class _Schemas(GenerateJsonSchema):
    """Schemas without titles, which would repeat names, and with null as one more type."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        return _untitled(super().model_schema(schema))

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        return _untitled(super().typed_dict_schema(schema))

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        found = super().default_schema(schema)
        # Absent, and no other value, is what a default of None stands for.
        return {name: value for name, value in found.items() if not (name == "default" and value is None)}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        found = super().nullable_schema(schema)
        first = found["anyOf"][0] if found.keys() == {"anyOf"} else {}
        if isinstance(first.get("type"), str) and not first.keys() & {"enum", "const"}:
            return {**first, "type": [first["type"], "null"]}
        return found


def _untitled(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != "title"}
