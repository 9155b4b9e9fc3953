"""Whether everything in a subscription may be read, by what Azure tells of the identity's roles."""

import pytest

from shared_code.azure_api.visibility import check_nothing_is_hidden
from shared_code.azure_permissions import Permission, sees_all
from shared_code.errors import AccessDenied, AzureError, UnreadableAnswer
from tests.azure_api.canned import KNOWN, ROOT, error, said
from tests.azure_api.conftest import Answer, Script

CONTRIBUTOR = ("Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write", "Microsoft.X/y/join/action")


@pytest.mark.parametrize("actions", [("*/read",), ("*",), ("Microsoft.Web/sites/write", "*/READ")])
@pytest.mark.parametrize("not_actions", [(), CONTRIBUTOR])
def test_all_may_be_read(actions: tuple[str, ...], not_actions: tuple[str, ...]) -> None:
    """By one role that has it, whatever the others leave out."""
    assert sees_all([Permission(), Permission(actions, not_actions), Permission(("*/read",), ("*/read",))])


@pytest.mark.parametrize(
    "permission",
    [
        Permission(),
        Permission(("Microsoft.Resources/*", "*/write", "Microsoft.Compute/*/read")),
        *(
            Permission(("*", "*/read"), (exception,))
            for exception in (
                "Microsoft.Compute/disks/read",
                "Microsoft.Compute/disks/READ",
                "Microsoft.Compute/*",
                "Microsoft.Compute/di*",
                "Microsoft.Compute/*/read",
                "Microsoft.Compute/*d",
                "*",
            )
        ),
    ],
)
def test_something_is_hidden(permission: Permission) -> None:
    """A star stands for anything, slashes included."""
    assert not sees_all([permission])


def _answered(script: Script, answer: Answer) -> None:
    script.sent.clear()
    script.answers = lambda _: answer
    check_nothing_is_hidden(script.arm, KNOWN)


def test_it_is_asked_of_the_subscription(script: Script) -> None:
    """One question, where nothing is hidden."""
    _answered(script, said({"value": [{"actions": ["*/read"], "notActions": [], "dataActions": []}]}))

    assert [path for _, path, _ in script.sent] == [
        f"{ROOT}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"
    ]


@pytest.mark.parametrize("value", [[], [{}], [{"actions": ["Microsoft.Web/*"]}]])
def test_it_says_so(script: Script, value: list[object]) -> None:
    """In one sentence, with what to do."""
    with pytest.raises(AccessDenied, match=r"leave out what Steward's identity may not read.*the role Reader there$"):
        _answered(script, said({"value": value}))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(error(403, "AuthorizationFailed"), AccessDenied), (said({}), UnreadableAnswer), (said({}, 500), AzureError)],
)
def test_what_cannot_be_asked_is_not_known(script: Script, answer: Answer, kind: type[AzureError]) -> None:
    """No answer is no permission."""
    with pytest.raises(kind):
        _answered(script, answer)
