"""Paging and the shape of lists: oddities 1 to 7."""

import json

import pytest

from shared_code.azure_api.links import host_of
from shared_code.errors import UnreadableAnswer
from tests.azure_api.conftest import JSON, Azure
from tests.oddities.recorded import Recordings, target, value
from tests.oddities.wire import KNOWN, ROOT, Wire, group, plain, resource

ONE, TWO = resource("rg-one/Microsoft.Web/sites/one"), resource("rg-one/Microsoft.Web/sites/two")


def names(found: list[object]) -> list[str]:
    """The names of what was read."""
    return [str(getattr(each, "name", "")) for each in found]


class TestEmptyPages:
    """1: an empty page with a nextLink is ordinary, also twice in a row; only a missing nextLink ends a list."""

    @pytest.mark.parametrize("before", [1, 2, 40])
    def test_what_comes_after_them_is_read(self, wire: Wire, before: int) -> None:
        wire.chain(*[[]] * before, [ONE], [], [TWO], [])

        assert names(wire.read("resources")) == ["one", "two"]

    def test_they_do_not_make_a_group_look_empty(self, wire: Wire) -> None:
        """Of the resources the first page alone was empty."""
        pages = iter([value([], nextLink=f"{wire.url}{ROOT}/next"), value([ONE])])
        wire.lists(groups=[group("rg-one")])
        usual = wire.script.answers
        wire.script.answers = lambda path: (
            (200, JSON, json.dumps(next(pages)).encode()) if "/resources?" in path or "/next" in path else usual(path)
        )
        verdict, groups = wire.whole()

        assert (verdict.resources, groups["rg-one"].resources) == (1, 1)

    def test_recorded(self, wire: Wire, recordings: Recordings) -> None:
        steps = [f"resources-list-filter__cli-empty-first-pages__0{step}" for step in (1, 2, 3)]
        pages = list(recordings.named(*steps))
        found = wire.replay(*pages, into="resources")

        assert [len(page.items) for page in pages] == [0, 0, 1]
        assert [each.id for each in found] == [pages[2].items[0]["id"]]


class TestLinkToNothing:
    """2: there is a nextLink although nothing follows."""

    def test_the_empty_last_page_ends_the_list(self, wire: Wire) -> None:
        wire.chain([ONE], [])

        assert names(wire.read("resources")) == ["one"]
        assert len(wire.asked) == 2

    def test_recorded(self, wire: Wire, recordings: Recordings) -> None:
        steps = [f"resources-list-filter__cli-name-then-empty-page__0{step}" for step in (1, 2)]
        first, last = recordings.named(*steps)

        assert len(wire.replay(first, last, into="resources")) == len(first.items) == 1
        assert last.items == []


class TestNoMore:
    """3: "no more" is no nextLink, null or an empty text; an empty list may be a nextLink of "" and nothing else."""

    @pytest.mark.parametrize("more", [{}, {"nextLink": None}, {"nextLink": ""}], ids=["absent", "null", "blank"])
    def test_each_form_ends_the_list(self, wire: Wire, more: dict[str, object]) -> None:
        wire.pages(value([ONE], **more))

        assert names(wire.read("resources")) == ["one"]
        assert len(wire.asked) == 1

    def test_an_empty_list_without_value(self, wire: Wire) -> None:
        wire.pages({"nextLink": ""})

        assert wire.read("resources") == []

    @pytest.mark.parametrize("body", [{}, {"nextLink": None}, {"value": None}, {"error": {"code": "Busy"}}])
    def test_anything_less_is_no_empty_list(self, wire: Wire, body: dict[str, object]) -> None:
        wire.pages(body)

        with pytest.raises(UnreadableAnswer, match=r"^cannot read resources: "):
            wire.read("resources")

    @pytest.mark.parametrize(
        "name",
        [
            "list-serverfarms__c7n-linux",
            "list-sites__c7n",
            "list-routetables__ps-nextlink__01",
            "list-routetables__ps-nextlink__02",
        ],
    )
    def test_recorded(self, wire: Wire, recordings: Recordings, name: str) -> None:
        (recording,) = recordings.named(name)

        assert len(wire.replay(recording, into="resources")) == len(recording.items)
        assert not recording.body.get("nextLink")


class TestSpellingsOfTheLink:
    """4: a nextLink is followed as it is spelled: nothing decoded, encoded anew or added."""

    @pytest.mark.parametrize(
        "query",
        [
            "api-version=2025-04-01&%24skiptoken=bW9yZQ%3d%3d",
            "api-version=2014-04-01-preview&$skiptoken=bW9yZQ==",
            "$skiptoken=1!40!bmV4dA--!/Subscriptions/0DD1/ResourceGroups/RG",
            "%24filter=resourceType+eq+%27a%2fb%27&api-version=1&%24skiptoken=x%2By%2fz",
            "$filter=name eq 'a b'&$skiptoken=1",
            f"$skiptoken={'Qk%2b' * 300}",
        ],
        ids=["escaped", "raw", "path-inside", "lower-hex", "blanks", "1500-characters"],
    )
    def test_are_kept(self, wire: Wire, query: str) -> None:
        """But for what may not stand in a URL: a blank goes out as %20, as every HTTP library sends it."""
        link = f"/Subscriptions/{KNOWN.id}//resources?{query}"
        wire.pages(value([ONE], nextLink=f"{wire.url}{link}"), value([TWO]))

        assert names(wire.read("resources")) == ["one", "two"]
        assert plain(wire.asked[-1]) == plain(link)

    def test_an_explicit_port_is_the_same_host(self) -> None:
        assert host_of("https://Management.azure.com:443/a?b") == host_of("https://management.azure.com/subscriptions")

    @pytest.mark.parametrize("name", ["list-privatedns__net-nextlink-443", "resources-list-sub__cli-expand-page__01"])
    def test_recorded(self, wire: Wire, recordings: Recordings, name: str) -> None:
        """`replay` compares what was asked for with the link."""
        (recording,) = recordings.named(name)
        link = recording.body["nextLink"]

        assert len(wire.replay(recording, into="resources")) == len(recording.items)
        assert host_of(link) == ("management.azure.com", 443)
        assert plain(wire.asked[-1]) == plain(target(link))


class TestPageSizes:
    """5: pages have any size, and $top does not end a list; so none is asked for and none is taken for the last."""

    @pytest.mark.parametrize("sizes", [(487, 483, 490, 3), (373, 169), (50, 1), (1000, 1000)], ids=str)
    def test_every_item_of_every_page_counts(self, wire: Wire, sizes: tuple[int, ...]) -> None:
        wire.chain(*[[group(f"rg-{page}-{number}") for number in range(size)] for page, size in enumerate(sizes)])

        assert len(wire.read("groups")) == sum(sizes)

    def test_no_size_is_asked_for(self, azure: Azure) -> None:
        for each in azure.estate.subscriptions():
            if each.name == "Casing and names":
                assert [*azure.estate.resource_groups(each), *azure.estate.resources(each), *azure.estate.locks(each)]

        assert not [asked for asked in azure.simulator.requests if "top=" in asked.query]

    @pytest.mark.parametrize(
        ("names", "into"),
        [
            (["rg-list__cli-page__01"], "groups"),
            ([f"resources-list-sub__cli-acr-type-pages__0{step}" for step in (1, 2)], "resources"),
        ],
    )
    def test_recorded(self, wire: Wire, recordings: Recordings, names: list[str], into: str) -> None:
        pages = list(recordings.named(*names))

        assert len(wire.replay(*pages, into=into)) == sum(len(page.items) for page in pages)


class TestSelectedByTag:
    """6: lists of resources selected by tag come without tags and times, so nothing is ever selected by Azure."""

    def test_no_list_is_filtered(self, azure: Azure) -> None:
        for each in azure.estate.subscriptions()[:3]:
            assert list(azure.estate.resource_groups(each))
            assert list(azure.estate.resources(each))
            list(azure.estate.locks(each))

        asked = [request for request in azure.simulator.requests if "skiptoken" not in request.query]
        assert {request.route for request in asked} >= {"subscriptions", "resource-groups", "resources", "locks"}
        assert not [request for request in asked if "filter" in request.query]

    def test_what_is_missing_is_unknown(self, wire: Wire) -> None:
        """Not "no tags": a protecting tag may be there."""
        (found,) = wire.resources(ONE)

        assert (found.tags, found.created, found.changed, found.provisioning_state) == (None, None, None, None)

    @pytest.mark.parametrize(
        "name",
        [
            "resources-list-tagfilter__cli-expand-ignored",
            "resources-list-tagfilter__cli-vm-deps",
            "resources-list-tagfilter__cli-vault",
        ],
    )
    def test_recorded(self, wire: Wire, recordings: Recordings, name: str) -> None:
        (recording,) = recordings.named(name)
        found = wire.replay(recording, into="resources")

        assert found
        assert {(each.tags, each.created, each.changed) for each in found} == {(None, None, None)}

    def test_recorded_groups_have_theirs(self, wire: Wire, recordings: Recordings) -> None:
        (recording,) = recordings.named("rg-list__cli-filter-tag")

        assert all(each.tags for each in wire.replay(recording, into="groups"))


class TestTimesOnRequest:
    """7: created, changed and state come only with $expand, beside the name and not under properties."""

    def test_they_are_asked_for(self, wire: Wire) -> None:
        wire.resources()

        (asked,) = wire.asked
        assert asked.startswith(f"{ROOT}/resources?")
        assert asked.endswith("&$expand=createdTime%2CchangedTime%2CprovisioningState")

    def test_those_of_the_provider_are_others(self, wire: Wire) -> None:
        """A provider's own time may be that of a copy, or of its content."""
        inside = {"createdTime": "2026-05-12T15:46:05Z", "provisioningState": "Succeeded"}
        (found,) = wire.resources(ONE | {"properties": inside})

        assert (found.created, found.provisioning_state) == (None, None)

    @pytest.mark.parametrize(
        ("name", "known"), [("resources-list-sub__cli-expand-page__01", True), ("resources-list-sub__c7n-mixed", False)]
    )
    def test_recorded(self, wire: Wire, recordings: Recordings, name: str, known: bool) -> None:
        (recording,) = recordings.named(name)

        for each in wire.replay(recording, into="resources"):
            assert (each.created is not None, each.changed is not None) == (known, known)
