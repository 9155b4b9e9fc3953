"""The job on three estates: one that is whole, one of every irregularity, and recorded answers of Azure."""

import html
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from devkit.local_host.process import HostProcess
from devkit.simulator import Subscription, load_estate, load_recordings
from tests.app.conftest import JOB, UNCHANGED, Done, Json, World, start_run, wait_ended, world_of

UNREAD = "reading", "incomplete"


@pytest.fixture(scope="module")
def odd_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The estate `odd`, shared by the tests of this module."""
    with world_of(tmp_path_factory.mktemp("odd"), load_estate("odd")) as world:
        yield world


@pytest.fixture(scope="module")
def odd_run(odd_world: World) -> Done:
    """`steward run` on the estate `odd`, as a person reads it."""
    return odd_world.steward("run", JOB)


@pytest.fixture(scope="module")
def odd_record(odd_world: World, odd_run: Done) -> Json:
    """The record of that run."""
    assert odd_run.code == 3
    return odd_world.record(odd_world.run_ids()[0])


@pytest.fixture(scope="module")
def recordings() -> Path:
    """The folder named by STEWARD_RECORDINGS. Without it the test is skipped, or fails where it is required."""
    named = os.environ.get("STEWARD_RECORDINGS", "")
    if named and Path(named).is_dir():
        return Path(named)
    reason = f"STEWARD_RECORDINGS is '{named}'; set it to a folder of recorded interactions to run this test"
    if "recordings" in os.environ.get("STEWARD_REQUIRE", "").split(","):
        pytest.fail(reason)
    pytest.skip(reason)


def unread(subscriptions: tuple[Subscription, ...]) -> list[Subscription]:
    """Give the subscriptions that the estate says cannot be read completely."""
    return [each for each in subscriptions if each.trouble]


class TestDemo:
    """Everything in `demo` can be read."""

    def test_a_complete_listing(self, demo: World) -> None:
        """Exit code 0, the estate's own counts, and a closed subscription that is skipped and named."""
        done = demo.steward("run", JOB, "--json")

        estate = demo.simulator.estate
        enabled = [each for each in estate.subscriptions if each.state == "Enabled"]
        run = done.json()
        assert (done.code, done.err) == (0, "")
        assert run["counts"] == {
            "subscriptions_read": len(enabled),
            "subscriptions_not_read": 0,
            "subscriptions_skipped": 1,
            "resource_groups": sum(each.group_count for each in enabled),
            "resources": sum(each.resource_count for each in enabled),
            "locks": sum(each.lock_count for each in enabled),
        }
        assert demo.steward("run", JOB, "--json").json()["counts"] == run["counts"] | UNCHANGED
        skipped = [each for each in run["subscriptions"] if each["reading"] == "skipped"]
        assert [each["reason"] for each in skipped] == ["the subscription's state is Disabled"]


class TestOdd:
    """What cannot be read is named with its reason, everywhere, and never looks empty."""

    def test_what_was_read_completely(self, odd_world: World, odd_record: Json) -> None:
        """Exactly the subscriptions without trouble are complete, with the estate's counts."""
        complete = {
            verdict["subscription_id"]: (verdict["resource_groups"], verdict["resources"], verdict["locks"])
            for verdict in odd_record["subscriptions"]
            if verdict["reading"] == "complete"
        }

        assert complete == {
            each.id: (each.group_count, each.resource_count, each.lock_count)
            for each in odd_world.simulator.estate.subscriptions
            if not each.trouble and each.state != "Disabled"
        }

    def test_what_was_not(self, odd_world: World, odd_record: Json) -> None:
        """Each of the others is incomplete and says why; the run is partial and names the first."""
        incomplete = [verdict for verdict in odd_record["subscriptions"] if verdict["reading"] == "incomplete"]
        troubled = unread(odd_world.simulator.estate.subscriptions)

        assert [verdict["subscription_id"] for verdict in incomplete] == [each.id for each in troubled]
        assert all(verdict["reason"] for verdict in incomplete)
        assert odd_record["status"] == "partial"
        assert odd_record["counts"]["subscriptions_not_read"] == len(troubled)
        assert odd_record["error"].startswith(
            f"Not read completely: {troubled[0].name} ({troubled[0].id}): cannot read"
        )
        assert odd_record["error"].endswith(f", and {len(troubled) - 1} more")

    def test_nothing_unread_looks_empty(self, odd_world: World, odd_record: Json) -> None:
        """A group whose resources were not counted has no number, nor types or locks; nothing is of another host."""
        groups = odd_world.groups(odd_record["id"])
        troubled = {each.id for each in unread(odd_world.simulator.estate.subscriptions)}
        partly = [group for group in groups if group["subscription_id"] in troubled]

        assert partly
        for field in ("resources", "resource_types", "locks"):
            assert [group[field] for group in partly] == [None] * len(partly)
        assert "read-from-another-host" not in {group["name"] for group in groups}
        verdicts = {verdict["subscription_id"]: verdict for verdict in odd_record["subscriptions"]}
        assert {(verdicts[each]["resources"], verdicts[each]["locks"]) for each in troubled} == {(None, None)}
        assert len({group["id"].casefold() for group in groups}) == len(groups)

    def test_tags_as_received(self, odd_world: World, odd_record: Json) -> None:
        """Tags of groups keep the case of keys and whatever strangers wrote into them."""
        estate = odd_world.simulator.estate
        found = {group["id"]: group["tags"] for group in odd_world.groups(odd_record["id"])}
        whole = [each for each in estate.subscriptions if not each.trouble and each.state != "Disabled"]

        expected = {group.id: group.tags or {} for each in whole for group in each.resource_groups}
        assert {id_: tags for id_, tags in found.items() if id_ in expected} == expected

    def test_the_terminal_names_each(self, odd_world: World, odd_run: Done, odd_record: Json) -> None:
        """`steward run` and `steward show` name every one with its reason, one line each."""
        shown = odd_world.steward("show", odd_record["id"])
        lines = {output: output.splitlines() for output in (odd_run.out, shown.out)}

        assert shown.code == 0
        for verdict in odd_record["subscriptions"]:
            if verdict["reading"] == "incomplete":
                start = f"not read completely: {verdict['subscription_name']} ({verdict['subscription_id']}): "
                for output in lines.values():
                    assert [line for line in output if line == start + verdict["reason"]]
        assert "not read" in odd_run.out
        assert "progress" not in shown.out
        assert "\x1b" not in odd_run.out + odd_run.err

    def test_the_report_names_each(self, odd_world: World, odd_record: Json) -> None:
        """The HTML report has every reason, escaped, "not read" in place of counts, and no script but ours."""
        page = (odd_world.store / "runs" / odd_record["id"] / "report.html").read_text()

        for verdict in odd_record["subscriptions"]:
            if verdict["reading"] == "incomplete":
                assert html.escape(verdict["reason"]).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in page
                assert verdict["subscription_id"] in page
        assert "not read" in page
        assert page.count("<script") == 1  # our own, which sorts and filters
        assert "<b>nobody" not in page

    def test_csv_runs_nothing(self, odd_world: World, odd_record: Json) -> None:
        """No cell of the CSV begins like a formula, and unread counts are empty."""
        sheet = (odd_world.store / "runs" / odd_record["id"] / "resource-groups.csv").read_text("utf-8-sig")

        assert "\n=" not in sheet
        assert ",=" not in sheet
        assert "rg-11-first" not in sheet


def test_recordings(recordings: Path, tmp_path: Path) -> None:
    """On recorded answers the app and the terminal count what the recordings hold."""
    estate = load_recordings(recordings)
    with world_of(tmp_path, estate) as world:
        done = world.steward("run", JOB, "--json")
        with world.host() as host:
            by_post = through_the_app(host)
        run = done.json()

        expected = {each.id: (each.group_count, each.resource_count, each.lock_count) for each in estate.subscriptions}
        found = {
            verdict["subscription_id"]: (verdict["resource_groups"], verdict["resources"], verdict["locks"])
            for verdict in run["subscriptions"]
        }
        assert found == expected
        assert {verdict["reading"] for verdict in run["subscriptions"]} == {"complete"}
        assert (done.code, run["status"], by_post["status"]) == (0, "succeeded", "succeeded")
        assert run["counts"] | UNCHANGED == by_post["counts"]
        assert run["counts"]["resource_groups"] == sum(groups for groups, _, _ in expected.values()) > 0
        assert run["counts"]["resources"] == sum(resources for _, resources, _ in expected.values()) > 0
        assert run["counts"]["locks"] == sum(locks for _, _, locks in expected.values()) > 0
        assert world.groups(run["id"]) == world.groups(by_post["id"])


def through_the_app(host: HostProcess) -> Json:
    """Run the job in the host and give its record."""
    return wait_ended(host, start_run(host), patience=60)
