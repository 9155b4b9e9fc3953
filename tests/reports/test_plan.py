"""The page of a plan: what an approver asks first, and nothing that a stranger's text could do."""

from html.parser import HTMLParser

from shared_code.model import Kind, TagChange
from shared_code.plan import Action, Observed, Plan, PlanItem, make_plan
from shared_code.reports.page import SHOWN
from shared_code.reports.plan import counts_of, plan_page
from shared_code.runs import Mode, Run, TriggeredBy
from shared_code.tag_rules import RuleMode
from tests.fakes import NOW

ONE, TWO = "5e000000-0000-4000-8000-000000000001", "5e000000-0000-4000-8000-000000000002"
RUN = Run(id="20261122T060000Z-cleanup-00000001", job="cleanup", mode=Mode.PLAN, trigger=TriggeredBy.CLI, requested=NOW)
HOSTILE = '<script>alert(1)</script>" onload="x'


def disk(subscription: str, name: str, owner: str | None = None) -> PlanItem:
    return PlanItem(
        resource_id=f"/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.Compute/disks/{name}",
        subscription_id=subscription,
        kind=Kind.RESOURCE,
        type="Microsoft.Compute/disks",
        rule="unattached-disk",
        mode=RuleMode.APPROVE,
        reason=f"no machine uses {name}",
        action=Action.DELETE,
        seen={"Owner": owner} if owner is not None else {},
        observed=Observed(first_seen=NOW, last_seen=NOW, times_seen=3),
    )


def plan_of(*items: PlanItem) -> Plan:
    return make_plan(RUN, items, {}, NOW)


def page_of(plan: Plan) -> str:
    return b"".join(plan_page(plan, "owner")).decode()


class Tags(HTMLParser):
    """Remembers the elements of a page, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, tuple[str, ...]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, tuple(name for name, _ in attrs)))


def test_it_is_counted_by_what_an_approver_asks_first() -> None:
    plan = plan_of(disk(ONE, "a", "team@example.com"), disk(ONE, "b"), disk(TWO, "c", "team@example.com"))

    assert counts_of(plan, "OWNER") == {
        "type": {"Microsoft.Compute/disks": 3},
        "subscription": {ONE: 2, TWO: 1},
        "owner": {"team@example.com": 2, "": 1},
        "rule": {"unattached-disk": 3},
    }


def test_it_says_how_to_apply_it_and_until_when() -> None:
    plan = plan_of(disk(ONE, "a"))
    page = page_of(plan)

    assert "1<small>deletion</small>" in page
    assert f"steward apply {plan.id} --digest {plan.digest}" in page
    assert "may be applied until 2026-11-25T06:00:00Z" in page
    assert "no machine uses a" in page
    assert "delete it" in page


def test_nothing_is_planned() -> None:
    page = page_of(plan_of())

    assert "There is nothing to apply." in page
    assert "steward apply" not in page


def test_strangers_write_text_and_nothing_else() -> None:
    change = TagChange(set={HOSTILE: HOSTILE})
    named = PlanItem(
        resource_id=f"/subscriptions/{ONE}/resourceGroups/{HOSTILE.replace('/', '')}",
        subscription_id=ONE,
        kind=Kind.RESOURCE_GROUP,
        rule=HOSTILE,
        mode=RuleMode.APPROVE,
        reason=HOSTILE,
        seen={"owner": HOSTILE},
        change=change,
    )
    harmless = plan_of(disk(ONE, "a"))

    elements = Tags(page_of(plan_of(named))).seen
    assert set(elements) <= set(Tags(page_of(harmless)).seen) | {("em", ())}


def test_more_than_a_browser_sorts_are_counted_and_left_to_the_file() -> None:
    plan = plan_of(*(disk(ONE, f"d{number:05}") for number in range(SHOWN + 1)))

    assert f"The first {SHOWN:,} of {SHOWN + 1:,} are shown" in page_of(plan)
