"""The report in the format its reader asks for, or one sentence that says why there is none."""

import csv
import io
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.errors import InvalidRequest, Refused, StoreError, Unknown
from shared_code.reports.formats import TYPES, choose, report
from shared_code.runs import Mode, Run, RunStatus, TriggeredBy
from shared_code.store import Store, open_store
from tests.fakes import NOW

RUN = Run(
    id="20261122T060000Z-list-resource-groups-9c01f2ab",
    job="list-resource-groups",
    mode=Mode.PLAN,
    trigger=TriggeredBy.TIMER,
    requested=NOW,
    status=RunStatus.SUCCEEDED,
    outputs=("resource-groups.ndjson", "resource-groups.csv", "report.html", "changes.ndjson"),
)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"

ALL = ("report.html", "resource-groups.csv", "resource-groups.ndjson")


class TestChoose:
    @pytest.mark.parametrize(
        ("accept", "expected"),
        [
            ("", "html"),
            ("*/*", "html"),
            (BROWSER, "html"),
            ("application/json", "json"),
            ("Application/JSON; charset=utf-8", "json"),
            ("text/csv", "csv"),
            ("text/*", "html"),
            ("application/*", "json"),
            ("text/csv, application/json", "csv"),
            ("text/html;q=0.2, application/json", "json"),
            ("text/html;q=0.2, text/csv;q=0.5, application/json;q=0.4", "csv"),
            ("text/html;q=0, application/json;q=0.1", "json"),
            ("application/json;version=1;q=1.000, text/html;q=0.999", "json"),
            ("application/json;q=very, text/csv;q=0.1", "csv"),
            ("image/png", "html"),
            (",;,q=1", "html"),
        ],
    )
    def test_accept_decides_by_what_it_likes_best(self, accept: str, expected: str) -> None:
        assert choose(None, accept, ALL) == expected

    @pytest.mark.parametrize(("asked", "expected"), [("json", "json"), ("CSV", "csv"), ("html", "html")])
    def test_the_parameter_wins(self, asked: str, expected: str) -> None:
        assert choose(asked, "text/html", ALL) == expected

    @pytest.mark.parametrize("asked", ["", "xml", "../html", "html "])
    def test_another_format_is_named_with_those_there_are(self, asked: str) -> None:
        with pytest.raises(InvalidRequest) as refused:
            choose(asked, "", ALL)

        assert str(refused.value) == f"format is '{asked}'; it must be one of html, csv, json."

    def test_a_long_value_is_not_repeated_in_full(self) -> None:
        with pytest.raises(InvalidRequest) as refused:
            choose("x" * 10_000, "", ALL)

        assert len(str(refused.value)) < 120

    @given(accept=some.text() | some.text("text/hmlcsvj on*;q=0.1,"))
    def test_any_header_gives_a_format(self, accept: str) -> None:
        assert choose(None, accept, ALL) in TYPES


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Store:
    """A local store with the outputs of RUN."""
    store = open_store(tmp_path.as_uri())
    store.write(f"runs/{RUN.id}/resource-groups.ndjson", b'{"name":"rg-a"}\n{"name":"rg-b"}\n')
    store.write(f"runs/{RUN.id}/resource-groups.csv", b"\xef\xbb\xbfname\r\nrg-a\r\nrg-b\r\n")
    store.write(f"runs/{RUN.id}/report.html", b"<!doctype html>")
    store.write(f"runs/{RUN.id}/changes.ndjson", b'{"change":"new"}\n')
    return store


class TestReport:
    def test_html_and_csv_are_what_the_run_wrote(self, store: Store) -> None:
        assert b"".join(report(store, RUN, "html")) == b"<!doctype html>"
        content = b"".join(report(store, RUN, "csv")).decode("utf-8-sig")
        assert list(csv.reader(io.StringIO(content))) == [["name"], ["rg-a"], ["rg-b"]]

    def test_json_is_one_document_of_the_run_and_its_lines(self, store: Store) -> None:
        document = msgspec.json.decode(b"".join(report(store, RUN, "json")))

        assert document == {
            "run": msgspec.json.decode(msgspec.json.encode(RUN)),
            "resource_groups": [{"name": "rg-a"}, {"name": "rg-b"}],
            "changes": [{"change": "new"}],
        }

    def test_json_of_nothing_is_an_empty_list(self, store: Store) -> None:
        store.write(f"runs/{RUN.id}/resource-groups.ndjson", b"")

        store.write(f"runs/{RUN.id}/changes.ndjson", b"")

        document = msgspec.json.decode(b"".join(report(store, RUN, "json")))

        assert (document["resource_groups"], document["changes"]) == ([], [])

    def test_json_of_a_run_from_before_there_were_changes_has_none(self, store: Store) -> None:
        """Runs are kept for weeks; one that left no changes did not find none."""
        old = msgspec.structs.replace(RUN, outputs=RUN.outputs[:3])

        assert set(msgspec.json.decode(b"".join(report(store, old, "json")))) == {"run", "resource_groups"}

    @pytest.mark.parametrize("status", [RunStatus.QUEUED, RunStatus.RUNNING])
    @pytest.mark.parametrize("form", TYPES)
    def test_of_a_run_that_has_not_ended_is_refused(self, store: Store, status: RunStatus, form: str) -> None:
        with pytest.raises(Refused) as refused:
            report(store, msgspec.structs.replace(RUN, status=status), form)

        assert str(refused.value) == f"Run '{RUN.id}' is {status}; its report is there when it has ended."

    @pytest.mark.parametrize(
        ("status", "error", "expected"),
        [
            (RunStatus.FAILED, "No role.", "(list-resource-groups, failed) left no report. No role."),
            (RunStatus.CANCELLED, None, "(list-resource-groups, cancelled) left no report."),
        ],
    )
    @pytest.mark.parametrize("form", TYPES)
    def test_of_a_run_without_one_is_unknown(
        self, store: Store, form: str, status: RunStatus, error: str | None, expected: str
    ) -> None:
        with pytest.raises(Unknown) as unknown:
            report(store, msgspec.structs.replace(RUN, status=status, outputs=(), error=error), form)

        assert str(unknown.value) == f"Run '{RUN.id}' {expected}"

    @pytest.mark.parametrize("form", TYPES)
    def test_that_was_swept_away_is_an_error_of_the_store(self, tmp_path: Path, form: str) -> None:
        empty = open_store((tmp_path / "empty").as_uri())

        with pytest.raises(StoreError, match=RUN.id):
            b"".join(report(empty, RUN, form))


@pytest.mark.parametrize("accept", ["", "*/*", "text/html", "text/csv;q=0.9, text/html"])
def test_a_run_gives_what_it_has_left(accept: str) -> None:
    """The watchdog leaves findings and no page; its report is these."""
    assert choose(None, accept, ("findings.ndjson",)) == "json"
    assert choose(None, accept, ()) == "html"
