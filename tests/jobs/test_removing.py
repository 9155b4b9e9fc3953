"""What deleting needs of a run: rules, protection, scope and evidence as they are; and what it leaves for the next."""

from dataclasses import replace
from datetime import timedelta

import msgspec

from shared_code.acting import Done
from shared_code.activity import LONGEST_SPAN, Evidence, Span, no_evidence
from shared_code.deletion import Removal
from shared_code.jobs.removing import delete, policy_of, removal_of, rules_of
from shared_code.model import Tags
from shared_code.outcomes import Result
from shared_code.pending_deletions import Pending, PendingDeletions
from shared_code.plan import Action
from shared_code.protection import Policy
from shared_code.settings import Cleanup, Configuration, configure
from shared_code.tag_rules import RuleMode
from tests.applying import planned, save
from tests.azure_model import AzureModel, Ending
from tests.changing import OWNER, A, approve, changing, outcomes, performed
from tests.cleaning import APPLYING, JOB, ONE, PLANNED, TWO, cleaning, item_of, noted, toml, work_for
from tests.world import World

RULES: dict[str, dict[str, object]] = {"expired": {"mode": "report"}, "unattached-disk": {}}
TYPE = "Microsoft.Compute/disks"


def settings_of(content: bytes) -> tuple[Configuration, Cleanup]:
    configuration = configure(content, "steward.toml", {})
    settings = configuration.jobs[JOB]
    assert isinstance(settings, Cleanup)
    return configuration, settings


def removal_in(world: World, model: AzureModel) -> Removal:
    work = work_for(world, model, APPLYING)
    settings = work.configuration.jobs[JOB]
    assert isinstance(settings, Cleanup)
    return removal_of(work, settings)


def test_the_rules_that_are_on_with_the_settings_of_the_operator() -> None:
    _, settings = settings_of(toml(ONE, rules=RULES))

    rules = rules_of(settings)

    assert {name: (rule.name, own.mode) for name, (rule, own) in rules.items()} == {
        "expired": ("expired", RuleMode.REPORT),
        "unattached-disk": ("unattached-disk", RuleMode.APPROVE),
    }


def test_what_is_protected_is_what_the_operator_says_and_stewards_own_group() -> None:
    content = toml(ONE, protected_resource_groups=["rg-a"], protected_names=["b"], protected_tags=["c"])
    configuration, settings = settings_of(content)
    own = f"/subscriptions/{ONE}/resourceGroups/rg-steward"

    policy = policy_of(msgspec.structs.replace(configuration, own_resource_group=own), settings)

    assert policy == Policy(
        protected_resource_groups=("rg-a",), protected_names=("b",), protected_tags=("c",), own_resource_group=own
    )


def test_the_scope_is_that_of_the_configuration() -> None:
    """Whatever is in no resource group is out of it."""
    scope: dict[str, object] = {
        "exclude_subscriptions": [TWO],
        "exclude_resource_groups": ["rg-b"],
        "exclude_resource_types": ["Microsoft.Sql/*"],
    }
    world, model = cleaning(toml(ONE, scope=scope))
    removal = removal_in(world, model)
    group = f"/subscriptions/{ONE}/resourceGroups"

    assert list(removal.subscriptions) == [ONE]
    assert removal.includes(f"{group}/rg-a/providers/{TYPE}/one", TYPE)
    assert not removal.includes(f"{group}/rg-b/providers/{TYPE}/one", TYPE)
    assert not removal.includes(f"{group}/rg-a/providers/Microsoft.Sql/servers/one", "Microsoft.Sql/servers")
    assert not removal.includes(f"/subscriptions/{ONE}/providers/{TYPE}/one", TYPE)


def test_the_activity_log_is_asked_anew_for_all_it_keeps() -> None:
    """Whoever wrote to something since the last question counts."""
    asked: list[tuple[list[str], Span]] = []

    class Log:
        def writers(self, subscriptions: list[str], since: object, until: object) -> Evidence:
            asked.append((list(subscriptions), Span(since, until)))  # type: ignore[arg-type]  # compared as they are
            return no_evidence(asked[-1][1], "so it is")

    world, model = cleaning(toml(ONE))
    work = replace(work_for(world, model, APPLYING), activity=Log())  # type: ignore[arg-type]  # lists are collections
    settings = work.configuration.jobs[JOB]
    assert isinstance(settings, Cleanup)
    removal = removal_of(work, settings)

    first = removal.evidence(model.subs[ONE])
    begun = world.now
    world.pass_time(seconds=90)
    removal.evidence(model.subs[ONE])

    assert first == no_evidence(Span(begun - LONGEST_SPAN, begun), "so it is")
    assert asked == [([ONE], Span(at - LONGEST_SPAN, at)) for at in (begun, begun + timedelta(seconds=90))]


class Held:
    """Lets everything through, as the hand of one item of a plan."""

    plan, number = PLANNED, 3

    def __init__(self, begun_with: Tags | None = None) -> None:
        self.begun_with = begun_with

    def sleep(self, seconds: float) -> None:
        """Nobody waits."""

    def halted(self) -> bool:
        return True

    def may_write(self) -> None:
        """Everybody may."""

    def begin(self, before: Tags) -> None:
        """It is."""


class TestPending:
    """What Azure is still at is noted for the next run; what has ended is noted no more."""

    def scene(self) -> tuple[World, AzureModel, str]:
        world, model = cleaning(toml(ONE))
        return world, model, model.put(model.new_group(), "disk", "one")

    def act(self, world: World, model: AzureModel, own: str, hand: Held) -> Done:
        item = item_of(world, model, own)
        return delete(item, hand, removal_in(world, model), PendingDeletions(world.store))

    def note(self, world: World) -> Pending:
        """What another attempt has noted of this item."""
        known = Pending(
            plan=PLANNED,
            item=3,
            run="r",
            resource_id="/x",
            subscription_id=ONE,
            rule="unattached-disk",
            since=world.now - timedelta(minutes=5),
        )
        PendingDeletions(world.store).add(known)
        return known

    def test_what_azure_is_still_at(self) -> None:
        world, model, own = self.scene()
        model.endings[own.casefold()] = Ending(looks=10**6)

        done = self.act(world, model, own, Held())

        assert done.result is Result.DELETING
        assert noted(world.store) == [
            Pending(
                plan=PLANNED,
                item=3,
                run=APPLYING,
                resource_id=own,
                subscription_id=ONE,
                rule="unattached-disk",
                since=world.now,
                tombstone=f"tombstones/{PLANNED}/000003.json",
            )
        ]

    def test_what_is_noted_already_keeps_its_time(self) -> None:
        world, model, own = self.scene()
        model.endings[own.casefold()] = Ending(looks=10**6)
        known = self.note(world)

        assert self.act(world, model, own, Held()).result is Result.DELETING
        assert noted(world.store) == [known]

    def test_what_an_earlier_attempt_began_and_has_ended(self) -> None:
        world, model, own = self.scene()
        item = item_of(world, model, own)
        self.note(world)
        model.vanish(own)

        done = delete(item, Held(begun_with={}), removal_in(world, model), PendingDeletions(world.store))

        assert done.result is Result.DELETED
        assert noted(world.store) == []

    def test_what_nobody_began_before_is_not_forgotten(self) -> None:
        """Another run may have noted it, and follows it."""
        world, model, own = self.scene()
        known = self.note(world)
        model.tag(own)

        assert self.act(world, model, own, Held()).result is Result.SKIPPED
        assert noted(world.store) == [known]


def test_a_job_that_is_no_cleanup_deletes_nothing() -> None:
    """Whatever a plan in its name says: the thing is not even looked at."""
    world, _ = changing()
    item = msgspec.structs.replace(planned(A, OWNER, {}), action=Action.DELETE, change=None)
    plan = save(world.store, [item])

    run = performed(world, approve(world, plan))

    [outcome] = outcomes(world, run.id)
    assert (outcome.outcome, outcome.reason, outcome.writes) == (
        Result.SKIPPED,
        "job 'tag-audit' deletes nothing",
        0,
    )
