"""Actions against what a role allows, as Azure compares them."""

import pytest

from shared_code.azure_permissions import Permission, allows, covers


@pytest.mark.parametrize(
    ("pattern", "action", "covered"),
    [
        ("*", "Microsoft.Compute/disks/delete", True),
        ("*/read", "Microsoft.Compute/disks/read", True),
        ("*/read", "Microsoft.Compute/disks/delete", False),
        ("Microsoft.Compute/*/delete", "microsoft.compute/DISKS/Delete", True),
        ("Microsoft.Compute/disks/*", "Microsoft.Compute/disks/beginGetAccess/action", True),
        ("Microsoft.Compute/disks", "Microsoft.Compute/disks/read", False),
        ("Microsoft.Compute/disks/read", "MicrosoftXCompute/disks/read", False),
        ("Microsoft.Compute/[d]isks/read", "Microsoft.Compute/disks/read", False),
        ("", "Microsoft.Compute/disks/read", False),
    ],
)
def test_a_star_is_anything_and_case_is_nothing(pattern: str, action: str, *, covered: bool) -> None:
    assert covers([pattern], action) is covered


def test_what_is_taken_away_is_taken_from_that_role_alone() -> None:
    """Contributor has all but giving roles; another role may give that back."""
    contributor = Permission(("*",), ("Microsoft.Authorization/*/Write",))
    action = "Microsoft.Authorization/locks/write"

    assert not contributor.allows(action)
    assert contributor.allows("Microsoft.Compute/disks/delete")
    assert not allows([contributor], action)
    assert allows([contributor, Permission(("Microsoft.Authorization/locks/*",))], action)
    assert not allows([], action)
