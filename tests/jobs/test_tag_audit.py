"""tag-audit: what is judged, what becomes of findings over runs, and nothing said about what was not read."""

from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from shared_code.activity import Evidence, Span, Writers, write_of
from shared_code.compliance import Compliance
from shared_code.errors import AccessDenied, SettingsError
from shared_code.exemptions import Exemption
from shared_code.history import History
from shared_code.jobs.tag_audit import NAME, tag_audit
from shared_code.model import Finding, Kind, Reading, Resource, Subscription, TagChange
from shared_code.outputs import COMPLIANCE, FINDINGS, FINDINGS_CSV, REPORT
from shared_code.plan import MOST_ITEMS, Plans
from shared_code.ports import Activity
from shared_code.runs import Mode, Run, RunScope, RunStatus, TriggeredBy
from shared_code.scope import Scope
from shared_code.settings import Configuration, TagAudit
from shared_code.store import Store, open_store
from shared_code.tag_rules import AppliesTo, Parent, RuleMode, TagRule
from shared_code.work import Summary
from tests.fakes import NOW, Clock, FakeEstate, NoActivity, resource, resource_group, resource_id, subscription, work_on
from tests.stores import DeadAfter, Killed

ONE, TWO = subscription(1, "Shop"), subscription(2, "Lab")
OWNER = TagRule(name="owner", tag="owner", required=True)
NO_ROLE = AccessDenied("cannot read resources: Azure answered 403")


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Store:
    """An empty local store."""
    return open_store(tmp_path.as_uri())


def run_number(number: int) -> Run:
    """The run of that day."""
    started = NOW + timedelta(days=number)
    return Run(
        id=f"{started:%Y%m%dT%H%M%SZ}-tag-audit-9c01f2ab",
        job=NAME,
        mode=Mode.PLAN,
        trigger=TriggeredBy.TIMER,
        requested=started,
        started=started,
        attempt=1,
    )


def audit(
    store: Store,
    estate: FakeEstate,
    *rules: TagRule,
    number: int = 0,
    activity: Activity | None = None,
    scope: Scope | None = None,
    requested: tuple[str, ...] | None = None,
) -> Summary:
    return tag_audit(
        work_on(
            msgspec.structs.replace(run_number(number), scope=RunScope(requested)),
            store,
            estate,
            Configuration(scope or Scope(), {NAME: TagAudit(rules=rules or (OWNER,))}, {}, ()),
            activity=activity,
            clock=Clock(NOW + timedelta(days=number, minutes=1)),
        )
    )


def findings(store: Store, number: int = 0) -> list[Finding]:
    lines = store.lines(f"runs/{run_number(number).id}/{FINDINGS}")
    return [msgspec.json.decode(line, type=Finding) for line in lines]


def report(store: Store, number: int = 0) -> str:
    return b"".join(store.chunks(f"runs/{run_number(number).id}/{REPORT}")).decode()


def compliance(store: Store, number: int = 0) -> Compliance:
    stored = store.read(f"runs/{run_number(number).id}/{COMPLIANCE}")
    assert stored
    return msgspec.json.decode(stored.data, type=Compliance)


def shop(*owned: str, bare: tuple[str, ...] = (), owner: Subscription = ONE, **group: object) -> FakeEstate:
    """One group with a resource of each name: some with an owner, some without."""
    web = resource_group(owner, "rg-web", **group)  # type: ignore[arg-type]  # the names are checked when it is made
    found: list[str | Resource] = [
        resource(resource_id(web, name), tags={"Owner": "operator@example.com"}) for name in owned
    ]
    found += [resource(resource_id(web, name)) for name in bare]
    return FakeEstate([owner], {owner.id: [[web]]}, {owner.id: [found[:2], found[2:]]})


class TestOneRun:
    def test_everything_is_judged_and_what_is_wrong_is_found(self, store: Store) -> None:
        """Keys compare without case; findings are in the order of ids, each with what was expected."""
        summary = audit(store, shop("a", "c", bare=("d", "b")))

        assert (summary.status, summary.error) == (RunStatus.SUCCEEDED, None)
        assert [(each.resource_id.rsplit("/", 1)[1], each.rule, each.kind) for each in findings(store)] == [
            ("b", "owner", "missing"),
            ("d", "owner", "missing"),
        ]
        assert findings(store)[0].first_seen == NOW
        assert compliance(store).percent == 50.0
        assert summary.counts == {
            "subscriptions_read": 1,
            "subscriptions_not_read": 0,
            "subscriptions_skipped": 0,
            "audited": 4,
            "checks": 4,
            "violations": 2,
            "exempted": 0,
            "findings": 2,
            "new_findings": 2,
            "fixed_findings": 0,
            "planned_changes": 0,
            "rules_without_checks": 0,
        }
        assert summary.outputs == (FINDINGS, FINDINGS_CSV, REPORT, COMPLIANCE)
        for name in summary.outputs:
            assert b"".join(store.chunks(f"runs/{run_number(0).id}/{name}"))

    def test_groups_and_subscriptions_have_rules_of_their_own(self, store: Store) -> None:
        rules = [
            TagRule(name=kind, tag="cost-center", required=True, applies_to=AppliesTo(kinds=(kind,)))  # type: ignore[arg-type]  # a text as in TOML
            for kind in ("subscription", "resource-group")
        ]

        audit(store, shop("a", tags={"Cost-Center": "1"}), *rules)

        assert [(each.resource_id, each.rule) for each in findings(store)] == [
            (f"/subscriptions/{ONE.id}", "subscription")
        ]

    def test_a_managed_group_and_what_is_in_it_are_left_alone(self, store: Store) -> None:
        summary = audit(store, shop(bare=("a", "b"), managed_by="/subscriptions/s/…/managedClusters/aks"))

        assert summary.counts["findings"] == 0
        assert compliance(store).left_out == {"managed": 3, "no rule applies": 1}
        assert compliance(store).percent is None

    def test_a_type_that_cannot_carry_tags_is_left_out_and_shown(self, store: Store) -> None:
        estate = shop(bare=("a",))
        estate.untaggable = frozenset({"microsoft.web/sites"})

        summary = audit(store, estate)

        assert summary.counts["findings"] == 0
        assert compliance(store).left_out["untaggable"] == 1

    def test_where_types_are_unknown_all_are_audited_and_the_report_says_so(self, store: Store) -> None:
        estate = shop(bare=("a",))
        estate.fail_on[("types_without_tags", ONE.id, 1)] = NO_ROLE

        summary = audit(store, estate)

        assert summary.counts["findings"] == 1
        page = b"".join(store.chunks(f"runs/{run_number(0).id}/{REPORT}")).decode()
        assert "types that cannot carry tags are audited like all others" in page

    def test_what_is_out_of_scope_is_not_judged(self, store: Store) -> None:
        web, lab = resource_group(ONE, "rg-web"), resource_group(ONE, "rg-lab")
        found = [
            resource(resource_id(web, "a")),
            resource(resource_id(web, "b"), "A.B/c"),
            resource(resource_id(lab, "c")),
        ]
        estate = FakeEstate([ONE], {ONE.id: [[web, lab]]}, {ONE.id: [found]})

        audit(store, estate, scope=Scope(exclude_resource_groups=("RG-LAB",), exclude_resource_types=("a.*/*",)))

        assert [each.resource_id for each in findings(store)] == [found[0].id]

    @pytest.mark.parametrize(
        ("scope", "words"),
        [
            (Scope(exclude_resource_groups=("*",)), "No resource group is in scope, of 1 that were read: "),
            (Scope(resource_types=("A.B/*",)), "No resource is in scope, of 2 that were read: "),
        ],
        ids=["groups", "types"],
    )
    def test_patterns_that_leave_nothing_fail_the_run_in_words(self, store: Store, scope: Scope, words: str) -> None:
        summary = audit(store, shop("a", "b"), scope=scope)

        assert summary.status is RunStatus.FAILED
        assert (summary.error or "").startswith(words)

    def test_a_rule_that_applies_to_nothing_is_counted_and_named(self, store: Store) -> None:
        """A mistyped pattern would look like compliance."""
        typo = TagRule(name="typo", tag="x", required=True, applies_to=AppliesTo(types=("Microsoft.Wbe/*",)))

        assert audit(store, shop("a"), OWNER, typo).counts["rules_without_checks"] == 1

        page = b"".join(store.chunks(f"runs/{run_number(0).id}/{REPORT}")).decode()
        assert "<bdi>typo</bdi>: <bdi>applies to nothing that was read; look at its applies_to</bdi>" in page

    def test_without_a_rule_it_fails_in_words(self, store: Store) -> None:
        """A job that looks at everything and judges nothing would look well."""
        configuration = Configuration(Scope(), {NAME: TagAudit()}, {}, ())
        with pytest.raises(SettingsError, match=r"^There is no rule to audit by; write some under"):
            tag_audit(work_on(run_number(0), store, FakeEstate([ONE]), configuration))

    def test_hostile_tags_stay_text(self, store: Store) -> None:
        hostile = "<script>alert(1)</script>\x1b[31m=1+1\n"
        web = resource_group(ONE, "rg-web")
        found = [resource(resource_id(web, "a"), tags={"owner": hostile})]
        estate = FakeEstate([ONE], {ONE.id: [[web]]}, {ONE.id: [found]})

        audit(store, estate, TagRule(name="owner", tag="OWNER", allowed=("web",)))

        page = b"".join(store.chunks(f"runs/{run_number(0).id}/{REPORT}")).decode()
        assert "<script>alert" not in page
        assert "\x1b" not in findings(store)[0].detail
        assert findings(store)[0].evidence["tag"] == "owner"


class TestOverRuns:
    def test_new_open_and_fixed(self, store: Store) -> None:
        """A second sighting keeps the first date; what heals is forgotten and would start anew."""
        audit(store, shop("a", bare=("b", "c")))
        second = audit(store, shop("a", "b", bare=("c", "d")), number=1)

        assert (second.counts["new_findings"], second.counts["fixed_findings"]) == (1, 1)
        first_seen = {each.resource_id.rsplit("/", 1)[1]: each.first_seen for each in findings(store, 1)}
        assert first_seen == {"c": NOW, "d": NOW + timedelta(days=1)}

        third = audit(store, shop("a", bare=("b", "c", "d")), number=2)
        assert (third.counts["new_findings"], third.counts["fixed_findings"]) == (1, 0)
        assert [each.percent for each in History(store, NAME).last(9)] == [33.3, 50.0, 25.0]

    def test_what_was_not_read_is_neither_fixed_nor_compliant(self, store: Store) -> None:
        audit(store, shop("a", bare=("b", "c")))
        broken = shop("a", bare=("b", "c"))
        broken.fail_on[("resources", ONE.id, 1)] = NO_ROLE

        second = audit(store, broken, number=1)
        third = audit(store, shop("a", bare=("b", "c")), number=2)

        assert second.status is RunStatus.FAILED
        assert (second.counts["fixed_findings"], second.counts["findings"]) == (0, 0)
        assert compliance(store, 1).percent is None
        assert third.counts["new_findings"] == 0
        assert {each.first_seen for each in findings(store, 2)} == {NOW}

    @pytest.mark.parametrize(
        "scope",
        [Scope(exclude_resource_groups=("rg-web",)), Scope(exclude_resource_types=("Microsoft.Web/*",))],
        ids=["group", "type"],
    )
    def test_what_leaves_the_scope_is_not_fixed(self, store: Store, scope: Scope) -> None:
        audit(store, shop(bare=("a",)))

        assert audit(store, shop(bare=("a",)), scope=scope, number=1).counts["fixed_findings"] == 0

    def test_what_becomes_managed_or_exempted_is_not_fixed(self, store: Store) -> None:
        audit(store, shop(bare=("a",)))

        assert audit(store, shop(bare=("a",), managed_by="/x"), number=1).counts["fixed_findings"] == 0

    def test_the_report_compares_only_where_there_is_something_to_compare_with(self, store: Store) -> None:
        """The chart has one point for each run of the whole scope, however often that was resumed."""
        audit(store, shop("a", bare=("b",)))
        assert report(store).count("nothing to compare") == 2

        audit(store, shop("a", "b"), number=1)
        assert "nothing to compare" not in report(store, 1)
        assert "<dt>fixed</dt><dd>1</dd>" in report(store, 1)
        assert "Compliance of the last 2 runs." in report(store, 1)

        audit(store, shop("a"), number=2, requested=(ONE.id,))
        assert "Compliance of the last 2 runs." in report(store, 2)

        audit(store, shop("a"), number=1)
        assert "Compliance of the last 2 runs." in report(store, 1)

    def test_the_trend_says_how_much_was_not_read(self, store: Store) -> None:
        one, two = shop(bare=("a",)), shop("b", owner=TWO)
        both = FakeEstate([ONE, TWO], {**one.groups, **two.groups}, {**one.ids, **two.ids})
        both.fail_on[("resources", ONE.id, 1)] = NO_ROLE

        summary = audit(store, both)

        assert [each.not_read for each in History(store, NAME).last(9)] == [1]
        assert (summary.counts["subscriptions_read"], summary.counts["subscriptions_not_read"]) == (1, 1)

    def test_an_exempted_check_is_neither_found_nor_fixed_nor_compliant(self, store: Store) -> None:
        rules = (OWNER, TagRule(name="env", tag="env", required=True))
        exemption = Exemption(
            scope=f"/subscriptions/{ONE.id}",
            rules=("owner",),
            reason="moves",
            author="a@example.com",
            expires=NOW.date(),
        )
        audit(store, shop(bare=("a",)), *rules)
        settings = TagAudit(rules=rules, exemptions=(exemption,))
        configuration = Configuration(Scope(), {NAME: settings}, {}, ())
        run = msgspec.structs.replace(run_number(1), started=NOW)

        summary = tag_audit(work_on(run, store, shop(bare=("a",)), configuration))

        assert (summary.counts["exempted"], summary.counts["violations"], summary.counts["fixed_findings"]) == (1, 1, 0)
        assert [each.rule for each in findings(store, 1)] == ["env"]
        assert compliance(store, 1).percent == 0.0

    def test_a_narrowed_run_is_no_part_of_the_trend(self, store: Store) -> None:
        audit(store, shop("a", bare=("b",)))
        audit(store, shop("a"), number=1, requested=(ONE.id,))

        assert [each.percent for each in History(store, NAME).last(9)] == [50.0]

    def test_what_could_not_be_found_out_is_still_said_after_a_resume(self, store: Store) -> None:
        broken, mended = shop(bare=("a",)), shop(bare=("a",))
        broken.fail_on[("types_without_tags", ONE.id, 1)] = NO_ROLE
        with pytest.raises(Killed):
            audit(DeadAfter(store, 11, after=True), broken)
        audit(store, mended)

        page = b"".join(store.chunks(f"runs/{run_number(0).id}/{REPORT}")).decode()
        assert ("types_without_tags", ONE.id) not in mended.reads
        assert "types that cannot carry tags are audited like all others" in page

    def test_a_rule_that_is_taken_away_fixes_nothing(self, store: Store) -> None:
        audit(store, shop(bare=("a",)))

        second = audit(store, shop(bare=("a",)), TagRule(name="other", tag="x", forbidden=True), number=1)

        assert second.counts["fixed_findings"] == 0

    def test_wherever_it_dies_the_next_attempt_says_the_same(self, tmp_path: Path) -> None:
        """Also while it makes its ledgers the ledgers."""
        calls = 0
        while True:
            calls += 1
            again = open_store((tmp_path / f"at-{calls}").as_uri())
            audit(again, shop("a", bare=("b", "c")))
            try:
                audit(DeadAfter(again, calls, after=bool(calls % 2)), shop("a", "b", bare=("c", "d")), number=1)
            except Killed:
                killed = True
            else:
                killed = False
            second = audit(again, shop("a", "b", bare=("c", "d")), number=1)
            assert (second.counts["new_findings"], second.counts["fixed_findings"]) == (1, 1)
            assert len(History(again, NAME).last(9)) == 2
            if not killed:
                break
        assert calls > 15


class TestChanges:
    RULE = TagRule(name="owner", tag="owner", required=True, mode=RuleMode.APPROVE, inherit_from=Parent.RESOURCE_GROUP)

    def test_a_rule_that_says_how_makes_a_plan(self, store: Store) -> None:
        summary = audit(store, shop("a", bare=("b",), tags={"owner": "team@example.com"}), self.RULE)

        plan = Plans(store).get(summary.plan or "")
        assert summary.counts["planned_changes"] == len(plan.items) == 1
        assert plan.read == {ONE.id: {Kind.SUBSCRIPTION: 1, Kind.RESOURCE_GROUP: 1, Kind.RESOURCE: 2}}
        assert plan.items[0].change == TagChange(set={"owner": "team@example.com"})
        assert plan.items[0].resource_id.endswith("/b")
        assert findings(store)[0].evidence["change"] == "set 'owner' to 'team@example.com'"

    def test_what_has_no_room_in_the_plan_is_counted_and_told(self, store: Store) -> None:
        """A plan that is silently cut would be taken for all there is to do."""
        names = tuple(f"r{number:05}" for number in range(MOST_ITEMS + 2))

        summary = audit(store, shop(bare=names, tags={"owner": "team@example.com"}), self.RULE)

        assert (summary.counts["planned_changes"], summary.counts["not_planned"]) == (MOST_ITEMS, 2)
        assert len(Plans(store).get(summary.plan or "").items) == MOST_ITEMS
        assert "2 have no room in the plan" in report(store)

    def test_what_has_room_leaves_no_count(self, store: Store) -> None:
        summary = audit(store, shop(bare=("b",), tags={"owner": "team@example.com"}), self.RULE)

        assert "not_planned" not in summary.counts

    def test_no_change_has_its_reason(self, store: Store) -> None:
        summary = audit(store, shop(bare=("b",)), self.RULE)

        assert (summary.plan, summary.counts["planned_changes"]) == (None, 0)
        assert findings(store)[0].evidence["no_change"]

    def test_an_id_of_another_subscription_is_found_and_never_planned(self, store: Store) -> None:
        """It must neither be written to nor cost the others their plan."""
        web = resource_group(ONE, "rg-web", {"owner": "team@example.com"})
        found = [resource(resource_id(web, "a")), resource(resource_id(web, "b").replace(ONE.id, TWO.id))]
        estate = FakeEstate([ONE], {ONE.id: [[web]]}, {ONE.id: [found]})

        summary = audit(store, estate, self.RULE)

        assert [each.resource_id for each in Plans(store).get(summary.plan or "").items] == [found[0].id]
        assert findings(store)[1].evidence["no_change"]

    def test_a_group_is_known_by_its_id_in_any_spelling(self, store: Store) -> None:
        """And two groups that `casefold` takes for one are two: what is in the second is not managed."""
        managed, other = (
            resource_group(ONE, "rg-straße", managed_by="/subscriptions/s/x"),
            resource_group(ONE, "rg-strasse"),
        )
        inside = (
            resource_id(managed, "a").replace("straße", "STRA%C3%9FE").replace("/resourceGroups/", "/resourcegroups/")
        )
        estate = FakeEstate(
            [ONE], {ONE.id: [[managed, other]]}, {ONE.id: [[resource(inside), resource(resource_id(other, "b"))]]}
        )

        audit(store, estate)

        assert [each.resource_id.rsplit("/", 1)[1] for each in findings(store)] == ["b"]

    def test_a_rule_that_only_reports_plans_nothing(self, store: Store) -> None:
        rule = msgspec.structs.replace(self.RULE, mode=RuleMode.REPORT)

        assert audit(store, shop(bare=("b",), tags={"owner": "x"}), rule).plan is None


class TestSuggestedOwner:
    def test_is_asked_for_only_where_an_owner_is_missing(self, store: Store) -> None:
        activity = NoActivity()
        audit(store, shop("a"), activity=activity)
        assert activity.asked == []

        audit(store, shop(bare=("a", "b")), activity=activity, number=1)
        assert activity.asked == [ONE.id]
        assert "suggested_owner" not in findings(store, 1)[0].evidence

    def test_is_not_asked_for_about_another_tag_or_a_wrong_value(self, store: Store) -> None:
        activity = NoActivity()
        rules = [TagRule(name="owner", tag="owner", allowed=("x",)), TagRule(name="env", tag="env", required=True)]

        assert audit(store, shop("a"), *rules, activity=activity).counts["findings"] == 2
        assert activity.asked == []

    def test_is_who_created_it(self, store: Store) -> None:
        estate = shop(bare=("a",))
        name = resource_id(resource_group(ONE, "rg-web"), "a")

        class Known:
            def writers(self, subscriptions: Collection[str], since: datetime, until: datetime) -> Evidence:
                assert (list(subscriptions), since < until) == ([ONE.id], True)
                write = write_of(NOW - timedelta(days=3), "operator@example.com")
                return Evidence(
                    span=Span(NOW - timedelta(days=90), NOW),
                    available=True,
                    complete=True,
                    writers={name.casefold(): Writers(write, write)},
                    recorded={ONE.id.casefold(): NOW - timedelta(days=90)},
                )

        audit(store, estate, activity=Known())

        assert findings(store)[0].evidence["suggested_owner"] == "operator@example.com"


def test_two_subscriptions_are_one_report(store: Store) -> None:
    """Findings of all in the order of ids; one that cannot be read is named, and the other's count."""
    one, two = shop(bare=("a",)), shop("b", bare=("c",), owner=TWO)
    both = FakeEstate([TWO, ONE], {**one.groups, **two.groups}, {**one.ids, **two.ids})
    both.fail_on[("resource_groups", ONE.id, 1)] = NO_ROLE

    summary = audit(store, both)

    assert summary.status is RunStatus.PARTIAL
    assert [(each.subscription_id, each.reading) for each in summary.verdicts] == [
        (ONE.id, Reading.INCOMPLETE),
        (TWO.id, Reading.COMPLETE),
    ]
    assert [each.resource_id.rsplit("/", 1)[1] for each in findings(store)] == ["c"]
