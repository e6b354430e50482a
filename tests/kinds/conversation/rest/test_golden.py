"""The contract's page: the requests that a client generated from it sends, to a real server."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
import sqlalchemy as sa

from app.core.ids import GlobalId
from app.directory.model import Channel, Gender, Profile, Salutation, User
from app.directory.repository import ProfileRepository, UserRepository
from app.interactions.service.messages import receive_message
from app.interactions.service.notes import add_note
from app.kinds.conversation.model.channel_agent import ChannelAgent
from app.kinds.conversation.repository import ChannelAgentRepository
from app.kinds.conversation.tables import conversation_counter
from app.storage.work import Work
from tests.conftest import ManualClock
from tests.kinds.conftest import BO, store_customer, store_users
from tests.kinds.conversation.rest.schema import faults
from tests.kinds.golden import golden, ordered, send
from tests.kinds.rest import housed, serving

pytestmark = pytest.mark.anyio

HERE = Path(__file__).parent
PAGE = orjson.loads((HERE / "page.json").read_bytes())
ANSWER = PAGE["paths"]["/conversations/{id}"]["patch"]["responses"]["200"]["content"]["application/json"]["schema"]
# The page declares an address of electronic mail to be a number.
KNOWN = ["/user/email: 'john@example.com' is not integer"]
AT = datetime(2023, 1, 1, 12, tzinfo=UTC)
VOICE = {
    "type": "audio",
    "uuid": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "mime_type": "audio/ogg",
    "size": 4096,
    "download_url": "https://files.example.com/1",
    "voice": True,
}


def furnish(work: Work) -> None:
    """The people of the page's examples, and its conversation 123."""
    store_users(work)
    for number in range(5, 10):
        user = User(
            id=0,
            name="John Doe",
            login=f"john{number}",
            email="john@example.com",
            roles=("support",),
            permissions=("conversation:read", "conversation:write"),
            created_at=work.now,
            updated_at=work.now,
        )
        work.use(UserRepository).add(user)
    profile = Profile(
        id=0,
        salutation=Salutation.FORMAL_MALE,
        name="John Doe",
        gender=Gender.UNDISCLOSED,
        date_of_birth=date(1970, 1, 1),
        phone_number="+4915224367929",
        email="john@example.com",
        created_at=work.now,
        updated_at=work.now,
    )
    customer = store_customer(
        work,
        customer_key="john",
        system="CONVERSATION",
        channel=Channel.WHATSAPP,
        display_id="4915223567929",
        name="John Doe",
        profile_id=work.use(ProfileRepository).add(profile).id,
    )
    agent = ChannelAgent(
        channel=Channel.WHATSAPP, display_id="4915223567929", name="John Doe", created_at=AT, updated_at=AT
    )
    agent_id = work.use(ChannelAgentRepository).add(agent).id
    work.connection.execute(sa.update(conversation_counter).values(last=122))
    target = {"kind": "conversation", "customer_id": customer, "channel_agent_id": agent_id}
    posted = receive_message(work, BO, target, [VOICE, {"type": "text", "content": "Where is my parcel?"}])
    add_note(work, BO, GlobalId("cnv", posted.interaction), "Asks for a parcel.")


async def test_the_page(database_url: str) -> None:
    async with housed(database_url, ManualClock(AT)) as house, serving(house) as url:
        await house.database.command(furnish)
        for example in golden(HERE / "golden"):
            answer = await send(example, url, {"<token>": "ada"})
            assert answer.status == example.response["status"]
            assert ordered(answer.json()) == ordered(example.response["body"])
            assert answer.headers["content-type"] == "application/json; charset=utf-8"
            found = faults(PAGE, ANSWER, answer.json(), closed=True)
            assert [fault for fault in found if fault not in KNOWN] == []
        async with httpx2.AsyncClient(base_url=url, headers={"Authorization": "Bearer ada"}) as client:
            read = await client.get("/third-party/v1/conversations/123")
            assert read.json() == {"data": answer.json()}


def test_the_oracle_sees_faults() -> None:
    def found(value: Any) -> list[str]:
        return list(faults(PAGE, ANSWER, value, closed=True))

    assert found({"id": 1}) == []
    assert found({"id": "1"}) == ["/id: '1' is not integer"]
    assert found({"user": None}) == ["/user: None is not object"]
    assert found({"status": "open"}) == ["/status: 'open' is not one of ['to-do', 'in-progress', 'done']"]
    assert found({"data": {}}) == [": data is not declared"]
    assert found({"latest_message": None}) == []
