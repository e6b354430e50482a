"""Deliveries that say which session has changed."""

from pydantic import ValidationError

from app.connections.shapes import Shape
from app.interactions.connector import Unmappable
from app.kinds.agent_session.upstream.vectara.shapes import Key


class Told(Shape):
    """A session in which something has happened, by the names that the platform's answers have for its keys."""

    agent_key: Key
    session_key: Key


def session_in(body: str) -> Told:
    """The session that the delivery is about. Raises Unmappable when it names none."""
    try:
        return Told.model_validate_json(body)
    except ValidationError:
        raise Unmappable("The delivery has no agent_key and session_key of a session.") from None
