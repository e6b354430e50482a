"""What the suite of all kinds needs to know of ChatSessions."""

from collections.abc import Mapping
from typing import Any

from app.kinds.chat_session.model.topic import ChatTopic
from app.kinds.chat_session.repository import ChatTopicRepository
from app.storage.work import Work
from tests.kinds.bad_input import INJECTED, Sample
from tests.kinds.conftest import store_customer

NOT_SUPPORTED = frozenset({"snoozeInteraction", "unsnoozeInteraction", "setReaction", "reportMessageStatus"})


PATH: Mapping[str, Any] = {"id": 1, "toAssociate": "bo"}
"""The parameters of the contract's paths that lead to the first interaction."""

SAMPLE = Sample(
    method="PUT",
    path="/api/v1/ChatSession/1",
    body={"CustomerName": "Changed"},
    wrong=({"CustomerName": 5}, {"AlertLevel": "much"}, {"Status": []}, {"Person": "Ana"}, {"CustomerConsented": 7}),
    long={"CustomerAlias": "x" * 65},
    texts={"CustomerName": INJECTED},
    unknown=("/api/v1/ChatSession/99", "/api/v1/ChatSession/nothing"),
    # The number that the chat has among all interactions.
    foreign="/api/v1/ChatSession/3",
)


def target(work: Work, key: str) -> Mapping[str, Any]:
    """Where a message of a customer with this key belongs."""
    topic = ChatTopic(id=0, topic_id=0, name="Everything", created_at=work.now, updated_at=work.now)
    customer = store_customer(work, customer_key=key, system="CHAT_SESSION")
    return {"customer_id": customer, "chat_topic_id": work.use(ChatTopicRepository).add(topic).id}
