"""Changes through the whole app: approve a plan, undo it, stop; over HTTP, in a terminal, and by the timer."""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from msgspec import UnsetType

from devkit.local_host.process import HostProcess, Reply
from devkit.simulator import Estate, Fault, Lock, Request, ResourceGroup
from devkit.simulator.estates.drafting import resource
from devkit.simulator.model import Tags
from tests.app.conftest import Json, World, small_estate, start_run, subscription_id, wait_ended, wait_until, world_of
from tests.app.test_api import problem

AUDITING = "tag-audit"
TEAM, OPERATOR = "team@example.com", "operator@example.com"
ONE, TWO = subscription_id(1), subscription_id(2)
MANY = 96
"""Resources, of which not nearly all are changed within the seconds that a stop takes."""
UNKNOWN = "20200101T000000Z-tag-audit-00000000"
RULES = """
[[jobs.tag-audit.rules]]
name = "owner"
tag = "owner"
required = true
inherit_from = "resource-group"
mode = "approve"

[[jobs.tag-audit.rules]]
name = "environment"
tag = "Environment"
aliases = ["Env"]
rename = true
replace = { prd = "production" }
applies_to = { kinds = ["resource-group", "resource"] }
mode = "automatic"
"""


def config(*armed: str, mode: str = "plan", schedule: str = "0 0 5 1 1 *", most: int = 100) -> str:
    """Write down a configuration in which those subscriptions are armed."""
    return (
        f'[jobs.tag-audit]\nschedule = "{schedule}"\nmode = "{mode}"\narmed_subscriptions = {json.dumps(armed)}\n'
        f"max_changes = {most}\nmax_share = 1.0\n{RULES}"
    )


def untidy(subscriptions: int = 2) -> Estate:
    """Make subscriptions with four changes to plan in each, and with tags that no rule is about."""
    web = ResourceGroup(
        name="rg-web",
        location="westeurope",
        tags={"Owner": TEAM, "Environment": "prd"},
        resources=(
            resource("Microsoft.Web/sites", "app", {"note": "=1+1", "Env": "dev"}, location="westeurope"),
            resource("Microsoft.Web/sites", "db", location="westeurope"),
            resource("Microsoft.Web/sites", "own", {"OWNER": OPERATOR, "x": ""}, location="westeurope"),
        ),
    )
    return small_estate(subscriptions, web, ResourceGroup(name="rg-other", location="westeurope", tags={"any": "x"}))


def web(subscription: str, name: str = "") -> str:
    """Give the id of the group `rg-web`, or of something in it."""
    group = f"/subscriptions/{subscription}/resourceGroups/rg-web"
    return f"{group}/providers/Microsoft.Web/sites/{name}" if name else group


def at_first(subscription: str) -> dict[str, dict[str, str]]:
    """Give the tags in a subscription of `untidy`."""
    return {
        web(subscription): {"Owner": TEAM, "Environment": "prd"},
        web(subscription, "app"): {"note": "=1+1", "Env": "dev"},
        web(subscription, "db"): {},
        web(subscription, "own"): {"OWNER": OPERATOR, "x": ""},
        f"/subscriptions/{subscription}/resourceGroups/rg-other": {"any": "x"},
    }


def automatic(subscription: str) -> dict[str, dict[str, str]]:
    """Give what these tags become by automatic rules."""
    return at_first(subscription) | {
        web(subscription): {"Owner": TEAM, "Environment": "production"},
        web(subscription, "app"): {"note": "=1+1", "Environment": "dev"},
    }


def as_planned(subscription: str) -> dict[str, dict[str, str]]:
    """Give what these tags become by the whole plan."""
    return automatic(subscription) | {
        web(subscription, "app"): {"note": "=1+1", "Environment": "dev", "owner": TEAM},
        web(subscription, "db"): {"owner": TEAM},
    }


def tags(world: World) -> dict[str, dict[str, str]]:
    """Give the tags of every group and resource as they are now."""
    found: dict[str, Tags | UnsetType | None] = {}
    for group in world.simulator.estate.resource_groups:
        found[group.id] = group.tags
        found |= {each.id: each.tags for each in group.resources}
    return {id_: dict(each) if isinstance(each, dict) else {} for id_, each in found.items()}


def writes(world: World) -> list[Request]:
    """Give every request that could have changed something in Azure."""
    return [one for one in world.simulator.requests if one.method != "GET" and one.route != "logs"]


def audited(host: HostProcess) -> Json:
    """Let the audit make a plan, and give that as a reader sees it."""
    run = wait_ended(host, start_run(host, job=AUDITING))
    assert run["status"] == "succeeded", run
    plan: Json = host.call("GET", run["links"]["plan"], key="reader").json()
    return plan


def apply(
    host: HostProcess, plan: Json, only: list[str] | None = None, *, key: str = "approver", **headers: str
) -> Reply:
    """Approve a plan as it was looked at."""
    body = {"digest": plan["digest"]} | ({"only": only} if only else {})
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return host.call("POST", f"/api/plans/{plan['id']}/apply", body, key=key, headers=named)


def counted(run: Json) -> dict[str, int]:
    """Give the counts of a run that are not 0."""
    return {name: number for name, number in run["counts"].items() if number}


def outcomes(world: World, run: str) -> list[Json]:
    """Read what became of each item of a plan."""
    content = (world.store / "runs" / run / "outcomes.ndjson").read_text()
    return [json.loads(line) for line in content.splitlines()]


class Planned(NamedTuple):
    """A host, and a plan for two subscriptions of which the first is armed."""

    world: World
    host: HostProcess
    plan: Json


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planned]:
    """Shared by tests that leave Azure, the plan and the runs as they are."""
    with world_of(tmp_path_factory.mktemp("planned"), untidy(), config(ONE)) as world, world.host() as host:
        yield Planned(world, host, audited(host))


@pytest.fixture
def refusing(planned: Planned) -> Iterator[Planned]:
    """The same, and afterwards it is certain that nothing was written and no run begun."""
    runs = planned.world.run_ids(AUDITING)
    yield planned
    assert writes(planned.world) == []
    assert planned.world.run_ids(AUDITING) == runs


class TestWhoMay:
    """One function changes Azure, and it has a key of its own."""

    @pytest.mark.parametrize("key", ["reader", "operator", None])
    def test_others_apply_nothing(self, refusing: Planned, key: str | None) -> None:
        """401, however right the digest."""
        path = f"/api/plans/{refusing.plan['id']}/apply"
        body = {"digest": refusing.plan["digest"], "only": [web(ONE)]}

        assert refusing.host.call("POST", path, body, key=key).status == 401

    def test_the_approver_does_that_and_nothing_else(self, refusing: Planned) -> None:
        """That key opens no other function: who approves does not start, stop or read with it."""
        assert apply(refusing.host, refusing.plan | {"digest": "x"}).status == 409
        for method, path in (
            ("POST", f"/api/jobs/{AUDITING}/runs"),
            ("POST", f"/api/runs/{refusing.plan['run']}/undo"),
            ("PUT", "/api/stop"),
            ("GET", "/api/plans"),
        ):
            assert refusing.host.call(method, path, {}, key="approver").status == 401

    @pytest.mark.parametrize("key", ["reader", None])
    def test_a_reader_neither_stops_nor_undoes(self, refusing: Planned, key: str | None) -> None:
        """401, and whether changes are stopped may be read."""
        for method, path in (
            ("PUT", "/api/stop"),
            ("DELETE", "/api/stop"),
            ("POST", f"/api/runs/{refusing.plan['run']}/undo"),
        ):
            assert refusing.host.call(method, path, key=key).status == 401
        assert refusing.host.call("GET", "/api/stop", key="reader").json() == {
            "stopped": False,
            "read_only": False,
            "order": None,
        }


MALFORMED = {
    "nothing": (b"", "Object missing required field `digest`"),
    "no digest": (b'{"only": ["x"]}', "Object missing required field `digest`"),
    "no JSON": (b"{", "Input data was truncated"),
    "a list": (b"[]", "Expected `object`, got `array`"),
    "a number": (b'{"digest": 1}', "Expected `str`, got `int` - at `$.digest`"),
    "only one": (b'{"digest": "x", "only": "y"}', "Expected `array | null`, got `str` - at `$.only`"),
    "more": (b'{"digest": "x", "automatic": true}', "Object contains unknown field `automatic`"),
    "bytes": (b'{"digest": "\xff"}', ""),
}


class TestRefused:
    """Said at once with the reason; nothing is written and no run begins."""

    @pytest.mark.parametrize(("body", "reason"), MALFORMED.values(), ids=MALFORMED)
    def test_a_malformed_body(self, refusing: Planned, body: bytes, reason: str) -> None:
        """400 with what is wrong, and what to send instead."""
        path = f"/api/plans/{refusing.plan['id']}/apply"

        detail = problem(refusing.host.call("POST", path, body=body, key="approver"), 400)

        assert detail.startswith(f"The body cannot be read: {reason}")
        assert detail.endswith('; send JSON such as {"digest": "…"}.')

    @pytest.mark.parametrize("name", ["x", UNKNOWN, "..%2f..%2fcontrol%2fstop"])
    def test_an_unknown_plan(self, refusing: Planned, name: str) -> None:
        """404 with where to look."""
        detail = problem(apply(refusing.host, {"id": name, "digest": "x"}), 404)

        assert detail.startswith("There is no plan '")

    def test_another_digest(self, refusing: Planned) -> None:
        """409: what was approved is not what the plan says."""
        detail = problem(apply(refusing.host, refusing.plan | {"digest": "0" * 64}), 409)

        assert detail == (
            f"Plan '{refusing.plan['id']}' has another digest than '{'0' * 64}': what was approved is not what the "
            "plan says; look at it again."
        )

    def test_a_subscription_that_is_not_armed(self, refusing: Planned) -> None:
        """409 for all of it, and for one resource there."""
        for only in (None, [web(TWO, "db")]):
            detail = problem(apply(refusing.host, refusing.plan, only), 409)
            assert detail.startswith(f"Subscription '{TWO}' is not armed, so nothing of plan ")

    def test_what_is_not_in_the_plan(self, refusing: Planned) -> None:
        """409: a typing error must not look like a change that was made."""
        detail = problem(apply(refusing.host, refusing.plan, [web(ONE), web(ONE, "own")]), 409)

        assert detail.startswith(f"'{web(ONE, 'own')}' is not in plan ")

    def test_to_undo_what_changed_nothing(self, refusing: Planned) -> None:
        """409 for the run that made the plan, 404 for one that is not there."""
        run = refusing.plan["run"]

        reply = refusing.host.call("POST", f"/api/runs/{run}/undo")
        unknown = refusing.host.call("POST", f"/api/runs/{UNKNOWN}/undo")

        assert problem(reply, 409) == f"Run '{run}' cannot be undone: it has changed nothing."
        assert problem(unknown, 404).startswith("There is no run '")

    def test_a_damaged_plan(self, refusing: Planned) -> None:
        """A plan that was changed after it was written is applied with no digest, neither its old one nor its new."""
        path = refusing.world.store / "plans" / f"{refusing.plan['id']}.json"
        changed = refusing.world.store / "plans" / f"{UNKNOWN}.json"
        changed.write_bytes(path.read_bytes().replace(b"team@", b"tram@").replace(path.stem.encode(), UNKNOWN.encode()))

        reply = apply(refusing.host, refusing.plan | {"id": UNKNOWN})
        changed.unlink()

        assert reply.status == 503
        assert "does not have the digest it says" in problem(reply, 503)


class TestTheWholeLoop:
    """Audit, look, approve, undo, approve that: and Azure is as it was."""

    def test_over_http(self, tmp_path: Path) -> None:
        """Exactly the planned tags change, nobody else's, and they come back."""
        with world_of(tmp_path, untidy(), config(ONE, TWO)) as world, world.host() as host:
            first = tags(world)
            plan = audited(host)
            reply = apply(host, plan, Idempotency_Key="approved", X_Requested_By=OPERATOR)
            accepted = reply.json()
            run = wait_ended(host, accepted["id"])
            changed, sent = tags(world), len(writes(world))
            again = apply(host, plan, Idempotency_Key="approved")
            other = apply(host, plan, [web(ONE)], Idempotency_Key="approved")
            repeated = apply(host, plan)

            asked = host.call("POST", f"/api/runs/{run['id']}/undo", headers={"Idempotency-Key": "taken back"})
            undone = wait_ended(host, asked.json()["id"])
            asked_again = host.call("POST", f"/api/runs/{run['id']}/undo", headers={"Idempotency-Key": "taken back"})
            unchanged = tags(world)
            back = host.call("GET", undone["links"]["plan"]).json()
            restored = wait_ended(host, apply(host, back).json()["id"])
            job = host.call("GET", f"/api/jobs/{AUDITING}").json()

            assert first == at_first(ONE) | at_first(TWO)
            assert (reply.status, reply.headers["location"], reply.headers["retry-after"]) == (
                202,
                f"/api/runs/{accepted['id']}",
                "2",
            )
            assert (run["status"], run["error"], run["mode"], run["trigger"]) == ("succeeded", None, "apply", "http")
            assert (run["requested_by"], run["requested_by_verified"]) == (OPERATOR, False)
            assert (run["plan"], run["order"]) == (
                plan["id"],
                {"plan": plan["id"], "digest": plan["digest"], "only": None, "automatic": False},
            )
            assert counted(run) == {"changed": 8}
            assert changed == as_planned(ONE) | as_planned(TWO)
            assert [each["resource_id"] for each in outcomes(world, run["id"])] == [
                item["resource_id"] for item in plan["items"]
            ]
            assert sent == sum(each["writes"] for each in outcomes(world, run["id"]))

            assert (again.status, again.json()["id"]) == (202, run["id"])
            assert problem(other, 422).startswith("Idempotency-Key 'approved' was used for another body")
            assert problem(repeated, 409).startswith(f"All of this was begun by run {run['id']} already")

            assert (asked.status, asked.headers["location"]) == (202, f"/api/runs/{undone['id']}")
            assert asked_again.json()["id"] == undone["id"]
            assert (undone["status"], undone["mode"], undone["undoes"]) == ("succeeded", "plan", run["id"])
            assert undone["counts"] == {"planned_changes": 8, "not_restored": 0}
            assert unchanged == changed
            assert (restored["status"], restored["counts"]["changed"]) == ("succeeded", 8)
            assert tags(world) == first
            assert job["last_run"]["id"] == plan["run"]
            assert world.run_ids(AUDITING) == sorted([plan["run"], run["id"], undone["id"], restored["id"]])

            self.check_reports(host, run, outcomes(world, run["id"]))
            secrets = [*world.secrets(), host.keys.approver]
            kept = [path.read_text(errors="replace") for path in world.store.rglob("*") if path.is_file()]
            assert not any(secret in text for secret in secrets for text in (host.log, *kept))
            assert "Traceback" not in host.log

    def check_reports(self, host: HostProcess, run: Json, found: list[Json]) -> None:
        """Every format has every outcome."""
        address = run["links"]["report"]
        page = host.call("GET", address, key="reader")
        sheet = host.call("GET", f"{address}?format=csv", key="reader")
        document = host.call("GET", f"{address}?format=json", key="reader").json()
        rows = list(csv.DictReader(io.StringIO(sheet.body.decode("utf-8-sig"))))

        assert document["outcomes"] == found
        assert [(row["resource_id"], row["outcome"], json.loads(row["after"])) for row in rows] == [
            (each["resource_id"], each["outcome"], each["after"]) for each in found
        ]
        for each in found:
            assert f"<bdi>{each['resource_id']}</bdi>" in page.text


def many() -> Estate:
    """Make a subscription with one group of many resources without an owner."""
    bare = [resource("Microsoft.Web/sites", f"app-{number:02}", location="westeurope") for number in range(MANY)]
    group = ResourceGroup(name="rg-web", location="westeurope", tags={"owner": TEAM}, resources=tuple(bare))
    return small_estate(1, group)


def changed_now(world: World) -> set[str]:
    """Give the ids of the resources of `many` that have their owner."""
    return {id_ for id_, found in tags(world).items() if found and "/sites/" in id_}


SLOW = Fault(route="tags", kind="delay", delay=0.8, times=None)


class TestCutShort:
    """Cancelled or killed in the middle of its changes."""

    def test_cancelled(self, tmp_path: Path) -> None:
        """It ends soon, its report tells how far it came, and that can be undone."""
        with world_of(tmp_path, many(), config(ONE)) as world, world.host() as host:
            plan = audited(host)
            world.simulator.faults.add(SLOW)
            run = apply(host, plan).json()["id"]
            wait_until(lambda: writes(world), "the first change")
            asked = host.call("POST", f"/api/runs/{run}/cancel")
            ended = wait_ended(host, run)
            world.simulator.faults.clear()
            page = host.call("GET", f"/api/runs/{run}/report", key="reader")
            undone = wait_ended(host, host.call("POST", f"/api/runs/{run}/undo").json()["id"])
            reached = changed_now(world)
            back = host.call("GET", undone["links"]["plan"]).json()
            restored = wait_ended(host, apply(host, back).json()["id"])

            assert (asked.status, ended["status"]) == (202, "cancelled")
            assert 0 < len(reached) < MANY
            assert counted(ended) == {"changed": len(reached), "not_reached": MANY - len(reached)}
            assert {each["resource_id"] for each in outcomes(world, run)} == reached
            assert page.status == 200
            assert f"{len(reached)} of {MANY} were reached." in page.text
            assert undone["counts"]["planned_changes"] == restored["counts"]["changed"] == len(reached)
            assert changed_now(world) == set()

    def test_the_host_is_killed(self, tmp_path: Path) -> None:
        """The next host goes on: every change is made once and told once, whatever was under way."""
        with world_of(tmp_path, many(), config(ONE)) as world:
            with world.host() as host:
                plan = audited(host)
                world.simulator.faults.add(SLOW)
                run = apply(host, plan).json()["id"]
                wait_until(lambda: writes(world), "the first change")
                host.kill()
            world.simulator.faults.clear()

            with world.host():
                ended = world.ended(run)

            found = outcomes(world, run)
            assert (ended["status"], ended["error"], ended["attempt"]) == ("succeeded", None, 2)
            assert counted(ended) == {"changed": MANY}
            assert [each["item"] for each in found] == list(range(MANY))
            assert len(changed_now(world)) == MANY
            assert all(each["before"] == {} and each["after"] == {"owner": TEAM} for each in found)


class TestStop:
    """One word ends every change, also of what runs already."""

    def test_before_it_begins(self, refusing: Planned) -> None:
        """PUT, and nothing is applied; who, why and since when is told; DELETE, and it is allowed again."""
        host, headers = refusing.host, {"X-Requested-By": OPERATOR}
        put = host.call("PUT", "/api/stop", {"reason": "a bad rule"}, headers=headers)
        shown = host.call("GET", "/api/stop", key="reader")
        stopped = apply(host, refusing.plan, [web(ONE)])
        cleared = host.call("DELETE", "/api/stop")
        allowed = apply(host, refusing.plan | {"digest": "x"}, [web(ONE)])

        order = put.json()["order"]
        assert (put.status, shown.json()) == (200, put.json())
        assert put.json() == {"stopped": True, "read_only": False, "order": order}
        assert (order["by"], order["reason"]) == (OPERATOR, "a bad rule")
        assert problem(stopped, 409) == (
            f"Changes are stopped since {re.sub(r'[.][0-9]+', '', order['since'])} by {OPERATOR}: a bad rule. "
            "'steward resume' or DELETE /api/stop ends it."
        )
        assert stopped.json()["runbook"] == "runbooks/stop-all-changes-now.md"
        assert (cleared.status, cleared.json()) == (200, {"stopped": False, "read_only": False, "order": None})
        assert "another digest" in problem(allowed, 409)

    @pytest.mark.parametrize("body", [b"[]", b"{", b'{"why": "x"}', b'{"reason": 1}'])
    def test_a_malformed_body(self, refusing: Planned, body: bytes) -> None:
        """400: what cannot be read stops nothing, and whoever sent it learns that."""
        problem(refusing.host.call("PUT", "/api/stop", body=body), 400)

        assert refusing.host.call("GET", "/api/stop").json()["stopped"] is False

    @pytest.mark.parametrize("by", ["http", "terminal"])
    def test_while_it_runs(self, tmp_path: Path, by: str) -> None:
        """Within seconds nothing is written any more; what is left can be applied later, and nothing twice."""
        with world_of(tmp_path, many(), config(ONE)) as world, world.host() as host:
            plan = audited(host)
            world.simulator.faults.add(SLOW)
            run = apply(host, plan).json()["id"]
            wait_until(lambda: writes(world), "the first change")
            if by == "http":
                host.call("PUT", "/api/stop", {"reason": "wait"})
            else:
                world.steward("stop", "--reason", "wait")
            said = datetime.now(UTC)
            ended = wait_ended(host, run)
            stopped, last = changed_now(world), max(one.time for one in writes(world))
            world.simulator.faults.clear()
            host.call("DELETE", "/api/stop")
            rest = wait_ended(host, apply(host, plan).json()["id"])

            first = outcomes(world, run)
            changed = {each["resource_id"] for each in first if each["outcome"] == "changed"}
            skipped = [each for each in first if each["outcome"] == "skipped"]
            assert ended["status"] == "refused"
            assert ended["error"].startswith("Changes are stopped since ")
            assert counted(ended) == {"changed": len(changed), "skipped": len(skipped)}
            assert len(changed) + len(skipped) == MANY
            assert changed
            assert skipped
            assert {each["reason"] for each in skipped} == {ended["error"]}
            assert {each["writes"] for each in skipped} == {0}
            assert stopped == changed
            assert last <= said + timedelta(seconds=6)

            assert (rest["status"], counted(rest)) == (
                "succeeded",
                {"changed": len(skipped), "skipped": len(changed)},
            )
            assert len(writes(world)) == MANY
            assert all(found == {"owner": TEAM} for found in tags(world).values())

    def test_read_only(self, tmp_path: Path) -> None:
        """STEWARD_READ_ONLY stops whatever the store says; plans are made all the same."""
        setting = {"STEWARD_READ_ONLY": "true"}
        with world_of(tmp_path, untidy(1), config(ONE, mode="apply")) as world:
            run = world.steward("run", AUDITING, "--mode", "apply", "--json", environment=setting)
            resumed = world.steward("resume", environment=setting)
            with world.host(environment=setting) as host:
                plan = host.call("GET", f"/api/plans/{run.json()['plan']}").json()
                refused = apply(host, plan)
                cleared = host.call("DELETE", "/api/stop").json()
                shown = host.call("GET", "/api/stop").json()

            assert (run.code, run.json()["status"], run.json()["counts"]["planned_changes"]) == (4, "refused", 4)
            assert run.json()["error"].startswith("STEWARD_READ_ONLY is set")
            assert (resumed.code, resumed.out) == (
                0,
                "The stop is taken back, and STEWARD_READ_ONLY still forbids every change.\n",
            )
            assert problem(refused, 409).startswith("STEWARD_READ_ONLY is set: nothing is written to Azure")
            assert cleared == shown == {"stopped": True, "read_only": True, "order": None}
            assert writes(world) == []


class TestTimer:
    """In mode apply it does what automatic rules plan, and only where that is armed."""

    def test_automatic_rules_in_armed_subscriptions(self, tmp_path: Path) -> None:
        """What waits for a person, and what is not armed, stays; the next run finds nothing left to do."""
        timed = config(ONE, mode="apply", schedule="*/2 * * * * *")
        with world_of(tmp_path, untidy(), timed) as world:
            with world.host() as host:
                runs = wait_until(lambda: world.run_ids(AUDITING)[1:] and world.run_ids(AUDITING), "two ticks")
                first, second = (world.ended(run) for run in runs[:2])
                log = host.log

            assert [(run["trigger"], run["mode"], run["status"]) for run in (first, second)] == [
                ("timer", "apply", "succeeded")
            ] * 2
            assert tags(world) == automatic(ONE) | at_first(TWO)
            found = outcomes(world, first["id"])
            assert [(each["resource_id"], each["rule"], each["outcome"]) for each in found] == [
                (web(ONE), "environment", "changed"),
                (web(ONE, "app"), "environment", "changed"),
            ]
            assert len(writes(world)) == sum(each["writes"] for each in found)
            assert {name: first["counts"][name] for name in ("planned_changes", "changed", "automatic_not_armed")} == {
                "planned_changes": 8,
                "changed": 2,
                "automatic_not_armed": 2,
            }
            assert (second["counts"]["changed"], second["counts"]["planned_changes"]) == (0, 6)
            assert {"findings.ndjson", "outcomes.ndjson", "outcomes.csv", "report.html"} <= set(first["outputs"])
            assert "Traceback" not in log


class TestInATerminal:
    """The same, typed."""

    def test_plan_apply_undo(self, tmp_path: Path) -> None:
        """Some resources are approved by their ids; a text to read, or one JSON document, and the exit code."""
        with world_of(tmp_path, untidy(), config(ONE)) as world:
            plan = world.steward("plan", world.steward("run", AUDITING, "--json").json()["plan"], "--json").json()
            approved = ("apply", plan["id"], "--digest", plan["digest"])
            seen = world.steward("plan", plan["id"])
            not_armed = world.steward(*approved, "--json")
            wrong = world.steward("apply", plan["id"], "--digest", "x")
            unknown = world.steward("apply", UNKNOWN, "--digest", "x")
            changed_nothing = world.steward("undo", plan["run"])

            applied = world.steward(*approved, "--only", web(ONE).upper(), "--only", web(ONE, "app"))
            run = world.run_ids(AUDITING)[-1]
            changed = tags(world)
            undone = world.steward("undo", run, "--json", "--output", str(tmp_path / "reports"))
            shown = world.steward("plan", undone.json()["plan"])
            restore = re.findall(r"^To apply it: steward (apply \S+ --digest [0-9a-f]{64})$", shown.out, re.MULTILINE)
            restored = world.steward(*restore[0].split(), "--json")

            assert seen.code == 0
            assert f"\nApplying all of it is refused now: Subscription '{TWO}' is not armed, " in seen.out
            assert "To apply it" not in seen.out
            assert (not_armed.code, set(not_armed.json())) == (4, {"error", "exit_code"})
            assert not_armed.err.startswith(f"steward: Subscription '{TWO}' is not armed")
            assert (wrong.code, wrong.out) == (4, "")
            assert "has another digest than 'x'" in wrong.err
            assert unknown.code == 2
            assert unknown.err == (
                f"steward: There is no plan '{UNKNOWN}'; a plan has the id of the run that made it: "
                "see 'steward plans' or GET /api/plans.\n"
            )
            assert (changed_nothing.code, changed_nothing.err) == (
                4,
                f"steward: Run '{plan['run']}' cannot be undone: it has changed nothing.\n",
            )

            assert (applied.code, applied.err) == (0, "")
            assert applied.out.startswith(f"{run}  succeeded\n")
            assert f"changed environment: set 'Environment' to 'production'\n  {web(ONE)}\n" in applied.out
            assert f"changed owner: set 'owner' to '{TEAM}'\n  {web(ONE, 'app')}\n" in applied.out
            assert changed == as_planned(ONE) | {web(ONE, "db"): {}} | at_first(TWO)
            assert world.record(run)["order"]["only"] == [web(ONE).upper(), web(ONE, "app")]

            assert (undone.code, undone.err, undone.json()["undoes"]) == (0, "", run)
            assert undone.json()["files"] == [str(tmp_path / "reports" / "not-restored.ndjson")]
            assert (restored.code, restored.err, restored.json()["counts"]["changed"]) == (0, "", 3)
            assert tags(world) == at_first(ONE) | at_first(TWO)

    def test_stop_and_resume(self, tmp_path: Path) -> None:
        """What one terminal stops, no other applies, until somebody resumes."""
        with world_of(tmp_path, untidy(1), config(ONE)) as world:
            plan = world.steward("run", AUDITING, "--json").json()["plan"]
            digest = world.steward("plan", plan, "--json").json()["digest"]
            stopped = world.steward("stop", "--reason", "a bad rule")
            as_json = world.steward("stop", "--json")
            refused = world.steward("apply", plan, "--digest", digest)
            seen = world.steward("plan", plan)
            listed = world.steward("jobs")
            resumed = world.steward("resume")
            resumed_as_json = world.steward("resume", "--json")
            applied = world.steward("apply", plan, "--digest", digest, "--json")

            assert (stopped.code, stopped.err) == (0, "")
            assert re.fullmatch(
                r"Changes are stopped since \S+Z by .*: a bad rule\. Runs under way see it within 5 s; "
                r"'steward resume' ends it\.\nIt holds for all that use the store file:///\S+\.\n",
                stopped.out,
            )
            assert (as_json.code, as_json.err, set(as_json.json())) == (0, "", {"by", "reason", "since"})
            assert (refused.code, refused.out) == (4, "")
            assert refused.err.startswith("steward: Changes are stopped since ")
            assert "\nApplying all of it is refused now: Changes are stopped since " in seen.out
            assert listed.code == 0
            assert listed.out.splitlines()[-1].startswith("Changes are stopped since ")
            assert resumed == (0, "Changes are allowed again, as far as steward.toml arms subscriptions.\n", "")
            assert resumed_as_json.json() == {"stopped": False, "read_only": False}
            assert (applied.code, applied.json()["counts"]["changed"]) == (0, 4)

    def test_a_configuration_that_is_wrong(self, tmp_path: Path) -> None:
        """2, as everywhere, with the place in the file; and whoever looks at the plan is told."""
        with world_of(tmp_path, untidy(1), config(ONE)) as world:
            plan = world.steward("run", AUDITING, "--json").json()["plan"]
            world.config.write_text(config(ONE, most=0))
            problem = "steward.toml: jobs.tag-audit.max_changes: expected a whole number >= 1"

            assert world.steward("apply", plan, "--digest", "x") == (2, "", f"steward: {problem}\n")
            assert world.steward("undo", plan) == (2, "", f"steward: {problem}\n")
            assert f"cannot run until its configuration is mended: {problem}." in world.steward("plan", plan).out

    def test_mode_apply(self, tmp_path: Path) -> None:
        """`steward run --mode apply` does what the timer would, and over a limit nothing, with the reason."""
        with world_of(tmp_path, untidy(), config(ONE, mode="apply", most=1)) as world:
            over = world.steward("run", AUDITING, "--mode", "apply")
            untouched = tags(world)
            world.config.write_text(config(ONE))
            not_automatic = world.steward("run", AUDITING, "--mode", "apply")
            world.config.write_text(config(ONE, mode="apply"))
            done = world.steward("run", AUDITING, "--mode", "apply", "--json")

            assert over.code == 4
            assert "2 changes are more than the limit of 1 (max_changes)" in over.out
            assert "8 changes are planned; look at them: steward plan " in over.out
            assert untouched == at_first(ONE) | at_first(TWO)
            assert (not_automatic.code, not_automatic.out) == (4, "")
            assert not_automatic.err.startswith("steward: jobs.tag-audit.mode is 'plan' in steward.toml")
            assert (done.code, done.err, done.json()["status"]) == (0, "", "succeeded")
            assert (done.json()["counts"]["changed"], done.json()["counts"]["automatic_not_armed"]) == (2, 2)
            assert tags(world) == automatic(ONE) | at_first(TWO)


SCRIPT = "<script>alert(1)</script>\x1b[31m\u202e"
ODD_NAMES = ("=cmd", "@sum", "<img src=x>", "a'b\"c", "\u202egpj")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str, str]]:
    """A world of hostile names and tags, the run that changed them, and what a terminal showed of it."""
    things = [
        resource("Microsoft.Web/sites", name, {"note": "=1+1", "+sum": "-1"}, location="westeurope")
        for name in ODD_NAMES
    ]
    group = ResourceGroup(name="rg-web", location="westeurope", tags={"owner": SCRIPT}, resources=tuple(things))
    locked = Lock(name="frozen", level="ReadOnly", scope=web(ONE, "<img src=x>"))
    subscription = msgspec.structs.replace(small_estate(1, group).subscriptions[0], locks=(locked,))
    estate = Estate(name="hostile", subscriptions=(subscription,))
    with world_of(tmp_path_factory.mktemp("hostile"), estate, config(ONE)) as world:
        plan = world.steward("run", AUDITING, "--json").json()["plan"]
        digest = world.steward("plan", plan, "--json").json()["digest"]
        done = world.steward("apply", plan, "--digest", digest)
        assert (done.code, done.err) == (1, "")
        yield world, world.run_ids(AUDITING)[-1], done.out


class TestHostileTexts:
    """What strangers write into names, tags and answers is text wherever an outcome is shown."""

    def test_each_has_its_outcome(self, hostile: tuple[World, str, str]) -> None:
        """The value goes to Azure as it is; the write that Azure refused has its reason on one line."""
        world, run, _ = hostile

        found = {each["resource_id"]: each for each in outcomes(world, run)}

        assert set(found) == {web(ONE, name) for name in ODD_NAMES}
        results = {id_: each["outcome"] for id_, each in found.items()}
        assert results == dict.fromkeys(found, "changed") | {web(ONE, "<img src=x>"): "failed"}
        assert all(each["after"]["owner"] == SCRIPT for each in found.values() if each["outcome"] == "changed")
        reason = found[web(ONE, "<img src=x>")]["reason"]
        assert "a management lock forbids it" in reason
        assert reason.isprintable()
        assert tags(world)[web(ONE, "@sum")] == {"note": "=1+1", "+sum": "-1", "owner": SCRIPT}

    def test_in_a_terminal(self, hostile: tuple[World, str, str]) -> None:
        """No control character and no direction mark."""
        assert all(line.isprintable() for line in hostile[2].split("\n"))
        assert "<script>alert(1)</script>" in hostile[2]

    def test_on_the_page(self, hostile: tuple[World, str, str]) -> None:
        """Markup is escaped, and the only script is ours."""
        world, run, _ = hostile
        page = (world.store / "runs" / run / "report.html").read_text()

        assert page.count("<script") == page.count("</script>") == 1
        assert "<img" not in page
        assert "&lt;script&gt;alert(1)" in page
        assert "&lt;img src=x&gt;" in page

    def test_in_a_spreadsheet(self, hostile: tuple[World, str, str]) -> None:
        """No cell begins like a formula, and every outcome is one row."""
        world, run, _ = hostile
        sheet = (world.store / "runs" / run / "outcomes.csv").read_bytes().decode("utf-8-sig")

        rows = list(csv.reader(io.StringIO(sheet)))
        assert len(rows) == len(ODD_NAMES) + 1
        assert all(not value.lstrip(' "').startswith(("=", "+", "-", "@", "\t")) for row in rows for value in row)
