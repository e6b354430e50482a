"""What a command is about, as its arguments say it."""

import pytest

from app.core.ids import GlobalId
from app.graph.context import subject_of
from app.kinds.agent_session.service import Keys


@pytest.mark.parametrize(
    ("arguments", "subject"),
    [
        ((len, "cnv_17", "ses_1"), GlobalId("cnv", 17)),
        ((GlobalId("chs", 3), "text"), GlobalId("chs", 3)),
        ((17, {"status": "x"}), 17),
        ((Keys("agent", "key"), {}), ("agent", "key")),
        (("no id", {"id": "cnv_17"}), None),
        ((), None),
    ],
)
def test_subject_of_a_command_is_its_first_key(arguments: tuple[object, ...], subject: object) -> None:
    assert subject_of(arguments) == subject
