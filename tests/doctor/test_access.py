"""What the identity sees and may do, against what the jobs need."""

from collections.abc import Mapping
from itertools import count

import pytest

from shared_code.azure_permissions import Permission
from shared_code.azure_roles import DELETER, READS
from shared_code.doctor.access import MOST, WIDE, Access, needs_at, sample, too_wide
from shared_code.doctor.checks import Check
from shared_code.errors import AccessDenied, AzureError, NotFound, StewardError, Unauthenticated
from shared_code.model import Subscription
from shared_code.settings import Configuration, configure
from tests.doctor.asking import PRINCIPAL
from tests.fakes import FakeEstate, subscription

READER = Permission(("*/read",))
TAGGER = Permission(("Microsoft.Resources/tags/write",))
DELETES = Permission(DELETER.actions)
ONE, TWO, THREE = (subscription(number) for number in (1, 2, 3))
RULES = """
[[jobs.tag-audit.rules]]
name = "owner"
tag = "owner"
required = true
[jobs.cleanup.rules.unattached-disk]
"""


class FakePermissions:
    """What is held, by subscription id; an error in its place is raised."""

    def __init__(self, held: Mapping[str, object]) -> None:
        self._held = held
        self.asked: list[str] = []

    def held(self, subscription: Subscription) -> tuple[Permission, ...]:
        self.asked.append(subscription.id)
        found = self._held.get(subscription.id, (READER,))
        if isinstance(found, StewardError):
            raise found
        assert isinstance(found, tuple)
        return found


def configuration(
    tags: tuple[Subscription, ...] = (), cleanup: tuple[Subscription, ...] = (), **more: str
) -> Configuration:
    armed = {name: str([each.id.upper() for each in given]) for name, given in (("tags", tags), ("cleanup", cleanup))}
    text = more.get("text", RULES)
    toml = f"""
{more.get("scope", "")}
[jobs.tag-audit]
armed_subscriptions = {armed["tags"]}
[jobs.cleanup]
armed_subscriptions = {armed["cleanup"]}
protected_resource_groups = ["rg-core"]
{text}
"""
    read = configure(toml.encode(), "steward.toml", {})
    assert read.problems == ()
    return read


def look(
    held: Mapping[str, object],
    read: Configuration | None = None,
    visible: tuple[Subscription, ...] = (ONE, TWO, THREE),
    seconds: float = 0.0,
) -> dict[str, Check]:
    """The checks by what they are about; each look at the clock takes so many seconds."""
    times = count()
    access = Access(
        read or configuration(),
        FakeEstate(list(visible), {}),
        FakePermissions(held),
        lambda: PRINCIPAL,
        lambda: next(times) * seconds,
    )
    found: dict[str, Check] = {}
    for each in access.checks():
        name = each.what if each.what not in found else f"{each.what} again"
        found[name] = each
    return found


def results(found: Mapping[str, Check]) -> dict[str, str]:
    return {name.removeprefix("role Steward "): str(each.result) for name, each in found.items()}


ALL_WELL = {"subscriptions": "ok", "Reader": "ok", "Tagger": "ok", "Deleter": "ok", WIDE: "ok"}


class TestHeld:
    def test_reading_is_enough_where_nothing_is_armed(self) -> None:
        found = look({})

        assert results(found) == ALL_WELL
        assert found["subscriptions"].detail == "3 visible, 3 in scope"
        assert found["role Steward Tagger"].detail.startswith("not needed")

    def test_each_armed_subscription_needs_more(self) -> None:
        held = {ONE.id: (READER, TAGGER), TWO.id: (READER, DELETES)}

        assert results(look(held, configuration((ONE,), (TWO,)))) == ALL_WELL

    def test_contributor_has_it_all_and_too_much(self) -> None:
        held = {ONE.id: (Permission(("*",), ("Microsoft.Authorization/*/Write",)),)}

        found = look(held, configuration((ONE,), (ONE,)), (ONE,))

        assert results(found) == ALL_WELL | {WIDE: "warning"}
        assert found[WIDE].detail == "subscription 'subscription 1': *"


class TestLacking:
    def test_no_role_at_all(self) -> None:
        """One line, whatever is missing; with the command that mends it."""
        found = look({TWO.id: ()})

        assert results(found) == ALL_WELL | {"Reader": "failed"}
        check = found["role Steward Reader"]
        assert check.detail.startswith("subscription 'subscription 2' lacks Microsoft.Authorization/locks/read, ")
        assert check.detail.endswith(" more at the subscription, for list-resource-groups, tag-audit, cleanup")
        assert (
            f"az role assignment create --role 'Steward Reader' --assignee-object-id {PRINCIPAL} "
            f"--assignee-principal-type ServicePrincipal --scope /subscriptions/{TWO.id}; " in check.sentence
        )
        assert "steward doctor --role-for list-resource-groups --scope /subscriptions/" in check.sentence

    def test_many_alike_are_one_line(self) -> None:
        found = look({ONE.id: (), TWO.id: (), THREE.id: ()})

        assert results(found) == ALL_WELL | {"Reader": "failed"}
        assert found["role Steward Reader"].detail.startswith(
            "3 subscriptions ('subscription 1', 'subscription 2', 'subscription 3') lack "
        )
        assert ", for each of them" in found["role Steward Reader"].sentence

    @pytest.mark.parametrize("action", [each for each in READS["cleanup"] if "/compute/" not in each.casefold()])
    def test_each_action_of_reading_that_is_missing_is_named(self, action: str) -> None:
        found = look({ONE.id: (Permission(("*/read",), (action.upper(),)),)}, visible=(ONE,))

        assert results(found) == ALL_WELL | {"Reader": "failed"}
        assert f" lacks {action} at the subscription, for " in found["role Steward Reader"].detail

    def test_jobs_without_rules_need_nothing(self) -> None:
        """Who only lists needs no Resource Graph."""
        held = {ONE.id: (Permission(("*/read",), ("Microsoft.ResourceGraph/*",)),)}

        assert results(look(held, configuration(text=""), (ONE,)))["Reader"] == "warning"
        assert results(look(held, configuration(), (ONE,)))["Reader"] == "failed"

    def test_a_list_of_actions_is_not_everything(self) -> None:
        """What is not seen nobody tells, so that cleanup keeps everything; the other jobs run."""
        held = {ONE.id: (Permission(tuple({*READS["cleanup"], *READS["tag-audit"]})),)}

        found = look(held, visible=(ONE,))
        without = look(held, configuration(text=""), (ONE,))

        assert results(found) == ALL_WELL | {"Reader": "failed"}
        assert results(without) == ALL_WELL | {"Reader": "warning"}
        assert "not */read" in found["role Steward Reader"].detail
        assert found["role Steward Reader"].detail.endswith(", so cleanup keeps everything there")
        assert "cleanup" not in without["role Steward Reader"].detail

    def test_an_exception_hides_something(self) -> None:
        """Though no job asks for it by name."""
        found = look({ONE.id: (Permission(("*/read",), ("Microsoft.KeyVault/*",)),)}, visible=(ONE,))

        assert results(found) == ALL_WELL | {"Reader": "failed"}

    def test_the_tagger(self) -> None:
        found = look({}, configuration(tags=(ONE, THREE)))

        assert results(found) == ALL_WELL | {"Tagger": "failed"}
        assert (
            "2 subscriptions ('subscription 1', 'subscription 3') lack Microsoft.Resources/tags/write"
            in found["role Steward Tagger"].detail
        )

    def test_the_deleter_of_the_rules_that_are_on(self) -> None:
        """No rule asks for what another one deletes."""
        found = look({}, configuration(cleanup=(ONE,)))

        assert results(found) == ALL_WELL | {"Deleter": "failed"}
        assert found["role Steward Deleter"].detail == (
            "subscription 'subscription 1' lacks Microsoft.Compute/disks/delete at the subscription, for cleanup"
        )
        assert "'steward doctor --role-for cleanup" in found["role Steward Deleter"].sentence

    def test_a_rule_that_is_off_deletes_nothing(self) -> None:
        needs = [*needs_at(configuration(cleanup=(ONE,)), ONE)]

        assert [(each.role.name, each.job) for each in needs] == [
            ("Steward Reader", "list-resource-groups"),
            ("Steward Reader", "tag-audit"),
            ("Steward Reader", "cleanup"),
            ("Steward Deleter", "cleanup"),
        ]
        assert needs[-1].actions == ("Microsoft.Compute/disks/delete",)


class TestScope:
    def test_nothing_is_visible(self) -> None:
        found = look({}, visible=())

        assert results(found) == {"subscriptions": "failed"}
        assert "the identity sees none at all" in found["subscriptions"].detail

    def test_nothing_is_in_scope(self) -> None:
        found = look({}, configuration(scope='[scope]\nsubscriptions = ["prod-*"]'))

        assert results(found) == {"subscriptions": "failed"}
        assert found["subscriptions"].detail.startswith("No subscription is in scope")

    def test_armed_and_nowhere(self) -> None:
        """A slip of the pen, or a role that was taken away."""
        found = look({}, configuration(tags=(ONE, subscription(9))))

        assert str(found["subscriptions"].result) == "warning"
        assert subscription(9).id in found["subscriptions"].detail

    def test_of_thousands_a_sample_is_looked_at(self) -> None:
        """Every armed one, and others at equal distances; that is said."""
        many = tuple(subscription(number) for number in range(1, 1001))
        armed = (many[3], many[998])

        chosen = sample(many, [each.id.upper() for each in armed])
        found = look({many[3].id: (READER, TAGGER), many[998].id: (READER, TAGGER)}, configuration(tags=armed), many)

        assert len(chosen) == MOST
        assert {each.id for each in armed} < {each.id for each in chosen}
        assert len({int(each.id[-4:]) // 100 for each in chosen}) == 10
        assert found["role Steward Reader"].detail == f"held in {MOST} of 1,000 subscriptions"
        assert sample(many[:MOST], []) == many[:MOST]


class TestUnread:
    def test_no_role_to_read_permissions(self) -> None:
        found = look({ONE.id: AccessDenied("cannot read permissions: 403")})

        assert results(found) == {"roles": "failed"} | ALL_WELL
        assert found["roles"].detail.startswith("subscription 'subscription 1': what the identity may do there cannot")

    @pytest.mark.parametrize("error", [NotFound("cannot read permissions: 404"), StewardError("odd")])
    def test_what_cannot_be_asked_is_not_checked(self, error: StewardError) -> None:
        found = look({each.id: error for each in (ONE, TWO, THREE)})

        assert results(found) == {"subscriptions": "ok", "roles": "not checked"}
        assert str(error) in found["roles"].detail

    def test_without_a_token(self) -> None:
        found = look({each.id: Unauthenticated("no token") for each in (ONE, TWO, THREE)})

        assert found["roles"].detail == "there is no token for it; see the identity above"

    def test_in_time(self) -> None:
        """What is not answered by then is not held against anybody."""
        found = look({}, seconds=5.0)

        assert "did not come within 12 s" in found["roles"].detail
        assert isinstance(NotFound("x"), AzureError)


@pytest.mark.parametrize(
    ("actions", "wide"),
    [
        (("*/read", "Microsoft.Authorization/*/read"), ()),
        ((*DELETER.actions, "Microsoft.Resources/tags/write", "microsoft.resources/TAGS/write"), ()),
        (("Microsoft.Resources/tags/*", "Microsoft.Support/*", "Microsoft.Resources/deployments/*"), ()),
        (("Microsoft.KeyVault/vaults/delete",), ()),
        (("*",), ("*, also roles for others",)),
        (("*/write", "*/delete"), ("*/write", "*/delete")),
        (("Microsoft.Authorization/*/write",), ("Microsoft.Authorization/*/write",)),
        (("Microsoft.Authorization/roleAssignments/write",), ("Microsoft.Authorization/roleAssignments/write",)),
        (("Microsoft.Compute/*", "Microsoft.Compute/*"), ("Microsoft.Compute/*",)),
        (("*/action",), ("*/action",)),
    ],
)
def test_what_nobody_needs_is_too_wide(actions: tuple[str, ...], wide: tuple[str, ...]) -> None:
    """Patterns that change things, and giving roles; one more type to delete is up to the operator."""
    assert too_wide([Permission(actions)]) == wide
