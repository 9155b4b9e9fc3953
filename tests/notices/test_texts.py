"""The words of notices: bounded, plain, and what matters most first."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from shared_code.model import Severity
from shared_code.notices import texts
from shared_code.notices.incidents import Incident
from shared_code.notices.settings import NoticeKind
from shared_code.notices.things import Stage, Thing
from shared_code.outcomes import Result
from shared_code.runs import Mode, Run, TriggeredBy, run_id
from shared_code.tag_rules import RuleMode

NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
RUN = Run(
    id=run_id("cleanup", NOW, occurrence=True), job="cleanup", mode=Mode.PLAN, trigger=TriggeredBy.TIMER, requested=NOW
)
GROUP = "/subscriptions/s/resourceGroups/rg"


def thing(name: str, **more: Any) -> Thing:
    given: dict[str, Any] = {"stage": Stage.FOUND, "mode": RuleMode.APPROVE}
    return Thing(
        rule="r", resource_id=f"{GROUP}/providers/A.b/c/{name}", subscription_id="s", first_seen=NOW, **(given | more)
    )


def digest(*things: Thing) -> str:
    return texts.digest(RUN, things, {}, owner=True, tag="owner", keep="keep").body


def test_what_is_most_urgent_stands_first() -> None:
    body = digest(
        thing("found"),
        thing("waits-long", waits=True, due=NOW.replace(month=12)),
        thing("waits", waits=True, due=NOW),
        thing("planned", stage=Stage.PLANNED),
        thing("gone", stage=Stage.PLANNED, outcome=Result.DELETED),
    )

    assert [line.split()[1] for line in body.splitlines() if line.startswith("- ")] == [
        "gone",
        "planned",
        "waits",
        "waits-long",
        "found",
    ]


def test_of_findings_the_severest_stand_first() -> None:
    body = digest(*(thing(each, severity=each) for each in (Severity.LOW, Severity.HIGH, Severity.MEDIUM)))

    assert [line.split()[1] for line in body.splitlines() if line.startswith("- ")] == ["high", "medium", "low"]


@given(some.lists(some.text(max_size=400), max_size=80), some.text(max_size=400))
def test_a_notice_is_bounded_whatever_strangers_write(names: list[str], detail: str) -> None:
    body = digest(*(thing(f"{number}{name}", detail=detail, advice=detail) for number, name in enumerate(names)))

    assert len(body) <= texts.LONGEST
    assert body.count("\n- ") <= texts.SHOWN
    assert RUN.id in body


def test_what_went_wrong_names_the_page_that_helps() -> None:
    failed = Incident(name="r", kind=NoticeKind.FAILURE, job="j", run="r", since=NOW, sentence="so")
    missed = Incident(name="j missed", kind=NoticeKind.MISSED_RUN, job="j", run="r", since=NOW, sentence="so")

    assert "What to do: runbooks/a-run-failed.md\n" in texts.failures([failed]).body
    assert "What to do: runbooks/a-schedule-was-missed.md" in texts.missed_runs([missed]).body


def test_many_failures_are_bounded_too() -> None:
    incidents = [
        Incident(name=f"{number}", kind=NoticeKind.FAILURE, job="j", run=f"{number}", since=NOW, sentence="x" * 5000)
        for number in range(40)
    ]
    text = texts.failures(incidents)

    assert text.subject == "Steward: 40 runs have not ended well"
    assert len(text.body) <= texts.LONGEST
    assert text.body.endswith("the rest is in the report of the run.\n")


def test_many_rules_are_counted() -> None:
    new = Counter({(f"rule-{number}", ""): 1 for number in range(30)})

    body = texts.summary(RUN, new, Counter(), []).body

    assert body.count("\n- rule-") == texts.RULES
    assert "- and 10 more rules" in body
