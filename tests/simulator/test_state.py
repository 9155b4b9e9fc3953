"""An estate that changes while it is served, and lists that lag behind."""

import threading

import pytest
from msgspec.structs import replace

from devkit.simulator import Simulator, Subscription, load_estate
from devkit.simulator.cache import PageCache
from devkit.simulator.estates.drafting import group, resource
from devkit.simulator.exchange import Reply
from devkit.simulator.holdings import AllResources
from devkit.simulator.model import Estate, Lock, Pages
from tests.simulator.client import Client
from tests.simulator.test_tagging import write
from tests.simulator.test_throttling import Clock

ID = "5a000000-0000-4000-8000-000000000009"
LOCKS = "providers/Microsoft.Authorization/locks"


def shop(*names: str, **fields: object) -> Subscription:
    """A subscription with a site of each name in one group."""
    sites = [resource("Microsoft.Web/sites", name) for name in names]
    return Subscription(id=ID, name="Shop", resource_groups=(group("rg", *sites),), **fields)  # type: ignore[arg-type]


def listed(client: Client) -> list[str]:
    return [each["name"] for each in client.items(f"/subscriptions/{ID}/resources")]


def served(client: Client, name: str) -> int:
    return client.get(f"/subscriptions/{ID}/resourceGroups/rg/providers/Microsoft.Web/sites/{name}").status_code


def test_a_change_is_seen_at_once() -> None:
    """In lists that were asked for before, in the resource, and in the estate."""
    with Simulator(Estate(name="one", subscriptions=(shop("a"),))) as simulator, Client(simulator) as client:
        assert listed(client) == ["a"]

        simulator.change(ID.upper(), shop("a", "b"))

        assert listed(client) == ["a", "b"]
        assert served(client, "b") == 200
        assert simulator.estate.subscriptions[0].resource_count == 2


def test_lists_lag_and_single_things_do_not() -> None:
    """A list shows what was there that many seconds ago; locks and groups are lists too."""
    clock = Clock()
    before = shop("a")
    after = shop("a", "b", locks=(Lock(name="l"),))
    after = replace(after, resource_groups=(*after.resource_groups, group("rg-new")))
    with (
        Simulator(Estate(name="one", subscriptions=(before,)), lag=30, clock=clock) as simulator,
        Client(simulator) as client,
    ):
        simulator.change(ID, after)
        path = f"/subscriptions/{ID}"

        clock.now += 29
        assert listed(client) == ["a"]
        assert client.items(f"{path}/{LOCKS}") == []
        assert client.items(f"{path}/resourceGroups/rg-new/resources") == []
        assert len(client.items(f"{path}/resourcegroups")) == 1
        assert served(client, "b") == 200
        assert client.get(f"{path}/resourceGroups/rg-new").status_code == 200
        clock.now += 1
        assert listed(client) == ["a", "b"]
        assert [each["name"] for each in client.items(f"{path}/{LOCKS}")] == ["l"]


def test_each_change_becomes_visible_in_its_turn() -> None:
    """A later change does not hurry an earlier one."""
    clock = Clock()
    with (
        Simulator(Estate(name="one", subscriptions=(shop(),)), lag=10, clock=clock) as simulator,
        Client(simulator) as client,
    ):
        seen = []
        for names in (("a",), ("a", "b"), ("b",)):
            simulator.change(ID, shop(*names))
            clock.now += 4
            seen.append(listed(client))
        for _ in range(3):
            clock.now += 4
            seen.append(listed(client))

    assert seen == [[], [], ["a"], ["a", "b"], ["b"], ["b"]]


def test_written_tags_lag_in_lists_only() -> None:
    """Reading the thing itself shows them at once."""
    clock = Clock()
    scope = f"/subscriptions/{ID}/resourceGroups/rg/providers/Microsoft.Web/sites/a"
    with (
        Simulator(Estate(name="one", subscriptions=(shop("a"),)), lag=5, clock=clock) as simulator,
        Client(simulator) as client,
    ):
        write(client, "PUT", scope, {"owner": "x"})

        assert client.get(scope).json()["tags"] == {"owner": "x"}
        assert "tags" not in client.items(f"/subscriptions/{ID}/resources")[0]
        clock.now += 5
        assert client.items(f"/subscriptions/{ID}/resources")[0]["tags"] == {"owner": "x"}


@pytest.mark.parametrize(
    ("subscription_id", "sentence"),
    [("nothing", "there is no subscription 'nothing' to change"), (ID[:-1] + "8", "cannot become")],
)
def test_a_change_that_makes_no_sense_is_refused(subscription_id: str, sentence: str) -> None:
    """One sentence."""
    estate = Estate(name="two", subscriptions=(shop(), Subscription(id=ID[:-1] + "8", name="Other")))

    with pytest.raises(ValueError, match=sentence):
        Simulator(estate).change(subscription_id, shop("a"))


def test_writes_of_many_clients_are_all_kept() -> None:
    """Merges to one group at the same time lose nothing, and neither does a change in between elsewhere."""
    estate = load_estate("demo")
    target = estate.subscriptions[1]
    with Simulator(estate) as simulator:

        def merge(number: int) -> None:
            with Client(simulator) as client:
                for step in range(3):
                    write(client, "PATCH", target.resource_groups[0].id, {f"t{number}-{step}": ""}, "Merge")

        threads = [threading.Thread(target=merge, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        simulator.change(estate.subscriptions[0].id, estate.subscriptions[0])
        for thread in threads:
            thread.join()

        tags = simulator.estate.subscriptions[1].resource_groups[0].tags
        assert isinstance(tags, dict)
        assert len([name for name in tags if name.startswith("t")]) == 18


def test_pages_are_the_same_when_they_are_asked_for_again() -> None:
    """Packed and plain, from the first page to the last."""
    subscription = shop(*(f"site-{number}" for number in range(25)), resource_pages=Pages(sizes=(0, 4), size=7))
    with Simulator(Estate(name="one", subscriptions=(subscription,))) as simulator, Client(simulator) as client:
        path = f"/subscriptions/{ID}/resources"
        first = client.pages(path)

        assert client.pages(path) == first
        client.session.headers["Accept-Encoding"] = "identity"
        assert client.pages(path) == first
        assert [len(page["value"]) for page in first] == [0, 4, 7, 7, 7]


def test_a_cache_keeps_what_was_asked_for_last() -> None:
    """Up to so many bytes."""
    cache = PageCache(limit=25)
    for name in "abc":
        cache.put(name, Reply(body=name.encode() * 10))
        assert cache.get("a") is not None

    assert [name for name in "abc" if cache.get(name)] == ["a", "c"]


def test_all_resources_can_be_cut_anywhere() -> None:
    """As a list could be, over groups of any size."""
    groups = tuple(
        group(f"rg-{place}", *(resource("Microsoft.Web/sites", f"{place}-{number}") for number in range(count)))
        for place, count in enumerate((0, 3, 0, 0, 2, 4, 0))
    )
    everything = AllResources(groups)
    expected = [each for one in groups for each in one.resources]

    assert len(everything) == 9
    assert list(everything) == expected
    assert everything[::2] == expected[::2]
    assert [everything[place] for place in range(-9, 9)] == [expected[place] for place in range(-9, 9)]
    for start in range(10):
        for end in range(10):
            assert list(everything[start:end]) == expected[start:end]
    with pytest.raises(IndexError):
        everything[9]
