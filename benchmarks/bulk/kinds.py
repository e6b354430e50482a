"""What each kind makes of a draft: its messages and its model."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import orjson

from app.demo.people import name_of
from app.interactions.model import Interaction
from app.kinds.agent_session.model import AgentSession
from app.kinds.agent_session.model import Status as AgentStatus
from app.kinds.chat_session.model.session import ACTIVE, ENDED, ChatSession, ChatSessionStatus
from app.kinds.conversation.model.conversation import REPLY_WINDOWS, Conversation, Status
from app.kinds.session.model import Session
from benchmarks.bulk.chunk import Chunk
from benchmarks.bulk.drafts import Draft, Wish, moment
from benchmarks.bulk.talk import Voice, embellish
from benchmarks.bulk.words import ISSUES, TAGS, TOPICS

_CUSTOMER = Voice("CUSTOMER", delivered=True)
_BOT = Voice("BOT")
_INPUT = Voice("CUSTOMER", delivered=True, event_type="input_message")
_OUTPUT = Voice("AI_AGENT", event_type="agent_output")
_CHAT = {"message_type": "TO_CUSTOMER", "read_by_customer": True}
_CHAT_BOT = Voice("BOT", special_type="BOT_MESSAGE", name="Assistant", **_CHAT)  # type: ignore[arg-type]
_CHAT_ENDINGS = (
    *(ChatSessionStatus.CLOSED,) * 7,
    *(ChatSessionStatus.FINISHED, ChatSessionStatus.CLOSED_FROM_QUEUE),
)


def session(chunk: Chunk, draft: Draft) -> Session:
    """A Session, flagged when it is to need a human; else only its last message keeps it open."""
    flagged = draft.wish is Wish.NEEDED
    user = chunk.user(0.4) if flagged else None
    chunk.talk(draft, _CUSTOMER, _BOT, _BOT if user is None else Voice("USER", user))
    new = Session(
        **chunk.common(draft, "SESSION", user),
        session_key=f"{chunk.pages.key}{draft.id:012x}",
        bot_active=not flagged,
        need_attention=flagged,
        tags=chunk.some(TAGS, 0.5),
        topics=chunk.some(TOPICS, 0.5),
    )
    return chunk.settled(draft, new)


def agent_session(chunk: Chunk, draft: Draft) -> AgentSession:
    """An AgentSession; its metadata escalates when it is to need a human. One in twenty has no customer."""
    enabled = draft.wish is not Wish.CLOSED
    agent, agent_key = chunk.one(chunk.staff.ai_agents)
    issue = chunk.one(ISSUES)
    draft.channel_key = f"aia_{agent}"
    chunk.talk(draft, _INPUT, _OUTPUT, _OUTPUT)
    user = chunk.user(0.3) if draft.wish is Wish.NEEDED else None
    common = chunk.common(draft, "AGENT_SESSION", user)
    known = draft.luck < 0.95
    named = {"customer_id": f"customer-{common['customer_id']}"} if known else {}
    new = AgentSession(
        **common if known else {**common, "customer_id": None},
        agent_id=agent,
        agent_key=agent_key,
        agent_session_key=f"ase_{draft.id}",
        name=f"{issue.capitalize()} {draft.id}",
        description=f"The customer asks about {issue}.",
        metadata=orjson.dumps({**named, **_metadata(chunk, draft, issue)}).decode(),
        enabled=enabled,
        bot_active=enabled and user is None,
        status=AgentStatus.RUNNING if enabled and draft.waits else AgentStatus.STOPPED,
    )
    return chunk.settled(draft, new)


def _metadata(chunk: Chunk, draft: Draft, issue: str) -> Mapping[str, str]:
    about = {"channel": chunk.one(("web_chat", "mobile_app", "email")), "issue_category": issue}
    if draft.wish is not Wish.NEEDED:
        solved = "resolved" if draft.wish is Wish.CLOSED else "pending"
        return {"priority": chunk.one(("low", "normal", "high")), **about, "resolution_status": solved}
    tier = {"escalation_level": "tier_2", "escalated_to": "manager_001"} if draft.luck < 0.5 else {}
    return {"priority": chunk.one(("high", "urgent")), **about, "resolution_status": "escalated", **tier}


def chat_session(chunk: Chunk, draft: Draft) -> ChatSession:
    """A chat of one of the topics, in the hands of one of its members unless it is in the queue or with the bot."""
    desk = chunk.one(chunk.staff.desks)
    status, more = _chat_status(chunk, draft)
    queued = status in (ChatSessionStatus.IN_QUEUE, ChatSessionStatus.CLOSED_FROM_QUEUE)
    by_bot = draft.wish is Wish.OPEN and draft.luck < 0.2
    user = None if queued or by_bot else chunk.one(desk.members)
    active = user if status in ACTIVE else None
    first_name, last_name = name_of(draft.number % chunk.crowd.count["CHAT_SESSION"])
    customer = Voice(
        "CUSTOMER", delivered=True, message_type="TO_USER", special_type="NONE", name=f"{first_name} {last_name}"
    )
    chunk.talk(draft, customer, _CHAT_BOT, _CHAT_BOT if user is None else _chat_voice(chunk, user))
    begun = moment(draft.answered or draft.last) if user is not None else None
    said = chunk.pages.messages[-draft.length :]
    new = ChatSession(
        **chunk.common(draft, "CHAT_SESSION", user),
        chat_session_id=chunk.first_chat_number + draft.number,
        topic_id=desk.id,
        status=status,
        bot_active=by_bot,
        customer_alias=first_name.lower(),
        customer_host=f"192.0.2.{draft.id % 256}",
        customer_name=customer.name,
        customer_email=f"visitor-{draft.id}@example.net",
        customer_consented=draft.luck < 0.9,
        first_message=(said[0].text or "")[:1024],
        last_message=(said[-1].text or "")[:1024],
        when_requested=draft.created_at,
        when_started=begun,
        when_ended=draft.last_at if status in ENDED else None,
        when_idle=draft.last_at,
        when_fetched=draft.last_at,
        # Of no session key: nobody gets into a chat of the demo as its customer.
        session_key_digest=chunk.random.randbytes(32).hex(),
        initial_queue_pos=1 + int(draft.luck * 9),
        rank_user_id=active,
        rank=0 if active is None else _next_rank(chunk, active),
        rating=1 + int(draft.luck * 5) if begun is not None and status in ENDED else None,
    )
    if more == "transfer":
        new = replace(new, transfer_to_id=chunk.one([member for member in desk.members if member != user]))
    elif more == "alert":
        new = replace(new, alert_level=1 + int(draft.luck * 4))
    return chunk.settled(draft, new)


def _chat_status(chunk: Chunk, draft: Draft) -> tuple[ChatSessionStatus, str | None]:
    if draft.wish is Wish.CLOSED:
        return chunk.one(_CHAT_ENDINGS), None
    if draft.wish is Wish.OPEN:
        return ChatSessionStatus.USER_LAST, None
    chance = chunk.random.random()
    if chance < 0.5:
        return ChatSessionStatus.IN_QUEUE, None
    return ChatSessionStatus.CUSTOMER_LAST, "transfer" if chance < 0.6 else "alert" if chance < 0.7 else None


def _chat_voice(chunk: Chunk, user: int) -> Voice:
    name = chunk.staff.names[user - chunk.staff.users[0]]
    return Voice("USER", user, special_type="NONE", name=name, **_CHAT)  # type: ignore[arg-type]


def _next_rank(chunk: Chunk, user: int) -> int:
    rank = chunk.ranks[user] = chunk.ranks.get(user, 0) + 1
    return rank


def conversation(chunk: Chunk, draft: Draft) -> Conversation:
    """A conversation on its customer's channel; a customer has several, each with another channel agent."""
    persons = chunk.crowd.count["CONVERSATION"]
    person = draft.number % persons
    channel = chunk.staff.lines[person % len(chunk.staff.lines)].channel
    lines = [line for line in chunk.staff.lines if line.channel is channel]
    begun = draft.wish is Wish.OPEN or (draft.wish is Wish.NEEDED and chunk.random.random() < 0.5)
    user = chunk.user(1.0 if begun else 0.7 if draft.wish is Wish.CLOSED else 0.0)
    status = "READ" if draft.luck < 0.8 else "SENT"
    ours = Voice("USER", user or chunk.one(chunk.staff.users), status, delivered=status == "READ")
    line = lines[(person + draft.number // persons) % len(lines)]
    draft.channel_key = f"cha_{line.id}"
    chunk.talk(draft, _CUSTOMER, ours, ours)
    embellish(draft, chunk.pages, chunk.random.random)
    heard = next((row.sent_at for row in reversed(chunk.pages.messages) if row.id == draft.latest_of_customer), None)
    window = REPLY_WINDOWS.get(channel)
    asleep = draft.wish is Wish.OPEN and draft.luck < 0.3
    new = Conversation(
        kind="conversation",
        **chunk.common(draft, "CONVERSATION", user),
        conversation_id=chunk.first_conversation_number + draft.number,
        channel=channel,
        channel_agent_id=line.id,
        status=Status.DONE if draft.wish is Wish.CLOSED else Status.IN_PROGRESS if begun else Status.TO_DO,
        snooze_until=chunk.staff.now + timedelta(hours=1 + draft.luck * 200) if asleep else None,
        last_customer_reply_from=heard,
        reply_until=heard + window if heard is not None and window is not None else None,
    )
    return chunk.settled(draft, new)


MAKERS: Mapping[str, Callable[[Chunk, Draft], Interaction]] = {
    "session": session,
    "agent_session": agent_session,
    "chat_session": chat_session,
    "conversation": conversation,
}
