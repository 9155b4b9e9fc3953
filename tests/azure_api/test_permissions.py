"""What the identity may do in a subscription, read over TLS."""

import pytest

from devkit.simulator import Assignment, Role
from devkit.simulator.roles import shipped
from shared_code.azure_api.permissions import AzurePermissions
from shared_code.azure_permissions import Permission
from shared_code.errors import AccessDenied, UnreadableAnswer
from tests.azure_api.conftest import KNOWN, Azure, Script

JSON = {"Content-Type": "application/json"}
LOCKED = Role("Locked", ("*",), ("Microsoft.Authorization/*/delete",))


def test_all_roles_that_reach_it(azure: Azure) -> None:
    """Each by itself: what one takes away another may give."""
    azure.simulator.assign([*shipped(names=("reader",)), Assignment(LOCKED)])
    try:
        held = AzurePermissions(azure.arm).held(KNOWN)
    finally:
        azure.simulator.assign(None)

    assert held == (Permission(("*/read",)), Permission(("*",), ("Microsoft.Authorization/*/delete",)))
    assert azure.calls("permissions") == 1


def test_no_role_reads_no_permissions(azure: Azure) -> None:
    azure.simulator.assign([])
    try:
        with pytest.raises(AccessDenied):
            AzurePermissions(azure.arm).held(KNOWN)
    finally:
        azure.simulator.assign(None)


def test_pages_are_read_to_the_end(script: Script) -> None:
    first = f'{{"value": [{{"actions": ["*/read"]}}], "nextLink": "{script.url}/more"}}'.encode()
    script.answers = lambda path: (200, JSON, b'{"value": [{"notActions": ["a"]}]}' if path == "/more" else first)

    assert AzurePermissions(script.arm).held(KNOWN) == (Permission(("*/read",)), Permission((), ("a",)))


def test_what_is_no_permission_is_no_answer(script: Script) -> None:
    script.body(b'{"value": [{"actions": "*/read"}]}')

    with pytest.raises(UnreadableAnswer, match="cannot read permissions"):
        AzurePermissions(script.arm).held(KNOWN)
