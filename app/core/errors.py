"""Every failure a caller can be told about.

* DomainError
  - Unauthenticated             no credentials, or unknown, revoked or expired ones
  - Forbidden                   known caller, missing permission
  - NotFound                    no such thing, or none this caller may see
  - InvalidInput                a value that the rules refuse
    + InvalidCursor             a page or event cursor that we did not make
    + TooLong                   a text or list over its contract's limit
    + TooComplex                an operation or the JSON of a request over a limit
  - Conflict                    the thing is not in a state that allows this
    + InvalidTransition         the state machine of the kind refuses
    + AlreadyClaimed            somebody else holds it
    + VersionConflict           `ifVersion` is not the current version
    + NewerMessage              a message arrived after the latest one that the caller saw
    + NotClearable              the attention has a cause that clearing does not end
    + KeyReused                 an idempotency key was used for another request
    + AlreadyExists             a key that must be unique is taken
    + AlreadyReceived           a message with this key was received before on its channel
    + TooMany                   a bounded set of the caller's is full
    + NoSecretsKey              the server has no key to seal another system's secret
    + Disabled                  the interaction accepts no new messages
    + Unreachable               the customer cannot be written to (unsubscribed, blocked, no number)
  - NotSupported                this kind has no such command
  - CursorExpired               the event cursor is older than the log's retention
  - RateLimited                 too many requests or too much computing in a minute, or too much waiting
  - Timeout                     a read took longer than it may
  - Unavailable                 the database cannot do it now; nothing was changed
  - OutcomeUnknown              the connection ended during the commit: done or not, nobody knows

`code` is public API: stable, never reused. Nothing here knows HTTP or GraphQL.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar


class DomainError(Exception):
    """A refusal with a stable `code`, a sentence for a person and the path of the input at fault."""

    code: ClassVar[str]

    def __init__(self, message: str, *, path: Sequence[str | int] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.path = tuple(path)


class Unauthenticated(DomainError):
    """`has_expired` says that the caller was let in until now, and can come back with a fresh token."""

    code = "UNAUTHENTICATED"

    def __init__(self, message: str, *, has_expired: bool = False, path: Sequence[str | int] = ()) -> None:
        super().__init__(message, path=path)
        self.has_expired = has_expired


class Forbidden(DomainError):
    """`lacks_permission` says that only other permissions help. Without it, the cause may also be the caller's relation
    to the thing. `permission` is the one that is missing, where it is one."""

    code = "FORBIDDEN"

    def __init__(
        self,
        message: str,
        *,
        lacks_permission: bool = False,
        permission: str | None = None,
        path: Sequence[str | int] = (),
    ) -> None:
        super().__init__(message, path=path)
        self.lacks_permission = lacks_permission
        self.permission = permission


class NotFound(DomainError):
    code = "NOT_FOUND"


class InvalidInput(DomainError):
    code = "INVALID_INPUT"


class InvalidCursor(InvalidInput):
    code = "INVALID_CURSOR"


class TooLong(InvalidInput):
    code = "TOO_LONG"


class TooComplex(InvalidInput):
    code = "TOO_COMPLEX"


class Conflict(DomainError):
    code = "CONFLICT"


class InvalidTransition(Conflict):
    code = "INVALID_TRANSITION"


class AlreadyClaimed(Conflict):
    """Somebody else holds the interaction; `claimed_by` is a user's surrogate."""

    code = "ALREADY_CLAIMED"

    def __init__(
        self, message: str, *, claimed_by: int, claimed_until: datetime | None, path: Sequence[str | int] = ()
    ) -> None:
        super().__init__(message, path=path)
        self.claimed_by = claimed_by
        self.claimed_until = claimed_until


class VersionConflict(Conflict):
    code = "VERSION_CONFLICT"

    def __init__(self, message: str, *, current_version: int, path: Sequence[str | int] = ()) -> None:
        super().__init__(message, path=path)
        self.current_version = current_version


def require_version(current: int, if_version: int | None) -> None:
    """Raise VersionConflict when the caller read another version than the current one. None is not compared."""
    if if_version is not None and if_version != current:
        message = f"The current version is {current}, not {if_version}. Read it again, then repeat the change."
        raise VersionConflict(message, current_version=current, path=("if_version",))


class NewerMessage(Conflict):
    """A message came after the latest one that the caller saw; `message_id` is a surrogate."""

    code = "NEWER_MESSAGE"

    def __init__(self, message: str, *, message_id: int, path: Sequence[str | int] = ()) -> None:
        super().__init__(message, path=path)
        self.message_id = message_id


class NotClearable(Conflict):
    """`reasons` are the reasons that stay, each ended only by what the message names."""

    code = "NOT_CLEARABLE"

    def __init__(self, message: str, *, reasons: Sequence[str], path: Sequence[str | int] = ()) -> None:
        super().__init__(message, path=path)
        self.reasons = tuple(reasons)


class KeyReused(Conflict):
    code = "KEY_REUSED"


class AlreadyExists(Conflict):
    code = "ALREADY_EXISTS"


class AlreadyReceived(Conflict):
    """A message with this key was received before on the channel. `message_id` is the first message's surrogate."""

    code = "ALREADY_RECEIVED"

    def __init__(self, message: str, *, message_id: int, path: Sequence[str | int] = ()) -> None:
        super().__init__(message, path=path)
        self.message_id = message_id


class TooMany(Conflict):
    code = "TOO_MANY"


class NoSecretsKey(Conflict):
    code = "NO_SECRETS_KEY"


class Disabled(Conflict):
    code = "DISABLED"


class Unreachable(Conflict):
    code = "UNREACHABLE"


class NotSupported(DomainError):
    code = "NOT_SUPPORTED"


class CursorExpired(DomainError):
    code = "CURSOR_EXPIRED"


class RateLimited(DomainError):
    """Too many requests. The next one is accepted after `retry_after` seconds."""

    code = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after: int, path: Sequence[str | int] = ()) -> None:
        super().__init__(message, path=path)
        self.retry_after = retry_after


class Timeout(DomainError):
    code = "TIMEOUT"


class Unavailable(DomainError):
    code = "UNAVAILABLE"


class OutcomeUnknown(DomainError):
    code = "OUTCOME_UNKNOWN"


DATABASE_AWAY = (Unavailable, OutcomeUnknown)
"""The errors of the server's own work while the database is away. The work starts again later, from what is stored."""


def release(error: BaseException | None) -> None:
    """Release the frames that the error and its contexts have passed. Only the last handler of an error calls this.

    A frame that still refers to its error (through a future, or a list of errors) forms a cycle with the error's
    traceback. Everything that the frames hold, such as the body of a request, would stay in memory until a full
    collection."""
    while error is not None:
        error.__traceback__ = None
        before = error.__cause__ or error.__context__
        error.__cause__ = error.__context__ = None
        error = before
