"""Models of what other systems answer."""

import hashlib
from collections.abc import Mapping
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from app.interactions.remote import Unanswered


class Shape(BaseModel):
    """An object in an answer. Undeclared members are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


S = TypeVar("S", bound=Shape)


def read_shape(shape: type[S], value: Any, what: str) -> S:
    """The value as this shape. Raises Unanswered, which names `what` and the place of the fault, never the value."""
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        at = ".".join(map(str, first["loc"]))
    except ValueError:
        at = ""
    place = f" ({at})" if at else ""
    raise Unanswered(f"The other system answered a {what} that is not understood{place}.", arrived=True)


def digest_of(value: Mapping[str, Any]) -> str:
    """A digest of all members of an object, independent of their order."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()
