from app.kinds.chat_session.model.session import ChatSessionStatus
from app.kinds.chat_session.model.topic import ChatInitialStatus, ChatTopicMember, Right, holds


def member(user_id: int, **rights: bool) -> ChatTopicMember:
    return ChatTopicMember(id=user_id, topic_id=1, user_id=user_id, **rights)


def test_a_right_belongs_to_its_holders() -> None:
    members = [member(5, can_manage=True), member(6, can_respond=True, can_listen=True)]
    assert [holds(members, Right.MANAGE, user) for user in (5, 6, 7)] == [True, False, False]
    assert [holds(members, Right.RESPOND, user) for user in (5, 6, 7)] == [False, True, False]


def test_a_right_that_nobody_holds_is_everyones() -> None:
    assert holds([member(6)], Right.NOTIFY, 5)
    assert holds([], Right.RESPOND, 5)


def test_every_initial_status_is_one_of_the_contracts() -> None:
    assert [initial.status for initial in ChatInitialStatus] == [
        ChatSessionStatus.IN_QUEUE,
        ChatSessionStatus.PRE_CHAT_FORM,
        ChatSessionStatus.FAQ,
    ]
