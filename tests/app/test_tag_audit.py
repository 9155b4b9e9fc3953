"""tag-audit through the whole app: however it is started, over HTTP, in a terminal, and with everything against it."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from devkit.local_host.process import HostProcess
from devkit.simulator import Estate, Fault, ResourceGroup, load_estate
from devkit.simulator.estates.drafting import resource
from devkit.simulator.logs_events import Event
from devkit.simulator.model import Resource
from tests.app.conftest import (
    JOB,
    YEARLY,
    Json,
    World,
    small_estate,
    start_run,
    subscription_id,
    wait_ended,
    wait_until,
    world_of,
)
from tests.app.test_api import problem
from tests.app.test_bad_input import AUDIT, HTTP, LISTING, QUEUE, WATCHDOG

AUDITING = "tag-audit"
RULES = """
[[jobs.tag-audit.rules]]
name = "owner"
tag = "Owner"
required = true
severity = "high"
applies_to = { kinds = ["resource-group", "resource"] }
inherit_from = "resource-group"
mode = "approve"

[[jobs.tag-audit.rules]]
name = "environment"
tag = "environment"
allowed = ["production", "development", "shared"]
severity = "low"
applies_to = { kinds = ["resource-group", "resource"] }
"""
CONFIG = f'[jobs.{AUDITING}]\nschedule = "0 0 5 1 1 *"\n{RULES}'
FREQUENT = CONFIG.replace("0 0 5 1 1 *", "*/2 * * * * *")
TEAM = "team@example.com"
SUBSCRIPTION = "5a000000-0000-4000-8000-000000000002"


def without_dates(findings: list[Json]) -> list[Json]:
    """Give findings without since when they are open."""
    return [{name: value for name, value in finding.items() if name != "first_seen"} for finding in findings]


def expected_findings(estate: Estate) -> list[tuple[str, str, str]]:
    """Give rule, kind and id of what an audit must find, in order, worked out from the estate alone."""
    found = []
    for subscription in estate.subscriptions:
        if subscription.state == "Disabled":
            continue
        for group in subscription.resource_groups:
            if group.managed_by:
                continue
            carriers: list[ResourceGroup | Resource] = [group, *group.resources]
            for each in carriers:
                tags = each.tags if isinstance(each.tags, dict) else {}
                folded = {key.casefold(): value for key, value in tags.items()}
                if folded.get("environment", "shared") not in ("production", "development", "shared"):
                    found.append(("environment", "value", each.id))
                if not folded.get("owner"):
                    found.append(("owner", "empty" if "owner" in folded else "missing", each.id))
    return sorted(found, key=lambda one: (one[2].casefold(), one[0]))


def audit(world: World, *arguments: str, code: int = 0) -> Json:
    """Run the audit in a terminal and give its record."""
    done = world.steward("run", AUDITING, "--json", *arguments)
    assert (done.code, done.err) == (code, "")
    run: Json = done.json()
    return run


class TestSameFindings:
    """The timer, the POST and the terminal find the same."""

    def test_timer_post_and_terminal(self, demo: World) -> None:
        """All three leave the same findings, and these are the estate's; the first run dates them."""
        demo.config.write_text(FREQUENT)
        with demo.host():
            by_timer = demo.ended(wait_until(lambda: demo.run_ids(AUDITING)[:1], "a tick")[0])
        demo.config.write_text(CONFIG)
        with demo.host() as host:
            by_post = wait_ended(host, start_run(host, job=AUDITING))
        in_terminal = audit(demo)

        runs = [by_timer, by_post, in_terminal]
        first = demo.findings(by_timer["id"])
        assert [run["trigger"] for run in runs] == ["timer", "http", "cli"]
        assert [run["status"] for run in runs] == ["succeeded"] * 3
        assert [(each["rule"], each["kind"], each["resource_id"]) for each in first] == expected_findings(
            demo.simulator.estate
        )
        assert {each["first_seen"] for each in first} == {by_timer["started"]}
        for run in runs[1:]:
            assert demo.findings(run["id"]) == first
            assert run["counts"] == by_timer["counts"] | {"new_findings": 0}
        assert by_timer["counts"]["new_findings"] == by_timer["counts"]["findings"] == len(first) > 0
        plans = [json.loads((demo.store / "plans" / f"{run['plan']}.json").read_bytes()) for run in runs]
        assert [plan["items"] for plan in plans] == [plans[0]["items"]] * 3
        assert len(plans[0]["items"]) == by_timer["counts"]["planned_changes"] > 0

    def test_one_subscription(self, demo: World) -> None:
        """A narrowed run says nothing of the others, and neither fixes nor forgets what is open there."""
        demo.config.write_text(CONFIG)
        everything = audit(demo)
        narrow = audit(demo, "--subscription", SUBSCRIPTION)
        again = audit(demo)

        within = [each for each in demo.findings(everything["id"]) if each["subscription_id"] == SUBSCRIPTION]
        assert demo.findings(narrow["id"]) == within
        assert (narrow["counts"]["new_findings"], narrow["counts"]["fixed_findings"]) == (0, 0)
        assert demo.findings(again["id"]) == demo.findings(everything["id"])
        assert (again["counts"]["new_findings"], again["counts"]["fixed_findings"]) == (0, 0)


class Audited(NamedTuple):
    """A host on the estate `demo`, and a run that has ended."""

    world: World
    host: HostProcess
    run: Json


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    """Shared by the tests of this module, which take nothing away."""
    with world_of(tmp_path_factory.mktemp("audited"), load_estate("demo"), CONFIG) as world, world.host() as host:
        yield Audited(world, host, wait_ended(host, start_run(host, job=AUDITING)))


class TestOverHttp:
    """Findings, report and plan, for a reader's key."""

    @pytest.mark.parametrize("limit", [1, 3, 200])
    def test_all_pages_are_the_file(self, audited: Audited, limit: int) -> None:
        """`next` leads through all findings, each once, in the order of the file."""
        pages: list[list[Json]] = []
        following = f"{audited.run['links']['findings']}?limit={limit}"
        while following:
            page = audited.host.call("GET", following, key="reader").json()
            pages.append(page["findings"])
            following = page["next"]

        assert [each for page in pages for each in page] == audited.world.findings(audited.run["id"])
        assert all(len(page) == limit for page in pages[:-1])

    @pytest.mark.parametrize(
        ("name", "value"),
        [("rule", "ENVIRONMENT"), ("kind", "missing"), ("severity", "high"), ("subscription_id", SUBSCRIPTION)],
    )
    def test_filters(self, audited: Audited, name: str, value: str) -> None:
        """A filter, compared without case, leaves exactly what has it, on every page."""
        found = []
        following = f"{audited.run['links']['findings']}?limit=2&{name}={value}"
        while following:
            page = audited.host.call("GET", following, key="reader").json()
            found += page["findings"]
            following = page["next"]

        everything = audited.world.findings(audited.run["id"])
        assert found == [each for each in everything if each[name].casefold() == value.casefold()]
        assert 0 < len(found) < len(everything)

    def test_every_format_has_the_same_findings(self, audited: Audited) -> None:
        """HTML, CSV and JSON name each finding; the record, the counts and the percentage agree."""
        address = audited.run["links"]["report"]
        page = audited.host.call("GET", address, key="reader")
        sheet = audited.host.call("GET", f"{address}?format=csv", key="reader")
        document = audited.host.call("GET", address, key="reader", headers={"Accept": "application/json"}).json()
        findings = audited.world.findings(audited.run["id"])
        rows = list(csv.DictReader(io.StringIO(sheet.body.decode("utf-8-sig"))))

        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert document["findings"] == findings
        assert document["run"]["counts"]["findings"] == len(findings)
        assert [(row["rule"], row["kind"], row["resource_id"], row["detail"]) for row in rows] == [
            (each["rule"], each["kind"], each["resource_id"], each["detail"]) for each in findings
        ]
        assert {row["new"] for row in rows} == {"yes"}
        for each in findings:
            assert f"<bdi>{each['resource_id']}</bdi>" in page.text

    def test_compliance_adds_up(self, audited: Audited) -> None:
        """In every direction the same checks; the counts of the run are theirs."""
        kept = audited.world.store / "runs" / audited.run["id"] / "compliance.json"
        compliance = json.loads(kept.read_bytes())
        counts = audited.run["counts"]

        whole = [sum(column) for column in zip(*compliance["rules"].values(), strict=True)]
        assert whole[:3] == [counts["checks"], counts["violations"], counts["exempted"]]
        assert compliance["subjects"] == counts["audited"]
        for direction in ("resource_groups", "types", "owners"):
            rows = [row[1] for row in compliance[direction]["rows"].values()] + [compliance[direction]["others"]]
            added = [sum(column) for column in zip(*rows, strict=True)]
            # A subscription is in no resource group, and no rule here is about one.
            assert added == whole, direction

    def test_a_plan(self, audited: Audited) -> None:
        """It is in the list, has an address, and names each change with its reason and what was seen."""
        listed = audited.host.call("GET", "/api/plans", key="reader").json()["plans"]
        reply = audited.host.call("GET", audited.run["links"]["plan"], key="reader")

        plan = reply.json()
        assert {"id": audited.run["plan"], "links": {"self": audited.run["links"]["plan"]}} in listed
        assert (reply.status, plan["run"], plan["links"]) == (
            200,
            audited.run["id"],
            {"run": f"/api/runs/{audited.run['id']}"},
        )
        assert len(plan["digest"]) == 64
        changes = {
            each["resource_id"]: each["evidence"]["change"]
            for each in audited.world.findings(audited.run["id"])
            if "change" in each["evidence"]
        }
        assert [item["resource_id"] for item in plan["items"]] == list(changes)
        for item in plan["items"]:
            (name, value), *none = item["change"]["set"].items()
            assert none == []
            assert changes[item["resource_id"]] == f"set '{name}' to '{value}'"
            assert (item["rule"], item["mode"], item["change"]["remove"]) == ("owner", "approve", [])
            assert "owner" not in {key.casefold() for key in item["seen"]}

    def test_a_plan_as_a_page(self, audited: Audited) -> None:
        """A browser gets a page under the policy of the reports; whoever does not mind gets JSON."""
        address = audited.run["links"]["plan"]
        page = audited.host.call("GET", address, key="reader", headers={"Accept": "text/html,*/*;q=0.8"})
        same = audited.host.call("GET", f"{address}?format=html", key="reader")
        other = audited.host.call("GET", f"{address}?format=csv", key="reader")
        mindless = audited.host.call("GET", address, key="reader", headers={"Accept": "*/*"})

        assert page.headers["content-type"].startswith("text/html")
        assert "script-src 'sha256-" in page.headers["content-security-policy"]
        assert f"<title>Plan · {audited.run['plan']}</title>" in page.body.decode()
        assert same.body == page.body
        assert mindless.json()["id"] == audited.run["plan"]
        assert problem(other, 400) == "format is 'csv'; it must be html or json."

    def test_steward_plan(self, audited: Audited) -> None:
        """A terminal shows the same plan, as text and as JSON, with the digest."""
        plan = audited.host.call("GET", audited.run["links"]["plan"]).json()
        shown = audited.world.steward("plan", audited.run["plan"])
        as_json = audited.world.steward("plan", audited.run["plan"], "--json")

        assert (shown.code, shown.err, as_json.code, as_json.err) == (0, "", 0, "")
        whole = as_json.json()
        assert [item.pop("definition") for item in whole["items"]] == [{}] * len(plan["items"])
        assert whole == {name: value for name, value in plan.items() if name != "links"}
        assert shown.out.startswith(f"{plan['id']}  {len(plan['items'])} changes\n")
        assert plan["digest"] in shown.out
        for item in plan["items"]:
            assert f"  {item['resource_id']}: {item['reason']}\n" in shown.out

    @pytest.mark.parametrize("name", ["x", "..%2f..%2fruns", "20200101T000000Z-tag-audit-00000000"])
    def test_no_such_plan(self, audited: Audited, name: str) -> None:
        """404 with where to look."""
        detail = problem(audited.host.call("GET", f"/api/plans/{name}", key="reader"), 404)

        assert detail.startswith("There is no plan '")
        assert detail.endswith("'; a plan has the id of the run that made it: see 'steward plans' or GET /api/plans.")

    def test_a_damaged_plan_is_not_shown(self, audited: Audited) -> None:
        """A plan that is not what was written is refused everywhere: somebody may be about to act on it."""
        path = audited.world.store / "plans" / f"{audited.run['plan']}.json"
        changed = audited.world.store / "plans" / "20200101T000000Z-tag-audit-0000000a.json"
        changed.write_bytes(path.read_bytes().replace(b"example.com", b"example.org", 1))

        reply = audited.host.call("GET", f"/api/plans/{changed.stem}")
        done = audited.world.steward("plan", changed.stem)
        changed.unlink()

        assert reply.status >= 500
        assert "Traceback" not in reply.text + done.err
        assert "digest" in done.err
        assert (done.code, done.out) == (1, "")

    def test_nothing_is_written_to_azure(self, audited: Audited) -> None:
        """Every request of Steward's reads; a query of the activity log is a POST, and no change."""
        methods = {(one.route, one.method) for one in audited.world.simulator.requests if one.method != "GET"}

        assert methods <= {("logs", "POST")}

    def test_mode_apply_is_refused(self, audited: Audited) -> None:
        """Nobody can apply by starting a run."""
        reply = audited.host.call("POST", f"/api/jobs/{AUDITING}/runs", {"mode": "apply"})

        assert (reply.status, audited.world.steward("run", AUDITING, "--mode", "apply").code) == (409, 4)


BAD_RULES = {
    "unknown key": (
        'required = true\nseverty = "high"',
        "jobs.tag-audit.rules[0]: there is no key 'severty'; did you mean 'severity'",
    ),
    "bad pattern": ("required = true\npattern = '('", "jobs.tag-audit.rules[0].pattern: is no pattern of RE2: "),
    "contradiction": ("required = true\nforbidden = true", "jobs.tag-audit.rules[0].forbidden: contradicts required"),
    "no value": ("allowed = []", "jobs.tag-audit.rules[0].allowed: is empty, so that no value would do"),
    "no file": (
        'allowed_from = "teams.txt"',
        "jobs.tag-audit.rules[0].allowed_from: the file 'teams.txt' cannot be read",
    ),
    "outside": (
        'allowed_from = "../teams.txt"',
        "jobs.tag-audit.rules[0].allowed_from: '../teams.txt' is no name of a file beside steward.toml",
    ),
    "hostile": (
        'required = true\nseverity = "\\u001b[31m<b>"',
        "jobs.tag-audit.rules[0].severity: ",
    ),
}


@pytest.mark.parametrize(("keys", "place"), BAD_RULES.values(), ids=BAD_RULES)
def test_a_bad_rule(small: World, keys: str, place: str) -> None:
    """It costs tag-audit its timer and its runs and nothing else, and is said with its place everywhere."""
    rule = f'[[jobs.tag-audit.rules]]\nname = "bad"\ntag = "bad"\n{keys}\n'
    small.config.write_text(YEARLY.replace("[[jobs.tag-audit.rules]]", f"{rule}[[jobs.tag-audit.rules]]"))
    checked = small.steward("check")
    as_json = small.steward("check", "--json").json()
    in_terminal = small.steward("run", AUDITING)
    with small.host() as host:
        functions = set(host.functions)
        health = host.call("GET", "/api/health")
        reply = host.call("POST", f"/api/jobs/{AUDITING}/runs", {})
        job = host.call("GET", f"/api/jobs/{AUDITING}").json()
        other = wait_ended(host, start_run(host))
        log = host.log

    sentence = f"steward.toml: {place}"
    assert checked.code == 2
    assert checked.out.startswith(sentence)
    assert checked.out.endswith("\n1 problem found.\n")
    assert "\x1b" not in checked.out + in_terminal.err + log
    assert (as_json["valid"], as_json["problems"]) == (False, health.json()["problems"])
    assert functions == HTTP | QUEUE | {LISTING, WATCHDOG}
    assert AUDIT not in functions
    assert (job["timer"], job["runnable"]) == (False, False)
    assert health.status == 503
    detail = problem(reply, 409)
    assert detail.startswith(f"Job 'tag-audit' cannot run until its configuration is mended: {sentence}")
    assert (in_terminal.code, in_terminal.out) == (2, "")
    assert in_terminal.err.startswith(f"steward: {sentence}")
    assert other["status"] == "succeeded"
    assert "Traceback" not in log
    assert small.run_ids(AUDITING) == []


def untidy(subscriptions: int) -> Estate:
    """Make subscriptions that each have a group with an owner and a bare resource in it, and a bare group."""
    owned = ResourceGroup(
        name="rg-owned",
        tags={"OWNER": TEAM},
        resources=(resource("Microsoft.Web/sites", "app", location="westeurope"),),
    )
    return small_estate(subscriptions, owned, ResourceGroup(name="rg-bare"))


@pytest.fixture
def two(tmp_path: Path) -> Iterator[World]:
    """Two untidy subscriptions."""
    with world_of(tmp_path, untidy(2), CONFIG) as world:
        yield world


class TestRestart:
    """Killed in the middle."""

    def test_the_host_is_killed(self, tmp_path: Path) -> None:
        """The next host completes the run: same findings, plan, dates and history as one that was left alone."""
        hanging = [subscription_id(number) for number in (3, 4)]
        with world_of(tmp_path, untidy(4), CONFIG) as world:
            for each in hanging:
                fault = Fault(route="resources", subscription=each, kind="delay", delay=60, times=None)
                world.simulator.faults.add(fault)
            with world.host() as host:
                run = start_run(host, job=AUDITING)
                read = [subscription_id(number) for number in (1, 2)]
                wait_until(lambda: world.parts(run) == read, "the finished parts")
                host.kill()
            world.simulator.faults.clear()

            with world.host():
                record = world.ended(run)
            after = audit(world)

            found = world.findings(run)
            plan = json.loads((world.store / "plans" / f"{run}.json").read_bytes())
            history = (world.store / "history" / f"{AUDITING}.ndjson").read_text().splitlines()
            spill = world.store / "runs" / run / "spill"

            assert (record["status"], record["attempt"], record["error"]) == ("succeeded", 2, None)
            assert (record["counts"]["findings"], record["counts"]["new_findings"], len(plan["items"])) == (8, 8, 4)
            assert [(each["rule"], each["kind"], each["resource_id"]) for each in found] == expected_findings(
                world.simulator.estate
            )
            assert {each["first_seen"] for each in found} == {record["started"]}
            assert [world.reads(each) for each in read] == [2, 2]
            assert world.findings(after["id"]) == found
            assert (after["counts"]["new_findings"], after["counts"]["fixed_findings"]) == (0, 0)
            assert [json.loads(line)["run"] for line in history] == [run, after["id"]]
            assert not any(path.is_file() for path in spill.rglob("*"))


class TestNotRead:
    """What could not be read is neither compliant nor fixed."""

    def forbid(self, world: World, route: str = "resource-groups") -> None:
        """Take away the right to read that of the first subscription."""
        fault = Fault(route=route, subscription=subscription_id(1), kind="forbidden", times=None)
        world.simulator.faults.add(fault)

    @pytest.mark.parametrize("route", ["resource-groups", "resources"])
    def test_one_of_two(self, two: World, route: str) -> None:
        """The run is partial and names it; nothing is fixed, and what was open keeps its date."""
        first = audit(two)
        self.forbid(two, route)
        second = audit(two, code=3)
        page = (two.store / "runs" / second["id"] / "report.html").read_text()
        two.simulator.faults.clear()
        third = audit(two)

        assert second["status"] == "partial"
        assert (second["counts"]["fixed_findings"], second["counts"]["new_findings"]) == (0, 0)
        assert second["counts"]["subscriptions_not_read"] == 1
        assert "1 of 2 subscriptions were not read completely." in page
        assert "Nothing here is fixed because it could not be read, and nothing is compliant." in page
        assert two.findings(third["id"]) == two.findings(first["id"])
        assert third["counts"] == first["counts"] | {"new_findings": 0}

    def test_everything(self, tmp_path: Path) -> None:
        """Without anything read there is no percentage, least of all 100."""
        with world_of(tmp_path, untidy(1), CONFIG) as world:
            self.forbid(world)
            done = world.steward("run", AUDITING)
            record = world.record(world.run_ids(AUDITING)[0])
            page = (world.store / "runs" / record["id"] / "report.html").read_text()

            assert (done.code, record["status"], record["plan"]) == (1, "failed", None)
            assert f"  {'compliance':<24} nothing to judge\n" in done.out
            assert '<p class="percent">nothing to judge' in page
            assert "100" not in page.split('<p class="percent">')[1].split("</p>")[0]
            assert world.findings(record["id"]) == []

    def test_what_is_not_visible_any_more(self, two: World) -> None:
        """A narrowed wish for a subscription that is not there is partial, and says so."""
        run = audit(two, "--subscription", subscription_id(2), "--subscription", subscription_id(9), code=3)

        assert {each["reading"] for each in run["subscriptions"]} == {"complete", "not visible"}
        assert run["counts"]["findings"] == 2


HOSTILE = "".join(
    f'[[jobs.tag-audit.rules]]\nname = "{tag}"\ntag = "{tag}"\nformat = "guid"\nmessage = "<i>=1+1</i>"\n'
    'applies_to = { kinds = ["resource-group", "resource"] }\n\n'
    for tag in ("note", "image", "formula", "sum", "at", "plus", "minus", "lines", "escape", "template", "rtl", "owner")
)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The estate `odd`, one subscription of it audited."""
    with world_of(tmp_path_factory.mktemp("odd"), load_estate("odd"), f"[jobs.tag-audit]\n{HOSTILE}") as world:
        yield world


@pytest.fixture(scope="module")
def shown(odd: World) -> tuple[str, str]:
    """The id of a run of that subscription, and what a terminal showed of it."""
    done = odd.steward("run", AUDITING, "--subscription", "0dd00000-0000-4000-8000-000000000002")
    assert (done.code, done.err) == (0, "")
    return odd.run_ids(AUDITING)[0], done.out


class TestHostileTags:
    """What strangers write into tags is text wherever it is shown."""

    def test_each_is_found(self, odd: World, shown: tuple[str, str]) -> None:
        """None is lost, and none breaks a line."""
        found = odd.findings(shown[0])

        assert {each["rule"] for each in found} >= {
            "note",
            "image",
            "formula",
            "sum",
            "lines",
            "escape",
            "rtl",
            "owner",
        }
        assert {each["kind"] for each in found} == {"value"}
        for each in found:
            assert all(text.isprintable() for text in (each["detail"], *each["evidence"].values()))

    def test_in_a_terminal(self, shown: tuple[str, str]) -> None:
        """No control character, no direction mark, two lines for each finding."""
        assert all(text.isprintable() for text in shown[1].splitlines())
        assert "<script>alert(1)</script>" in shown[1]

    def test_on_the_page(self, odd: World, shown: tuple[str, str]) -> None:
        """Markup is escaped, and the only script is ours."""
        page = (odd.store / "runs" / shown[0] / "report.html").read_text()

        assert page.count("<script") == page.count("</script>") == 1
        for markup in ("<script>alert", "<img", "<b>nobody", "<i>="):
            assert markup not in page
        assert "&lt;script&gt;alert(1)" in page

    def test_in_a_spreadsheet(self, odd: World, shown: tuple[str, str]) -> None:
        """No cell begins like a formula."""
        sheet = (odd.store / "runs" / shown[0] / "findings.csv").read_bytes().decode("utf-8-sig")

        rows = list(csv.reader(io.StringIO(sheet)))
        assert len(rows) == len(odd.findings(shown[0])) + 1
        assert all(not value.lstrip(' "').startswith(("=", "+", "-", "@", "\t")) for row in rows for value in row)

    def test_the_whole_estate(self, odd: World) -> None:
        """With everything against it the audit is partial, names what was not read, and shows no secret."""
        done = odd.steward("run", AUDITING)
        record = odd.record(odd.run_ids(AUDITING)[-1])

        troubled = {each.id for each in odd.simulator.estate.subscriptions if each.trouble}
        unread = {each["subscription_id"] for each in record["subscriptions"] if each["reading"] == "incomplete"}
        assert (done.code, record["status"]) == (3, "partial")
        assert unread == troubled
        assert record["counts"]["subscriptions_not_read"] == len(troubled)
        written = [path.read_text(errors="replace") for path in odd.store.rglob("*") if path.is_file()]
        for secret in odd.secrets():
            assert not any(secret in text for text in (done.out, *written))


class TestSuggestedOwner:
    """From the activity log, where there is one."""

    def test_who_wrote_last(self, two: World) -> None:
        """A person who wrote to what has no owner is suggested; an application, and nobody, are not."""
        yesterday = datetime.now(UTC) - timedelta(days=1)
        bare = [f"/subscriptions/{subscription_id(number)}/resourceGroups/rg-bare" for number in (1, 2)]
        two.simulator.activity.clear()
        two.simulator.activity.add(
            Event(time=yesterday, resource_id=bare[0].upper(), caller="developer@example.com"),
            Event(time=yesterday, resource_id=bare[1], caller="0e000000-0000-4000-8000-00000000000a"),
        )

        found = {each["resource_id"]: each["evidence"] for each in two.findings(audit(two)["id"])}

        assert found[bare[0]]["suggested_owner"] == "developer@example.com"
        assert found[bare[0]]["suggested_because"]
        assert [id_ for id_, evidence in found.items() if "suggested_owner" in evidence] == [bare[0]]

    def test_without_a_workspace(self, two: World) -> None:
        """Nobody is asked, nobody is suggested, and the audit is the same."""
        done = two.steward("run", AUDITING, "--json", environment={"STEWARD_LOGS_WORKSPACE_ID": ""})

        found = two.findings(done.json()["id"])
        assert (done.code, len(found)) == (0, 4)
        assert not any("suggested_owner" in each["evidence"] for each in found)
        assert not any(one.route == "logs" for one in two.simulator.requests)

    def test_a_workspace_that_refuses(self, two: World) -> None:
        """The audit does without: what cannot be told is not told."""
        two.simulator.faults.add(Fault(route="logs", kind="forbidden", times=None))

        run = audit(two)

        assert (run["status"], run["counts"]["findings"]) == ("succeeded", 4)
        assert not any("suggested_owner" in each["evidence"] for each in two.findings(run["id"]))

    def test_a_wrong_workspace_costs_the_audit_alone(self, two: World) -> None:
        """As any other problem of one job's configuration."""
        setting = {"STEWARD_LOGS_WORKSPACE_ID": "my-workspace"}

        refused = two.steward("run", AUDITING, environment=setting)

        assert refused.code == 2
        assert refused.err.startswith("steward: app settings: STEWARD_LOGS_WORKSPACE_ID is not the id of a ")
        assert two.steward("run", JOB, environment=setting).code == 0


class TestExemptions:
    """A scope that need not keep a rule."""

    def test_until_its_last_day(self, two: World) -> None:
        """Exempted is neither compliant nor a finding; one that has ended is one, once."""
        scope = f"/subscriptions/{subscription_id(1)}"
        exemption = f'[[jobs.tag-audit.exemptions]]\nscope = "{scope}"\nrules = ["own*"]\nreason = "Moves."\n'
        today = datetime.now(UTC).date()

        def with_exemption(days: int) -> Json:
            last = today + timedelta(days=days)
            two.config.write_text(f'{CONFIG}{exemption}author = "operator@example.com"\nexpires = {last}\n')
            return audit(two)

        valid, ended = with_exemption(1), with_exemption(-1)

        assert (valid["counts"]["exempted"], valid["counts"]["findings"]) == (2, 2)
        assert {each["subscription_id"] for each in two.findings(valid["id"])} == {subscription_id(2)}
        kinds = [each["kind"] for each in two.findings(ended["id"])]
        assert (kinds.count("exemption-expired"), kinds.count("missing"), len(kinds)) == (1, 4, 5)
