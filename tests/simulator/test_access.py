"""Role assignments: what the identity may do where, and how it is told that it may not."""

import json
from pathlib import Path
from typing import Any

import pytest

from devkit.simulator import OWNER, Assignment, Estate, ManagementGroup, Role, Simulator, Subscription, load_estate
from devkit.simulator.__main__ import _parser, main
from devkit.simulator.actions import action_of, scope_of
from devkit.simulator.estates.drafting import group, resource
from devkit.simulator.graph import ResourceGraph
from devkit.simulator.model import Pages
from devkit.simulator.options import DELETE_TIME, behaviour
from devkit.simulator.roles import load_role, shipped
from tests.simulator.client import Client
from tests.simulator.in_process import Azure

SHOP, OTHER = (f"5a000000-0000-4000-8000-00000000000{number}" for number in (1, 2))
ROOT = f"/subscriptions/{SHOP}"
WEB, DATA = (f"{ROOT}/resourceGroups/rg-{name}" for name in ("web", "data"))
SITE, DISK = f"{WEB}/providers/Microsoft.Web/sites/app", f"{DATA}/providers/Microsoft.Compute/disks/disk"
TOP, LANDING = "mg-top", "mg-landing-zones"
READER = Role("Reader", ("*/read",))
ESTATE = Estate(
    name="shop",
    subscriptions=(
        Subscription(
            id=SHOP,
            name="Shop",
            resource_groups=(
                group("rg-web", resource("Microsoft.Web/sites", "app")),
                group("rg-data", resource("Microsoft.Compute/disks", "disk", properties={"diskState": "Unattached"})),
            ),
            group_pages=Pages(size=1),
            resource_pages=Pages(size=1),
        ),
        Subscription(id=OTHER, name="Other"),
    ),
    management_groups=(
        ManagementGroup(id=TOP, name="Top"),
        ManagementGroup(id=LANDING, name="Landing zones", parent=TOP, subscriptions=(SHOP,)),
        ManagementGroup(id="mg-side", name="Side", parent=TOP, subscriptions=(OTHER,)),
    ),
)


def azure(*assignments: Assignment) -> Azure:
    """An Azure in which the identity has these and no others."""
    return Azure(ESTATE, delete_time=0, assignments=assignments)


def of_group(name: str) -> str:
    """The scope of a management group."""
    return f"/providers/Microsoft.Management/managementGroups/{name}"


def asked(at: Azure, target: str, method: str = "GET", body: object = None) -> tuple[int, str]:
    """Status and code of the answer."""
    reply = at.ask(target, method, body=body)
    return reply.status, "" if reply.status < 400 else at.code(reply)


def named(at: Azure, target: str) -> list[str]:
    """The names in a list, all pages."""
    found: list[str] = []
    while target:
        page = at.told(target)
        found += [each["name"] if "name" in each else each["displayName"] for each in page["value"]]
        target = page.get("nextLink", "")
    return found


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/subscriptions", "/"),
        (f"{ROOT}/resourcegroups", ROOT),
        (f"{ROOT}/resources?api-version=1", ROOT),
        (f"{ROOT}/providers", ROOT),
        (f"{ROOT}/providers/Microsoft.Compute", ROOT),
        (f"{ROOT}/operationresults/1", ROOT),
        (WEB, WEB),
        (f"{WEB}/resources", WEB),
        (f"{WEB}/exportTemplate", WEB),
        (SITE, SITE),
        (f"{SITE}/slots", SITE),
        (f"{SITE}/slots/blue", f"{SITE}/slots/blue"),
        (f"{WEB}/providers/Microsoft.Authorization/locks", WEB),
        (f"{ROOT}/providers/Microsoft.Authorization/denyAssignments", ROOT),
        (f"{SITE}/providers/Microsoft.Resources/tags/default", f"{SITE}/providers/Microsoft.Resources/tags/default"),
        (f"{of_group(TOP)}/descendants", of_group(TOP)),
        ("/providers/Microsoft.ResourceGraph/resources", "/"),
    ],
)
def test_the_scope_of_a_call(path: str, scope: str) -> None:
    """Of a list, what it is a list of; the sentences of recorded refusals have it so."""
    assert scope_of(path) == scope


def test_a_query_has_actions_of_its_own() -> None:
    """Of the workspace, or of the resource whose logs are asked for."""
    assert action_of("POST", "/v1/workspaces/1/query") == "Microsoft.OperationalInsights/workspaces/query/read"
    assert action_of("POST", f"/v1{SITE}/query") == "Microsoft.Insights/logs/read"


@pytest.mark.parametrize(
    ("actions", "not_actions", "permitted"),
    [
        (("*",), (), True),
        (("*/read",), (), True),
        (("microsoft.web/SITES/Read",), (), True),
        (("Microsoft.Web/*",), (), True),
        (("Microsoft.Web/*/read",), (), True),
        (("Microsoft.Web/sites",), (), False),
        (("Microsoft.Web/sites/write",), (), False),
        (("*/read",), ("Microsoft.Web/*",), False),
        (("*/read",), ("Microsoft.Compute/*/read",), True),
        ((), (), False),
    ],
)
def test_a_role(actions: tuple[str, ...], not_actions: tuple[str, ...], *, permitted: bool) -> None:
    """Its actions without its NotActions, compared without case."""
    assert Role("Any", actions, not_actions).permits("Microsoft.Web/sites/read") is permitted


def test_assignments_add_up() -> None:
    """What one role leaves out another one may have: NotActions deny nothing."""
    less = Assignment(Role("Less", ("*/read",), ("Microsoft.Web/*",)))

    assert asked(azure(less), SITE)[0] == 403
    assert asked(azure(less, Assignment(READER, WEB)), SITE)[0] == 200


@pytest.mark.parametrize(
    "scope",
    ["/", of_group(TOP), of_group(LANDING.upper()), ROOT.upper(), WEB.lower(), SITE],
    ids=lambda each: each[-12:],
)
def test_a_role_reaches_down(scope: str) -> None:
    """From a management group, a subscription or a group to the resource; ids are compared without case."""
    assert asked(azure(Assignment(READER, scope)), SITE)[0] == 200


@pytest.mark.parametrize(
    "scope", [of_group("mg-side"), of_group("mg-nobody"), f"/subscriptions/{OTHER}", DATA, f"{SITE}-2", f"{WEB}-2"]
)
def test_a_role_does_not_reach_elsewhere(scope: str) -> None:
    """A name that begins so is another name."""
    assert asked(azure(Assignment(READER, scope)), SITE) == (403, "AuthorizationFailed")


def test_the_refusal() -> None:
    """In Azure's words: who, the action and the scope."""
    reply = azure(Assignment(READER, DATA)).ask(f"{WEB}/providers/Microsoft.Authorization/locks")

    message = json.loads(reply.body)["error"]["message"]
    assert reply.headers["x-ms-failure-cause"] == "gateway"
    assert message == (
        "The client '1d000000-0000-4000-8000-0000000000aa' with object id '1d000000-0000-4000-8000-0000000000aa' does "
        f"not have authorization to perform action 'Microsoft.Authorization/locks/read' over scope '{WEB}' or the "
        "scope is invalid. If access was recently granted, please refresh your credentials."
    )


@pytest.mark.parametrize(
    ("target", "method", "body", "action"),
    [
        (SITE, "DELETE", None, "Microsoft.Web/sites/delete"),
        (WEB, "DELETE", None, "Microsoft.Resources/subscriptions/resourceGroups/delete"),
        (SITE, "PATCH", {"tags": {}}, "Microsoft.Web/sites/write"),
        (f"{WEB}/providers/Microsoft.Resources/tags/default", "PUT", {}, "Microsoft.Resources/tags/write"),
        (f"{WEB}/providers/Microsoft.Resources/tags/default", "DELETE", None, "Microsoft.Resources/tags/delete"),
    ],
)
def test_what_is_refused_is_not_done(target: str, method: str, body: Any, action: str) -> None:
    """Nothing has changed, and nothing is noted as a deletion; whoever has the action may."""
    at = azure(Assignment(READER))
    before = at.state.estate
    reply = at.ask(target, method, body=body)

    assert f"'{action}' over scope" in json.loads(reply.body)["error"]["message"]
    assert (at.state.estate, at.deletions) == (before, [])
    assert asked(azure(Assignment(Role("One", (action,)))), target, method, body)[1] != "AuthorizationFailed"


def test_a_template_takes_the_action_of_its_group() -> None:
    """As Azure's provider maps it."""
    readable = Role("Groups", ("Microsoft.Resources/subscriptions/resourceGroups/read",))

    assert asked(azure(Assignment(readable)), f"{WEB}/exportTemplate", "POST", {})[0] == 200
    assert asked(azure(), f"{WEB}/exportTemplate", "POST", {})[0] == 403


def test_what_is_not_there() -> None:
    """403 as long as nothing above it may be read, else 404 (oddity 54); a head has no body."""
    nothing = f"{ROOT}/resourceGroups/rg-nothing"

    assert asked(azure(Assignment(READER, WEB)), nothing) == (403, "AuthorizationFailed")
    assert asked(azure(Assignment(READER, ROOT)), nothing) == (404, "ResourceGroupNotFound")
    head = azure().ask(WEB, "HEAD")
    assert (head.status, head.body) == (403, b"")


def test_an_assignment_goes_with_its_group() -> None:
    """Nobody is told 404 who had a role at the group alone."""
    at = azure(Assignment(Role("All", ("*",)), WEB))
    assert at.ask(WEB, "DELETE").status == 202
    at.state.catch_up()

    assert asked(at, WEB) == (403, "AuthorizationFailed")
    assert asked(at, "/subscriptions") == (200, "")
    assert named(at, "/subscriptions") == []


@pytest.mark.parametrize(
    ("assignments", "shown"),
    [
        ((), []),
        (shipped(names=["tagger", "deleter"]), []),
        ((Assignment(READER, of_group(TOP)),), ["Shop", "Other"]),
        ((Assignment(READER, of_group(LANDING)),), ["Shop"]),
        ((Assignment(READER, DISK),), ["Shop"]),
    ],
    ids=["none", "no reader", "all", "of the management group", "of a resource"],
)
def test_subscriptions(assignments: tuple[Assignment, ...], shown: list[str]) -> None:
    """Listed is where something may be read."""
    at = azure(*assignments)

    assert named(at, "/subscriptions") == shown
    assert at.told("/subscriptions")["count"]["value"] == len(shown)


@pytest.mark.parametrize(
    ("assignment", "groups", "resources"),
    [
        (Assignment(READER), ["rg-web", "rg-data"], ["app", "disk"]),
        (Assignment(READER, DATA), ["rg-data"], ["disk"]),
        (Assignment(READER, SITE), [], ["app"]),
        (Assignment(Role("No disks", ("*/read",), ("Microsoft.Compute/disks/read",))), ["rg-web", "rg-data"], ["app"]),
    ],
    ids=["all", "a group", "a resource", "no disks"],
)
def test_lists_show_what_may_be_read(assignment: Assignment, groups: list[str], resources: list[str]) -> None:
    """And say nothing of the rest, which leaves pages empty; so does Resource Graph."""
    at = azure(assignment)

    assert named(at, f"{ROOT}/resourcegroups") == groups
    assert named(at, f"{ROOT}/resources") == resources
    assert len(at.told(f"{ROOT}/resources")["value"]) <= 1
    assert at.told(f"{ROOT}/resources")["nextLink"]
    assert [each["name"] for each in rows(at, "resources | project id, name")] == resources


def rows(at: Azure, query: str) -> list[dict[str, Any]]:
    """What Resource Graph answers."""
    graph = ResourceGraph(at.state, at.access)
    body = json.dumps({"query": query}).encode()
    call = at.call("/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01", "POST", body)
    told = json.loads(graph.answer(call).body)
    graph.close()
    if "error" in told:
        return [told["error"]]
    found: list[dict[str, Any]] = told["data"]
    return found


def test_who_may_read_nothing_there() -> None:
    """A list is refused, and Resource Graph too, with the reason in the details."""
    at = azure(Assignment(READER, f"/subscriptions/{OTHER}"))

    assert asked(at, f"{ROOT}/resourcegroups") == (403, "AuthorizationFailed")
    assert asked(at, ROOT) == (403, "AuthorizationFailed")
    assert rows(at, "resources | project id") == []
    (error,) = rows(azure(), "resources | project id")
    assert (error["code"], error["details"][0]["code"]) == ("AccessDenied", "AccessDenied")


def test_a_list_of_a_management_group() -> None:
    """It takes the action at the group; what is above does not help who has a role below."""
    target = f"{of_group(LANDING)}/descendants"

    assert asked(azure(Assignment(READER, of_group(TOP))), target)[0] == 200
    assert asked(azure(Assignment(READER, ROOT)), target) == (403, "AuthorizationFailed")


@pytest.mark.parametrize("scope", [ROOT, WEB, WEB.lower(), SITE])
def test_permissions(scope: str) -> None:
    """One entry for each assignment that reaches there, as it is in the role."""
    less = Role("Less", ("*",), ("Microsoft.Web/*/write",))
    at = azure(Assignment(READER), Assignment(less, ROOT), Assignment(Role("Else", ("*",)), DATA))

    assert at.told(f"{scope}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01") == {
        "value": [
            {"actions": ["*/read"], "notActions": [], "dataActions": [], "notDataActions": []},
            {"actions": ["*"], "notActions": ["Microsoft.Web/*/write"], "dataActions": [], "notDataActions": []},
        ]
    }


def test_permissions_take_one() -> None:
    """As any reading does."""
    at = azure(*shipped(names=["tagger"]))

    assert asked(at, f"{ROOT}/providers/Microsoft.Authorization/permissions") == (403, "AuthorizationFailed")


def test_by_default_the_shipped_roles_hold_everywhere() -> None:
    """Everything may be read, tags written, and of resources that deleted which a rule is about; no more."""
    with Simulator(ESTATE) as simulator, Client(simulator) as client:
        told = client.get(f"{ROOT}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01").json()
        assert [each["actions"] for each in told["value"]] == [list(each.role.actions) for each in shipped()]
        assert client.get(SITE, method="DELETE").status_code == 403
        assert client.get(DISK, method="DELETE").status_code == 202


def test_they_may_change_while_it_runs() -> None:
    """From the next call on, also where an answer was kept."""
    target = f"{ROOT}/resources"
    with Simulator(ESTATE, assignments=OWNER) as simulator, Client(simulator) as client:
        assert len(client.items(target)) == 2
        simulator.assign((Assignment(READER, DATA),))
        assert len(client.items(target)) == 1
        simulator.assign(())
        assert client.get(target).status_code == 403
        simulator.assign(None)
        assert len(client.items(target)) == 2


def test_an_action_is_decided_once() -> None:
    """Each action, for each set of roles, so that long lists stay quick."""
    estate = load_estate("demo")
    at = Azure(estate, assignments=(Assignment(Role("Less", ("*/read",), ("Microsoft.Web/*",))),))
    for each in estate.subscriptions:
        at.ask(f"/subscriptions/{each.id}/resources")
    types = {one.type for each in estate.subscriptions for one in each.resources}

    assert len(at.access._decided) <= len(types) + 2


def test_roles_from_the_command_line(tmp_path: Path) -> None:
    """A definition as Azure takes it, with or without a scope; what is none is said."""
    file = tmp_path / "role.json"
    file.write_text(json.dumps({"Name": "Reader", "IsCustom": True, "Actions": ["*/read"]}))
    given = behaviour(_parser().parse_args(["--role", str(file), "--role", f"{file}@{ROOT}"]))

    assert given["assignments"] == [Assignment(READER), Assignment(READER, ROOT)]
    assert behaviour(_parser().parse_args([]))["assignments"] is None
    assert given["delete_time"] == DELETE_TIME


@pytest.mark.parametrize("content", ["", "[]", '{"Actions": []}', '{"Name": "x", "Actions": [1]}'])
def test_a_file_that_is_no_role(tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence that names it."""
    file = tmp_path / "role.json"
    file.write_text(content)
    with pytest.raises(ValueError, match=r"role\.json is no role definition"):
        load_role(file)
    with pytest.raises(SystemExit):
        main(["--role", str(file)])
    assert "role.json is no role definition" in capsys.readouterr().err
