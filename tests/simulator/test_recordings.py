"""Recorded answers served again: every list complete, every nextLink as it was."""

import json
from pathlib import Path
from typing import Any

import pytest

from devkit.simulator import Simulator, load_recordings
from devkit.simulator.playback import canonical
from tests.simulator.client import Client

HOST = "https://management.azure.com"
LOCKS = "providers/Microsoft.Authorization/locks"
SUBSCRIPTION = "/subscriptions/11111111-2222-4333-8444-555555555555"


def record(
    folder: Path,
    name: str,
    path: str,
    body: Any,
    *,
    query: str = "api-version=2022-09-01",
    sequence: tuple[str, int] | None = None,
    kind: str = "",
    status: int = 200,
) -> None:
    """Write one interaction as recorders do."""
    content: dict[str, Any] = {
        "kind": kind,
        "recorded": True,
        "request": {"method": "GET", "host": "management.azure.com", "path": path, "query": query, "body": None},
        "response": {"status": status, "headers": {"content-type": "application/json"}, "body": body},
    }
    if sequence:
        content["sequence"] = {"id": sequence[0], "step": sequence[1], "of": 9}
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content), encoding="utf-8")


def items(*names: str) -> list[dict[str, str]]:
    """Groups of those names."""
    return [{"id": f"{SUBSCRIPTION}/resourceGroups/{name}", "name": name} for name in names]


def served(folder: Path) -> dict[str, list[str]]:
    """The names a careful client finds in each subscription, groups, resources and locks together."""
    with Simulator(load_recordings(folder)) as simulator, Client(simulator) as client:
        return {
            each["displayName"]: [
                item["name"]
                for lists in ("resourcegroups", "resources", LOCKS)
                for item in client.items(f"{each['id']}/{lists}")
            ]
            for each in client.items("/subscriptions?api-version=2022-12-01")
        }


def test_each_list_has_a_subscription_of_its_own(tmp_path: Path) -> None:
    """Its name is the file's; the other list of that subscription is empty."""
    record(tmp_path, "groups.json", f"{SUBSCRIPTION}/resourcegroups", {"value": items("a", "b")})
    record(tmp_path, "deep/resources.json", f"{SUBSCRIPTION}/resources", {"value": items("c")})

    estate = load_recordings(tmp_path)

    counts = {each.name: (each.group_count, each.resource_count) for each in estate.subscriptions}
    assert counts == {"groups.json": (2, 0), "deep/resources.json": (0, 1)}
    assert served(tmp_path) == {"groups.json": ["a", "b"], "deep/resources.json": ["c"]}


def test_ids_are_the_same_every_time(tmp_path: Path) -> None:
    """A subscription's id follows from the file's name alone."""
    record(tmp_path / "one", "groups.json", f"{SUBSCRIPTION}/resourcegroups", {"value": []})
    record(tmp_path / "two", "groups.json", f"{SUBSCRIPTION}/resourceGroups", {"value": items("a")})

    first, second = (load_recordings(tmp_path / name).subscriptions[0] for name in ("one", "two"))

    assert first.id == second.id


def test_pages_of_a_sequence_are_one_list(tmp_path: Path) -> None:
    """A page follows when its token is that of the nextLink, however it is spelled."""
    path = f"{SUBSCRIPTION}/resources"
    link = f"{HOST}{path}?api-version=2022-09-01&%24skiptoken=a%2bb%3d"
    record(tmp_path, "p__01.json", path, {"value": items("a"), "nextLink": link}, sequence=("p", 1))
    record(
        tmp_path,
        "p__02.json",
        path,
        {"value": items("b")},
        query="$skiptoken=a%2Bb%3D&api-version=2022-09-01",
        sequence=("p", 2),
    )

    assert served(tmp_path) == {"p__01.json": ["a", "b"]}


def test_a_list_taken_twice_is_two_lists(tmp_path: Path) -> None:
    """Steps of a sequence that list anew, say after a delete, are no second page."""
    path = f"{SUBSCRIPTION}/resources"
    record(tmp_path, "t__01.json", path, {"value": items("a"), "nextLink": ""}, sequence=("t", 1))
    record(tmp_path, "t__02.json", path, {"value": [], "nextLink": ""}, sequence=("t", 2))

    assert served(tmp_path) == {"t__01.json": ["a"], "t__02.json": []}


def test_a_page_that_was_not_recorded_is_empty(tmp_path: Path) -> None:
    """The estate's notes say so."""
    path = f"{SUBSCRIPTION}/resources"
    link = f"{HOST}:443{path}?api-version=2018-09-01&$skipToken=x!y"
    record(tmp_path, "cut.json", path, {"value": items("a"), "nextLink": link})

    assert served(tmp_path) == {"cut.json": ["a"]}
    assert "Not recorded, so an empty last page is served: what follows cut.json." in load_recordings(tmp_path).notes


def test_only_scheme_and_host_of_a_next_link_change(tmp_path: Path) -> None:
    """Path, token and escapes are served as they were recorded."""
    path = "/Subscriptions/other/resourceGroups//x/resources"
    target = f"{path}?%24filter&$skiptoken=1!8!/Subscriptions/abc%2b%2F%3d"
    record(tmp_path, "a.json", f"{SUBSCRIPTION}/resources", {"value": [], "nextLink": f"{HOST}:443{target}"})

    estate = load_recordings(tmp_path)
    with Simulator(estate) as simulator, Client(simulator) as client:
        first = client.get(f"/subscriptions/{estate.subscriptions[0].id}/resources").json()

        assert first["nextLink"] == simulator.url + target
        assert client.get(first["nextLink"]).json() == {"value": []}
        assert client.simulator.requests[-1].subscription == estate.subscriptions[0].id
        damaged = first["nextLink"].replace("%2b", "+")
        assert client.get(damaged).status_code == 400
        own = f"/subscriptions/{estate.subscriptions[0].id}/resources?api-version=2022-09-01&$skiptoken=made-up"
        assert client.get(own).status_code == 400


def test_the_same_next_link_with_different_pages_behind_it(tmp_path: Path) -> None:
    """The second of them carries its own subscription's id, and nothing else is changed."""
    path = f"{SUBSCRIPTION}/resources"
    link = f"{HOST}{path}?api-version=2022-09-01&$skiptoken=same"
    for name in ("one", "two"):
        record(tmp_path, f"{name}__01.json", path, {"value": items(name), "nextLink": link}, sequence=(name, 1))
        record(
            tmp_path,
            f"{name}__02.json",
            path,
            {"value": items(f"{name}-last")},
            query="$skiptoken=same",
            sequence=(name, 2),
        )
    record(tmp_path, "without.json", path, {"value": items("three"), "nextLink": link})

    assert served(tmp_path) == {
        "one__01.json": ["one", "one-last"],
        "two__01.json": ["two", "two-last"],
        "without.json": ["three"],
    }
    estate = load_recordings(tmp_path)
    assert any(note.startswith("2 nextLinks occur in several recordings") for note in estate.notes)
    own = estate.subscriptions[1]
    assert own.recorded is not None
    assert own.recorded.pages[0].next_target == (
        f"/subscriptions/{own.id}/resources?api-version=2022-09-01&$skiptoken=same"
    )


def test_the_same_next_link_with_the_same_page_behind_it_is_shared(tmp_path: Path) -> None:
    """A copy of a recording changes nothing."""
    path = f"{SUBSCRIPTION}/resources"
    link = f"{HOST}{path}?api-version=2022-09-01&$skiptoken=same"
    record(tmp_path, "one.json", path, {"value": items("a"), "nextLink": link})
    record(tmp_path, "two.json", path, {"value": items("b"), "nextLink": link})

    assert served(tmp_path) == {"one.json": ["a"], "two.json": ["b"]}
    assert not any("several recordings" in note for note in load_recordings(tmp_path).notes)


def test_the_forms_of_no_more_are_kept(tmp_path: Path) -> None:
    """Null, "", and no value at all arrive as recorded (oddity 3)."""
    bodies: dict[str, Any] = {
        "null.json": {"nextLink": None, "value": []},
        "blank.json": {"value": [], "nextLink": ""},
        "no-value.json": {"nextLink": ""},
    }
    for name, body in bodies.items():
        record(tmp_path, name, f"{SUBSCRIPTION}/resourcegroups", body)

    estate = load_recordings(tmp_path)
    with Simulator(estate) as simulator, Client(simulator) as client:
        for each in estate.subscriptions:
            assert client.get(f"/subscriptions/{each.id}/resourcegroups").json() == bodies[each.name]


def test_files_of_other_kinds_are_skipped_and_counted(tmp_path: Path) -> None:
    """What is no interaction, or no list of resource groups or resources, is named in the notes."""
    record(tmp_path, "good.json", f"{SUBSCRIPTION}/resourcegroups", {"value": items("a")})
    record(tmp_path, "vms.json", f"{SUBSCRIPTION}/providers/X/vms", {"value": items("vm")}, kind="list-vms")
    record(tmp_path, "text.json", f"{SUBSCRIPTION}/resources", '{"value": [{"name": "body recorded as text"}]}')
    record(tmp_path, "error.json", f"{SUBSCRIPTION}/resourcegroups", {"error": {}}, status=403)
    record(tmp_path, "html.json", f"{SUBSCRIPTION}/resources", "<html>")
    record(tmp_path, "locks.json", f"{SUBSCRIPTION}/resourceGroups/a/{LOCKS}", {"value": []}, kind="locks-list")
    record(tmp_path, "lock.json", f"{SUBSCRIPTION}/{LOCKS}/one", {"name": "one"}, kind="lock-get")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "list.json").write_text("[1, 2]")
    (tmp_path / "broken.json").write_text('{"request":')
    (tmp_path / "binary.json").write_bytes(b'{"request": "\xff"}')
    (tmp_path / "README.md").write_text("no JSON")

    estate = load_recordings(tmp_path)

    assert [each.name for each in estate.subscriptions] == ["good.json", "text.json", "vms.json"]
    assert estate.notes == (
        "Served: 3 lists from 3 files, each in a subscription of its own.",
        "Skipped: 1 files (locks of another scope than a subscription, or no list of them).",
        "Skipped: 3 files (no list of resource groups, resources or locks).",
        "Skipped: 4 files (not a recorded interaction).",
    )


@pytest.mark.parametrize(
    "scope", [SUBSCRIPTION, "/%2Fsubscriptions%2F11111111-2222-4333-8444-555555555555", "https://host" + SUBSCRIPTION]
)
def test_locks_of_a_subscription(tmp_path: Path, scope: str) -> None:
    """Are served as the list of locks of a subscription of their own, whatever the path looked like."""
    lock = {"id": f"{SUBSCRIPTION}/{LOCKS}/one", "name": "one", "properties": {"level": "ReadOnly"}}
    record(tmp_path, "locks.json", f"{scope}/{LOCKS}", {"value": [lock]}, kind="locks-list")

    estate = load_recordings(tmp_path)

    (subscription,) = estate.subscriptions
    assert (subscription.group_count, subscription.resource_count, subscription.lock_count) == (0, 0, 1)
    with Simulator(estate) as simulator, Client(simulator) as client:
        path = f"/subscriptions/{subscription.id}"
        assert client.get(f"{path}/{LOCKS}").json() == {"value": [lock]}
        assert client.get(f"{path}/resourcegroups").json() == {"value": []}
        assert client.get(f"{path}/resourceGroups/a/{LOCKS}").status_code == 404


def test_one_recorded_group(tmp_path: Path) -> None:
    """A recorded group can be read by name too; resources that were not recorded are none."""
    record(tmp_path, "groups.json", f"{SUBSCRIPTION}/resourcegroups", {"value": items("rg-A")})

    estate = load_recordings(tmp_path)
    path = f"/subscriptions/{estate.subscriptions[0].id}/resourceGroups"
    with Simulator(estate) as simulator, Client(simulator) as client:
        assert client.get(f"{path}/RG-a").json()["name"] == "rg-A"
        assert client.get(f"{path}/rg-a", method="HEAD").status_code == 204
        assert client.get(f"{path}/rg-a/resources").json() == {"value": []}
        assert client.get(f"{path}/rg-b").json()["error"]["code"] == "ResourceGroupNotFound"


@pytest.mark.parametrize("create", [True, False], ids=["empty", "missing"])
def test_a_folder_without_recordings_is_refused(tmp_path: Path, create: bool) -> None:
    """One sentence with the folder's name."""
    folder = tmp_path / "folder"
    if create:
        folder.mkdir()

    with pytest.raises(ValueError, match="folder"):
        load_recordings(folder)


@pytest.mark.parametrize(
    ("sent", "same"),
    [
        ("/a?$skiptoken=x%2By", True),
        ("/a?$skiptoken=x%2by", True),
        ("/a?%24skiptoken=x%2by", False),
        ("/a?$skiptoken=x+y", False),
        ("/a?$skiptoken=x%20y", False),
        ("/%61?$skiptoken=%78%2By", True),
    ],
)
def test_what_clients_may_change_about_a_next_link(sent: str, same: bool) -> None:
    """The case of hex digits, and escapes of letters and digits. Nothing else: tokens are followed byte for byte."""
    assert (canonical(sent) == canonical("/a?$skiptoken=x%2by")) is same


def test_all_recordings_are_served_completely(recordings: Path) -> None:
    """Item counts equal those of the files, whichever way a list was paged."""
    estate = load_recordings(recordings)
    expected: dict[str, int] = {}
    for subscription in estate.subscriptions:
        assert subscription.recorded is not None
        expected[subscription.name] = sum(
            len(json.loads((recordings / file).read_text())["response"]["body"].get("value", []))
            for file in _files(recordings, subscription.name, len(subscription.recorded.pages))
        )

    found = served(recordings)

    assert {name: len(names) for name, names in found.items()} == expected
    counts = {each.name: each.group_count + each.resource_count + each.lock_count for each in estate.subscriptions}
    assert counts == expected
    assert sum(each.lock_count for each in estate.subscriptions) > 100


def _files(folder: Path, first: str, pages: int) -> list[str]:
    stem, _, step = first.removesuffix(".json").rpartition("__")
    if pages == 1:
        return [first]
    names = [f"{stem}__{number:02}.json" for number in range(int(step), int(step) + pages)]
    assert all((folder / name).exists() for name in names)
    return names
