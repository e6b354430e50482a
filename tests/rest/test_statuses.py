import re
from pathlib import Path

from app.rest.statuses import STATUSES

DOCS = Path(__file__).parents[2] / "docs"


def test_the_table_is_the_documented_one() -> None:
    page = (DOCS / "errors.md").read_text(encoding="utf-8").partition("## Faults of the request")[0]
    documented = re.findall(r"^\| `([A-Z_]+)` \| ([0-9]{3}) \|", page, re.MULTILINE)
    assert {code: int(status) for code, status in documented} == STATUSES
