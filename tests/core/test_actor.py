"""The names of permissions, in the graph and where they are stored."""

import pytest

from app.core.actor import permission_name, permission_of
from app.registry import PERMISSIONS


@pytest.mark.parametrize(
    ("permission", "name"),
    [
        ("session:read", "SESSION_READ"),
        ("agent_session:write", "AGENT_SESSION_WRITE"),
        ("users:manage", "USERS_MANAGE"),
    ],
)
def test_a_permission_has_a_name_in_the_graph(permission: str, name: str) -> None:
    assert (permission_name(permission), permission_of(name)) == (name, permission)


def test_every_name_leads_back_to_its_permission() -> None:
    assert tuple(permission_of(permission_name(each)) for each in PERMISSIONS) == PERMISSIONS
