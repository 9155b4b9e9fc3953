"""Tags as they are read: oddities 19 to 22, and 25; see test_tag_writes for how they are written."""

import pytest

from shared_code.errors import UnreadableAnswer
from tests.azure_api.conftest import Azure
from tests.oddities.recorded import Json, Recordings
from tests.oddities.wire import ROOT, Wire, group, resource

ODD: Json = {
    "Who may remove this": "https://example.com/wiki/cleanup?team=shop&x=1",
    "made.utc": "11/3/2026 4:05:06 PM",
    "{owner: shop,": "'cost': None}",
    "policy": '{"keep": ["a", 1, null]}',
    " before": "\u00a0after ",
    "größe": "œuvre",
    "費用": "部門",
    "🧯": "👩\u200d🚒",
    "note": "<b>=1+1</b>\t\r\n\x1b[31m\u202e",
    "k" * 512: "v" * 256,
}
LINK = f"hidden-link:{ROOT}/resourcegroups/RG-One/providers/microsoft.insights/components/func-orders"


def tagged(wire: Wire, tags: Json) -> list[object]:
    """What a group's and a resource's tags are read as."""
    return [
        wire.groups(group("rg-one", tags=tags))[0].tags,
        wire.resources(resource("rg-one/A.B/c/d", tags=tags))[0].tags,
    ]


def kept(wire: Wire, recordings: Recordings, name: str, into: str) -> list[Json]:
    """Replay a recording, compare all tags with it, and give those there are."""
    (recording,) = recordings.named(name)
    found = wire.replay(recording, into=into)
    assert [each.tags or {} for each in found] == [item.get("tags") or {} for item in recording.items]
    assert [list(each.tags or {}) for each in found] == [list(item.get("tags") or {}) for item in recording.items]
    return [each.tags for each in found if each.tags]


class TestNone:
    """19: tags are missing, {} or null, mixed in one list; all three are no tags."""

    def test_of_groups(self, wire: Wire) -> None:
        found = wire.groups(group("a"), group("b", tags={}), group("c", tags=None), group("d", tags={"owner": "x"}))

        assert [each.tags for each in found] == [{}, {}, {}, {"owner": "x"}]

    def test_of_resources(self, wire: Wire) -> None:
        """Those that are missing may have been left out of the list (6), so they stay apart from {}."""
        given: list[Json] = [{}, {"tags": {}}, {"tags": None}, {"tags": {"owner": "x"}}]
        found = wire.resources(*(resource("rg-one/A.B/c/d", **fields) for fields in given))

        assert [each.tags for each in found] == [None, {}, None, {"owner": "x"}]

    @pytest.mark.parametrize(
        ("name", "into"),
        [
            ("list-serverfarms__cli-nextlink-null", "resources"),
            ("resources-list-sub__cli-expand-page__01", "resources"),
            ("rg-list__cli-page__01", "groups"),
        ],
    )
    def test_recorded(self, wire: Wire, recordings: Recordings, name: str, into: str) -> None:
        kept(wire, recordings, name, into)


class TestEmptyValues:
    """20: the value of the tag that protects is empty; it is there all the same."""

    @pytest.mark.parametrize("value", ["", " ", None, "false"])
    def test_the_tag_is_there(self, wire: Wire, value: str | None) -> None:
        for tags in tagged(wire, {"DoNotDelete": value, "BuildId": ""}):
            assert tags == {"DoNotDelete": value, "BuildId": ""}

    def test_recorded(self, wire: Wire, recordings: Recordings) -> None:
        found = kept(wire, recordings, "rg-list__cli-filter-tag", "groups")

        assert any("" in tags.values() for tags in found)


class TestHiddenKeys:
    """21: keys begin with hidden-link: or hidden-related:, long, with slashes and colons; they are read like others."""

    def test_as_received(self, wire: Wire) -> None:
        given = {LINK: "Resource", LINK.replace("link", "related", 1): "empty", "hidden-title": "Orders"}

        assert tagged(wire, given) == [given, given]

    @pytest.mark.parametrize("name", ["resources-list-sub__c7n-mixed", "list-vnets__cli-many"])
    def test_recorded(self, wire: Wire, recordings: Recordings, name: str) -> None:
        found = kept(wire, recordings, name, "resources")

        assert any(tag.startswith("hidden-") for tags in found for tag in tags)


class TestOddTexts:
    """22: keys and values hold anything: blanks, dots, braces, JSON, addresses, US dates, other scripts, markup."""

    def test_as_received(self, wire: Wire) -> None:
        assert tagged(wire, ODD) == [ODD, ODD]

    def test_keys_that_differ_in_case_stay_two(self, wire: Wire) -> None:
        """Azure keeps one of them, so which one is meant is not Steward's to say."""
        given = {"Owner": "a", "owner": "b"}

        assert tagged(wire, given) == [given, given]

    @pytest.mark.parametrize("tags", [["owner"], "owner", 5, {"owner": {"name": "x"}}, {"owner": ["x"]}, {"owner": 5}])
    def test_what_are_no_tags_is_refused_with_its_place(self, wire: Wire, tags: object) -> None:
        """Tags protect, so what they say is never guessed."""
        with pytest.raises(UnreadableAnswer, match=r"^cannot read resources: .* - at `\$\.value\[1\]\.tags"):
            wire.resources(resource("rg-one/A.B/c/d"), resource("rg-one/A.B/c/e", tags=tags))

    @pytest.mark.parametrize(
        ("name", "into"),
        [
            ("rg-list__net-tag-with-spaces", "groups"),
            ("rg-list__cli-page__01", "groups"),
            ("resources-list-sub__cli-expand-page__01", "resources"),
            ("rg-create__cli-json-in-tag-value", "groups"),
            ("rg-patch__xplat-tags-date-value", "groups"),
        ],
    )
    def test_recorded(self, wire: Wire, recordings: Recordings, name: str, into: str) -> None:
        assert kept(wire, recordings, name, into)

    def test_the_estate_of_one_of_each(self, azure: Azure) -> None:
        """Every tag of the simulated `Tags written by strangers`."""
        strangers = next(each for each in azure.simulator.estate.subscriptions if each.name.startswith("Tags"))
        known = next(each for each in azure.estate.subscriptions() if each.id == strangers.id)
        found = {each.name: each.tags for page in azure.estate.resource_groups(known) for each in page}

        assert found == {each.name: each.tags or {} for each in strangers.resource_groups}


class TestCopiedTags:
    """25: a managed group carries the tags of its owner, so that what selects by tag hits it; its owner is told."""

    def test_the_copy_is_known_by_its_owner(self, wire: Wire) -> None:
        owner = f"{ROOT}/resourceGroups/rg-app/providers/microsoft.insights/components/appi"
        tags = {"azd-env-name": "shop"}
        app, managed = wire.groups(group("rg-app", tags=tags), group("ai_appi_7_managed", tags=tags, managedBy=owner))

        assert app.tags == managed.tags == tags
        assert (app.managed_by, managed.managed_by) == (None, owner)
