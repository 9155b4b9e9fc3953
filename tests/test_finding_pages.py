"""Pages of findings: each finding on one page, in the order of the file."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.errors import Refused, Unknown
from shared_code.finding_pages import FILTERS, finding_page
from shared_code.model import Finding, Severity
from shared_code.outputs import FINDINGS
from shared_code.runs import Mode, Run, RunStatus, TriggeredBy
from shared_code.store import Store, open_store
from tests.fakes import NOW

RUN = Run(
    id="20261122T060000Z-tag-audit-9c01f2ab",
    job="tag-audit",
    mode=Mode.PLAN,
    trigger=TriggeredBy.TIMER,
    requested=NOW,
    status=RunStatus.SUCCEEDED,
    outputs=(FINDINGS,),
)


def finding(number: int, rule: str = "owner") -> Finding:
    return Finding(
        rule=rule,
        kind="missing",
        resource_id=f"/subscriptions/s/resourceGroups/g/{number:04}",
        subscription_id="S",
        severity=Severity.HIGH,
        detail="there is no tag 'owner'",
    )


def store_with(folder: Path, findings: list[Finding]) -> Store:
    store = open_store(folder.as_uri())
    store.write(f"runs/{RUN.id}/{FINDINGS}", msgspec.json.Encoder().encode_lines(findings))
    return store


def all_pages(store: Store, limit: int, **wanted: str) -> list[list[Finding]]:
    pages = [finding_page(store, RUN, limit, 0, wanted)]
    while (after := pages[-1].after) is not None:
        pages.append(finding_page(store, RUN, limit, after, wanted))
    return [page.findings for page in pages]


@given(count=some.integers(0, 12), limit=some.integers(1, 5))
def test_every_finding_is_on_one_page(count: int, limit: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    findings = [finding(number) for number in range(count)]

    pages = all_pages(store_with(tmp_path_factory.mktemp("store"), findings), limit)

    assert [each for page in pages for each in page] == findings
    assert all(len(page) == limit for page in pages[:-1])
    assert pages[-1] or count == 0


def test_pages_can_be_narrowed_without_case(tmp_path: Path) -> None:
    """By rule, kind, severity and subscription; a full page whose rest does not match has no next one."""
    store = store_with(tmp_path, [finding(number, "owner" if number % 2 else "env") for number in range(8)])

    assert [len(page) for page in all_pages(store, 2, rule="OWNER", subscription_id="s", severity="high")] == [2, 2]
    assert all_pages(store, 2, kind="value") == [[]]
    assert set(FILTERS) <= set(Finding.__struct_fields__)


def test_a_run_that_has_not_ended_has_none_yet(tmp_path: Path) -> None:
    running = msgspec.structs.replace(RUN, status=RunStatus.RUNNING)

    with pytest.raises(Refused, match=r"is running; its findings are there when it has ended\.$"):
        finding_page(open_store(tmp_path.as_uri()), running, 5, 0, {})


def test_a_run_without_findings_says_so(tmp_path: Path) -> None:
    other = msgspec.structs.replace(RUN, outputs=())

    with pytest.raises(Unknown, match=r"\(tag-audit, succeeded\) left no findings\.$"):
        finding_page(open_store(tmp_path.as_uri()), other, 5, 0, {})
