"""What an error carries from where it is raised to whoever answers it."""

from collections.abc import Callable

import pytest

from app.core import errors
from app.core.errors import DomainError

MORE: dict[str, dict[str, object]] = {
    "Unauthenticated": {"has_expired": True},
    "Forbidden": {"lacks_permission": True},
    "AlreadyClaimed": {"claimed_by": 7, "claimed_until": None},
    "VersionConflict": {"current_version": 3},
    "NewerMessage": {"message_id": 9},
    "NotClearable": {"reasons": ("FLAGGED",)},
    "AlreadyReceived": {"message_id": 9},
    "RateLimited": {"retry_after": 2},
}
"""What a class takes beside a message and a path."""


KINDS = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, DomainError)]


@pytest.mark.parametrize("kind", KINDS)
def test_error_keeps_its_message_its_path_and_the_rest(kind: Callable[..., DomainError]) -> None:
    more = MORE.get(kind.__name__, {})
    error = kind("Why.", path=["input", 0], **more)
    assert (str(error), error.message, error.path) == ("Why.", "Why.", ("input", 0))
    assert {each: getattr(error, each) for each in more} == more


def test_released_error_lets_go_of_the_frames_of_its_contexts() -> None:
    def failing() -> None:
        try:
            raise ValueError
        except ValueError:
            raise KeyError from None

    with pytest.raises(KeyError) as raised:
        failing()
    error, cause = raised.value, raised.value.__context__
    assert cause is not None
    assert error.__traceback__ is not None
    assert cause.__traceback__ is not None
    errors.release(error)
    assert error.__traceback__ is None
    assert cause.__traceback__ is None
