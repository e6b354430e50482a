"""The mutations on interactions of all kinds; each is one command."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

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
    DeleteNoteInput,
    DeleteNotePayload,
    EditInteraction,
    EditNoteInput,
    InteractionPayload,
    LabelInteraction,
    MarkReadInput,
    NotePayload,
    OfInteraction,
    RaiseAttentionInput,
    SnoozeInteractionInput,
)
from app.interactions.service import holding, messages, notes, state
from app.interactions.service.notes import Noted
from app.storage.work import Work

P = ParamSpec("P")
T = TypeVar("T")


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
    """Give a command to the interaction with this id. The id is parsed within the unit, so an invalid one is an entry
    of `errors`."""
    return command(work, actor, interaction_ref(given), *args, **kwargs)


def message_ref(text: str | None, name: str) -> GlobalId | None:
    """The id of a message that an argument names; None for none. Raises InvalidInput and NotFound."""
    return None if text is None else require_id(text, "msg", path=(name,))


def close(work: Work, actor: Actor, given: str, *, if_version: int | None, if_latest_message: str | None) -> Any:
    """Close by ids as the graph has them."""
    latest = message_ref(if_latest_message, "if_latest_message_id")
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
    latest = message_ref(if_latest_message, "if_latest_message_id")
    return state.snooze(work, actor, interaction_ref(given), until, if_version=if_version, if_latest_message=latest)


def mark_read(work: Work, actor: Actor, given: str, up_to: str | None) -> Any:
    """Mark as read by ids as the graph has them."""
    return messages.mark_read(work, actor, interaction_ref(given), up_to=message_ref(up_to, "up_to_message_id"))


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
    @mutation(
        description="Claim an interaction that nobody holds. When two users claim it at once, one of them gets "
        "ALREADY_CLAIMED.",
        input="The interaction to claim.",
    )
    async def claim_interaction(self, info: Info, input: ClaimInteractionInput) -> InteractionPayload:
        return await info.context.perform(
            input,
            "interaction",
            on_interaction,
            holding.claim,
            input.id,
            lease_seconds=input.lease_seconds,
            if_version=input.if_version,
        )

    @mutation(
        description="Release a claimed interaction. Its holder and admins may.", input="The interaction to release."
    )
    async def release_interaction(self, info: Info, input: EditInteraction) -> InteractionPayload:
        return await info.context.perform(
            input, "interaction", on_interaction, holding.release, input.id, if_version=input.if_version
        )

    @mutation(
        description="Assign an interaction to a user, or to nobody. When a user holds it, only that user and admins "
        "may.",
        input="The interaction to assign, and the user.",
    )
    async def assign_interaction(self, info: Info, input: AssignInteractionInput) -> InteractionPayload:
        return await info.context.perform(
            input, "interaction", assign, input.id, input.user_id, if_version=input.if_version
        )


@strawberry.type
class StateMutation:
    @mutation(
        description="Close an interaction. NOT_SUPPORTED for Sessions, which end with time.",
        input="The interaction to close.",
    )
    async def close_interaction(self, info: Info, input: CloseInteractionInput) -> InteractionPayload:
        return await info.context.perform(
            input,
            "interaction",
            close,
            input.id,
            if_version=input.if_version,
            if_latest_message=input.if_latest_message_id,
        )

    @mutation(
        description="Reopen a closed interaction. NOT_SUPPORTED for Sessions, which end with time.",
        input="The interaction to reopen.",
    )
    async def reopen_interaction(self, info: Info, input: EditInteraction) -> InteractionPayload:
        return await info.context.perform(
            input, "interaction", on_interaction, state.reopen, input.id, if_version=input.if_version
        )

    @mutation(
        description="Snooze an interaction until a time. NOT_SUPPORTED unless it is a Conversation.",
        input="The interaction to snooze, and the time.",
    )
    async def snooze_interaction(self, info: Info, input: SnoozeInteractionInput) -> InteractionPayload:
        return await info.context.perform(
            input,
            "interaction",
            snooze,
            input.id,
            input.until,
            if_version=input.if_version,
            if_latest_message=input.if_latest_message_id,
        )

    @mutation(description="End the snooze of an interaction now.", input="The interaction to unsnooze.")
    async def unsnooze_interaction(self, info: Info, input: EditInteraction) -> InteractionPayload:
        return await info.context.perform(
            input, "interaction", on_interaction, state.unsnooze, input.id, if_version=input.if_version
        )

    @mutation(description="Replace the labels of an interaction.", input="The interaction, and its new labels.")
    async def set_labels(self, info: Info, input: LabelInteraction) -> InteractionPayload:
        return await _label(info, input, state.set_labels)

    @mutation(description="Add labels to an interaction.", input="The interaction, and the labels to add.")
    async def add_labels(self, info: Info, input: LabelInteraction) -> InteractionPayload:
        return await _label(info, input, state.add_labels)

    @mutation(description="Remove labels from an interaction.", input="The interaction, and the labels to remove.")
    async def remove_labels(self, info: Info, input: LabelInteraction) -> InteractionPayload:
        return await _label(info, input, state.remove_labels)

    @mutation(
        description="Raise the attention of an interaction: it needs a human.",
        input="The interaction, the level, and a note for the user who answers.",
    )
    async def raise_attention(self, info: Info, input: RaiseAttentionInput) -> InteractionPayload:
        return await info.context.perform(
            input,
            "interaction",
            on_interaction,
            state.raise_attention,
            input.id,
            input.level,
            note=input.note,
            if_version=input.if_version,
        )

    @mutation(
        description="End the attention that a person raised: raised attention, the flag of a Session, the alert of a "
        "chat. NOT_CLEARABLE when only other reasons are left; the error says what ends them.",
        input="The interaction whose attention to clear.",
    )
    async def clear_attention(self, info: Info, input: EditInteraction) -> InteractionPayload:
        return await info.context.perform(
            input, "interaction", on_interaction, state.clear_attention, input.id, if_version=input.if_version
        )

    @mutation(
        description="Acknowledge the attention of an interaction. The acknowledgement ends when the attention rises"
        " or ends.",
        input="The interaction whose attention to acknowledge.",
    )
    async def acknowledge_attention(self, info: Info, input: OfInteraction) -> InteractionPayload:
        return await info.context.perform(input, "interaction", on_interaction, state.acknowledge, input.id)

    @mutation(
        description="Mark messages of the customer as read: all of them, or those up to a given one.",
        input="The interaction, and the last message that was read.",
    )
    async def mark_read(self, info: Info, input: MarkReadInput) -> InteractionPayload:
        return await info.context.perform(input, "interaction", mark_read, input.id, input.up_to_message_id)

    @mutation(
        description="Return an interaction to its bot and release it. NOT_SUPPORTED for Conversations, which have "
        "no bot.",
        input="The interaction to return to its bot.",
    )
    async def resume_bot(self, info: Info, input: EditInteraction) -> InteractionPayload:
        return await info.context.perform(
            input, "interaction", on_interaction, state.resume_bot, input.id, if_version=input.if_version
        )

    @mutation(
        description="Tell the users who view an interaction that the caller is typing.",
        input="The interaction in which the caller is typing.",
    )
    async def send_typing(self, info: Info, input: OfInteraction) -> InteractionPayload:
        return await info.context.perform(input, "interaction", on_interaction, messages.type_in, input.id)


@strawberry.type
class NoteMutation:
    @mutation(description="Add an internal note to an interaction.", input="The interaction, and the note to add.")
    async def add_note(self, info: Info, input: AddNoteInput) -> NotePayload:
        return await info.context.perform(
            input, _noted, on_interaction, notes.add_note, input.id, input.text, idempotency_key=input.idempotency_key
        )

    @mutation(description="Replace the text of a note.", input="The note to edit, and its text.")
    async def edit_note(self, info: Info, input: EditNoteInput) -> NotePayload:
        return await info.context.perform(input, _noted, on_note, notes.edit_note, input.id, input.text)

    @mutation(description="Delete a note.", input="The note to delete.")
    async def delete_note(self, info: Info, input: DeleteNoteInput) -> DeleteNotePayload:
        return await info.context.perform(input, _without_note, on_note, notes.delete_note, input.id)


async def _label(
    info: Info, given: LabelInteraction, command: Callable[Concatenate[Work, Actor, GlobalId, Sequence[str], ...], Any]
) -> InteractionPayload:
    return await info.context.perform(
        given, "interaction", on_interaction, command, given.id, given.labels, if_version=given.if_version
    )
