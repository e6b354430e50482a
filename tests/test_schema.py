"""The schema as text says what the schema says of itself."""

from graphql import (
    build_client_schema,
    build_schema,
    get_introspection_query,
    graphql_sync,
    lexicographic_sort_schema,
    print_schema,
)

from app.schema import build_schema as build_own_schema
from app.schema import print_sdl


def test_the_text_is_what_introspection_tells() -> None:
    query = get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
        one_of=True,
    )
    told = graphql_sync(build_own_schema(), query)
    assert told.errors is None
    assert told.data is not None
    text = print_sdl()
    of_introspection = lexicographic_sort_schema(build_client_schema(told.data))  # type: ignore[arg-type]
    assert print_schema(of_introspection) == print_schema(build_schema(text))
    assert "input MessageContentInput @oneOf {" in text


def test_input_of_each_mutation_is_named_after_it() -> None:
    mutation = build_own_schema().mutation_type
    assert mutation is not None
    assert len(mutation.fields) > 70
    for name, field in mutation.fields.items():
        taken = {argument: str(each.type) for argument, each in field.args.items()}
        assert taken == {"input": f"{name[0].upper()}{name[1:]}Input!"}
