"""The search for messages and customers in every script, held to a slow reference."""

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.text import fold
from tests.graph.running import Graph
from tests.interactions.conftest import House

pytestmark = [pytest.mark.anyio, pytest.mark.both_databases]

WORDS = (
    *("fødselsdag", "Łódź", "đường", "ılık", "straße", "ærlig", "Ελλάδα", "Ёлка", "שָׁלוֹם", "مُحَمَّد"),
    *("退款", "我想要退款", "订单还没有到", "返金", "がっこう", "かっこう", "カッコウ", "ｶﾞｯｺｳ", "환불해", "환불"),
    *("คืนเงิน", "ฉันต้องการคืนเงิน", "हिन्दी", "हिन्दु", "தமிழ்", "নমস্কার", "iPhone15を買う", "A", "ab"),
    *("٣٤", "34", "３４", "12"),
)
UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI")
SPACES = (" ", "、", "。", "-", "\u200b", "")


@pytest.mark.parametrize(
    ("text", "search", "found"),
    [
        ("我想要退款，谢谢", "退款", True),
        ("我想要退款，谢谢", "款", True),
        ("我想要退款，谢谢", "想", True),
        ("我想要退款，谢谢", "退货", False),
        ("学校に行きたいです", "行き", True),
        ("環境をかえる", "かえる", True),
        ("環境をがえる", "かえる", False),
        ("ｶﾞｿﾘﾝ", "ガソリン", True),
        ("주문을 환불해주세요", "환불", True),
        ("ฉันต้องการคืนเงิน", "คืนเงิน", True),
        ("मुझे हिन्दी चाहिए", "हिन्दी", True),
        ("मुझे हिन्दी चाहिए", "हन्दी", False),
        ("Grøn smørrebrød", "smorrebrod", True),
        ("Grøn smørrebrød", "SMØR", True),
        ("Łódź", "lodz", True),
        ("ılık İzmir", "ilik izmir", True),
        ("Ærlig straße", "aerlig strasse", True),
        ("order 1234", "١٢٣٤", True),
    ],
)
async def test_search_in_every_script(house: House, text: str, search: str, found: bool) -> None:
    await house.hear(text)
    await house.graph.do("createCustomer", {"system": "AGENT_SESSION", "name": text})
    data = await ask(house.graph, search)
    assert data == ([text], [text]) if found else data == ([], [])


async def ask(graph: Graph, search: str) -> tuple[list[str], list[str]]:
    """The texts of the messages and the names of the customers that are found, the oldest first."""
    data = await graph.read(
        """query($search: String!) {
          searchMessages(text: $search, first: 100) { edges { node { text } } }
          customers(search: $search, system: AGENT_SESSION, first: 100) { edges { node { name } } } }""",
        search=search,
    )
    messages = [edge["node"]["text"] for edge in data["searchMessages"]["edges"]]
    customers = [edge["node"]["name"] for edge in data["customers"]["edges"]]
    return messages[::-1], customers[::-1]


def runs(text: str) -> list[str]:
    """The words of a folded text, cut again where letters of a script without spaces begin or end."""
    found: list[str] = []
    before = None
    for character in fold(text):
        if not (character.isalnum() or unicodedata.category(character)[0] == "M"):
            before = None
            continue
        name = unicodedata.name(character, "")
        now = name.startswith(UNSPACED)
        if now is before:
            found[-1] += character
        else:
            found.append(character)
        before = now
    return found


def is_unspaced(run: str) -> bool:
    return unicodedata.name(run[0], "").startswith(UNSPACED)


def meets(text: str, search: str) -> bool:
    """Whether every word of the search is one of the text's, the last a beginning; without spaces, every pair of it."""
    own, wanted = runs(text), runs(search)
    for place, word in enumerate(wanted):
        if is_unspaced(word):
            parts = [word[start : start + 2] for start in range(max(1, len(word) - 1))]
            if not all(any(part in run for run in own) for part in parts):
                return False
        elif place == len(wanted) - 1:
            if not any(not is_unspaced(run) and run.startswith(word) for run in own):
                return False
        elif word not in own:
            return False
    return True


async def test_search_agrees_with_a_slow_reference(house: House) -> None:
    texts: list[str] = []
    searches: list[str] = []

    @settings(derandomize=True, deadline=None, max_examples=60, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(SPACES)), min_size=1, max_size=5), st.data())
    def generate(said: list[tuple[str, str]], data: st.DataObject) -> None:
        text = "".join(f"{word}{space}" for word, space in said)
        start = data.draw(st.integers(0, len(text) - 1))
        asked = text[start : start + data.draw(st.integers(1, 12))]
        other = data.draw(st.sampled_from(WORDS))
        texts.append(text.strip())
        searches.extend(each for each in (asked, other, f"{other} {asked}") if any(map(str.isalpha, each)))

    generate()
    for text in texts:
        await house.hear(text)
        await house.graph.do("createCustomer", {"system": "AGENT_SESSION", "name": text})
    told = 0
    for search in dict.fromkeys(searches):
        expected = [text for text in texts if meets(text, search)][-100:]
        messages, customers = await ask(house.graph, search)
        assert (messages, customers) == (expected, expected), search
        told += len(expected)
    assert told > len(searches), "the searches find something"
