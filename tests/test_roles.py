"""Roles: each includes the one before it."""

import pytest

from shared_code.roles import Role


@pytest.mark.parametrize(
    ("held", "has"),
    [
        ([], []),
        (["Steward.Reader"], [Role.READER]),
        (["Steward.Operator"], [Role.READER, Role.OPERATOR]),
        (["Steward.Approver"], [Role.READER, Role.OPERATOR, Role.APPROVER]),
        (["steward.approver", "Approver", "Steward.Approver ", "Steward.Admin"], []),
        (["Other", "Steward.Reader"], [Role.READER]),
    ],
)
def test_what_an_app_role_includes(held: list[str], has: list[Role]) -> None:
    """Only under their exact names: an app role of another application is none."""
    assert [role for role in Role if role.is_among(frozenset(held))] == has


def test_keys_are_called_after_them() -> None:
    assert [role.key for role in Role] == ["reader", "operator", "approver"]
