"""The reports of an application of a plan: every outcome, the worst first, and strangers' text as text."""

import csv
import io
import json
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings

from shared_code.apply import Applied
from shared_code.model import Kind, TagChange
from shared_code.outcomes import Outcome, Result
from shared_code.plan import Action, Plan, PlanItem
from shared_code.reports.outcomes import CSV_HEADER, outcomes_csv, outcomes_page
from shared_code.reports.page import SHOWN
from shared_code.runs import Mode, Order, Run, RunStatus, TriggeredBy
from shared_code.tag_rules import RuleMode
from tests.fakes import NOW
from tests.reports.test_page import FOREIGN, HOSTILE, Outline

RUN = Run(
    id="20261122T060000Z-tag-audit-9c01f2ab",
    job="tag-audit",
    mode=Mode.APPLY,
    trigger=TriggeredBy.HTTP,
    requested=NOW,
    started=NOW,
    plan="20261121T060000Z-tag-audit-00000001",
    order=Order(plan="20261121T060000Z-tag-audit-00000001", digest="d"),
)


DISK = PlanItem(
    resource_id="/subscriptions/s/disk",
    subscription_id="s",
    kind=Kind.RESOURCE,
    rule="unattached-disk",
    mode=RuleMode.APPROVE,
    reason="no machine uses it",
    action=Action.DELETE,
    seen={},
)


def outcome(number: int, result: Result = Result.CHANGED, text: str = "x", reason: str | None = None) -> Outcome:
    return Outcome(
        plan=RUN.plan or "",
        item=number,
        resource_id=f"/subscriptions/s/{number}/{text}",
        subscription_id=text,
        rule=text,
        action=Action.CHANGE_TAGS,
        outcome=result,
        reason=reason,
        change=TagChange(set={text: text}, remove=(f"{text}-old",)),
        before={f"{text}-old": text},
        after={text: text},
        writes=2,
        at=NOW,
    )


def page_of(
    *outcomes: Outcome,
    run: Run = RUN,
    status: RunStatus = RunStatus.SUCCEEDED,
    error: str | None = None,
    deletes: bool = False,
) -> str:
    plan = Plan(
        id=RUN.plan or "", job=RUN.job, run=RUN.plan or "", created=NOW, expires=NOW, items=(DISK,) if deletes else ()
    )
    applied = Applied(plan=plan, outcomes=outcomes, chosen=len(outcomes))
    return b"".join(outcomes_page(run, status, error, applied, NOW + timedelta(minutes=1))).decode()


def rows_of(*outcomes: Outcome) -> list[dict[str, str]]:
    text = b"".join(outcomes_csv(outcomes)).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


class TestPage:
    def test_it_says_what_was_done_and_how_to_take_it_back(self) -> None:
        outline = Outline(page_of(outcome(0), outcome(1, Result.SKIPPED, reason="it is there by now")))

        text = " ".join(" ".join(outline.texts).split())
        assert f"Run {RUN.id} · succeeded · 2026-11-22T06:00:00Z to 2026-11-22T06:01:00Z" in text
        assert f"plan {RUN.plan}" in text
        assert f"steward undo {RUN.id}" in text
        assert "it is there by now" in text
        assert "set 'x' to 'x'" in text
        assert "Not all was changed" not in text

    def test_what_was_deleted_is_not_taken_back(self) -> None:
        """Nobody is told to undo it; where it is kept what it was is said."""
        gone = msgspec.structs.replace(outcome(0, Result.DELETED), action=Action.DELETE, change=None)

        page = page_of(gone, error="Not deleted as planned: a lock", deletes=True)

        assert "<h1>Deletions</h1>" in page
        assert f"<code>tombstones/{RUN.plan}/</code>" in page
        assert "<h2>Not all was deleted</h2>" in page
        assert "steward undo" not in page

    def test_what_went_wrong_comes_first(self) -> None:
        """Failed, then left alone, then done, each in the order of the plan; and why the run did not succeed."""
        found = [
            outcome(0),
            outcome(1, Result.SKIPPED, reason="r"),
            outcome(2, Result.FAILED, reason="r"),
            outcome(3),
            outcome(4, Result.FAILED, reason="r"),
        ]

        page = page_of(*found, status=RunStatus.FAILED, error="Not changed as planned: a lock")

        places = [page.index(f"<bdi>{found[number].resource_id}</bdi>") for number in (2, 4, 1, 0, 3)]
        assert places == sorted(places)
        assert "Not all was changed" in page
        assert "<bdi>Not changed as planned: a lock</bdi>" in page

    def test_nothing_was_to_be_done(self) -> None:
        assert "None." in page_of()

    def test_more_than_a_browser_sorts(self) -> None:
        """The page says how many it shows, and where all of them are; what failed is among those shown."""
        done = [outcome(number) for number in range(SHOWN + 1)]

        page = page_of(*done, outcome(SHOWN + 1, Result.FAILED, reason="r"))

        assert "The first 5,000 of 5,002 are shown; all of them are in <code>outcomes.csv</code>." in page
        assert page.count('<td class="id">') == SHOWN
        assert f"<bdi>{outcome(SHOWN + 1).resource_id}</bdi>" in page

    def test_who_asked_for_it(self) -> None:
        """Nobody has verified that."""
        page = page_of(run=msgspec.structs.replace(RUN, requested_by="operator@example.com"))

        assert "asked for by <bdi>operator@example.com</bdi> (not verified)" in page

    @settings(deadline=None)
    @given(FOREIGN)
    def test_foreign_text_is_text(self, text: str) -> None:
        """Whatever strangers write, the markup is that of a page without them."""
        hostile = page_of(
            outcome(0, Result.FAILED, text, text),
            run=msgspec.structs.replace(RUN, requested_by=text),
            status=RunStatus.FAILED,
            error=text or "x",
        )
        plain = page_of(
            outcome(0, Result.FAILED, "x", "x"),
            run=msgspec.structs.replace(RUN, requested_by="x" if text else text),
            status=RunStatus.FAILED,
            error="x",
        )

        assert Outline(hostile).markup == Outline(plain).markup


class TestSpreadsheet:
    def test_every_outcome_is_a_row(self) -> None:
        """In the order of the plan; tags are JSON in their cells."""
        found = [outcome(0), outcome(1, Result.SKIPPED, reason="r"), outcome(2, Result.FAILED, reason="r")]

        rows = rows_of(*found)

        assert tuple(rows[0]) == CSV_HEADER
        assert [(row["outcome"], row["reason"], row["item"]) for row in rows] == [
            ("changed", "", "0"),
            ("skipped", "r", "1"),
            ("failed", "r", "2"),
        ]
        assert (json.loads(rows[0]["before"]), json.loads(rows[0]["after"])) == ({"x-old": "x"}, {"x": "x"})
        assert (rows[0]["at"], rows[0]["writes"], rows[0]["plan"]) == ("2026-11-22T06:00:00Z", "2", RUN.plan)

    def test_what_is_not_known_is_empty(self) -> None:
        """No tags are an empty object, unknown ones an empty cell."""
        rows = rows_of(msgspec.structs.replace(outcome(0), before={}, after=None))

        assert (rows[0]["before"], rows[0]["after"]) == ("{}", "")

    @pytest.mark.parametrize("text", [*HOSTILE, "=1+1", "+1", "-1", "@sum", "\t=1", "a\r\nb", "'"], ids=repr)
    def test_no_cell_is_a_formula(self, text: str) -> None:
        rows = rows_of(outcome(0, Result.FAILED, text, text))

        assert len(rows) == 1
        for value in rows[0].values():
            assert not value.lstrip(" \u00a0").startswith(("=", "+", "-", "@", "\t", "\r"))
