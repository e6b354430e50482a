from app.kinds.chat_session.model.session import (
    STATUS_OF_WIRE,
    ChatMessageSpecialType,
    ChatMessageType,
    ChatSessionStatus,
)


def test_the_statuses_are_the_contracts_in_the_order_of_its_numbers() -> None:
    assert [status.wire for status in ChatSessionStatus] == [
        "Invalid",
        "PreChatForm",
        "Faq",
        "OfflineForm",
        "InQueue",
        "CustomerLast",
        "UserLast",
        "Finished",
        "Deleted",
        "Closed",
        "RequestPosted",
        "ClosedFromQueue",
    ]
    assert all(STATUS_OF_WIRE[status.wire] is status for status in ChatSessionStatus)
    assert len(STATUS_OF_WIRE) == 12


def test_the_message_types_are_the_contracts_in_the_order_of_its_numbers() -> None:
    assert [type_.wire for type_ in ChatMessageType] == ["Invalid", "ToCustomer", "ToUser", "Special"]


def test_the_special_types_are_the_contracts_with_its_numbers() -> None:
    assert {special.wire: special.number for special in ChatMessageSpecialType} == {
        "None": 0,
        "Welcome": 1,
        "Url": 2,
        "Block": 3,
        "NewSession": 5,
        "TransferedSession": 6,
        "Error": 7,
        "SessionDeleted": 8,
        "FaqSuccessQuestion": 9,
        "ClosedByUser": 10,
        "ClosedByCustomer": 11,
        "ClosedByIdle": 12,
        "TransferRejected": 13,
        "ReopenedByCustomer": 14,
        "ClickedOption": 15,
        "BotMessage": 16,
        "Options": 17,
        "IllegalFileType": 18,
    }
