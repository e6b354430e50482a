"""Plays a dialogue: two sides say their lines in turn."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from app.core.actor import Actor
from app.core.ids import GlobalId
from app.demo.stage import Stage, Story
from app.demo.texts import Line
from app.interactions.messages import MessageAuthor
from app.interactions.service.messages import receive_message, send_message

Say = Callable[[str], object]


def said(text: str) -> dict[str, Any]:
    """A content of plain text."""
    return {"type": "text", "content": text}


def talk(at: datetime, pause: timedelta, lines: Sequence[Line], hear: Say, answer: Say) -> Story:
    """Each line at its time, `pause` after the one before; the first at `at`."""
    for place, line in enumerate(lines):
        yield at + place * pause
        (hear if line.of_customer else answer)(line.text)


def hearing(stage: Stage, actor: Actor, ref: GlobalId) -> Say:
    """Takes in what the customer says in the interaction."""
    return lambda text: stage.do(receive_message, actor, {"interaction": ref}, [said(text)])


def answering(stage: Stage, actor: Actor, ref: GlobalId, author: MessageAuthor = MessageAuthor.USER) -> Say:
    """Writes to the customer of the interaction."""
    return lambda text: stage.do(send_message, actor, ref, said(text), author=author)
