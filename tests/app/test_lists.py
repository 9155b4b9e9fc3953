"""Lists over HTTP: narrowed, page by page, sorted, and each thing once."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from devkit.local_host.process import HostProcess
from shared_code.snoozes import snooze_id
from tests.app.conftest import JOB, Json, World, start_run, subscription_id, wait_ended, world_of
from tests.app.test_api import problem
from tests.app.test_changes import config, untidy
from tests.app.test_snoozes import BODY, RULE


class Filled(NamedTuple):
    """A world with plans, runs of two jobs and snoozes, and the host in it."""

    world: World
    host: HostProcess
    plans: list[str]
    """Newest first."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """Shared by tests that add nothing."""
    with world_of(tmp_path_factory.mktemp("lists"), untidy(), config()) as world, world.host() as host:
        plans = []
        for _ in range(3):
            plans.append(wait_ended(host, start_run(host, job="tag-audit"))["plan"])
            wait_ended(host, start_run(host))
        for number in range(5):
            group = f"/subscriptions/{subscription_id(1)}/resourceGroups/rg-{number}"
            reply = host.call("PUT", f"/api/snoozes/{snooze_id(RULE, group)}", BODY | {"resource_id": group})
            assert reply.status == 200, reply.text
        yield Filled(world, host, sorted(plans, reverse=True))


def pages(host: HostProcess, address: str, name: str) -> list[list[Json]]:
    """Follow a list to its end."""
    found: list[list[Json]] = []
    following: str | None = address
    while following:
        reply = host.call("GET", following, key="reader")
        assert reply.status == 200, reply.text
        found.append(reply.json()[name])
        following = reply.json()["next"]
    return found


class TestPlans:
    """`GET plans`."""

    def test_newest_first_page_by_page(self, filled: Filled) -> None:
        """Each plan on one page, with its address; `next` leads on, and the last page nowhere."""
        found = pages(filled.host, "/api/plans?limit=2", "plans")

        assert [plan["id"] for page in found for plan in page] == filled.plans
        assert [len(page) for page in found] == [2, 1]
        assert found[0][0]["links"] == {"self": f"/api/plans/{filled.plans[0]}"}

    def test_narrowed(self, filled: Filled) -> None:
        """By job, and to those older than one that need not be there."""
        newest, middle, oldest = filled.plans
        before = filled.host.call("GET", f"/api/plans?before={middle}&job=tag-audit").json()
        other = filled.host.call("GET", "/api/plans?job=cleanup").json()
        by_run = filled.host.call("GET", f"/api/plans?limit=1&before={newest[:-8]}ffffffff").json()

        assert ([plan["id"] for plan in before["plans"]], before["next"]) == ([oldest], None)
        assert other == {"plans": [], "next": None}
        assert by_run["next"].startswith("/api/plans?limit=1&before=")

    @pytest.mark.parametrize(
        ("query", "status", "words"),
        [
            ("limit=0", 400, "limit is '0'; it must be a whole number from 1 to 200."),
            ("before=now", 400, "before is 'now'; it must be the id of a run."),
            ("job=paint", 404, "There is no job 'paint'; "),
            ("status=failed", 400, "'status' is no query parameter here; "),
        ],
    )
    def test_odd_queries(self, filled: Filled, query: str, status: int, words: str) -> None:
        assert problem(filled.host.call("GET", f"/api/plans?{query}"), status).startswith(words)


class TestRuns:
    """`GET runs` by status."""

    def test_by_status(self, filled: Filled) -> None:
        """Only those, of the job that is named; `next` keeps what narrows the list."""
        found = pages(filled.host, f"/api/runs?job={JOB}&status=Succeeded&limit=2", "runs")
        none = pages(filled.host, "/api/runs?status=refused", "runs")

        assert [run["id"] for page in found for run in page] == filled.world.run_ids(JOB)[::-1]
        assert {run["status"] for page in found for run in page} == {"succeeded"}
        assert none == [[]]

    def test_no_such_status(self, filled: Filled) -> None:
        detail = problem(filled.host.call("GET", "/api/runs?status=done"), 400)

        assert detail == (
            "status is 'done'; it must be one of queued, running, succeeded, partial, failed, cancelled, refused."
        )


class TestFindings:
    """`GET runs/{run}/findings`."""

    def test_next_keeps_what_narrows_the_list(self, filled: Filled) -> None:
        """Page by page the same findings in the same order as at once."""
        address = f"/api/runs/{filled.plans[0]}/findings?rule=owner&severity=MEDIUM"
        at_once = pages(filled.host, f"{address}&limit=200", "findings")
        one_by_one = pages(filled.host, f"{address}&limit=1", "findings")

        assert len(at_once) == 1
        assert len(at_once[0]) > 2
        assert [finding for page in one_by_one for finding in page] == at_once[0]
        assert {finding["rule"] for finding in at_once[0]} == {"owner"}

    def test_no_such_severity(self, filled: Filled) -> None:
        detail = problem(filled.host.call("GET", f"/api/runs/{filled.plans[0]}/findings?severity=urgent"), 400)

        assert detail == "severity is 'urgent'; it must be one of low, medium, high."


class TestSnoozes:
    """`GET snoozes`."""

    def test_page_by_page(self, filled: Filled) -> None:
        """By their ids, each on one page; as many as a page may have where nobody says how many."""
        everything = pages(filled.host, "/api/snoozes", "snoozes")
        found = pages(filled.host, "/api/snoozes?limit=2", "snoozes")

        assert len(everything) == 1
        assert [snooze["id"] for snooze in everything[0]] == sorted(snooze["id"] for snooze in everything[0])
        assert [snooze for page in found for snooze in page] == everything[0]
        assert [len(page) for page in found] == [2, 2, 1]

    def test_odd_queries(self, filled: Filled) -> None:
        for query in ("after=x", "after=", f"after={'0' * 65}"):
            detail = problem(filled.host.call("GET", f"/api/snoozes?{query}"), 400)
            assert detail.endswith("'; take it from 'next' of the page before.")
