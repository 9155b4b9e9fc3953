"""The report of a tag audit: the number that matters first, the truth beside it, and strangers' text as text."""

import base64
import csv
import hashlib
import io
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given, settings

from shared_code.compliance import Compliance, Count, Row, Rows
from shared_code.history import HistoryEntry
from shared_code.model import Finding, Reading, Severity, Verdict
from shared_code.reports.page import SHOWN
from shared_code.reports.tag_audit import CSV_HEADER, TagAuditReport, is_new, tag_audit_csv, tag_audit_page
from shared_code.runs import Mode, Run, RunStatus, TriggeredBy
from tests.fakes import NOW
from tests.reports.test_page import FOREIGN, HOSTILE, Outline

RUN = Run(
    id="20261122T060000Z-tag-audit-9c01f2ab",
    job="tag-audit",
    mode=Mode.PLAN,
    trigger=TriggeredBy.TIMER,
    requested=NOW,
    started=NOW,
)


def finding(text: str = "x", number: int = 1, **fields: object) -> Finding:
    given_fields: dict[str, object] = {
        "rule": text,
        "kind": "missing",
        "resource_id": f"/subscriptions/s1/{number:06}/{text}",
        "subscription_id": "S1",
        "severity": Severity.HIGH,
        "detail": text,
        "evidence": {"tag": text},
        "first_seen": NOW,
    }
    return Finding(**(given_fields | fields))  # type: ignore[arg-type]  # the names are checked when it is made


def verdict(number: int, reading: Reading = Reading.COMPLETE, text: str = "") -> Verdict:
    return Verdict(
        subscription_id=f"S{number}", subscription_name=text or f"Sub {number}", reading=reading, reason=text or None
    )


def entry(day: int, percent: float | None = 90.0) -> HistoryEntry:
    return HistoryEntry(run=f"run-{day}", taken=NOW + timedelta(days=day), status=RunStatus.SUCCEEDED, percent=percent)


def compliance(text: str = "x", count: Count | None = None) -> Compliance:
    count = count or Count(1234, 100, 34, 5)
    rows = Rows({"k": Row(text, count, text)}, Count(1, 1))
    return Compliance(
        subjects=600,
        left_out={text: 7},
        rules={text: count},
        subscriptions={"s1": Row(text, count)},
        resource_groups=rows,
        types=rows,
        owners=rows,
    )


REPORT = TagAuditReport(
    run=RUN,
    status=RunStatus.SUCCEEDED,
    ended=NOW + timedelta(minutes=1),
    compliance=compliance(),
    verdicts=[verdict(1)],
    findings=[finding()],
    number=1,
    history=[entry(-1), entry(0)],
)


def rendered(**fields: object) -> str:
    return b"".join(tag_audit_page(msgspec.structs.replace(REPORT, **fields))).decode()


def with_text(text: str) -> str:
    """A page with a stranger's text in every place that may hold one."""
    readings = (Reading.COMPLETE, Reading.INCOMPLETE, Reading.NOT_VISIBLE, Reading.SKIPPED)
    return rendered(
        compliance=compliance(text),
        verdicts=[verdict(number, reading, text) for number, reading in enumerate(readings, 1)],
        findings=[finding(text), finding(text, 2, first_seen=None, subscription_id=text)],
        number=2,
        unevaluated={text: text},
    )


def shown(content: str) -> str:
    """What a reader sees of a page, in one line."""
    without = re.sub(r"<(script|style)>.*?</\1>", "", content, flags=re.DOTALL)
    return " ".join(" ".join(Outline(without).texts).split())


PLAIN = Outline(with_text("x")).markup


class TestForeignText:
    @given(text=FOREIGN)
    @settings(deadline=None)
    def test_never_becomes_markup(self, text: str) -> None:
        if text:
            assert Outline(with_text(text)).markup == PLAIN

    @pytest.mark.parametrize("text", [text for text in HOSTILE if "\x00" not in text])
    def test_is_shown_as_it_was_written(self, text: str) -> None:
        # Left out: 1. Two unread: name and reason; one skipped: the same. Unevaluated rule: name and reason. Worst: two
        # names with where they lie. Rules: 1. Subscriptions: 4. Groups: name and where; type; owner. Two findings:
        # rule, subscription, what.
        assert Outline(with_text(text)).texts.count(text) == 1 + 2 * 2 + 2 + 2 + 2 * 2 + 1 + 4 + 2 + 1 + 1 + 2 * 3

    def test_direction_marks_end_with_the_text_that_has_them(self) -> None:
        content = with_text("\u202egpj.exe")

        told = re.findall(r"<bdi>[^<]*\u202e[^<]*</bdi>", content)
        assert len(told) == content.count("\u202e")


class TestThePolicy:
    def test_allows_exactly_the_script_and_the_style_of_the_page(self) -> None:
        content = with_text("x")
        policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', content)

        sources = {name: re.findall(rf"<{name}>(.*?)</{name}>", content, re.DOTALL) for name in ("script", "style")}
        assert [len(found) for found in sources.values()] == [1, 1]
        hashes = {
            name: base64.b64encode(hashlib.sha256(found[0].encode()).digest()).decode()
            for name, found in sources.items()
        }
        assert policy is not None
        assert policy[1].replace("&#39;", "'") == (
            f"default-src 'none'; script-src 'sha256-{hashes['script']}'; "
            f"style-src 'sha256-{hashes['style']}'; base-uri 'none'; form-action 'none'"
        )

    def test_stands_before_what_it_rules(self) -> None:
        content = rendered()

        assert content.index("Content-Security-Policy") < content.index("<style>") < content.index("<script>")

    def test_nothing_is_loaded_and_nothing_runs_but_the_script(self) -> None:
        class Attributes(HTMLParser):
            def __init__(self) -> None:
                super().__init__()
                self.names: set[str] = set()
                self.tags: set[str] = set()

            def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
                self.names |= {name for name, _ in attrs}
                self.tags.add(tag)

        found = Attributes()
        found.feed(with_text("x"))
        assert not {name for name in found.names if name.startswith("on") or name in {"src", "href", "style", "srcset"}}
        assert not found.tags & {"link", "iframe", "img", "object", "embed", "form", "base"}
        script = re.findall(r"<script>(.*?)</script>", rendered(), re.DOTALL)[0]
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|fetch|XMLHttp|import", script)


class TestTheReport:
    def test_begins_with_the_number_that_matters(self) -> None:
        content = shown(rendered())

        assert content.index("91.6 % compliance") < content.index("findings")
        assert "1,100 of 1,200 checks were passed. Not counted: 34 exempted, 5 that could not be evaluated." in content
        assert "Left out: 7 x ." in content

    def test_says_beside_it_what_was_not_read(self) -> None:
        content = shown(rendered(verdicts=[verdict(1), verdict(2, Reading.INCOMPLETE, "no role")]))

        assert "1 of 2 subscriptions were not read completely. The percentage is of what was read" in content
        assert content.index("not read completely") < content.index("findings")

    def test_what_is_all_read_has_no_warning(self) -> None:
        assert "not read completely" not in shown(rendered())

    def test_nothing_to_judge_is_not_100_percent(self) -> None:
        content = shown(rendered(compliance=Compliance(), history=[entry(0, None)], findings=[], number=0))

        assert "nothing to judge compliance" in content
        assert "100 %" not in content
        assert "100.0 %" not in content
        assert "No run so far had anything to judge." in content

    def test_an_unread_subscription_has_no_percentage(self) -> None:
        content = rendered(verdicts=[verdict(1), verdict(9, Reading.NOT_VISIBLE)])

        assert (
            '<bdi>Sub 9</bdi></td><td class="word">not visible</td><td class="number" data-sort="-1">unknown' in content
        )

    def test_nothing_to_compare_is_not_nothing_new(self) -> None:
        assert "new nothing to compare fixed nothing to compare" in shown(rendered())
        assert "new 0 fixed 12,345" in shown(rendered(new=0, fixed=12345))

    def test_shows_the_ten_worst(self) -> None:
        rows = Rows({str(number): Row(f"rg-{number}", Count(50, number), "Shop") for number in range(13)})
        content = rendered(compliance=msgspec.structs.replace(compliance(), resource_groups=rows))

        worst = content[content.index("<h2>The worst") : content.index("<h2>Rules")]
        assert re.findall(r"<bdi>(rg-\d+)</bdi> in <bdi>Shop</bdi>", worst) == [f"rg-{n}" for n in range(12, 2, -1)]

    def test_no_owner_is_said_in_words(self) -> None:
        rows = Rows({"": Row("", Count(5, 5))})

        content = rendered(compliance=msgspec.structs.replace(compliance(), owners=rows))
        assert content.count("<em>no owner</em>") == 2

    def test_the_trend_stands_with_its_words(self) -> None:
        content = rendered()

        assert '<svg class="trend"' in content
        assert "2 runs. First: " in content

    def test_a_finding_says_since_when(self) -> None:
        old = finding("old", 1, first_seen=NOW - timedelta(days=3))
        content = rendered(findings=[old, finding("new", 2), finding("?", 3, first_seen=None)], number=3)

        since = re.findall(r'<td class="word" data-sort="[^"]*">(.*?)</td></tr>', content)
        assert since == ["2026-11-19T06:00:00Z", "new", "unknown"]

    def test_no_more_findings_than_a_browser_can_take(self) -> None:
        """And of the others no more than their number; they are not even asked for."""
        asked: list[int] = []

        def findings() -> Iterator[Finding]:
            for number in range(SHOWN + 1000):
                asked.append(number)
                yield finding("x", number)

        content = rendered(findings=findings(), number=SHOWN + 1000)

        assert len(asked) == SHOWN
        assert content.count('<td class="id">') == SHOWN
        assert "The first 5,000 of 6,000 are shown; all of them, the other 1,000 too, are in findings.csv" in shown(
            content
        )

    def test_all_findings_need_no_hint(self) -> None:
        assert "findings.csv" not in rendered()

    def test_every_element_is_closed_in_order(self) -> None:
        opened: list[str] = []
        for tag in Outline(with_text("x")).markup:
            name = tag.strip("</>").split()[0]
            if name == "meta":
                continue
            if tag.startswith("</"):
                assert opened.pop() == name
            else:
                opened.append(name)
        assert opened == []

    def test_every_table_can_be_named_and_reached_by_keyboard(self) -> None:
        content = rendered()

        assert content.count("<table") == content.count("<caption>") == 8
        assert content.count('<div class="wide" tabindex="0" role="region" aria-label=') == 6
        assert content.count("<th") == content.count('<th scope="col"') + content.count("<thead")

    def test_begins_with_its_document_type(self) -> None:
        assert rendered().startswith('<!doctype html>\n<html lang="en">')

    def test_comes_in_pieces(self) -> None:
        report = msgspec.structs.replace(REPORT, findings=map(finding, "x" * 2000), number=2000)

        assert len(list(tag_audit_page(report))) > 10


class TestTheSpreadsheet:
    def test_has_a_row_for_each_finding(self) -> None:
        old = finding("old", first_seen=NOW - timedelta(days=1), subscription_id="s1")
        content = b"".join(tag_audit_csv([finding("now"), old], [verdict(1)], RUN)).decode("utf-8-sig")

        header, *lines = csv.reader(io.StringIO(content))
        assert header == list(CSV_HEADER)
        assert lines == [
            [
                "high", "now", "missing", "/subscriptions/s1/000001/now", "S1", "Sub 1", "now", "2026-11-22T06:00:00Z",
                "yes", '{"tag":"now"}',
            ],
            [
                "high", "old", "missing", "/subscriptions/s1/000001/old", "s1", "Sub 1", "old", "2026-11-21T06:00:00Z",
                "no", '{"tag":"old"}',
            ],
        ]  # fmt: skip

    def test_runs_no_formula(self) -> None:
        content = b"".join(tag_audit_csv([finding("=1+1")], [], RUN)).decode("utf-8-sig")

        _, line = csv.reader(io.StringIO(content))
        assert (line[1], line[6]) == ("'=1+1", "'=1+1")

    def test_what_no_ledger_knows_is_not_new(self) -> None:
        assert not is_new(finding(first_seen=None), RUN)


def test_the_occurrence_in_both_times() -> None:
    """Of a schedule by the clocks of a zone; in UTC alone its run says enough."""
    local = datetime(2026, 11, 23, 6, tzinfo=timezone(timedelta(hours=1)))
    run = msgspec.structs.replace(REPORT.run, scheduled_for=local, scheduled_local=local, timezone="Europe/Berlin")

    assert " · for 2026-11-23T05:00:00Z, 2026-11-23T06:00:00+01:00 Europe/Berlin</p>" in rendered(run=run)
    assert " · for " not in rendered()
