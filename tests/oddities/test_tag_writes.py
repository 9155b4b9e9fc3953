"""Tags as they are written: oddities 20, 21, 23, 24 and 25; every change is planned, applied, and given back."""

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager

import msgspec
import pytest

from devkit.simulator import Fault
from devkit.simulator.estates.drafting import resource
from devkit.simulator.roles import OWNER as EVERYTHING
from shared_code.azure_api.tags import AzureTags
from shared_code.model import Kind, TagChange, Tags
from shared_code.outcomes import Result
from shared_code.plan import PlanItem
from shared_code.resource_ids import key
from shared_code.retagging import WAITS
from shared_code.tag_keys import fold
from shared_code.tag_rules import AppliesTo, RuleMode, TagRule
from tests import applying
from tests.azure_api.conftest import JSON
from tests.memory_store import MemoryStore
from tests.oddities.recorded import Json, Recordings
from tests.oddities.test_tags import LINK, ODD
from tests.oddities.wire import Wire
from tests.oddities.writing import Desk, desk, in_group, item, kinds, planned, tagged

ALL = AppliesTo(kinds=tuple(Kind))
GROUP = in_group("rg-one")
SITE = f"{GROUP}/providers/Microsoft.Web/sites/app"
OWNER = TagRule(
    name="owner", tag="owner", required=True, default="team@example.com", mode=RuleMode.APPROVE, applies_to=ALL
)
PROTECTED = {"DoNotDelete": "", "BuildId": "", "env": "prd"}
COPIED = {"azd-env-name": "shop", "env": "prd"}
HIDDEN = {LINK: "Resource", LINK.replace("link", "related", 1): "empty", "hidden-title": "Orders", "env": "prd"}
ENVIRONMENT = TagRule(
    name="env",
    tag="Env",
    allowed=("prod",),
    replace={"prd": "prod"},
    spelling=True,
    rename=True,
    mode=RuleMode.APPROVE,
    applies_to=ALL,
)


def both(tags: Mapping[str, str | None], **options: object) -> AbstractContextManager[Desk]:
    """A desk with a group and a resource, both with these tags."""
    plain = {name: value or "" for name, value in tags.items()}
    return desk(tagged("rg-one", tags, resource("Microsoft.Web/sites", "app", tags=plain)), **options)


def taken_from(recordings: Recordings, *names: str) -> list[Json]:
    """The tags in recorded lists, each set once."""
    found = [each.get("tags") or {} for recording in recordings.named(*names) for each in recording.items]
    distinct = {json.dumps(tags, sort_keys=True): tags for tags in found if tags}
    assert distinct
    return list(distinct.values())


def named(item: PlanItem) -> list[str]:
    """The keys that a change names."""
    change = item.change or TagChange()
    return [*change.set, *change.remove]


def kept_and_given_back(tag_sets: list[Json]) -> None:
    """Add and change a tag beside each set, look that all else is as it was, and take it back to the letter."""
    names = [f"rg-{number}" for number in range(len(tag_sets))]
    with desk(*(tagged(name, tags) for name, tags in zip(names, tag_sets, strict=True))) as at:
        before = at.present
        items = at.audited(OWNER)
        assert {fold(name) for each in items for name in named(each)} <= {"owner"}
        at.change(*(each for each in items if each.kind is Kind.RESOURCE_GROUP))
        for name in names:
            scope = key(in_group(name))
            assert {tag: value for tag, value in at.present[scope].items() if fold(tag) != "owner"} == {
                tag: value for tag, value in before[scope].items() if fold(tag) != "owner"
            }
            assert any(fold(tag) == "owner" and value for tag, value in at.present[scope].items())
        assert at.undone().left == ()
        assert at.present == before


class TestEmptyValuesAreWritten:
    """20: the tag that protects has no value: no change that does not name it takes it away."""

    def test_they_survive(self) -> None:
        with both(PROTECTED) as at:
            before = at.present
            at.change(*at.audited(OWNER, ENVIRONMENT))

            expected = {"DoNotDelete": "", "BuildId": "", "Env": "prod", "owner": "team@example.com"}
            assert at.present[key(GROUP)] == at.present[key(SITE)] == expected
            at.undone()
            assert at.present == before

    @pytest.mark.parametrize("value", ["", " ", "false"])
    def test_one_that_is_named_is_removed_and_given_back_exactly(self, value: str) -> None:
        """To Delete an empty value means any; what was there comes back all the same."""
        before = {"DoNotDelete": value, "Owners": "", "x": "1"}
        with desk(tagged("rg-one", before)) as at:
            at.change(item(GROUP, before, "DoNotDelete", "Owners"))
            assert at.present[key(GROUP)] == {"x": "1"}

            assert at.undone().left == ()
            assert at.present[key(GROUP)] == before

    def test_its_case_is_changed_and_given_back(self) -> None:
        """By way of a copy, which has no value either."""
        with desk(tagged("rg-one", {"donotdelete": "", "x": "1"})) as at:
            (outcome,) = at.change(item(GROUP, {"donotdelete": ""}, "donotdelete", DoNotDelete=""))

            assert at.present[key(GROUP)] == {"DoNotDelete": "", "x": "1"}
            assert outcome.writes == 4
            at.undone()
            assert at.present[key(GROUP)] == {"donotdelete": "", "x": "1"}

    def test_an_empty_value_is_set(self) -> None:
        with desk(tagged("rg-one", {"DoNotDelete": "until 2027"})) as at:
            at.change(item(GROUP, {"DoNotDelete": "until 2027"}, DoNotDelete=""))

            assert at.present[key(GROUP)] == {"DoNotDelete": ""}
            at.undone()
            assert at.present[key(GROUP)] == {"DoNotDelete": "until 2027"}

    def test_what_got_a_value_since_is_not_removed(self) -> None:
        """It was empty when the plan was made."""
        with desk(tagged("rg-one", {"DoNotDelete": "legal hold"})) as at:
            (outcome,) = at.apply(at.plan([item(GROUP, {"DoNotDelete": ""}, "DoNotDelete")]))

            assert outcome.outcome is Result.SKIPPED
            assert "'legal hold' since the plan was made" in (outcome.reason or "")
            assert at.sent == []

    def test_recorded(self, recordings: Recordings) -> None:
        found = taken_from(recordings, "rg-list__cli-filter-tag")

        assert any("" in tags.values() for tags in found)
        kept_and_given_back(found)


class TestHiddenKeysAreKept:
    """21: the portal's keys cannot be written by rules: no plan names one, and every write leaves them."""

    def test_they_survive(self) -> None:
        with both(HIDDEN) as at:
            before = at.present
            at.change(*at.audited(OWNER, ENVIRONMENT))

            expected = {name: value for name, value in HIDDEN.items() if name != "env"}
            expected |= {"Env": "prod", "owner": "team@example.com"}
            assert at.present[key(GROUP)] == at.present[key(SITE)] == expected
            at.undone()
            assert at.present == before

    def test_no_plan_names_one(self) -> None:
        """Not even of rules about them, which no configuration may have."""
        rules = [
            TagRule(name="title", tag="Hidden-Title", required=True, default="x", rename=True, allowed=("x",)),
            TagRule(name="other", tag="hidden-other", required=True, default="x"),
            TagRule(name="link", tag=LINK, forbidden=True),
            TagRule(name="few", max_tags=1),
            OWNER,
        ]
        armed = [msgspec.structs.replace(each, applies_to=ALL, mode=RuleMode.APPROVE) for each in rules]
        with both(HIDDEN) as at:
            items = at.audited(*armed)

            assert {each.rule for each in items} == {"owner"}
            assert all(named(each) == ["owner"] for each in items)

    @pytest.mark.parametrize(
        "change",
        [
            TagChange(set={"hidden-title": "x"}),
            TagChange(set={"a": "b", "HIDDEN-other": "x"}),
            TagChange(remove=("hidden-title",)),
            TagChange(remove=(LINK,)),
            TagChange(set={"Hidden-title": "Orders"}, remove=("hidden-title",)),
        ],
        ids=["set", "added", "removed", "link", "case"],
    )
    def test_a_plan_that_names_one_is_not_applied(self, change: TagChange) -> None:
        with desk(tagged("rg-one", HIDDEN)) as at:
            (outcome,) = at.apply(at.plan([planned(GROUP, HIDDEN, change)]))

            assert outcome.outcome is Result.SKIPPED
            assert "is not one of the operator's" in (outcome.reason or "")
            assert at.sent == []
            assert at.present[key(GROUP)] == HIDDEN

    @pytest.mark.parametrize("name", ["resources-list-sub__c7n-mixed", "list-vnets__cli-many"])
    def test_recorded(self, recordings: Recordings, name: str) -> None:
        found = taken_from(recordings, name)

        assert any(tag.startswith("hidden-") for tags in found for tag in tags)
        kept_and_given_back(found)


class TestReplacingWrites:
    """23: a PATCH or PUT of the thing itself replaces all tags; Steward sends only what merges and deletes."""

    CHANGES = (
        TagChange(set={"owner": "team@example.com"}),
        TagChange(set={"env": "prod"}),
        TagChange(remove=("env",)),
        TagChange(set={"environment": "prd"}, remove=("env",)),
        TagChange(set={"Env": "prod"}, remove=("env",)),
    )

    def test_the_thing_itself_replaces(self) -> None:
        """So it does in this Azure too, and a test that lost tags would show."""
        with both(PROTECTED, assignments=EVERYTHING) as at:
            for scope in (GROUP, SITE):
                assert at.raw("PATCH", scope, {"tags": {"a": "1"}})["tags"] == {"a": "1"}
                assert at.raw("PATCH", scope, {"tags": {"b": "2"}})["tags"] == {"b": "2"}
                assert at.present[key(scope)] == {"b": "2"}

    @pytest.mark.parametrize("change", CHANGES, ids=["added", "mapped", "removed", "renamed", "case"])
    def test_only_merges_and_deletes_are_sent(self, change: TagChange) -> None:
        with desk(tagged("rg-one", PROTECTED)) as at:
            at.change(planned(GROUP, PROTECTED, change))
            at.undone()

            written = [each for each in at.azure.simulator.requests if each.method != "GET"]
            assert {(each.method, each.route) for each in written} == {("PATCH", "tags")}
            assert {each.method for each in at.sent} == {"PATCH"}
            assert {each.body["operation"] for each in at.sent} <= {"Merge", "Delete"}
            assert len(at.sent) == len(written)
            assert at.present[key(GROUP)] == PROTECTED

    @pytest.mark.parametrize("change", CHANGES, ids=["added", "mapped", "removed", "renamed", "case"])
    def test_what_others_write_meanwhile_stays(self, change: TagChange) -> None:
        """Before every single write somebody adds a tag, and changes one that the plan does not name."""
        foreign = {name: value for name, value in ODD.items() if len(name) < 100}
        with desk(tagged("rg-one", PROTECTED | foreign)) as at:

            def somebody_writes() -> None:
                tags = {f"theirs-{len(at.sent)}": "", "BuildId": str(len(at.sent))}
                path = f"{GROUP}/providers/Microsoft.Resources/tags/default"
                at.raw("PATCH", path, {"operation": "Merge", "properties": {"tags": tags}})

            at.before_write = somebody_writes  # type: ignore[method-assign]
            (outcome,) = at.change(planned(GROUP, PROTECTED, change))

            found = at.present[key(GROUP)]
            assert {f"theirs-{number}" for number in range(outcome.writes)} <= found.keys()
            assert found["BuildId"] == str(outcome.writes - 1)
            assert {name: found[name] for name in foreign} == foreign
            assert found["DoNotDelete"] == ""

    def test_recorded_replacing(self, recordings: Recordings) -> None:
        """What the second recorded PATCH sets is set, and what it took away stays."""
        first, second = recordings.named(
            "resource-patch__cli-vault-tags-replace__01", "resource-patch__cli-vault-tags-replace__02"
        )
        before, wanted = first.body["tags"], second.body["tags"]
        assert not before.keys() & wanted.keys()
        with desk(tagged("rg-one", before)) as at:
            at.change(planned(GROUP, before, TagChange(set=wanted)))

            assert at.present[key(GROUP)] == before | wanted

    def test_recorded_merging(self, recordings: Recordings) -> None:
        """What the recorded Merge left is what the same change leaves here."""
        first, second = recordings.named("tags-api__cli-resource-seq__01", "tags-api__cli-resource-seq__02")
        before, after = (each.body["properties"]["tags"] for each in (first, second))
        with desk(tagged("rg-one", before)) as at:
            new = {name: value for name, value in after.items() if before.get(name) != value}
            at.change(planned(GROUP, before, TagChange(set=new)))

            assert at.present[key(GROUP)] == after
            at.undone()
            assert at.present[key(GROUP)] == before


class TestWritesThatGoOn:
    """24: a write of tags is accepted and done later, or never; only what shows counts."""

    def test_it_is_looked_for_until_it_shows(self) -> None:
        """Written once; Retry-After of an acceptance is no reason to send it again."""
        with both(PROTECTED, late_tags=6.0) as at:
            items = [each for each in at.audited(OWNER) if each.kind is Kind.RESOURCE]
            (outcome,) = at.change(*items)

            assert outcome.writes == len(at.sent) == 1
            assert outcome.after == at.present[key(SITE)] == PROTECTED | {"owner": "team@example.com"}
            assert at.time.waits == list(WAITS[:4])
            assert at.azure.waits == []

    def test_each_write_of_several_is_waited_for(self) -> None:
        """A key in another case takes four; at no moment is its value absent."""
        with both(PROTECTED, late_tags=3.0) as at:
            seen: list[Tags] = []
            at.before_write = lambda: seen.append(at.present[key(SITE)])  # type: ignore[method-assign]
            (outcome,) = at.change(*(each for each in at.audited(ENVIRONMENT) if each.kind is Kind.RESOURCE))

            assert outcome.writes == len(at.sent) == 4
            assert at.present[key(SITE)] == {"DoNotDelete": "", "BuildId": "", "Env": "prod"}
            assert all({"prd", "prod"} & set(tags.values()) for tags in seen)

    @pytest.mark.parametrize("scope", [GROUP, SITE], ids=["group", "resource"])
    def test_what_never_shows_is_failed(self, scope: str) -> None:
        """Never changed, and never sent again: nobody knows what an accepted write still does."""
        fault = Fault(route="tags", method="PATCH", kind="no-tags", times=None, delay=1)
        with both(PROTECTED, faults=[fault]) as at:
            (outcome,) = at.apply(at.plan([item(scope, PROTECTED, owner="x")]))

            assert outcome.outcome is Result.FAILED
            assert "Azure accepted the change and does not show it" in (outcome.reason or "")
            assert outcome.before == outcome.after == at.present[key(scope)] == PROTECTED
            assert outcome.writes == len(at.sent) == 1
            assert sum(at.time.waits) == sum(WAITS)

    def test_what_stops_half_way_is_failed(self) -> None:
        """The first write shows and the second never does; both values are there."""
        fault = Fault(route="tags", method="PATCH", kind="no-tags", times=None, nth=2)
        with desk(tagged("rg-one", PROTECTED), faults=[fault]) as at:
            (outcome,) = at.apply(at.plan([item(GROUP, PROTECTED, "env", environment="prd")]))

            assert outcome.outcome is Result.FAILED
            assert outcome.after == at.present[key(GROUP)] == PROTECTED | {"environment": "prd"}

    def test_what_shows_too_late_is_failed(self) -> None:
        """It was not seen, so nobody says that it is changed; a new plan finds it as wanted."""
        with both(PROTECTED, late_tags=60.0) as at:
            (outcome,) = at.apply(at.plan(each for each in at.audited(OWNER) if each.kind is Kind.RESOURCE))
            assert (outcome.outcome, outcome.after) == (Result.FAILED, PROTECTED)

            at.time.sleep(60)
            assert at.present[key(SITE)]["owner"] == "team@example.com"
            assert [each.change for each in at.proposed().items] == [TagChange(remove=("owner",))]
            assert Kind.RESOURCE not in [kind for kind, _ in kinds(at.audited(OWNER))]

    def test_many_at_once(self) -> None:
        """Some scopes are late, some come to nothing, the others are done: each outcome is its own."""
        names = [f"rg-{number}" for number in range(9)]

        def of(number: int, kind: str) -> Fault:
            path = f"{in_group(names[number])}/*"
            return Fault(route=path, method="PATCH", kind=kind, times=None, delay=2)  # type: ignore[arg-type]

        faults = [of(number, "late-tags") for number in (1, 4, 7)] + [of(number, "no-tags") for number in (2, 5)]
        with desk(*(tagged(name, PROTECTED) for name in names), faults=faults) as at:
            outcomes = at.apply(at.plan(item(in_group(name), PROTECTED, owner="x") for name in names))

            failed = [number for number, each in enumerate(outcomes) if each.outcome is Result.FAILED]
            assert failed == [2, 5]
            assert [each.outcome for each in outcomes].count(Result.CHANGED) == 7
            for name, each in zip(names, outcomes, strict=True):
                assert ("owner" in at.present[key(in_group(name))]) == (each.outcome is Result.CHANGED)

    @pytest.mark.parametrize("status", [200, 201, 202])
    @pytest.mark.parametrize("header", ["Azure-AsyncOperation", "Location"])
    def test_whatever_the_acceptance_looks_like(self, wire: Wire, status: int, header: str) -> None:
        """With 200 too there may be an address to poll, and a body with the tags as they are to be."""
        old, new = ({"env": "prd"}, {"env": "prod"})
        before, after = (json.dumps({"properties": {"tags": tags}}).encode() for tags in (old, new))
        accepted = (status, JSON | {header: f"{wire.url}/elsewhere", "Retry-After": "17"}, after)
        wire.answers((200, JSON, before), accepted, *[(200, JSON, before)] * 3, (200, JSON, after))
        store, waits = MemoryStore(), list[float]()
        plan = applying.save(store, [item(GROUP, old, env="prod")])
        means = applying.means(store, sleep=waits.append)

        (outcome,) = applying.perform(plan, AzureTags(wire.script.arm), means).outcomes

        assert (outcome.outcome, outcome.after, outcome.writes) == (Result.CHANGED, new, 1)
        assert waits == list(WAITS[:3])
        assert not any("elsewhere" in path for path in wire.asked)


class TestCopiedTagsAreLeft:
    """25: a managed group has the tags of its owner, so a selector by tag hits it; nothing in it is ever planned."""

    def test_only_the_owner_is_changed(self) -> None:
        """Of groups and resources that all carry the same tags."""
        manager = f"{in_group('rg-app')}/providers/microsoft.insights/components/appi"
        managed = in_group("AI_APPI_7_MANAGED")
        inside = [
            resource("Microsoft.OperationalInsights/workspaces", "log", tags=COPIED),
            resource(
                "Microsoft.Web/sites", "spelled", tags=COPIED, id=f"{managed}/providers/Microsoft.Web/sites/spelled"
            ),
        ]
        selected = AppliesTo(kinds=(Kind.RESOURCE_GROUP, Kind.RESOURCE), tags={"azd-env-name": "shop"})
        with desk(
            tagged("rg-app", COPIED, resource("microsoft.insights/components", "appi", tags=COPIED)),
            tagged("ai_appi_7_managed", COPIED, *inside, managed_by=manager),
            tagged("MC_aks", COPIED, resource("Microsoft.Web/sites", "in-mc", tags=COPIED), managed_by="aks"),
        ) as at:
            before = at.present
            items = at.audited(msgspec.structs.replace(OWNER, applies_to=selected))
            assert kinds(items) == [(Kind.RESOURCE_GROUP, "rg-app"), (Kind.RESOURCE, "appi")]

            at.change(*items)
            touched = {scope for scope, tags in at.present.items() if tags != before[scope]}
            assert touched == {key(in_group("rg-app")), key(manager)}

    def test_recorded(self, recordings: Recordings) -> None:
        """Of a recorded list, no group that has an owner is planned, and every other one is."""
        (recording,) = recordings.named("rg-list__cli-page__01")
        groups = {each["name"]: each for each in recording.items}
        assert any(each.get("managedBy") for each in groups.values())
        given = (
            tagged(name, each.get("tags"), managed_by=each.get("managedBy") or None) for name, each in groups.items()
        )
        with desk(*given) as at:
            found = {name for kind, name in kinds(at.audited(OWNER)) if kind is Kind.RESOURCE_GROUP}

            assert found == {
                name
                for name, each in groups.items()
                if not each.get("managedBy") and not any(fold(tag) == "owner" for tag in each.get("tags") or {})
            }
