"""What manages a thing: oddities 26 and 27."""

import pytest

from shared_code.errors import UnreadableAnswer
from tests.oddities.recorded import Recordings
from tests.oddities.wire import ROOT, Wire, group, resource

CLUSTER = f"{ROOT}/resourcegroups/rg-app/providers/Microsoft.ContainerService/managedClusters/aks"


class TestOwnersOfGroups:
    """26: managedBy of a group is an id, or free text; the name of a group tells nothing about it.

    What follows for groups of the system, which have none, comes with the cleanup.
    """

    @pytest.mark.parametrize("owner", [CLUSTER, CLUSTER.upper(), "night_admin", "Team Shop <shop@example.com>", " "])
    def test_as_received(self, wire: Wire, owner: str) -> None:
        assert wire.groups(group("MC_rg-app_aks_westeurope", managedBy=owner))[0].managed_by == owner

    @pytest.mark.parametrize("name", ["NetworkWatcherRG", "DefaultResourceGroup-WEU", "cloud-shell-storage-westeurope"])
    def test_a_group_of_the_system_has_none(self, wire: Wire, name: str) -> None:
        assert wire.groups(group(name))[0].managed_by is None

    def test_recorded_list(self, wire: Wire, recordings: Recordings) -> None:
        (recording,) = recordings.named("rg-list__cli-page__01")
        found = [each.managed_by for each in wire.replay(recording, into="groups")]

        assert found == [item.get("managedBy") for item in recording.items]
        assert any(owner and owner.startswith("/subscriptions/") for owner in found)

    def test_recorded_text(self, wire: Wire, recordings: Recordings) -> None:
        (recording,) = recordings.named("rg-get__cli-managedby-string")
        (found,) = wire.replay(recording, into="groups")

        assert found.managed_by == recording.body["managedBy"]
        assert "/" not in str(found.managed_by)


class TestEmptyOwner:
    """27: an empty managedBy means that nothing manages it, as do null and none."""

    @pytest.mark.parametrize("fields", [{"managedBy": ""}, {"managedBy": None}, {}], ids=["blank", "null", "absent"])
    def test_is_none(self, wire: Wire, fields: dict[str, str | None]) -> None:
        assert wire.groups(group("rg-one", **fields))[0].managed_by is None
        assert wire.resources(resource("rg-one/Microsoft.Compute/disks/d", **fields))[0].owner is None

    @pytest.mark.parametrize("odd", [False, 0, 5, [CLUSTER], {"id": CLUSTER}], ids=str)
    def test_what_is_no_text_is_refused(self, wire: Wire, odd: object) -> None:
        """Whether something is managed decides what may be done to it."""
        with pytest.raises(UnreadableAnswer, match=r" - at `\$\.value\[0\]\.managedBy`$"):
            wire.groups(group("rg-one", managedBy=odd))
        with pytest.raises(UnreadableAnswer, match=r" - at `\$\.value\[0\]\.managedBy`$"):
            wire.resources(resource("rg-one/Microsoft.Compute/disks/d", managedBy=odd))
