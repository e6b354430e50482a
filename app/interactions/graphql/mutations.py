"""The mutations on interactions of all kinds; each is one command."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar

import strawberry

from app.core.actor import Actor
from app.core.errors import NotFound
from app.core.ids import GlobalId, parse_id, require_id
from app.graph.context import Info
from app.graph.fields import mutation
from app.interactions.graphql.inputs import (
    AddNoteInput,
    AssignInteractionInput,
    ClaimInteractionInput,
    CloseInteractionInput,
    DeletedPayload,
    DeleteNoteInput,
    EditNoteInput,
    InteractionInput,
    InteractionNoticeInput,
    InteractionPayload,
    LabelsInput,
    MarkReadInput,
    NotePayload,
    RaiseAttentionInput,
    SnoozeInteractionInput,
)
from app.interactions.model import Level
from app.interactions.service import holding, messages, notes, state
from app.interactions.service.notes import Noted
from app.storage.work import Work

P = ParamSpec("P")
T = TypeVar("T")

_What = strawberry.argument(description="What to do.")


def interaction_ref(text: str, *, path: tuple[str, ...] = ("id",)) -> GlobalId:
    """The id of an interaction of any kind. Raises NotFound for what is no id at all."""
    found = parse_id(text)
    if found is None:
        raise NotFound(f"There is no interaction {text[:80]!r}.", path=path)
    return found


def on_interaction(
    work: Work,
    actor: Actor,
    command: Callable[Concatenate[Work, Actor, GlobalId, P], T],
    given: str,
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Give a command to the interaction with this id, within the unit, so that an id that is none is a refusal too."""
    return command(work, actor, interaction_ref(given), *args, **kwargs)


def message_ref(text: str | None, name: str) -> GlobalId | None:
    """The id of a message that an argument names; None for none. Raises InvalidInput and NotFound."""
    return None if text is None else require_id(text, "msg", path=(name,))


def close(work: Work, actor: Actor, given: str, *, if_version: int | None, if_latest_message: str | None) -> Any:
    """Close by ids as the graph has them."""
    latest = message_ref(if_latest_message, "if_latest_message")
    return state.close(work, actor, interaction_ref(given), if_version=if_version, if_latest_message=latest)


def snooze(
    work: Work,
    actor: Actor,
    given: str,
    until: datetime,
    *,
    if_version: int | None,
    if_latest_message: str | None,
) -> Any:
    """Snooze by ids as the graph has them."""
    latest = message_ref(if_latest_message, "if_latest_message")
    return state.snooze(work, actor, interaction_ref(given), until, if_version=if_version, if_latest_message=latest)


def mark_read(work: Work, actor: Actor, given: str, up_to: str | None) -> Any:
    """Mark as read by ids as the graph has them."""
    return messages.mark_read(work, actor, interaction_ref(given), up_to=message_ref(up_to, "up_to"))


def assign(work: Work, actor: Actor, given: str, user: str | None, *, if_version: int | None) -> Any:
    """Assign by ids as the graph has them."""
    user_id = None if user is None else require_id(user, "usr", path=("user_id",)).number
    return holding.assign(work, actor, interaction_ref(given), user_id, if_version=if_version)


def on_note(
    work: Work,
    actor: Actor,
    command: Callable[Concatenate[Work, Actor, GlobalId, P], Noted],
    given: str,
    *args: P.args,
    **kwargs: P.kwargs,
) -> Noted:
    """Give a command to the note with this id."""
    return command(work, actor, require_id(given, "not"), *args, **kwargs)


def _noted(found: Noted) -> dict[str, object]:
    return found._asdict()


def _without_note(found: Noted) -> dict[str, object]:
    return {"interaction": found.interaction, "deleted_id": f"not_{found.note}"}


@strawberry.type
class HoldingMutation:
    @mutation(description="Take an interaction, if nobody holds it. The loser of a race gets ALREADY_CLAIMED.")
    async def claim_interaction(self, info: Info, input: Annotated[ClaimInteractionInput, _What]) -> InteractionPayload:
        return await info.context.perform(
            input,
            "interaction",
            on_interaction,
            holding.claim,
            input.id,
            lease_seconds=input.lease_seconds,
            if_version=input.if_version,
        )

    @mutation(description="Let go of an interaction; its holder may, and an admin.")
    async def release_interaction(self, info: Info, input: Annotated[InteractionInput, _What]) -> InteractionPayload:
        return await info.context.perform(
            input, "interaction", on_interaction, holding.release, input.id, if_version=input.if_version
        )

    @mutation(description="Give an interaction to a user or to nobody; one that is held, its holder or an admin may.")
    async def assign_interaction(
        self, info: Info, input: Annotated[AssignInteractionInput, _What]
    ) -> InteractionPayload:
        return await info.context.perform(
            input, "interaction", assign, input.id, input.user_id, if_version=input.if_version
        )


@strawberry.type
class StateMutation:
    @mutation(description="Close an interaction. NOT_SUPPORTED by Sessions, which age out.")
    async def close_interaction(self, info: Info, input: Annotated[CloseInteractionInput, _What]) -> InteractionPayload:
        return await info.context.perform(
            input,
            "interaction",
            close,
            input.id,
            if_version=input.if_version,
            if_latest_message=input.if_latest_message,
        )

    @mutation(description="Reopen an interaction. NOT_SUPPORTED by Sessions, which age out.")
    async def reopen_interaction(self, info: Info, input: Annotated[InteractionInput, _What]) -> InteractionPayload:
        return await info.context.perform(
            input, "interaction", on_interaction, state.reopen, input.id, if_version=input.if_version
        )

    @mutation(description="Set an interaction aside until a time. Only Conversations can be; others: NOT_SUPPORTED.")
    async def snooze_interaction(
        self, info: Info, input: Annotated[SnoozeInteractionInput, _What]
    ) -> InteractionPayload:
        return await info.context.perform(
            input,
            "interaction",
            snooze,
            input.id,
            input.until,
            if_version=input.if_version,
            if_latest_message=input.if_latest_message,
        )

    @mutation(description="End the snooze of an interaction now.")
    async def unsnooze_interaction(self, info: Info, input: Annotated[InteractionInput, _What]) -> InteractionPayload:
        return await info.context.perform(
            input, "interaction", on_interaction, state.unsnooze, input.id, if_version=input.if_version
        )

    @mutation(description="Replace the labels of an interaction.")
    async def set_labels(self, info: Info, input: Annotated[LabelsInput, _What]) -> InteractionPayload:
        return await _label(info, input, state.set_labels)

    @mutation(description="Give an interaction further labels.")
    async def add_labels(self, info: Info, input: Annotated[LabelsInput, _What]) -> InteractionPayload:
        return await _label(info, input, state.add_labels)

    @mutation(description="Take labels from an interaction.")
    async def remove_labels(self, info: Info, input: Annotated[LabelsInput, _What]) -> InteractionPayload:
        return await _label(info, input, state.remove_labels)

    @mutation(description="Say that an interaction needs a human.")
    async def raise_attention(self, info: Info, input: Annotated[RaiseAttentionInput, _What]) -> InteractionPayload:
        return await info.context.perform(
            input,
            "interaction",
            on_interaction,
            state.raise_attention,
            input.id,
            Level.HIGH if input.level is None else input.level,
            note=input.note,
            if_version=input.if_version,
        )

    @mutation(
        description="End the reasons of the attention that end by hand: a raised one, a Session's flag, a chat's "
        "alert. NOT_CLEARABLE when all are others, with what ends those."
    )
    async def clear_attention(self, info: Info, input: Annotated[InteractionInput, _What]) -> InteractionPayload:
        return await info.context.perform(
            input, "interaction", on_interaction, state.clear_attention, input.id, if_version=input.if_version
        )

    @mutation(description="Say that one knows of the attention; until it rises or ends.")
    async def acknowledge_attention(
        self, info: Info, input: Annotated[InteractionNoticeInput, _What]
    ) -> InteractionPayload:
        return await info.context.perform(input, "interaction", on_interaction, state.acknowledge, input.id)

    @mutation(description="Say that messages of the customer have been read: all, or those up to one.")
    async def mark_read(self, info: Info, input: Annotated[MarkReadInput, _What]) -> InteractionPayload:
        return await info.context.perform(input, "interaction", mark_read, input.id, input.up_to)

    @mutation(
        description="Hand an interaction back to its bot; nobody holds it then. NOT_SUPPORTED by Conversations, which "
        "have none."
    )
    async def resume_bot(self, info: Info, input: Annotated[InteractionInput, _What]) -> InteractionPayload:
        return await info.context.perform(
            input, "interaction", on_interaction, state.resume_bot, input.id, if_version=input.if_version
        )

    @mutation(description="Show those who look at an interaction that one is typing.")
    async def send_typing(self, info: Info, input: Annotated[InteractionNoticeInput, _What]) -> InteractionPayload:
        return await info.context.perform(input, "interaction", on_interaction, messages.type_in, input.id)


@strawberry.type
class NoteMutation:
    @mutation(description="Leave a note on an interaction.")
    async def add_note(self, info: Info, input: Annotated[AddNoteInput, _What]) -> NotePayload:
        return await info.context.perform(
            input, _noted, on_interaction, notes.add_note, input.id, input.text, idempotency_key=input.idempotency_key
        )

    @mutation(description="Replace the text of a note.")
    async def edit_note(self, info: Info, input: Annotated[EditNoteInput, _What]) -> NotePayload:
        return await info.context.perform(input, _noted, on_note, notes.edit_note, input.id, input.text)

    @mutation(description="Delete a note.")
    async def delete_note(self, info: Info, input: Annotated[DeleteNoteInput, _What]) -> DeletedPayload:
        return await info.context.perform(input, _without_note, on_note, notes.delete_note, input.id)


async def _label(
    info: Info, given: LabelsInput, command: Callable[Concatenate[Work, Actor, GlobalId, Sequence[str], ...], Any]
) -> InteractionPayload:
    return await info.context.perform(
        given, "interaction", on_interaction, command, given.id, given.labels, if_version=given.if_version
    )
