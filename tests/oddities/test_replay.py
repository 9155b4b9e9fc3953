"""Everything that was recorded and can be read, compared item by item with its JSON; and what other clients may bring.

Nothing here is about one oddity: any folder of recordings will do.
"""

import gzip
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared_code.errors import AzureError, UnreadableAnswer
from tests.azure_api.conftest import JSON
from tests.oddities.recorded import Json, Recording, Recordings, value
from tests.oddities.sentences import CONTROL, failed
from tests.oddities.wire import ROOT, Wire, group, lock, resource

KINDS = {
    "subscriptions": ("subscriptions-list*", "subscription-get"),
    "groups": ("rg-list", "rg-get"),
    "resources": ("resources-list-*", "list-*", "resource-get"),
    "locks": ("locks-list*",),
}
"""The kinds of recordings that each list of the product is read from."""

TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):?(\d\d))?")
TOLD = re.compile(r".*/providers/[^/]+(?:/[^/]+/[^/]+)+/?", re.IGNORECASE)
GROUP = re.compile(r"/subscriptions/[^/]+/resourcegroups/[^/]+/?", re.IGNORECASE)
LOCK = re.compile(r"(/subscriptions/[^/]+.*)/providers/microsoft\.authorization/locks/([^/]+)", re.IGNORECASE)


def moment(text: object) -> datetime | None:
    """The moment a text means, worked out by hand; None for anything else."""
    found = TIME.fullmatch(text.strip()) if isinstance(text, str) else None
    if not found:
        return None
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    offset = timedelta(hours=int(found[9] or 0), minutes=int(found[10] or 0)) * (-1 if found[8] == "-" else 1)
    fraction = int((found[7] or "0").ljust(6, "0")[:6])
    try:
        return datetime(year, month, day, hour, minute, second, fraction, tzinfo=UTC) - offset
    except (ValueError, OverflowError):
        return None


def text(given: object) -> str | None:
    """The text that is given; None for none, an empty one, or anything else."""
    return given if isinstance(given, str) and given else None


def readable(item: Any, into: str) -> bool:
    """Whether all that decides is there and has the shape it should have."""
    if not isinstance(item, dict):
        return False
    if into == "subscriptions":
        return bool(text(item.get("subscriptionId"))) and isinstance(item.get("state"), str | None)
    if not text(item.get("id")):
        return False
    if into == "locks":
        properties = item.get("properties")
        leveled = isinstance(properties, dict) and text(properties.get("level"))
        return bool(leveled) and LOCK.fullmatch(item["id"]) is not None
    tags, told = item.get("tags"), into == "resources" and TOLD.fullmatch(item["id"])
    named = text(item.get("name")) or (told and item.get("name", "") == "")
    typed = (
        GROUP.fullmatch(item["id"])
        if into == "groups"
        else text(item.get("type")) or (told and item.get("type", "") == "")
    )
    tagged = tags is None or (isinstance(tags, dict) and all(isinstance(each, str | None) for each in tags.values()))
    return bool(named and typed and tagged) and isinstance(item.get("managedBy"), str | None)


def expected(item: Json, into: str) -> Json:
    """What an item has to be read as, from its JSON alone."""
    if into == "subscriptions":
        return {
            "id": item["subscriptionId"],
            "name": text(item.get("displayName")) or "",
            "state": text(item.get("state")) or "Enabled",
        }
    properties = item.get("properties") if isinstance(item.get("properties"), dict) else {}
    assert isinstance(properties, dict)
    if into == "locks":
        found = LOCK.fullmatch(item["id"])
        assert found is not None
        return {
            "id": item["id"],
            "name": text(item.get("name")) or found[2],
            "scope": found[1],
            "level": properties["level"],
            "notes": text(properties.get("notes")),
        }
    if into == "groups":
        return {
            "id": item["id"],
            "name": item["name"],
            "location": text(item.get("location")) or "",
            "tags": item.get("tags") or {},
            "managed_by": text(item.get("managedBy")),
            "provisioning_state": text(properties.get("provisioningState")),
            "created": moment(item.get("createdTime")),
            "resources": None,
        }
    return {
        "id": item["id"],
        **{name: item[name] for name in ("name", "type") if item.get(name)},
        "kind": text(item.get("kind")),
        "location": text(item.get("location")),
        "tags": item.get("tags"),
        "owner": text(item.get("managedBy")),
        "sku": item.get("sku"),
        "plan": item.get("plan"),
        "identity": item.get("identity"),
        "created": moment(item.get("createdTime")),
        "changed": moment(item.get("changedTime")),
        "provisioning_state": text(item.get("provisioningState")),
    }


def differences(wire: Wire, recording: Recording, into: str) -> list[str]:
    """Replay one recording and say what was read otherwise than it is written."""
    items = recording.items
    if not isinstance(recording.body, dict) or not all(readable(each, into) for each in items):
        try:
            wire.replay(recording, into=into)
        except AzureError as error:
            return [] if CONTROL.search(str(error)) is None else [f"{recording.name}: an unclean sentence"]
        return [f"{recording.name}: read, though something that decides is missing in it"]
    found = wire.replay(recording, into=into)
    wanted = [expected(each, into) for each in items]
    if into == "subscriptions":
        # The only list that is sorted and freed of doubles, since everything else hangs on it.
        wanted = [one for _, one in sorted({each["id"].casefold(): each for each in wanted}.items())]
    if len(found) != len(wanted):
        return [f"{recording.name}: {len(wanted)} items, and {len(found)} were read"]
    return [
        f"{recording.name}: {wished['id']}: {name} is {getattr(each, name)!r}, not {wish!r}"
        for each, wished in zip(found, wanted, strict=True)
        for name, wish in wished.items()
        if getattr(each, name) != wish
    ]


class TestRecordings:
    """No item is lost, merged or changed; what decides is there, or the list is refused."""

    @pytest.mark.parametrize("into", KINDS)
    def test_lists(self, wire: Wire, recordings: Recordings, into: str) -> None:
        found = list(recordings.of_kinds(*KINDS[into]))
        if not found:
            pytest.skip(f"no recordings of kind {', '.join(KINDS[into])} in this folder")

        assert [line for each in found for line in differences(wire, each, into)] == []
        assert sum(len(each.items) for each in found) > 0

    def test_errors(self, wire: Wire, recordings: Recordings) -> None:
        """Each has the class of its status and one clean line with its code, whatever it was recorded for."""
        found = [each for each in recordings.all() if each.status >= 400]
        if not found:
            pytest.skip("no recorded errors in this folder")

        for each in found:
            wire.answers((each.status, each.sent, each.content))
            assert failed(wire, each.status, each.body).startswith(str(each.status)), each.name


class TestDress:
    """The same list, dressed as other clients, proxies and years do."""

    BODY = json.dumps(value([group("rg-ü", tags={"Größe": "œ"})], count=1), ensure_ascii=False).encode()

    @pytest.mark.parametrize(
        "headers",
        [
            {"Content-Type": "application/json"},
            {"content-type": "application/json; charset=utf-8"},
            {"CONTENT-TYPE": "APPLICATION/JSON;CHARSET=UTF-8"},
            {"Content-Type": 'application/json; odata.metadata=minimal; charset="utf-8"'},
            {"Content-Type": "application/json; odata=nometadata; streaming=true"},
            {"Content-Type": "text/json; charset=utf-8"},
        ],
        ids=lambda headers: next(iter(headers.values())),
    )
    def test_types_that_are_json(self, wire: Wire, headers: dict[str, str]) -> None:
        wire.answers((200, headers, self.BODY))

        assert [each.tags for each in wire.read("groups")] == [{"Größe": "œ"}]

    @pytest.mark.parametrize(
        "kind", ["text/html", "text/plain", "application/json; charset=utf-16", "application/xml", ""]
    )
    def test_types_that_are_not(self, wire: Wire, kind: str) -> None:
        """A sign-in page of a proxy may be JSON by accident."""
        wire.answers((200, {"Content-Type": kind}, self.BODY))

        with pytest.raises(UnreadableAnswer, match=r", not JSON in UTF-8$"):
            wire.read("groups")

    @pytest.mark.parametrize(
        "change",
        [gzip.compress, lambda body: gzip.compress(b"\xef\xbb\xbf" + body)],
        ids=["gzip", "gzip-and-mark"],
    )
    def test_packed(self, wire: Wire, change: Callable[[bytes], bytes]) -> None:
        wire.answers((200, JSON | {"Content-Encoding": "gzip"}, change(self.BODY)))

        assert [each.name for each in wire.read("groups")] == ["rg-ü"]

    @pytest.mark.parametrize(
        "body",
        [
            b"\xef\xbb\xbf" + BODY,
            b"\r\n\t" + BODY + b"\r\n",
            json.dumps(json.loads(BODY), indent=4).encode(),
            json.dumps({"@odata.context": "x", "nextLink": None, **json.loads(BODY), "totalCount": 1}).encode(),
        ],
        ids=["mark", "blanks", "indented-and-escaped", "more-keys"],
    )
    def test_spelled_otherwise(self, wire: Wire, body: bytes) -> None:
        wire.answers((200, JSON, body))

        assert [(each.name, each.tags) for each in wire.read("groups")] == [("rg-ü", {"Größe": "œ"})]

    @pytest.mark.parametrize("into", KINDS)
    def test_fields_nobody_knows(self, wire: Wire, into: str) -> None:
        """They come with every new api-version."""
        more = {"etag": 'W/"1"', "zones": ["1"], "systemData": {"createdAt": None}, "extendedLocation": {}, "x": 1e400}
        items = {
            "subscriptions": {"id": ROOT, "subscriptionId": "0dd17"},
            "groups": group("rg-one"),
            "resources": resource("rg-one/A.B/c/d", properties=None),
            "locks": lock(f"{ROOT}/resourceGroups/rg-one"),
        }
        wire.pages(value([json.loads(json.dumps(more).replace("Infinity", "0")) | items[into]]))

        assert len(wire.read(into)) == 1
