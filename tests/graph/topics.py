"""Every topic that the product can write to the event log, as its code says it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import app
from app.registry import KINDS

APP = Path(app.__file__).parent
KIND_NAMES = frozenset(kind.rules.name for kind in KINDS)

ANY = "*"
"""Stands for the kind in topics that every kind of interaction has, as far as it has their command."""

# What writes an event with a topic among its arguments; a topic without a dot is of the interaction's kind.
_TELLING = frozenset(
    {"change", "change_message", "erase", "open_interaction", "record", "remove", "write", "Turn", "_tell", "_record"}
    | {"_change_message", "_written"}
)
_WORD = re.compile(r"[a-z]+(_[a-z]+)*")
_WHOLE = re.compile(rf"{_WORD.pattern}\.{_WORD.pattern}")
_NO_TOPICS = frozenset({"graphql", "rest", "repository", "reads", "tables", "kind"})
_DECLARING = frozenset({"directory/topics.py", "interactions/topics.py"})
"""What lists topics for the schema, which is to be compared with what is written."""


def all_topics() -> set[str]:
    """All topics; those of all kinds of interaction as `*.closed`."""
    return {topic for folder in ("directory", "interactions", "kinds") for topic in _below(APP / folder)}


def _below(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*.py")):
        place = path.relative_to(APP).parts
        if _NO_TOPICS.isdisjoint({*place, path.stem}) and "/".join(place) not in _DECLARING:
            yield from _of_module(ast.parse(path.read_text(encoding="utf-8")), place[1] if place[0] == "kinds" else ANY)


def _of_module(module: ast.Module, kind: str) -> Iterator[str]:
    family = _family(module) or kind
    for node in ast.walk(module):
        match node:
            case ast.Constant(value=str(text)) if _WHOLE.fullmatch(text):
                yield text
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _TELLING:
                named = [each.value for each in node.keywords if each.arg == "topic"]
                yield from (f"{family}.{word}" for each in (*node.args, *named) for word in _words(each))
            case ast.Assign(targets=[ast.Name(id="topic" | "_PAST") | ast.Tuple(elts=[ast.Name(id="topic"), *_])]):
                yield from (f"{kind}.{word}" for word in _words(node.value))
            case ast.FunctionDef(name="_past_of_attention", body=[*body]):
                # What becomes of the attention is an event of its own.
                returns = [each for part in body for each in ast.walk(part) if isinstance(each, ast.Return)]
                words = (word for each in returns if each.value is not None for word in _words(each.value))
                yield from (f"attention.{word}" for word in words)
            case ast.FunctionDef(args=ast.arguments(kwonlyargs=[*named], kw_defaults=[*given])):
                defaults = (
                    default for arg, default in zip(named, given, strict=True) if arg.arg == "topic" and default
                )
                yield from (f"{kind}.{word}" for default in defaults for word in _words(default))


def _family(module: ast.Module) -> str | None:
    """What stands before the dot where a module puts its topics together: `ai_agent` of `f"ai_agent.{what}"`."""
    for node in ast.walk(module):
        match node:
            case ast.keyword(arg="topic", value=ast.JoinedStr(values=[ast.Constant(value=str(text)), _])):
                return text.removesuffix(".")
    return None


def _words(value: ast.expr) -> Iterator[str]:
    match value:
        case ast.Constant(value=str(text)) if _WORD.fullmatch(text):
            yield text
        case ast.IfExp(body=body, orelse=other):
            yield from (*_words(body), *_words(other))
        case ast.Tuple(elts=[first, *_]):
            yield from _words(first)
        case ast.Dict(values=values):
            for each in values:
                yield from _words(each)
