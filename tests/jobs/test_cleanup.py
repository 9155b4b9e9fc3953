"""cleanup through the worker: what it finds, watches, plans and says; and what becomes of what it deletes."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shared_code.eligibility import Decided
from shared_code.errors import AzureError, Refused
from shared_code.history import History
from shared_code.ledger import Entry, Ledgers
from shared_code.model import Finding
from shared_code.outcomes import Result
from shared_code.outputs import DECISIONS, DECISIONS_CSV, FINDINGS, FOLLOWED, OUTCOMES, OUTCOMES_CSV, REPORT, UPCOMING
from shared_code.pending_deletions import SOON
from shared_code.plan import MOST_BYTES, Action, Plans
from shared_code.runs import Mode, Run, RunStatus
from shared_code.snoozes import Snoozes, snooze_id
from shared_code.tag_rules import RuleMode
from tests.azure_model import FAULTS, AzureModel, Ending
from tests.changing import approve, counted, outcomes, output
from tests.cleaning import (
    JOB,
    ONE,
    ORPHANS,
    TWO,
    Act,
    Fault,
    ask,
    clean,
    cleaning,
    decided,
    followed,
    lines,
    pending,
    perform,
    plan_of,
    planned,
    tombstones,
    toml,
    watch,
)
from tests.stores import DeadAfter, Killed
from tests.world import World

CLEANUP = (FINDINGS, DECISIONS, DECISIONS_CSV, UPCOMING, REPORT)
DISK = "unattached-disk"
AUTOMATIC: dict[str, dict[str, object]] = {DISK: {"mode": "automatic"}}
PLACES = [f"{name} {ONE}" for name in ("groups", "resources", "lock pages", "denials")]
PLACES += [f"the end of {name}" for name in PLACES[:3]]


def disks(model: AzureModel, *names: str, subscription: int = 1, of: str = "rg-a", **more: Any) -> list[str]:
    """Disks that no machine uses, in one group."""
    group = model.new_group(of, subscription)
    return [model.put(group, "disk", name, **more) for name in names]


def entries(world: World, subscription: str = ONE) -> dict[str, Entry]:
    """What the ledger remembers, by rule and name."""
    found = Ledgers(world.store, JOB).entries(subscription)
    return {f"{each.rule} {each.resource_id.rsplit('/', 1)[1]}": each for each in found}


def words(world: World, run: Run) -> dict[str, str]:
    """What was decided, by name."""
    return {key.rsplit("/", 1)[1]: str(each.decision) for (key, _), each in decided(world, run).items()}


class TestFinds:
    def test_something_for_every_rule(self) -> None:
        """Findings, decisions, a ledger, a report; what is used is kept, and nothing is written to Azure."""
        world, model = cleaning()
        group = model.new_group()
        for kind in ("disk", "nic", "nsg", "ip", "plan", "pool"):
            model.put(group, kind, kind)
            model.put(group, kind, f"used-{kind}")
            model.attach([*model.things.values()][-1].id)
        model.new_group("rg-empty")
        model.put(group, "account", "old", tags={"Expires-On": "2026-11-01"})

        run = clean(world, model)

        assert (run.status, run.error) == (RunStatus.SUCCEEDED, None)
        assert run.outputs == CLEANUP
        found = lines(world, run.id, FINDINGS, Finding)
        assert {each.rule for each in found} == {*ORPHANS, "expired", "empty-resource-group"}
        # The interfaces that use a security group and an address are used by nothing themselves.
        assert sum(each.rule == "unattached-network-interface" for each in found) == 3
        assert {each.first_seen for each in found} == {run.started}
        assert {each.kind for each in found} == {"unused"}
        assert sorted(each.resource_id for each in found) == [each.resource_id for each in found]
        assert words(world, run) | {"one": "kept"} == {
            "disk": "planned",
            "old": "planned",
            **dict.fromkeys(("nic", "nsg", "ip", "plan", "pool", "rg-empty"), "waiting"),
            **{name: "waiting" for name in words(world, run) if name.startswith("new-")},
            **{name: "kept" for name in words(world, run) if name.startswith("used-")},
            "one": "kept",
        }
        assert run.counts["looked_at"] == sum(run.counts[each] for each in Decided)
        assert run.counts["new_findings"] == len(found) == len(entries(world))
        assert (model.sent, [*world.store.keys("applied")]) == ([], [])
        assert History(world.store, JOB).last(1)[0].new == len(found)

    def test_what_is_nested_in_it_is_planned_along(self) -> None:
        world, model = cleaning()
        [own] = disks(model, "one")
        nested = model.put(own, "account", "nested")

        run = clean(world, model)

        assert run.plan
        assert [each.members for each in Plans(world.store).get(run.plan).items] == [(nested,)]

    def test_nothing_is_planned_that_would_take_along_what_is_not_in_scope(self) -> None:
        """Such as a server whose databases the operator has excluded."""
        world, model = cleaning(toml(ONE, scope={"exclude_resource_types": ["Microsoft.Storage/*"]}))
        [own] = disks(model, "one")
        nested = model.put(own, "account", "nested")

        run = clean(world, model)

        assert (words(world, run), run.plan) == ({"one": "kept"}, None)
        [decision] = decided(world, run).values()
        assert decision.reasons == (f"'{nested}', which is in it, is not in scope",)

    def test_lesson_23_what_is_nested_in_it_protects_it(self) -> None:
        world, model = cleaning()
        [own] = disks(model, "one")
        model.put(own, "account", "nested", tags={"keep": "yes"})

        run = clean(world, model)

        assert words(world, run) == {"one": "kept"}
        [decision] = decided(world, run).values()
        assert "/nested', which is in it; any value but 'false' protects" in decision.reasons[0]

    def test_nothing(self) -> None:
        world, model = cleaning()
        model.put(model.new_group(), "account", "store")

        run = clean(world, model)

        assert (run.status, run.plan, run.counts["looked_at"]) == (RunStatus.SUCCEEDED, None, 0)
        assert "There is nothing to apply" in output(world, run.id, REPORT)

    def test_no_rule_is_on(self) -> None:
        world, model = cleaning(toml(ONE, rules={}))

        run = clean(world, model)

        assert (run.status, model.calls.total()) == (RunStatus.FAILED, 0)
        assert (run.error or "").startswith("No rule is on; name some")

    def test_one_resource_in_two_spellings_is_one(self) -> None:
        """Resource Graph and the lists differ in the case of ids."""
        world, model = cleaning(toml(ONE, rules={DISK: {}}))
        [own] = disks(model, "one")
        model.proposed = [own.upper(), own.replace("resourceGroups", "resourcegroups")]

        run = clean(world, model)

        assert len(decided(world, run)) == 1
        assert len(planned(world, run)) == 1

    def test_out_of_scope(self) -> None:
        world, model = cleaning(
            toml(ONE, scope={"exclude_resource_groups": ["rg-b"], "exclude_resource_types": ["*/serverfarms"]})
        )
        disks(model, "one"), disks(model, "two", of="rg-b")
        model.put(model.new_group("rg-c"), "plan", "plan")

        assert words(world, clean(world, model)) == {"one": "planned"}


class TestWatches:
    """The ledger over several runs."""

    def test_the_first_date_never_moves(self) -> None:
        world, model = cleaning()
        group = model.new_group()
        model.put(group, "nsg", "nsg")
        first = clean(world, model)
        assert first.started

        for day in range(1, 9):
            world.pass_time(days=1)
            run = clean(world, model)
            entry = entries(world)["unused-network-security-group nsg"]
            assert (entry.first_seen, entry.times_seen) == (first.started, day + 1)
            assert entry.last_seen == run.started
            assert (run.counts["new_findings"], run.counts["healed"]) == (0, 0)
            assert words(world, run) == {"nsg": "waiting" if day < 7 else "planned"}

    def test_it_waits_until_it_is_due(self) -> None:
        """`due` is a week after the first look, where only looking tells since when."""
        world, model = cleaning()
        model.put(model.new_group(), "ip", "ip")
        run = clean(world, model)
        assert run.started

        [decision] = decided(world, run).values()

        assert decision.decision is Decided.WAITING
        assert decision.due == run.started + timedelta(days=7)
        assert decision.reasons == (
            "it has been so since 2026-11-22T12:00:01Z, as far as it was watched; it must be for 7d",
        )

    @pytest.mark.parametrize("age", [0, 6.9])
    def test_lesson_3_what_is_young_is_not_planned(self, age: float) -> None:
        world, model = cleaning()
        disks(model, "one", age=age)
        model.things[[*model.things][-1]].since = world.now - timedelta(days=30)

        assert words(world, clean(world, model)) == {"one": "waiting"}

    def test_lesson_22_seen_often_enough(self) -> None:
        world, model = cleaning(toml(ONE, rules={DISK: {"minimum_observations": 3}}))
        disks(model, "one")

        seen = []
        for _ in range(3):
            seen.append(words(world, clean(world, model))["one"])
            world.pass_time(days=1)

        assert seen == ["waiting", "waiting", "planned"]

    def test_what_heals_is_forgotten_and_starts_anew(self) -> None:
        world, model = cleaning(toml(ONE, rules={DISK: {"minimum_observations": 2}}))
        [own] = disks(model, "one")
        clean(world, model)
        model.attach(own)
        world.pass_time(days=1)

        healed = clean(world, model)
        assert (healed.counts["healed"], entries(world), words(world, healed)) == (1, {}, {"one": "kept"})

        model.detach(own)
        world.pass_time(days=30)
        again = clean(world, model)
        assert (again.counts["new_findings"], words(world, again)) == (1, {"one": "waiting"})
        assert entries(world)[f"{DISK} one"].times_seen == 1

    def test_made_anew_under_the_same_name_starts_anew(self) -> None:
        world, model = cleaning(toml(ONE, rules={"unused-public-ip": {"minimum_age": "1d"}}))
        own = model.put(model.new_group(), "ip", "ip")
        clean(world, model)
        world.pass_time(days=30)
        model.recreate(own)
        world.pass_time(hours=1)

        run = clean(world, model)

        assert words(world, run) == {"ip": "waiting"}
        assert entries(world)["unused-public-ip ip"].first_seen == run.started

    @pytest.mark.parametrize("fault", sorted(FAULTS))
    def test_what_could_not_be_looked_at_has_not_healed(self, fault: str) -> None:
        """It keeps its first date, and is told as unread."""
        world, model = cleaning()
        [own] = disks(model, "one")
        first = clean(world, model)
        world.pass_time(days=1)
        model.script[f"target {own.casefold()}", 1] = [Fault(fault)]

        run = clean(world, model)

        assert (words(world, run), run.counts["healed"], run.plan) == ({"one": "unread"}, 0, None)
        assert entries(world)[f"{DISK} one"].first_seen == first.started
        assert (run.status, run.error) == (RunStatus.PARTIAL, "1 thing could not be looked at, and is kept.")

    def test_nor_what_is_around_it(self) -> None:
        world, model = cleaning()
        own = model.put(model.new_group(), "plan", "plan")
        clean(world, model)
        model.script[f"items {own.casefold()}/sites", 1] = [Fault("forbidden")]

        run = clean(world, model)

        assert (words(world, run), run.counts["healed"]) == ({"plan": "unread"}, 0)
        assert len(entries(world)) == 1

    def test_nor_what_is_in_a_group(self) -> None:
        """A group is asked for itself, whatever the list of the subscription says is in it."""
        world, model = cleaning(toml(ONE, rules={"empty-resource-group": {}}))
        group = model.new_group("rg-bare")
        clean(world, model)
        model.script[f"members {group.casefold()}", 1] = [Fault("forbidden")]

        run = clean(world, model)

        assert (words(world, run), run.counts["healed"]) == ({"rg-bare": "unread"}, 0)
        assert len(entries(world)) == 1

    def test_lesson_21_gone_since_it_was_listed(self) -> None:
        """There is nothing to say of it."""
        world, model = cleaning()
        [own] = disks(model, "one")
        clean(world, model)
        model.script[f"target {own.casefold()}", 1] = [Act("vanish", (own,))]

        run = clean(world, model)

        assert (run.status, words(world, run), run.counts["healed"]) == (RunStatus.SUCCEEDED, {}, 1)

    def test_a_rule_that_is_taken_away(self) -> None:
        """Nobody has mended anything, so it is not healed."""
        world, model = cleaning()
        disks(model, "one")
        clean(world, model)
        world.toml = toml(ONE, rules={"unused-public-ip": {}})

        run = clean(world, model)

        assert (run.counts["healed"], entries(world)) == (0, {})


class TestDecides:
    """Every way in which it can."""

    @pytest.mark.parametrize(
        ("happen", "decision", "reason"),
        [
            (lambda model, own: model.tag(own), "kept", "tag 'keep' = 'true' is on it"),
            (lambda model, own: model.tag(own, "Keep", ""), "kept", "tag 'Keep' (without a value) is on it"),
            (lambda model, own: model.tag(own, "keep", "false"), "planned", "it was created"),
            (lambda model, own: model.tag(group_of(own)), "kept", "is on its resource group 'rg-a'"),
            (lambda model, _: model.tag(ONE), "kept", "is on its subscription 'sub-1'"),
            (lambda model, own: model.lock(own), "kept", "lock 'l' (CanNotDelete) is on it"),
            (lambda model, own: model.lock(group_of(own)), "kept", "which is above it"),
            (lambda model, _: model.lock(f"/subscriptions/{ONE}"), "kept", "which is above it"),
            (lambda model, own: model.deny(own), "kept", "deny assignment 'd' is on"),
            (lambda model, own: model.attach(own), "kept", "it is managed by '/subscriptions/"),
            (lambda model, own: thing(model, own, state="Updating"), "kept", "is 'Updating', not 'Succeeded'"),
            (lambda model, own: thing(model, own, managed_by="test_admin"), "kept", "it is managed by 'test_admin'"),
            (lambda model, own: thing(model, own, created=model.clock()), "waiting", "the minimum age is 7d"),
            (lambda model, own: thing(model, own, since=model.clock()), "kept", "less than 7d ago"),
        ],
        ids=[
            "tag", "empty tag", "false", "tag of its group", "tag of its subscription", "lock", "lock at its group",
            "lock at its subscription", "denied", "attached", "changing", "managed", "young", "used lately",
        ],
    )  # fmt: skip
    def test_about_one_disk(self, happen: Callable[[AzureModel, str], None], decision: str, reason: str) -> None:
        world, model = cleaning()
        [own] = disks(model, "one")
        happen(model, own)

        run = clean(world, model)

        assert words(world, run) == {"one": decision}
        [made] = decided(world, run).values()
        assert reason in "; ".join(made.reasons)
        assert run.counts[decision] == 1
        assert (run.plan is None) == (decision != "planned")

    def test_what_manages_a_resource_group_is_kept(self) -> None:
        """Azure would delete that group along, with things in it that nobody looked at."""
        world, model = cleaning()
        own, *_ = disks(model, "one", "two")
        model.new_group("rg-managed", managed_by=own)

        run = clean(world, model)

        assert words(world, run) == {"one": "kept", "two": "planned", "rg-managed": "kept"}
        managed = f"/subscriptions/{ONE}/resourceGroups/rg-managed"
        reasons = {key: made.reasons for (key, _), made in decided(world, run).items()}
        assert reasons[own.casefold()] == (f"Azure would delete resource group '{managed}' along, which it manages",)

    def test_what_protects_is_honoured_at_once(self) -> None:
        """However long it was watched before; the ledger goes on."""
        world, model = cleaning()
        [own] = disks(model, "one")
        assert words(world, clean(world, model)) == {"one": "planned"}
        world.pass_time(days=1)
        model.tag(own)

        run = clean(world, model)

        assert (words(world, run), run.counts["healed"], run.plan) == ({"one": "kept"}, 0, None)
        assert entries(world)[f"{DISK} one"].times_seen == 2

    @pytest.mark.parametrize("mode", ["report", "notify"])
    def test_a_rule_that_only_tells(self, mode: str) -> None:
        world, model = cleaning(toml(ONE, rules={DISK: {"mode": mode}}))
        disks(model, "one")

        run = clean(world, model)

        assert (words(world, run), run.plan) == ({"one": "reported"}, None)

    def test_a_date_that_nobody_can_read(self) -> None:
        """Somebody should mend it, so it is a finding that is never planned."""
        world, model = cleaning()
        model.put(model.new_group(), "account", "old", tags={"delete-after": "03/04/2026"})

        run = clean(world, model)

        assert words(world, run) == {"old": "reported"}
        assert [each.kind for each in lines(world, run.id, FINDINGS, Finding)] == ["unreadable"]

    def test_snoozed(self) -> None:
        """Until its time, and for that rule alone; the ledger goes on meanwhile."""
        world, model = cleaning()
        own, other = disks(model, "one", "two")
        snoozes = Snoozes(world.store)
        given = {"by": "operator@example.com", "reason": "not yet", "now": world.now}
        snoozes.set(DISK, own.upper(), until="2026-11-30", **given)  # type: ignore[arg-type]  # as they are
        snoozes.set("expired", other, until="2026-11-30", **given)  # type: ignore[arg-type]  # as they are

        run = clean(world, model)
        assert words(world, run) == {"one": "snoozed", "two": "planned"}
        world.pass_time(days=9)
        assert words(world, clean(world, model)) == {"one": "planned", "two": "planned"}

    def test_a_snooze_that_cannot_be_read_counts(self) -> None:
        world, model = cleaning()
        [own] = disks(model, "one")
        world.store.write(f"snoozes/{snooze_id(DISK, own)}.json", b"{")

        run = clean(world, model)

        assert (words(world, run), run.plan) == ({"one": "snoozed"}, None)

    def test_what_is_in_a_planned_group_is_left_to_the_group(self) -> None:
        world, model = cleaning()
        group = model.new_group(tags={"delete-after": "2026-11-01"})
        model.put(group, "disk", "one")
        model.put(model.new_group("rg-a-b"), "disk", "two")

        run = clean(world, model)

        assert words(world, run) == {"rg-a": "planned", "one": "kept", "two": "planned"}
        reasons = [each.reasons for (key, _), each in decided(world, run).items() if key.endswith("one")]
        assert reasons == [("its resource group is planned as a whole",)]
        assert sorted(own.rsplit("/", 1)[1] for own in planned(world, run)) == ["rg-a", "two"]

    def test_what_is_in_a_kept_group_is_not(self) -> None:
        """A disk may go, though its group has to stay."""
        world, model = cleaning()
        group = model.new_group(tags={"delete-after": "2026-11-01"})
        model.put(group, "disk", "one")
        model.put(group, "account", "store", tags={"keep": "yes"})

        assert words(world, clean(world, model)) == {"rg-a": "kept", "one": "planned"}

    def test_a_group_with_something_in_it_that_is_not_in_scope(self) -> None:
        """It would go with the group, and was never to be touched."""
        world, model = cleaning(toml(ONE, scope={"exclude_resource_types": ["Microsoft.Storage/*"]}))
        group = model.new_group(tags={"delete-after": "2026-11-01"})
        model.put(group, "account", "store")

        run = clean(world, model)

        assert (words(world, run), run.plan) == ({"rg-a": "kept"}, None)
        [made] = decided(world, run).values()
        assert made.reasons == (
            f"'{group}/providers/Microsoft.Storage/storageAccounts/store', which is in it, is not in scope",
        )


def group_of(own: str) -> str:
    return own[: own.index("/providers/")]


def thing(model: AzureModel, own: str, **values: object) -> None:
    for name, value in values.items():
        setattr(model.things[own.casefold()], name, value)


def perform_plan(world: World, model: AzureModel, run: Run, **order: Any) -> Run:
    """Approve the plan of a run, and carry it out."""
    return perform(world, model, approve(world, plan_of(world, run), **order))


class TestPlans:
    def test_an_item_says_all_that_matters(self) -> None:
        world, model = cleaning(toml(ONE, rules={"unattached-network-interface": {"minimum_age": "1d"}}))
        own = model.put(model.new_group(), "nic", "nic", tags={"env": "dev"})
        first = clean(world, model)
        assert first.started
        world.pass_time(days=2)
        run = clean(world, model)

        [item] = plan_of(world, run).items
        assert (item.resource_id, item.subscription_id, item.action, item.mode) == (
            own,
            ONE,
            Action.DELETE,
            RuleMode.APPROVE,
        )
        assert (item.type, item.rule, item.stage) == (
            "Microsoft.Network/networkInterfaces",
            "unattached-network-interface",
            20,
        )
        assert (item.reason, item.seen) == ("no machine, endpoint or service uses it", {"env": "dev"})
        assert item.evidence == {"mac": "00-0D-3A-00-00-00", "addresses": "10.0.0.4"}
        assert item.observed
        assert (item.observed.first_seen, item.observed.last_seen, item.observed.times_seen) == (
            first.started,
            run.started,
            2,
        )
        assert item.definition["id"] == own
        assert item.definition["properties"]["macAddress"] == "00-0D-3A-00-00-00"

    def test_counts_by_type_what_is_in_scope(self) -> None:
        """For the limit on the share; nothing is counted where it could not be read."""
        world, model = cleaning(toml(ONE, scope={"exclude_resource_groups": ["rg-no"]}))
        disks(model, "one", "two", "three")
        model.put(model.new_group("rg-b"), "account", "store")
        disks(model, "no", of="rg-no")
        disks(model, "four", subscription=2)
        model.script[f"locks {TWO}", 0] = [Fault("trouble")]

        run = clean(world, model)

        assert plan_of(world, run).read == {
            ONE: {
                "microsoft.compute/disks": 3,
                "microsoft.storage/storageaccounts": 1,
                "microsoft.resources/resourcegroups": 2,
            },
            TWO: {"microsoft.compute/disks": 1},
        }

    @pytest.mark.parametrize("fault", ["forbidden", "trouble", "unreadable"])
    @pytest.mark.parametrize("place", PLACES)
    def test_lesson_1_nothing_where_a_list_could_not_be_read(self, place: str, fault: str) -> None:
        """The other subscription is cleaned up; here nothing is looked at, nothing heals, and the run is partial."""
        world, model = cleaning()
        disks(model, "one"), disks(model, "two", subscription=2)
        model.new_group("rg-empty")
        first = clean(world, model)
        assert len(planned(world, first)) == 2
        world.pass_time(days=30)
        model.script[place, model.calls[place]] = [Fault(fault)]

        run = clean(world, model)

        assert run.status is RunStatus.PARTIAL
        assert (run.error or "").startswith(f"Not read completely: sub-1 ({ONE}): {FAULTS[fault]()}")
        assert words(world, run) == {"two": "planned"}
        assert [item.subscription_id for item in plan_of(world, run).items] == [TWO]
        assert run.counts["healed"] == 0
        assert entries(world)[f"{DISK} one"].first_seen == first.started

    def test_lesson_19_nothing_where_resource_graph_could_not_be_read(self) -> None:
        world, model = cleaning()
        disks(model, "one"), disks(model, "two", subscription=2)
        model.put(model.new_group("rg-b"), "account", "old", tags={"delete-after": "2026-11-01"})
        model.graph_down = {ONE: "the answer was cut off"}

        run = clean(world, model)

        assert (run.status, words(world, run)) == (RunStatus.PARTIAL, {"two": "planned"})
        assert "could not be read: the answer was cut off" in (run.error or "")

    def test_lesson_21_resource_graph_only_proposes(self) -> None:
        """What it says is unused and is in use, gone, or not what the rule is about, is looked at and left."""
        world, model = cleaning()
        used, gone = disks(model, "used", "gone")
        account = model.put(group_of(used), "account", "store")
        model.attach(used)
        model.vanish(gone)
        model.proposed = [used, gone, account, f"/subscriptions/{ONE}/resourceGroups/rg-a", "nonsense " + ONE]

        run = clean(world, model)

        assert (run.status, run.plan) == (RunStatus.SUCCEEDED, None)
        assert set(words(world, run).values()) == {"kept"}

    def test_what_resource_graph_does_not_know_yet_waits_for_the_next_run(self) -> None:
        world, model = cleaning()
        [own] = disks(model, "one")
        model.missed = {own.casefold()}

        assert words(world, clean(world, model)) == {}

    def test_no_subscription_can_be_listed(self) -> None:
        world, model = cleaning()
        model.script["subscriptions", 0] = [Fault("trouble")]

        run = clean(world, model)

        assert (run.status, run.error, run.plan) == (RunStatus.FAILED, "503", None)

    def test_only_where_it_was_asked_to(self) -> None:
        world, model = cleaning()
        disks(model, "one"), disks(model, "two", subscription=2)

        run = clean(world, model, TWO)

        assert words(world, run) == {"two": "planned"}
        assert plan_of(world, run).scope == run.scope

    def test_what_has_no_room_in_the_plan_is_counted_and_told(self) -> None:
        """A plan that is silently cut would be taken for all there is to do."""
        world, model = cleaning()
        disks(model, *(f"disk-{number}" for number in range(6)), tags={"note": "x" * (MOST_BYTES // 5)})

        run = clean(world, model)

        held = len(plan_of(world, run).items)
        assert (run.counts["planned"], run.counts["planned_changes"], run.counts["not_planned"]) == (6, held, 6 - held)
        assert 0 < held < 6
        assert f"{6 - held} of these have no room in the plan" in output(world, run.id, REPORT)

    def test_what_has_room_leaves_no_word(self) -> None:
        world, model = cleaning()
        disks(model, "one")

        run = clean(world, model)

        assert "not_planned" not in run.counts
        assert "no room in the plan" not in output(world, run.id, REPORT)


class TestApproved:
    """A person applies the plan."""

    def test_what_is_approved_is_deleted(self) -> None:
        world, model = cleaning()
        owns = disks(model, "one", "two", "three")
        model.attach(owns[2])

        run = perform_plan(world, model, clean(world, model))

        assert (run.status, run.error, counted(run)) == (RunStatus.SUCCEEDED, None, {"deleted": 2})
        assert run.outputs == (OUTCOMES, OUTCOMES_CSV, REPORT)
        assert {key.rsplit("/", 1)[1] for key, _ in model.sent} == {"one", "two"}
        assert {each.resource_id for each in tombstones(world.store)} == set(owns[:2])
        assert "deleted" in output(world, run.id, OUTCOMES_CSV)

    def test_only_what_was_named(self) -> None:
        world, model = cleaning()
        owns = disks(model, "one", "two", "three")
        model.attach(owns[2])

        run = perform_plan(world, model, clean(world, model), only=(owns[1].upper(),))

        assert [each.resource_id for each in outcomes(world, run.id)] == [owns[1]]
        assert owns[0].casefold() in model.things

    def test_lesson_6_one_that_fails_leaves_the_others_alone(self) -> None:
        world, model = cleaning()
        owns = disks(model, "one", "two", "three")
        model.attach(owns[2])
        plan = clean(world, model)
        model.endings[owns[0].casefold()] = Ending(answers=("forbidden",))

        run = perform_plan(world, model, plan)

        assert (run.status, counted(run)) == (RunStatus.FAILED, {"deleted": 1, "failed": 1})
        assert run.error == f"Not deleted as planned: {owns[0]}: it is still there: no role"

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (toml(ONE, max_deletions=2), "3 deletions are more than the limit of 2 (max_deletions)"),
            (
                toml(ONE, max_share=0.4),
                f"of 3 Microsoft.Compute/disks of 5 read in subscription '{ONE}' are more than the limit of 2 (max",
            ),
            (toml(TWO), f"Subscription '{ONE}' is not armed"),
            (toml(), f"Subscription '{ONE}' is not armed"),
            (toml(ONE, protected_names=["x"]), "The rules or the scope in steward.toml are no longer those"),
            (toml(ONE, protected_tags=["x"]), "The rules or the scope in steward.toml are no longer those"),
            (toml(ONE, protected_resource_groups=["x"]), "The rules or the scope in steward.toml are no longer those"),
            (toml(ONE, rules=AUTOMATIC), "The rules or the scope in steward.toml are no longer those"),
            (toml(ONE, delete_window="01:00-02:00"), "jobs.cleanup.delete_window is 01:00-02:00 (UTC)"),
        ],
        ids=["count", "share", "not armed", "none armed", "names", "tags", "groups", "rules", "window"],
    )
    def test_refused(self, content: bytes, said: str) -> None:
        """At once, and nothing is written; the same where it is found only when the run begins."""
        world, model = cleaning(toml(ONE))
        owns = disks(model, *"abcde")
        model.attach(owns[3])
        model.attach(owns[4])
        plan = clean(world, model)
        queued = approve(world, plan_of(world, plan))
        world.toml = content

        with pytest.raises(Refused) as refused:
            approve(world, plan_of(world, plan))
        run = perform(world, model, queued)

        assert said in str(refused.value)
        assert (run.status, run.outputs) == (RunStatus.REFUSED, ())
        assert said in (run.error or "")
        assert (model.sent, tombstones(world.store), [*world.store.keys("applied")]) == ([], [], [])

    def test_one_always_may(self) -> None:
        """There is no smaller deletion; of what was read, not of what is new."""
        world, model = cleaning(toml(ONE, max_share=0.01))
        disks(model, "one")

        assert counted(perform_plan(world, model, clean(world, model))) == {"deleted": 1}

    def test_small_pieces_are_as_much_as_the_whole(self) -> None:
        """What was applied of the plan before counts too."""
        world, model = cleaning(toml(ONE, max_deletions=2))
        owns = disks(model, *"abcde")
        plan = clean(world, model)
        assert counted(perform_plan(world, model, plan, only=owns[:2])) == {"deleted": 2}

        with pytest.raises(Refused, match="3 deletions are more than the limit of 2"):
            perform_plan(world, model, plan, only=owns[2:3])

    def test_expired(self) -> None:
        world, model = cleaning()
        disks(model, "one")
        plan = clean(world, model)
        world.pass_time(hours=72)

        with pytest.raises(Refused, match="expired at"):
            perform_plan(world, model, plan)

    def test_stopped(self) -> None:
        world, model = cleaning()
        disks(model, "one")
        queued = approve(world, plan_of(world, clean(world, model)))
        world.stop().set("operator@example.com", "wait")

        run = perform(world, model, queued)

        assert (run.status, model.sent) == (RunStatus.REFUSED, [])

    def test_lesson_5_nothing_was_done_and_it_says_so(self) -> None:
        """Everything in the plan is kept by now: skipped, each with its reason, and no failure."""
        world, model = cleaning()
        [own] = disks(model, "one")
        plan = clean(world, model)
        model.lock(own)
        world.pass_time(minutes=1)

        run = perform_plan(world, model, plan)

        assert (run.status, counted(run)) == (RunStatus.SUCCEEDED, {"skipped": 1})
        [outcome] = outcomes(world, run.id)
        assert (outcome.reason or "").startswith("kept: lock 'l'")

    def test_what_is_in_scope_cannot_be_listed(self) -> None:
        world, model = cleaning()
        disks(model, "one")
        queued = approve(world, plan_of(world, clean(world, model)))
        model.script["subscriptions", model.calls["subscriptions"]] = [Fault("trouble")]

        run = perform(world, model, queued)

        assert (run.status, run.error, model.sent) == (RunStatus.FAILED, "503", [])


class TestAutomatic:
    """The run applies what its own plan has of automatic rules, in armed subscriptions, at the second look."""

    def test_deletes_and_reports(self) -> None:
        world, model = cleaning(toml(ONE, mode="apply", rules={**AUTOMATIC, "expired": {}}))
        disks(model, "one"), disks(model, "two", subscription=2)
        model.put(model.new_group("rg-b"), "account", "old", tags={"delete-after": "2026-11-01"})
        model.put(model.new_group("rg-c"), "account", "other")
        watch(world, model)

        run = clean(world, model, mode=Mode.APPLY)

        assert (run.status, run.error) == (RunStatus.SUCCEEDED, None)
        assert run.outputs == (*CLEANUP, OUTCOMES, OUTCOMES_CSV)
        assert words(world, run) == {"one": "planned", "two": "planned", "old": "planned"}
        assert [key.rsplit("/", 1)[1] for key, _ in model.sent] == ["one"]
        assert (run.counts["deleted"], run.counts["automatic_not_armed"], run.counts["planned_changes"]) == (1, 1, 3)
        # What needs a person is still in the plan.
        [old] = [own for own in planned(world, run) if own.endswith("/old")]
        assert counted(perform_plan(world, model, run, only=(old,))) == {"deleted": 1}

    def test_what_cannot_be_made_anew_needs_a_person(self) -> None:
        """Unless the operator says otherwise, which is how the test above deletes a disk."""
        world, model = cleaning(toml(ONE, mode="apply"))
        disks(model, "one")

        run = clean(world, model, mode=Mode.APPLY)

        assert (run.counts["planned"], run.counts["deleted"], model.sent) == (1, 0, [])

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (toml(ONE, mode="apply", rules=AUTOMATIC, max_deletions=2), "are more than the limit of 2"),
            (toml(ONE, mode="apply", rules=AUTOMATIC, max_share=0.2), "are more than the limit of 1"),
            (toml(ONE, rules=AUTOMATIC), "jobs.cleanup.mode is 'plan'"),
            (toml(mode="apply", rules=AUTOMATIC), "Job 'cleanup' has no armed subscription"),
            (toml(ONE, mode="apply", rules=AUTOMATIC, delete_window="01:00-02:00"), "delete_window is 01:00-02:00"),
        ],
        ids=["count", "share", "mode", "not armed", "window"],
    )
    def test_refused_and_the_plan_stands(self, content: bytes, said: str) -> None:
        """A person may still look at it."""
        world, model = cleaning(toml(ONE, mode="apply", rules=AUTOMATIC))
        owns = disks(model, *"abcde")
        model.attach(owns[4])
        watch(world, model)
        asked = ask(world, mode=Mode.APPLY)
        world.toml = content

        run = perform(world, model, asked)

        assert (run.status, run.outputs, run.counts["planned_changes"]) == (RunStatus.REFUSED, CLEANUP, 4)
        assert said in (run.error or "")
        assert said in output(world, run.id, REPORT).replace("&#39;", "'")
        assert (model.sent, [*world.store.keys("applied")]) == ([], [])
        assert Plans(world.store).get(run.id).items

    def test_a_partial_reading(self) -> None:
        """What was read is cleaned up, and the run stays partial."""
        world, model = cleaning(toml(ONE, TWO, mode="apply", rules=AUTOMATIC))
        disks(model, "one"), disks(model, "two", subscription=2)
        watch(world, model)
        model.script[f"denials {ONE}", 1] = [Fault("forbidden")]

        run = clean(world, model, mode=Mode.APPLY)

        assert (run.status, run.counts["deleted"]) == (RunStatus.PARTIAL, 1)
        assert [key.rsplit("/", 1)[1] for key, _ in model.sent] == ["two"]

    def test_subscriptions_cannot_be_listed_again(self) -> None:
        """Then nothing is deleted; what was read and planned stands."""
        world, model = cleaning(toml(ONE, mode="apply", rules=AUTOMATIC))
        disks(model, "one")
        watch(world, model)
        model.script["subscriptions", 2] = [Fault("throttled")]

        run = clean(world, model, mode=Mode.APPLY)

        assert (run.status, run.error) == (RunStatus.FAILED, "Its plan could not be applied: 429")
        assert (run.outputs, run.counts["planned_changes"], model.sent) == (CLEANUP, 1, [])

    def test_nothing_is_in_scope_any_more(self) -> None:
        """Its roles were taken away between the two readings: the same."""
        world, model = cleaning(toml(ONE, mode="apply", rules=AUTOMATIC))
        disks(model, "one")
        watch(world, model)
        model.script["subscriptions", 2] = [lambda azure: azure.subs.clear()]

        run = clean(world, model, mode=Mode.APPLY)

        assert run.status is RunStatus.FAILED
        assert (run.error or "").startswith("Its plan could not be applied: ")
        assert (run.outputs, run.counts["planned_changes"], model.sent) == (CLEANUP, 1, [])

    def test_the_next_run_finds_nothing_left(self) -> None:
        world, model = cleaning(toml(ONE, mode="apply", rules=AUTOMATIC))
        disks(model, "one")
        watch(world, model)
        assert clean(world, model, mode=Mode.APPLY).counts["deleted"] == 1

        run = clean(world, model, mode=Mode.APPLY)

        assert (run.status, run.plan, run.counts["healed"], entries(world)) == (RunStatus.SUCCEEDED, None, 1, {})


class TestFollowsUp:
    """What Azure was still at when a run ended is looked at by the next one, and its end is said once."""

    def scene(self, content: bytes | None = None) -> tuple[World, AzureModel, str]:
        """A disk whose deletion takes longer than the run that asked for it."""
        world, model = cleaning(content)
        [own] = disks(model, "one")
        plan = clean(world, model)
        model.endings[own.casefold()] = Ending(looks=10_000)
        run = perform_plan(world, model, plan)
        assert (run.status, counted(run)) == (RunStatus.SUCCEEDED, {"deleting": 1})
        assert pending(world) == [own]
        return world, model, own

    def test_deleted(self) -> None:
        world, model, own = self.scene()
        model.vanish(own)

        run = clean(world, model)

        [told] = followed(world, run)
        assert (told.pending.resource_id, told.outcome, told.reason) == (own, Result.DELETED, "it is gone")
        assert (run.status, run.counts["followed_deleted"], FOLLOWED in run.outputs) == (RunStatus.SUCCEEDED, 1, True)
        assert "it is gone" in output(world, run.id, REPORT)
        again = clean(world, model)
        assert (pending(world), followed(world, again)) == ([], [])

    def test_failed(self) -> None:
        """The run that finds out fails, though all else went well; the next one does not."""
        world, model, own = self.scene()
        thing(model, own, state="Succeeded")
        model._leaving.clear()
        world.pass_time(seconds=SOON.total_seconds() + 1)

        run = clean(world, model)

        assert (run.status, run.counts["followed_failed"]) == (RunStatus.FAILED, 1)
        assert run.error == (
            f"A deletion of an earlier run has failed: {own}: its deletion was begun, and Azure has not shown that "
            "it is done; Azure still shows it"
        )
        assert words(world, run) == {"one": "planned"}
        again = clean(world, model)
        assert (again.status, followed(world, again)) == (RunStatus.SUCCEEDED, [])

    def test_another_of_its_name_was_made_since(self) -> None:
        """What is there now is not what was deleted, and no failure."""
        world, model, own = self.scene()
        model._leaving.clear()
        world.pass_time(seconds=SOON.total_seconds() + 1)
        thing(model, own, state="Succeeded", created=world.now)

        run = clean(world, model)

        [told] = followed(world, run)
        assert (told.outcome, told.reason) == (Result.DELETED, "it is gone, and another of its name was made since")
        assert pending(world) == []

    def test_still_deleting(self) -> None:
        """It is looked at again by the next run, and by the one after that."""
        world, model, own = self.scene()

        for _ in range(2):
            run = clean(world, model)
            [told] = followed(world, run)
            assert (told.outcome, told.reason) == (Result.DELETING, "Azure is still deleting it")
            assert (run.status, run.counts["followed_deleting"]) == (RunStatus.SUCCEEDED, 1)
            assert words(world, run) == {"one": "kept"}
        assert pending(world) == [own]

    def test_shown_as_if_nothing_were_for_a_while(self) -> None:
        """Readings lag, so it has not failed yet."""
        world, model, own = self.scene()
        thing(model, own, state="Succeeded")
        model._leaving.clear()

        run = clean(world, model)

        assert [each.outcome for each in followed(world, run)] == [Result.DELETING]
        [made] = decided(world, run).values()
        assert (made.decision, made.reasons) == (
            "kept",
            ("an earlier run began to delete it, and its end is not known",),
        )
        assert run.plan is None

    def test_nobody_believes_in_it_for_ever(self) -> None:
        world, model, _ = self.scene()
        world.pass_time(days=1, seconds=1)

        run = clean(world, model)

        assert (run.status, pending(world)) == (RunStatus.FAILED, [])

    @pytest.mark.parametrize("fault", sorted(FAULTS))
    def test_nobody_can_tell(self, fault: str) -> None:
        """It is neither deleted nor failed."""
        world, model, own = self.scene()
        model.vanish(own)
        place = f"target {own.casefold()}"
        model.script[place, model.calls[place]] = [Fault(fault)]

        [told] = followed(world, clean(world, model))

        assert told.outcome is Result.DELETING
        assert told.reason == f"nobody can tell whether it is there: {FAULTS[fault]()}"
        assert pending(world) == [own]

    def test_one_that_cannot_be_understood_is_told(self) -> None:
        """And the others are followed up."""
        world, model, own = self.scene()
        model.vanish(own)
        world.store.write("deleting/x.json", b"{")

        run = clean(world, model)

        assert run.status is RunStatus.PARTIAL
        assert (run.error or "").startswith("The pending deletion 'deleting/x.json' cannot be read")
        assert [each.outcome for each in followed(world, run)] == [Result.DELETED]

    @pytest.mark.parametrize("call", range(1, 47, 3))
    def test_its_end_is_said_once_wherever_the_run_dies(self, call: int) -> None:
        """The record of the run says it, whichever attempt has seen it."""
        world, model, own = self.scene()
        model.vanish(own)
        run = ask(world)
        model.run = run.id
        with pytest.raises(Killed):
            world.worker("process-2", store=DeadAfter(world.store, call)).perform(run.id)
        world.dead.add("process-2")

        ended = perform(world, model, run)

        assert [each.outcome for each in followed(world, ended)] == [Result.DELETED]
        assert ended.counts["followed_deleted"] == 1
        assert (pending(world), followed(world, clean(world, model))) == ([], [])

    def test_what_this_very_run_began_is_not_that_of_an_earlier_one(self) -> None:
        """An attempt that died while it applied has noted it; the outcomes tell of it, and the next run follows it."""
        world, model = cleaning(toml(ONE, mode="apply", rules=AUTOMATIC))
        [own] = disks(model, "one")
        model.endings[own.casefold()] = Ending(looks=10_000)
        watch(world, model)
        run = ask(world, mode=Mode.APPLY)
        model.run = run.id

        class DiesWithTheNote(DeadAfter):
            def create(self, key: str, data: bytes) -> str:
                written = self._inner.create(key, data)
                if key.startswith("deleting/"):
                    self._left = 0
                    raise Killed
                return written

        with pytest.raises(Killed):
            world.worker("process-2", store=DiesWithTheNote(world.store, 10_000)).perform(run.id)
        world.dead.add("process-2")
        noted = len(pending(world))
        model.vanish(own)

        ended = perform(world, model, run)

        assert noted == 1
        assert [each.outcome for each in outcomes(world, ended.id)] == [Result.DELETED]
        assert (followed(world, ended), pending(world)) == ([], [])


HOSTILE = ["=cmd|'/c calc'!A1", "<script>alert(1)</script>", "@SUM(A1)", '"><img src=x onerror=alert(1)>', "a\u202eb"]


class TestReports:
    """Names and tags come from strangers."""

    @pytest.mark.parametrize("name", HOSTILE)
    def test_hostile_names(self, name: str) -> None:
        """Nothing is run in a browser or a spreadsheet, and every line is one line."""
        world, model = cleaning()
        group = model.new_group()
        model.put(group, "account", "one", tags={"delete-after": name})
        model.put(group, "disk", name.replace("/", "-"))
        model.subs[ONE] = type(model.subs[ONE])(ONE, name, "Enabled")

        run = clean(world, model)

        page = output(world, run.id, REPORT)
        assert "<script>alert" not in page
        assert "<img" not in page
        text = output(world, run.id, DECISIONS_CSV)
        read = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
        assert len(read) == run.counts["looked_at"] == 2
        assert not any(cell.startswith(("=", "+", "-", "@")) for row in read for cell in row.values())
        assert text.count("\r\n") == 3

    def test_the_page_says_what_was_decided(self) -> None:
        world, model = cleaning()
        own, young = disks(model, "one", "young")
        thing(model, young, created=world.now)

        page = output(world, clean(world, model).id, REPORT)

        assert page.startswith("<!doctype html>")
        assert own in page
        assert "the minimum age is 7d" in page


class TestResumed:
    """A run that dies, or is out of time, goes on where it was."""

    def test_what_was_read_is_not_read_again(self) -> None:
        world, model = cleaning(toml(ONE, TWO, mode="apply", rules=AUTOMATIC))
        owns = [*disks(model, "one"), *disks(model, "two", subscription=2)]
        watch(world, model)
        run = ask(world, mode=Mode.APPLY)
        model.run = run.id

        def die(_: object) -> None:
            raise Killed

        model.on_delete = die
        with pytest.raises(Killed):
            world.worker("process-2").perform(run.id)
        world.dead.add("process-2")
        model.on_delete = lambda _: None
        listed, sent = model.calls[f"resources {ONE}"], len(model.sent)
        for own in {key for key, _ in model.sent}:
            model.vanish(own)

        ended = perform(world, model, run)

        assert (listed, model.calls[f"resources {ONE}"]) == (2, 2)
        assert (ended.status, ended.attempt, ended.counts["deleted"]) == (RunStatus.SUCCEEDED, 2, 2)
        assert len(model.sent) == 2 >= sent
        assert [each.outcome for each in outcomes(world, ended.id)] == [Result.DELETED] * 2
        assert {each.resource_id for each in tombstones(world.store)} == set(owns)
        assert ended.counts["new_findings"] == 0


def test_the_model_tells_the_truth_about_errors() -> None:
    """Every fault that the tests use is one of Azure."""
    assert all(isinstance(make(), AzureError) for make in FAULTS.values())


class TestAccidents:
    """What went wrong elsewhere, from the list to the delete."""

    def test_lesson_2_the_disk_of_a_pod_that_restarts(self) -> None:
        """It is detached for a while, and marked by its cluster."""
        world, model = cleaning()
        disks(model, "pvc-1"), disks(model, "data", of="MC_group_cluster_region")
        [tagged] = disks(model, "tagged", of="rg-b", tags={"kubernetes.io-created-for-pvc-name": "x"})

        run = clean(world, model)

        assert words(world, run) == {"pvc-1": "kept", "data": "kept", "tagged": "kept"}
        assert tagged not in planned(world, run)

    def test_lesson_4_a_run_can_only_narrow_the_scope(self) -> None:
        """What the caller names and the configuration leaves out is neither read nor planned."""
        world, model = cleaning(toml(ONE, scope={"subscriptions": [ONE]}))
        disks(model, "one"), disks(model, "two", subscription=2)

        run = clean(world, model, ONE, TWO)

        assert (run.status, words(world, run)) == (RunStatus.PARTIAL, {"one": "planned"})
        assert not model.calls[f"resources {TWO}"]

    def test_lesson_20_what_is_remembered_has_any_spelling(self) -> None:
        """Azure spells the same id in another way each day; the ledger knows it all the same."""
        world, model = cleaning()
        [own] = disks(model, "one")
        first = clean(world, model)
        thing(model, own, id=own.replace("resourceGroups", "RESOURCEGROUPS"))
        world.pass_time(days=1)

        run = clean(world, model)

        assert (run.counts["new_findings"], run.counts["healed"]) == (0, 0)
        assert entries(world)[f"{DISK} one"].first_seen == first.started
        assert counted(perform_plan(world, model, run)) == {"deleted": 1}

    @pytest.mark.parametrize("place", ["on it", "group", "subscription"])
    @pytest.mark.parametrize("kind", ["disk", "nic", "nsg", "ip", "plan", "pool", "group"])
    def test_lesson_23_the_tag_protects_every_type(self, kind: str, place: str) -> None:
        """On the thing, its group and its subscription; when it is planned, and when it is to be deleted."""
        world, model = cleaning()
        group = model.new_group()
        own = group if kind == "group" else model.put(group, kind, "one")
        clean(world, model)
        world.pass_time(days=9)
        before = clean(world, model)
        assert own in planned(world, before)

        model.tag({"on it": own, "group": group, "subscription": ONE}[place])
        applied = perform_plan(world, model, before)
        after = clean(world, model)

        assert (counted(applied), model.sent, tombstones(world.store)) == ({"skipped": 1}, [], [])
        assert own not in planned(world, after)

    def test_lesson_25_a_group_that_vanishes_does_not_end_the_run(self) -> None:
        """Nor does one that is locked: each is left, and the others are cleaned up."""
        world, model = cleaning()
        one, two, three = (disks(model, name, of=f"rg-{name}")[0] for name in ("one", "two", "three"))
        plan = clean(world, model)
        model.script[f"target {one.casefold()}", 1] = [Act("vanish", (group_of(one),))]
        model.lock(group_of(two))
        world.toml = toml(ONE, TWO)

        with pytest.raises(Refused, match="more than the limit of 2"):
            perform_plan(world, model, plan)
        run = perform_plan(world, model, plan, only=(one, two))

        assert counted(run) == {"skipped": 2}
        assert three.casefold() in model.things

    def test_a_mark_that_is_set_anew_postpones_nothing(self) -> None:
        """The first date is that of the ledger, whatever tags are written to the thing every day."""
        world, model = cleaning(toml(ONE, rules={"unused-public-ip": {}}))
        own = model.put(model.new_group(), "ip", "ip")
        clean(world, model)
        for day in range(8):
            world.pass_time(days=1)
            model.tag(own, "marked-for-deletion", str(day))
            run = clean(world, model)

        assert words(world, run) == {"ip": "planned"}
