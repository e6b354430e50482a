"""What is served, what its description lists and what docs/contracts.md says of it are the same."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.registry import KINDS
from app.rest import Contract
from app.rest.openapi import written

DOCUMENT = Path(__file__).parents[1] / "docs" / "contracts.md"
CONTRACTS = {kind.name: kind.contract for kind in KINDS if kind.contract is not None}
NAMES = tuple(CONTRACTS)


def document(contract: Contract) -> Any:
    return orjson.loads(written(contract))


@pytest.mark.parametrize("name", NAMES)
def test_the_description_lists_what_is_served(name: str) -> None:
    contract = CONTRACTS[name]
    described = document(contract)
    assert described["openapi"] == "3.1.0"
    server = described["servers"][0]["url"].rstrip("/")
    listed = {
        (method.upper(), f"{server}{path}"): operation["operationId"]
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
    }
    assert listed.keys() == {(operation.method, operation.path) for operation in contract.operations}
    assert len(set(listed.values())) == len(listed)


@pytest.mark.parametrize("name", NAMES)
def test_the_description_is_valid(name: str) -> None:
    import schemathesis

    described = document(CONTRACTS[name])
    for way in described["components"]["securitySchemes"].values():
        for flow in way.get("flows", {}).values():
            # OpenAPI takes relative references for all addresses; its published schema takes none here.
            flow["tokenUrl"] = f"http://test{flow['tokenUrl']}"
    schemathesis.openapi.from_dict(described).validate()


@pytest.mark.parametrize("name", NAMES)
def test_every_reference_of_a_description_leads_somewhere(name: str) -> None:
    described = document(CONTRACTS[name])
    references = re.findall(r'"\$ref":"#/([^"]+)"', orjson.dumps(described).decode())
    assert references
    for reference in references:
        found = described
        for part in reference.split("/"):
            found = found[part]


@pytest.mark.parametrize("name", ["session", "agent_session", "chat_session"])
def test_the_table_says_what_is_served(name: str) -> None:
    contract = CONTRACTS[name]
    (section,) = [
        each for each in re.split(r"^## ", DOCUMENT.read_text(), flags=re.MULTILINE) if f"at {contract.base}\n" in each
    ]
    told = set()
    for first, last in re.findall(r"^\| (.+?) \|.*\| (.+?) \|$", section, re.MULTILINE):
        if last.startswith("yes"):
            told |= {tuple(found.split()) for found in re.findall(r"`([A-Z]+ /[^`]*)`", first)}
    assert told == {(operation.method, operation.path.removeprefix(contract.base)) for operation in contract.operations}
