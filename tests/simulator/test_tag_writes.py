"""Tags written otherwise: by PATCH of the thing itself, and by writes that are accepted first and done later."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from devkit.simulator import OWNER, Fault, Lock, ResourceGroup, Simulator, Subscription, load_estate, load_recordings
from devkit.simulator.estates.demo import DEVELOPMENT
from devkit.simulator.estates.drafting import group, resource
from devkit.simulator.model import Estate
from tests.simulator.client import Client
from tests.simulator.test_shapes import recorded
from tests.simulator.test_tagging import TAGS, WEB, holding, write
from tests.simulator.test_throttling import Clock

ID = "5a000000-0000-4000-8000-000000000009"
GROUP = f"/subscriptions/{ID}/resourceGroups/rg-Web"
SITE = f"{GROUP}/providers/Microsoft.Web/sites/app"
FREE = f"/subscriptions/{ID}/resourceGroups/rg-free"


class Served:
    """A simulator with a clock set by hand, and a client of it."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self.client = client
        self.clock = clock

    def tags(self, scope: str) -> dict[str, str]:
        found = self.client.get(f"{scope}/{TAGS}").json()["properties"]["tags"]
        assert isinstance(found, dict)
        return found

    def merge(self, scope: str, **tags: str) -> Any:
        return write(self.client, "PATCH", scope, tags, "Merge")

    def patch(self, scope: str, body: Any) -> Any:
        """A PATCH of the thing itself."""
        url = f"{self.client.simulator.url}{scope}?api-version=2022-09-01"
        return self.client.session.patch(url, json=body, timeout=10)


@contextmanager
def served(*faults: Fault, lock: Lock | None = None, **given: float) -> Iterator[Served]:
    clock = Clock()
    tagged = group("rg-Web", resource("Microsoft.Web/sites", "app", tags={"env": "test", "x": ""}), tags={"team": "a"})
    subscription = Subscription(
        id=ID, name="Shop", resource_groups=(tagged, group("rg-free")), locks=(lock,) if lock else (), tags={"cc": "1"}
    )
    estate = Estate(name="one", subscriptions=(subscription,))
    with Simulator(estate, faults, clock=clock, **given, assignments=OWNER) as simulator, Client(simulator) as client:  # type: ignore[arg-type]
        yield Served(client, clock)


class TestPatchOfTheThingItself:
    """It replaces all tags (oddity 23)."""

    def test_a_resource_and_a_group(self) -> None:
        """What is not named is gone; the answer is the thing as it is read."""
        with served() as at:
            for scope in (SITE, GROUP):
                for tags in ({"owner": "x", "x": "1"}, {"Owner": "y"}, {}):
                    answer = at.patch(scope.replace("rg-Web", "RG-WEB"), {"tags": tags})

                    assert (answer.status_code, answer.json()["tags"]) == (200, tags)
                    assert answer.json() == at.client.get(scope).json()
                    assert at.tags(scope) == tags

    def test_without_tags_nothing_changes(self) -> None:
        """Something else may be patched that is not simulated."""
        with served() as at:
            bodies: list[dict[str, Any]] = [{}, {"properties": {}}, {"tags": None}]
            for body in bodies:
                assert at.patch(SITE, body).json()["tags"] == {"env": "test", "x": ""}
                assert at.patch(GROUP, body).json()["tags"] == {"team": "a"}

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ([], "InvalidRequestContent"),
            ({"tags": ["a"]}, "InvalidRequestContent"),
            ({"tags": {"a/b": ""}}, "InvalidTagNameCharacters"),
            ({"tags": {str(number): "" for number in range(51)}}, "InvalidTagsCount"),
        ],
        ids=["no object", "no tags", "reserved", "too many"],
    )
    def test_what_is_refused(self, body: object, code: str) -> None:
        """400, and nothing is written."""
        with served() as at:
            answer = at.patch(SITE, body)

            assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
            assert at.tags(SITE) == {"env": "test", "x": ""}

    def test_nothing_there(self) -> None:
        """404 that says what is missing."""
        with served() as at:
            assert at.patch(f"{SITE}-not", {"tags": {}}).json()["error"]["code"] == "ResourceNotFound"
            assert at.patch(f"{FREE}-not", {"tags": {}}).json()["error"]["code"] == "ResourceGroupNotFound"

    def test_a_lock_forbids_it(self) -> None:
        """ReadOnly, at the group; only writing in it is refused."""
        with served(lock=Lock(name="frozen", level="ReadOnly", scope=GROUP)) as at:
            for scope in (SITE, GROUP):
                refused = at.patch(scope, {"tags": {}})
                assert (refused.status_code, refused.json()["error"]["code"]) == (409, "ScopeLocked")
                assert f"are locked: '{GROUP}'" in refused.json()["error"]["message"]
            assert at.patch(FREE, {"tags": {}}).status_code == 200

    def test_recordings_do_not_change(self, recordings: Path) -> None:
        """405 for every write to what is served from them."""
        with Simulator(load_recordings(recordings), assignments=OWNER) as simulator, Client(simulator) as client:
            one = simulator.estate.subscriptions[0]
            scope = f"/subscriptions/{one.id}/resourceGroups/any"

            assert client.get(scope, method="PATCH").status_code == 405
            assert client.get(f"{scope}/{TAGS}", method="PATCH").status_code == 405

    def test_as_recorded(self, recordings: Path) -> None:
        """The steps on a vault one after the other, and a group: each leaves what it names and nothing else."""
        tags: dict[str, dict[str, str]] = {}
        for name, interaction in recorded(recordings, "resource-patch__*.json", "rg-patch__cli-*.json"):
            path, body = interaction["request"]["path"], interaction["request"]["body"]
            subscription = holding(path, tags.get(path, {"before": "1"}))
            with (
                Simulator(Estate(name="one", subscriptions=(subscription,)), assignments=OWNER) as simulator,
                Client(simulator) as client,
            ):
                url = f"{simulator.url}{path}?{interaction['request']['query']}"
                answer = client.session.patch(url, json=body, timeout=10)
                tags[path] = client.get(f"{path}/{TAGS}").json()["properties"]["tags"]

            expected = interaction["response"]
            assert answer.status_code == expected["status"], name
            assert tags[path] == body["tags"], name
            for key in ("id", "name", "type", "tags"):
                assert answer.json()[key] == expected["body"][key], name


class TestLateWrites:
    """Accepted is not done (oddity 24)."""

    def test_it_shows_later(self) -> None:
        """In the resource, in the Tags API and in lists; the answer has no body and two addresses."""
        with served(late_tags=7.5) as at:
            answer = at.merge(SITE, owner="x")

            assert (answer.status_code, answer.content, answer.headers["Retry-After"]) == (202, b"", "8")
            named = f"{at.client.simulator.url}/subscriptions/{ID}/providers/Microsoft.Web/locations/westeurope"
            assert answer.headers["Location"].startswith(f"{named}/operationResults/")
            assert answer.headers["Azure-AsyncOperation"].startswith(f"{named}/operations/")
            at.clock.now += 7
            assert at.tags(SITE) == {"env": "test", "x": ""}
            at.clock.now += 0.5
            assert at.tags(SITE) == at.client.get(SITE).json()["tags"] == {"env": "test", "x": "", "owner": "x"}
            assert at.client.items(f"/subscriptions/{ID}/resources")[0]["tags"] == at.tags(SITE)

    def test_polls_from_begin_to_end(self) -> None:
        """InProgress and 202, then Succeeded and what the write would have been answered with."""
        with served(late_tags=5) as at:
            headers = at.merge(SITE, owner="x").headers
            operation, result = headers["Azure-AsyncOperation"], headers["Location"]

            assert at.client.get(operation).json()["status"] == "InProgress"
            pending = at.client.get(result)
            assert (pending.status_code, pending.headers["Location"], pending.content) == (202, result, b"")
            at.clock.now += 5
            assert at.client.get(operation).json()["status"] == "Succeeded"
            assert at.client.get(result).json()["properties"]["tags"] == at.tags(SITE)
            assert at.client.get(f"{operation.partition('?')[0]}0").json()["error"]["code"] == "OperationNotFound"

    def test_groups_and_subscriptions_are_quick(self) -> None:
        """They are Resource Manager's own; only a provider takes its time, unless a fault says otherwise."""
        with served(late_tags=5) as at:
            assert at.merge(GROUP, owner="x").status_code == 200
            assert at.merge(f"/subscriptions/{ID}", owner="x").status_code == 200

    def test_the_thing_itself_says_200(self) -> None:
        """With the tags as they are to be, and an address to poll."""
        with served(late_tags=5) as at:
            answer = at.patch(SITE, {"tags": {"owner": "x"}})

            assert (answer.status_code, answer.json()["tags"]) == (200, {"owner": "x"})
            assert "Location" not in answer.headers
            assert at.tags(SITE) == {"env": "test", "x": ""}
            at.clock.now += 5
            assert at.client.get(answer.headers["Azure-AsyncOperation"]).json()["status"] == "Succeeded"
            assert at.tags(SITE) == {"owner": "x"}

    def test_several_are_done_in_their_order(self) -> None:
        """Each is applied to what is there when its time has come; a write at once is not undone by it."""
        with served(Fault(route="tags", method="PUT", kind="late-tags", delay=2)) as at:
            write(at.client, "PUT", SITE, {"a": "1"})  # after two seconds
            at.merge(SITE, b="2")
            assert at.tags(SITE) == {"env": "test", "x": "", "b": "2"}
            at.clock.now += 3
            at.merge(SITE, c="3")
            assert at.tags(SITE) == {"a": "1", "c": "3"}

    def test_lists_lag_from_when_it_is_done(self) -> None:
        """Not from when it was accepted."""
        with served(late_tags=10, lag=5) as at:
            at.merge(SITE, owner="x")

            at.clock.now += 14
            assert "owner" in at.tags(SITE)
            assert "owner" not in at.client.items(f"/subscriptions/{ID}/resources")[0]["tags"]
            at.clock.now += 1
            assert "owner" in at.client.items(f"/subscriptions/{ID}/resources")[0]["tags"]

    def test_removing_all_is_late_too(self) -> None:
        """The result has no body, as the answer at once."""
        with served(late_tags=1) as at:
            answer = write(at.client, "DELETE", SITE)

            assert answer.status_code == 202
            at.clock.now += 1
            assert at.tags(SITE) == {}
            assert at.client.get(answer.headers["Location"]).content == b""

    def test_what_is_wrong_is_refused_at_once(self) -> None:
        """Nothing is begun for it."""
        with served(late_tags=1) as at:
            assert at.merge(SITE, **{"a/b": ""}).status_code == 400
            assert at.merge(f"{SITE}-not", a="").status_code == 404

    def test_what_became_impossible_fails(self) -> None:
        """The thing was deleted while the write was under way."""
        with served(late_tags=5) as at:
            headers = at.merge(SITE, owner="x").headers
            at.client.simulator.change(ID, Subscription(id=ID, name="Shop", resource_groups=(group("rg-Web"),)))

            at.clock.now += 5
            said = at.client.get(headers["Azure-AsyncOperation"]).json()
            assert (said["status"], said["error"]["code"]) == ("Failed", "ResourceNotFound")
            assert at.client.get(headers["Location"]).status_code == 404

    @pytest.mark.parametrize("scope", [SITE, GROUP, f"/subscriptions/{ID}"], ids=["resource", "group", "subscription"])
    def test_a_fault_lets_it_never_show(self, scope: str) -> None:
        """The operation goes on for so long, and ends Failed; the next write is done at once."""
        with served(Fault(route="tags", method="PATCH", kind="no-tags", delay=3)) as at:
            before = at.tags(scope)
            answer = at.merge(scope, owner="x")

            assert answer.status_code == 202
            assert at.client.get(answer.headers["Azure-AsyncOperation"]).json()["status"] == "InProgress"
            at.clock.now += 3
            said = at.client.get(answer.headers["Azure-AsyncOperation"]).json()
            assert (said["status"], said["error"]["code"]) == ("Failed", "TagsUpdateFailed")
            assert f"'{scope}'" in said["error"]["message"]
            assert at.client.get(answer.headers["Location"]).status_code == 409
            assert at.tags(scope) == before
            assert at.merge(scope, owner="y").json()["properties"]["tags"]["owner"] == "y"

    def test_such_a_fault_leaves_reading_alone(self) -> None:
        """It says nothing about answers that are no writes of tags, and delays none of them."""
        with served(Fault(times=None, kind="late-tags", delay=60)) as at:
            assert at.tags(SITE) == {"env": "test", "x": ""}
            assert at.client.get(GROUP).json()["tags"] == {"team": "a"}


def test_of_several_resource_groups_only_the_named_one_is_late() -> None:
    """A fault's path selects what is slow."""
    path = f"/subscriptions/{DEVELOPMENT}/resourcegroups/rg-load-test/*"
    fault = Fault(route=path, kind="late-tags", times=None, delay=60)
    with Simulator(load_estate("demo"), [fault], assignments=OWNER) as simulator, Client(simulator) as client:
        slow = f"/subscriptions/{DEVELOPMENT}/resourceGroups/rg-load-test"

        assert write(client, "PATCH", slow, {"a": ""}, "Merge").status_code == 202
        assert write(client, "PATCH", WEB, {"a": ""}, "Merge").status_code == 200
        found = simulator.estate.subscription(DEVELOPMENT)
        unchanged = found.group("rg-load-test") if found else None
        assert isinstance(unchanged, ResourceGroup)
        assert "a" not in (unchanged.tags or {})
