"""Locks and what they protect: oddities 33 and 34."""

import pytest

from shared_code.errors import UnreadableAnswer
from shared_code.management_locks import ManagementLocks
from shared_code.resource_ids import key
from tests.azure_api.conftest import Azure
from tests.oddities.recorded import Json, Recordings
from tests.oddities.wire import LOCKS, ROOT, Wire, group, lock

GROUP = f"{ROOT}/resourceGroups/rg-One"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/st"
NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet"
SUBNET = f"{NETWORK}/subnets/default"
COLLECTION = f"{GROUP}/providers/Microsoft.DocumentDB/databaseAccounts/db/mongodbDatabases/orders/collections/open"


def on(wire: Wire, resource_id: str) -> list[str]:
    """The names of the locks of `LISTED` that protect a thing."""
    locks = ManagementLocks(wire.locks(*LISTED))
    return sorted(each.name for each in locks.on(resource_id))


LISTED = [
    lock(ROOT.replace("/sub", "/Sub"), "on subscription"),
    lock(GROUP.lower(), "on group", notes=""),
    lock(ACCOUNT.replace("rg-One", "RG-ONE"), "on account", "ReadOnly", notes="Written by a backup."),
    lock(SUBNET, "on subnet", owners=[{"applicationId": "0dd17000-0000-4000-8000-0000000000aa"}]),
    lock(COLLECTION, "on collection"),
]


class TestScopes:
    """33: one list holds the locks of every scope, and some lists inherited ones; each protects what is below it.

    The scope is what comes before /providers/Microsoft.Authorization/locks, in any case.
    """

    @pytest.mark.parametrize(
        ("resource_id", "expected"),
        [
            (f"{GROUP}-two", ["on subscription"]),
            (f"{GROUP}-two/providers/Microsoft.Storage/storageAccounts/st", ["on subscription"]),
            (ACCOUNT, ["on account", "on group", "on subscription"]),
            (f"{ACCOUNT}2", ["on group", "on subscription"]),
            (f"{ACCOUNT}/blobServices/default", ["on account", "on group", "on subscription"]),
            (f"{ROOT[:-1]}2/resourceGroups/rg-One", []),
        ],
        ids=["name-begins-alike", "its-account", "account", "account-begins-alike", "child", "other-subscription"],
    )
    def test_a_lock_protects_what_is_below_its_scope(self, wire: Wire, resource_id: str, expected: list[str]) -> None:
        assert on(wire, resource_id) == on(wire, resource_id.upper()) == expected

    def test_a_subscription_is_protected_by_all(self, wire: Wire) -> None:
        """Whoever deletes it takes everything along."""
        assert len(on(wire, ROOT)) == len(LISTED)

    def test_an_inherited_lock_that_is_listed_again_is_one(self, wire: Wire) -> None:
        again = lock(GROUP.upper(), "ON GROUP")

        assert len(ManagementLocks(wire.locks(*LISTED, again))) == len(LISTED)

    @pytest.mark.parametrize(
        ("id_", "scope"),
        [
            (f"{GROUP}/providers/microsoft.authorization/locks/keep", GROUP),
            (f"{GROUP}/PROVIDERS/MICROSOFT.AUTHORIZATION/LOCKS/KEEP/", GROUP),
            (f"{ACCOUNT}/providers/Microsoft.Insights/diagnosticSettings/d{LOCKS}/keep", f"{ACCOUNT}/providers/…"),
        ],
        ids=["lower", "upper", "on-an-extension"],
    )
    def test_the_scope_is_found(self, wire: Wire, id_: str, scope: str) -> None:
        (found,) = wire.locks({"id": id_, "name": "keep", "properties": {"level": "CanNotDelete"}})

        assert found.scope == scope.replace("…", "Microsoft.Insights/diagnosticSettings/d")

    @pytest.mark.parametrize("id_", [GROUP, f"{GROUP}{LOCKS}", f"{GROUP}{LOCKS}/", f"{LOCKS}/keep", "keep"])
    def test_a_lock_without_scope_is_refused(self, wire: Wire, id_: str) -> None:
        """Nobody knows what it protects."""
        with pytest.raises(UnreadableAnswer, match=rf"^cannot read locks: '{id_}' is no lock's id$"):
            wire.locks({"id": id_, "name": "keep", "properties": {"level": "CanNotDelete"}})

    @pytest.mark.parametrize("properties", [None, {}, {"level": None}, {"level": ""}, {"level": 1}], ids=str)
    def test_a_lock_without_level_is_refused(self, wire: Wire, properties: Json | None) -> None:
        with pytest.raises(UnreadableAnswer, match=r"^cannot read locks: an item has another shape"):
            wire.locks(lock(GROUP) | {"properties": properties})

    @pytest.mark.parametrize(
        ("fields", "notes", "expected"),
        [
            ({}, "", ("Keep-me", None)),
            ({"name": None}, None, ("Keep-me", None)),
            ({"name": 5}, ["a"], ("Keep-me", None)),
            ({"name": "keep"}, "Ask first.", ("keep", "Ask first.")),
        ],
        ids=["blank", "null", "odd", "usual"],
    )
    def test_name_and_notes_only_describe(
        self, wire: Wire, fields: Json, notes: object, expected: tuple[str, str | None]
    ) -> None:
        """A name that is missing is the end of the id."""
        item = {"id": f"{GROUP}{LOCKS}/Keep-me", "properties": {"level": "NotSpecified", "notes": notes}} | fields
        (found,) = wire.locks(item)

        assert (found.name, found.notes) == expected
        assert found.level == "NotSpecified"

    @pytest.mark.parametrize("name", ["locks-list__net-subscription", "locks-list__net-rg", "locks-list__net-disk"])
    def test_recorded(self, wire: Wire, recordings: Recordings, name: str) -> None:
        """Each protects its scope, found by the text of its id alone."""
        (recording,) = recordings.named(name)
        found = wire.replay(recording, into="locks")
        locks = ManagementLocks(found)

        assert len(locks) == len(found) == len(recording.items)
        for each, item in zip(found, recording.items, strict=True):
            lowered = item["id"].lower()
            assert key(each.scope) == lowered[: lowered.rindex("/providers/microsoft.authorization/locks/")]
            assert each in locks.on(each.scope)
            assert each in locks.on("/".join(each.scope.split("/")[:3]))


class TestNested:
    """34: locks are on children that no list of resources shows; what they lie in cannot be deleted either."""

    @pytest.mark.parametrize(
        ("resource_id", "expected"),
        [
            (SUBNET, "on subnet"),
            (NETWORK, "on subnet"),
            (COLLECTION.rsplit("/", 2)[0], "on collection"),
            (COLLECTION.rsplit("/", 4)[0], "on collection"),
            (GROUP, "on collection"),
        ],
    )
    def test_a_parent_is_protected_by_its_childrens_locks(self, wire: Wire, resource_id: str, expected: str) -> None:
        assert expected in on(wire, resource_id)

    def test_brothers_are_not(self, wire: Wire) -> None:
        assert "on subnet" not in on(wire, f"{NETWORK}/subnets/other")
        assert "on subnet" not in on(wire, f"{NETWORK}2")

    def test_the_group_tells_of_them(self, wire: Wire) -> None:
        wire.lists([group("rg-One"), group("rg-Two")], locks=LISTED[1:])
        _, groups = wire.whole()

        assert len(groups["rg-One"].locks or ()) == 4
        assert groups["rg-Two"].locks == ()

    @pytest.mark.parametrize("name", ["lock-create__cli-subnet", "lock-create__cli-mongo-3level"])
    def test_recorded_lock(self, wire: Wire, recordings: Recordings, name: str) -> None:
        (recording,) = recordings.named(name)
        (found,) = wire.locks(recording.body)
        parent, whole = found.scope.rsplit("/", 2)[0], "/".join(found.scope.split("/")[:5])

        assert ManagementLocks([found]).on(parent) == ManagementLocks([found]).on(whole) == (found,)

    def test_recorded_list(self, wire: Wire, recordings: Recordings) -> None:
        (recording,) = recordings.named("locks-list__cli-subscription")
        found = wire.replay(recording, into="locks")
        locks = ManagementLocks(found)

        for each in found:
            assert each in locks.on("/".join(each.scope.split("/")[:5]))

    def test_the_estate_of_one_of_each(self, azure: Azure) -> None:
        guarded = next(each for each in azure.estate.subscriptions() if each.name == "Locks of every kind")
        locks = ManagementLocks(each for page in azure.estate.locks(guarded) for each in page)
        names = {
            name: {each.name for each in locks.on(f"/subscriptions/{guarded.id}/resourceGroups/{name}")}
            for name in ("rg-Locked", "rg-Locked-not", "rg-read-only")
        }

        assert {"subnet", "collection", "group-lower", "subscription lock"} <= names["rg-Locked"]
        assert names["rg-Locked-not"] == {"subscription lock"}
        assert names["rg-read-only"] == {"read only", "subscription lock"}
