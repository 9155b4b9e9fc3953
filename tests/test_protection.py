"""Protection: what protects a thing, from above, at it and below it; in doubt it is protected, and it is said why."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.model import Kind, Lock, Resource, ResourceGroup, Subscription, Tags
from shared_code.protection import MARKS, MOST, SYSTEM_GROUPS, Policy, protections
from shared_code.targets import Around, Denial, Target
from tests.fakes import lock

SUBSCRIPTION = Subscription("5e000000-0000-4000-8000-000000000001", "Lab", "Enabled")
SUB = f"/subscriptions/{SUBSCRIPTION.id}"
GROUP = f"{SUB}/resourceGroups/rg-lab"
DISK = f"{GROUP}/providers/Microsoft.Compute/disks/data"
VNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet"
SUBNET = f"{VNET}/subnets/default"
ELSEWHERE = f"{SUB}/resourceGroups/rg-other/providers/Microsoft.Compute/virtualMachines/vm"
POLICY = Policy(protected_tags=("keep", "DoNotDelete"), own_resource_group=f"{SUB}/resourceGroups/rg-steward")
HOSTILE = "x\r\nERROR forged\x1b[31m\u202e"


def group(name: str = "rg-lab", **fields: Any) -> ResourceGroup:
    """A resource group of the subscription, of which nothing protects anything."""
    plain = ResourceGroup(
        id=f"{SUB}/resourceGroups/{name}",
        name=name,
        subscription_id=SUBSCRIPTION.id,
        subscription_name=SUBSCRIPTION.name,
        location="westeurope",
        tags={},
        managed_by=None,
        provisioning_state="Succeeded",
        created=None,
        resources=0,
    )
    return msgspec.structs.replace(plain, **fields)


def a_resource(resource_id: str = DISK, **fields: Any) -> Target:
    """A target that is a resource, by its id."""
    place, _, name = resource_id.rpartition("/")
    kind = "/".join(
        place.rpartition("/providers/")[2].split("/")[:1] + place.rpartition("/providers/")[2].split("/")[1::2]
    )
    plain = Target(id=resource_id, name=name, type=kind, kind=Kind.RESOURCE, subscription_id=SUBSCRIPTION.id)
    return msgspec.structs.replace(plain, **fields)


def a_group(name: str = "rg-lab", **fields: Any) -> Target:
    """A target that is a resource group."""
    plain = Target(
        id=f"{SUB}/resourceGroups/{name}",
        name=name,
        type="Microsoft.Resources/resourceGroups",
        kind=Kind.RESOURCE_GROUP,
        subscription_id=SUBSCRIPTION.id,
        state="Succeeded",
    )
    return msgspec.structs.replace(plain, **fields)


def around(**fields: Any) -> Around:
    """What is around it: its group, and nothing that protects."""
    return msgspec.structs.replace(Around(subscription=SUBSCRIPTION, group=group()), **fields)


def member(resource_id: str = DISK, **fields: Any) -> Resource:
    """A resource in the group."""
    return msgspec.structs.replace(Resource(id=resource_id, name=resource_id.rpartition("/")[2]), **fields)


def tagged(tags: Tags) -> Subscription:
    return msgspec.structs.replace(SUBSCRIPTION, tags=tags)


def test_nothing_protects_a_plain_thing() -> None:
    beside = (member(VNET), member(DISK, managed_by=VNET), member(SUBNET, managed_by=""))

    assert protections(a_resource(state="Succeeded"), around(), POLICY) == ()
    assert protections(a_resource(SUBNET), around(members=()), POLICY) == ()
    assert protections(a_group(), around(members=beside), POLICY) == ()


class TestTags:
    @pytest.mark.parametrize(
        "value", ["true", "", " ", None, "0", "no", "FALSE!", "fal\u017fe", "f\u0430lse", "'false'"]
    )
    def test_any_value_but_false_protects(self, value: str | None) -> None:
        assert protections(a_resource(tags={"Keep": value}), around(), POLICY)

    @pytest.mark.parametrize("value", ["false", "False", " FALSE\t"])
    def test_false_does_not(self, value: str) -> None:
        assert protections(a_resource(tags={"keep": value}), around(), POLICY) == ()

    def test_oddity_20_an_empty_value_protects(self) -> None:
        assert protections(a_resource(tags={"DoNotDelete": ""}), around(), POLICY) == (
            "tag 'DoNotDelete' (without a value) is on it; any value but 'false' protects",
        )

    @pytest.mark.parametrize("name", ["KEEP", "Keep", "donotdelete", " keep "])
    def test_keys_compare_without_case(self, name: str) -> None:
        assert protections(a_resource(tags={name: "yes"}), around(), POLICY)
        assert protections(a_resource(tags={"Keep": "yes"}), around(), Policy(protected_tags=(" keep ",)))

    def test_all_keys_that_differ_in_case_are_looked_at(self) -> None:
        """Neither order lets a 'false' hide the other."""
        for tags in ({"keep": "false", "Keep": "yes"}, {"Keep": "yes", "keep": "false"}):
            assert protections(a_resource(tags=tags), around(), POLICY) == (
                "tag 'Keep' = 'yes' is on it; any value but 'false' protects",
            )

    @pytest.mark.parametrize("name", ["keep-warm", "upkeep", "ke ep"])
    def test_another_key_does_not(self, name: str) -> None:
        assert protections(a_resource(tags={name: "yes"}), around(), POLICY) == ()

    def test_lesson_23_the_tag_of_a_group_protects_what_is_in_it(self) -> None:
        near = around(group=group(tags={"keep": "yes"}))

        assert protections(a_resource(), near, POLICY) == (
            "tag 'keep' = 'yes' is on its resource group 'rg-lab'; any value but 'false' protects",
        )
        assert len(protections(a_group(tags={"keep": "yes"}), near, POLICY)) == 1
        assert protections(a_resource(tags={"keep": "false"}), near, POLICY)

    @pytest.mark.parametrize("target", [a_resource(), a_group()])
    def test_lesson_23_the_tag_of_a_subscription_protects_what_is_in_it(self, target: Target) -> None:
        near = around(subscription=tagged({"keep": "yes"}))

        assert protections(target, near, POLICY) == (
            "tag 'keep' = 'yes' is on its subscription 'Lab'; any value but 'false' protects",
        )

    def test_lesson_23_a_protected_child_protects_its_group(self) -> None:
        near = around(members=(member(VNET), member(SUBNET, tags={"keep": ""})))

        assert protections(a_group(), near, POLICY) == (
            f"tag 'keep' (without a value) is on '{SUBNET}', which is in it; any value but 'false' protects",
        )

    def test_lesson_23_a_protected_child_protects_its_parent(self) -> None:
        assert protections(a_resource(VNET), around(members=(member(SUBNET, tags={"KEEP": "1"}),)), POLICY)

    @pytest.mark.parametrize(
        "near",
        [
            {"members": (member(SUBNET, managed_by=ELSEWHERE),)},
            {"members": (member(f"{GROUP}/providers/Microsoft.Compute/disks/a-ASRReplica"),)},
            {"members": (member(tags={"kubernetes.io-created-for-pvc-name": "x"}),)},
            {"members": (member(f"{GROUP}/providers/Microsoft.Compute/disks/precious-1"),)},
            {"members": (member(given_state="Updating"),)},
            {"locks": (lock(SUBNET),)},
            {"denials": (Denial("d", "d", SUBNET),)},
        ],
    )
    def test_lesson_23_whatever_protects_a_child_protects_its_group(self, near: dict[str, Any]) -> None:
        policy = msgspec.structs.replace(POLICY, protected_names=("precious-*",))

        assert protections(a_group(), around(**near), policy)


class TestLocks:
    @pytest.mark.parametrize(
        ("scope", "reason"),
        [
            (SUB, f"lock 'keep' (CanNotDelete) is on '{SUB}', which is above it"),
            (GROUP, f"lock 'keep' (CanNotDelete) is on '{GROUP}', which is above it"),
            (GROUP.upper(), f"lock 'keep' (CanNotDelete) is on '{GROUP.upper()}', which is above it"),
            (VNET.lower(), "lock 'keep' (CanNotDelete) is on it"),
            (SUBNET, f"lock 'keep' (CanNotDelete) is on '{SUBNET}', which is in it"),
        ],
    )
    def test_lesson_25_a_lock_at_it_above_it_or_in_it_is_a_reason(self, scope: str, reason: str) -> None:
        assert protections(a_resource(VNET), around(locks=(lock(scope),)), POLICY) == (reason,)

    def test_every_level_and_every_lock_is_told_once(self) -> None:
        locks = (lock(GROUP, "b"), lock(GROUP, "a", "ReadOnly"), lock(GROUP.upper(), "A", "ReadOnly"))

        assert len(protections(a_group(), around(locks=locks), POLICY)) == 2

    def test_the_locks_that_the_group_knows_count(self) -> None:
        """As far as they hold for it: a lock on a neighbour protects the group, and not this."""
        near = around(group=group(locks=(lock(SUBNET),)))

        assert protections(a_resource(VNET), near, POLICY)
        assert protections(a_group(), near, POLICY)
        assert protections(a_resource(DISK), near, POLICY) == ()


class TestManaged:
    def test_it_is_said_what_is_managed(self) -> None:
        near = around(group=group(managed_by=ELSEWHERE))

        assert protections(a_group(), near, POLICY) == (f"it is managed by '{ELSEWHERE}'",)
        assert protections(a_resource(), near, POLICY) == (f"its resource group 'rg-lab' is managed by '{ELSEWHERE}'",)

    @pytest.mark.parametrize("owner", [ELSEWHERE, VNET, "test_admin", " "])
    def test_oddity_26_an_id_and_free_text_count(self, owner: str) -> None:
        assert protections(a_resource(managed_by=owner), around(), POLICY)
        assert protections(a_resource(), around(group=group(managed_by=owner)), POLICY)
        assert protections(a_group(), around(group=group(managed_by=owner)), POLICY)

    def test_oddity_27_an_empty_text_means_that_nothing_does(self) -> None:
        assert protections(a_resource(managed_by=""), around(group=group(managed_by="")), POLICY) == ()

    def test_oddity_13_a_disk_that_a_machine_elsewhere_uses_protects_its_group(self) -> None:
        assert protections(a_group(), around(members=(member(managed_by=ELSEWHERE),)), POLICY) == (
            f"'{DISK}', which is in it, is managed by '{ELSEWHERE}', which is not",
        )

    def test_a_shared_disk_is_managed(self) -> None:
        some_one: list[object] = [["x"], "x", {"a": 1}]
        nobody: list[object] = [[], None, ""]
        for extended in [*some_one, *nobody]:
            for definition in ({"managedByExtended": extended}, {"properties": {"managedByExtended": extended}}):
                said = protections(a_resource(definition=definition), around(), POLICY)
                assert bool(said) is (extended in some_one)

    def test_what_only_the_definition_tells_counts(self) -> None:
        for definition in ({"managedBy": ELSEWHERE}, {"properties": {"managedBy": ELSEWHERE}}):
            assert protections(a_resource(definition=definition), around(), POLICY) == (
                f"it is managed by '{ELSEWHERE}'",
            )


class TestNames:
    def test_protected_groups_are_globs_without_case(self) -> None:
        policy = msgspec.structs.replace(POLICY, protected_resource_groups=("RG-L*",))

        for target in (a_resource(), a_group()):
            assert protections(target, around(), policy) == ("its resource group 'rg-lab' is protected by 'RG-L*'",)

    def test_a_group_that_a_list_names_otherwise_is_protected_by_each_of_its_names(self) -> None:
        """The one in the list, the one in the id, and the one of the target itself."""
        shown, near = a_group(id=GROUP, name="shown"), around(group=group(id=GROUP, name="listed"))
        for name in ("listed", "rg-lab", "shown"):
            policy = msgspec.structs.replace(POLICY, protected_resource_groups=(name,))
            assert protections(shown, near, policy) == (f"its resource group '{name}' is protected by '{name}'",)

    @pytest.mark.parametrize("end", ["", "/"])
    def test_the_last_part_of_an_id_that_nobody_can_take_apart_is_a_name_too(self, end: str) -> None:
        near = around(members=(member(f"{GROUP}/odd/precious{end}", name="listed"),))

        assert protections(a_group(), near, msgspec.structs.replace(POLICY, protected_names=("precious",))) == (
            "'precious', which is in it, is protected by 'precious'",
        )

    def test_a_resource_that_is_named_like_a_protected_group_is_not_that(self) -> None:
        policy = msgspec.structs.replace(POLICY, protected_resource_groups=("data",))

        assert protections(a_resource(), around(), policy) == ()

    @pytest.mark.parametrize(
        ("target", "pattern"),
        [
            (a_resource(), "DATA"),
            (a_resource(name="shown otherwise"), "data"),
            (a_resource(name="Shown"), "shown"),
            (a_resource(SUBNET), "vnet"),
            (a_resource(SUBNET), "vnet/default"),
            (a_resource(f"{GROUP}/providers/a.b/c/Critical%20alert"), "critical alert"),
            (a_resource(f"{GROUP}/providers/a.b/c/Critical%20alert"), "critical%20alert"),
            (a_resource(), "rg-lab"),
            (a_group(), "rg-*"),
        ],
    )
    def test_protected_names_in_every_spelling(self, target: Target, pattern: str) -> None:
        """Oddities 14 and 15: lists and ids give one thing several names; a parent's name protects too."""
        assert protections(target, around(), msgspec.structs.replace(POLICY, protected_names=(pattern,)))

    @pytest.mark.parametrize("name", [pattern.replace("*", "x") for pattern in SYSTEM_GROUPS])
    def test_oddity_26_groups_of_the_system_are_kept_whoever_manages_them(self, name: str) -> None:
        for each in (name, name.upper()):
            target = a_resource(f"{SUB}/resourceGroups/{each}/providers/Microsoft.Compute/disks/d")
            assert protections(a_group(each), around(group=group(each)), POLICY)
            assert protections(target, around(group=group(each)), POLICY)

    @pytest.mark.parametrize(
        "name",
        [
            "NetworkWatcherRG", "DefaultResourceGroup-WEU", "cloud-shell-storage-westeurope", "AzureBackupRG_weu_1",
            "MC_rg_aks_westeurope", "ME_env_rg_westeurope", "databricks-rg-ws-abc", "synapseworkspace-managedrg-1",
            "ai_web_1234_managed", "Default-ActivityLogAlerts", "rg-shop-asr", "LogAnalyticsDefaultResources",
            "VisualStudioOnline-0B3F", "ResourceMoverRG-weu-neu-1", "FL_rg_fleet_westeurope",
            "MA_ws_westeurope_managed", "IT_rg-images_template_1", "managed-rg-purview",
        ],
    )  # fmt: skip
    def test_oddity_26_names_as_azure_gives_them(self, name: str) -> None:
        assert "is one that Azure makes" in " ".join(protections(a_group(name), around(group=group(name)), POLICY))

    @pytest.mark.parametrize("name", ["rg-mc", "mcdonalds", "default", "rg-default-x", "managed", "k8s-demo"])
    def test_a_group_that_people_named_is_none_of_the_system(self, name: str) -> None:
        assert protections(a_group(name), around(group=group(name)), POLICY) == ()


class TestMarks:
    @pytest.mark.parametrize(
        "name",
        [
            "kubernetes.io-created-for-pvc-namespace", "kubernetes.io-created-for-pv-name", "k8s-azure-created-by",
            "aks-managed-cluster-name", "RSVaultBackup", "ASR-ReplicaDisk", "asrseeddisk", "ms-resource-usage",
            "service.k8s.io/owned", "kubernetes.azure.com/cluster",
        ],
    )  # fmt: skip
    def test_lesson_2_a_disk_of_kubernetes_or_a_backup_is_not_unattached(self, name: str) -> None:
        for spelled in (name, name.upper(), f" {name}"):
            assert protections(a_resource(tags={spelled: "false"}), around(), POLICY)
            assert protections(a_resource(), around(group=group(tags={spelled: ""})), POLICY)

    @pytest.mark.parametrize(
        "name",
        [
            "pvc-0b3f", "kubernetes-dynamic-pvc-0b3f", "vm1-ASRReplica", "ms-asr-0b3f", "asrseeddisk-vm1",
            "AzureBackup_vm1_1", "k8s-lb", "vm1-asr",
        ],
    )  # fmt: skip
    def test_lesson_2_nor_one_that_has_such_a_name(self, name: str) -> None:
        target = a_resource(f"{GROUP}/providers/Microsoft.Compute/disks/{name}")

        assert protections(target, around(), POLICY)
        assert protections(msgspec.structs.replace(target, name="other"), around(), POLICY)

    def test_every_mark_is_found_as_a_tag_and_as_a_name(self) -> None:
        for pattern in MARKS:
            text = pattern.replace("*", "x")
            assert protections(a_resource(tags={text: None}), around(), POLICY)
            assert protections(a_resource(name=text), around(), POLICY)


class TestState:
    @pytest.mark.parametrize("state", ["Updating", "Failed", "Deleting", "Canceled", "Running, Progress = 5.00 %", "?"])
    def test_what_has_not_succeeded_is_left_alone(self, state: str) -> None:
        assert protections(a_resource(state=state), around(), POLICY) == (
            f"its provisioning state is '{state}', not Succeeded",
        )
        assert protections(a_resource(), around(group=group(provisioning_state=state)), POLICY) == (
            f"the provisioning state of resource group 'rg-lab' is '{state}', not Succeeded",
        )
        assert protections(a_resource(definition={"properties": {"provisioningState": state}}), around(), POLICY)

    @pytest.mark.parametrize("state", ["Succeeded", "succeeded", "SUCCEEDED", " Succeeded ", None, ""])
    def test_what_has_or_says_nothing_is_not_protected_by_that(self, state: str | None) -> None:
        assert protections(a_resource(state=state), around(group=group(provisioning_state=state)), POLICY) == ()

    @pytest.mark.parametrize("odd", [5, True, False, 0, [], {"value": "Succeeded"}])
    def test_a_state_that_is_no_text_is_none_that_is_settled(self, odd: object) -> None:
        said = f"its provisioning state is '{odd}', not Succeeded"

        assert protections(a_resource(definition={"properties": {"provisioningState": odd}}), around(), POLICY) == (
            said,
        )
        assert protections(a_group(), around(members=(member(given_state=odd),)), POLICY) == (
            f"'{DISK}', which is in it, is being changed: its provisioning state is '{odd}'",
        )

    def test_lesson_3_a_group_in_which_somebody_works_is_left_alone(self) -> None:
        assert protections(a_group(), around(members=(member(given_state="Creating"),)), POLICY) == (
            f"'{DISK}', which is in it, is being changed: its provisioning state is 'Creating'",
        )

    @pytest.mark.parametrize("state", ["Succeeded", "Failed", "Canceled", None])
    def test_but_not_one_in_which_something_failed(self, state: str | None) -> None:
        """That is a reason to clean it up."""
        assert protections(a_group(), around(members=(member(given_state=state),)), POLICY) == ()


class TestPlace:
    def test_stewards_own_group_and_all_in_it(self) -> None:
        own = msgspec.structs.replace(POLICY, own_resource_group=GROUP.upper())

        assert protections(a_group(), around(), own) == ("it is Steward's own resource group 'rg-lab'",)
        assert protections(a_resource(SUBNET), around(), own) == ("it is in Steward's own resource group 'rg-lab'",)

    @pytest.mark.parametrize(
        "given", ["", "rg-steward", SUB, DISK, DISK.replace("rg-lab", "rg-steward"), "/subscriptions//resourceGroups/"]
    )
    def test_an_own_group_that_is_none_protects_everything(self, given: str) -> None:
        assert protections(a_resource(), around(), msgspec.structs.replace(POLICY, own_resource_group=given)) == (
            f"Steward's own resource group is said to be '{given}', which is the id of none, so this may be in it",
        )

    def test_what_was_read_as_its_group_is_another_or_none(self) -> None:
        for other, where in ((group("rg-other"), f"'{SUB}/resourceGroups/rg-other'"), (None, "no resource group")):
            assert protections(a_resource(), around(group=other), POLICY) == (
                f"it is not in {where}, which was read as its group",
            )

    def test_without_one_there_is_none(self) -> None:
        assert protections(a_resource(), around(), Policy()) == ()

    @pytest.mark.parametrize(
        "target",
        [
            a_resource(subscription_id="5e000000-0000-4000-8000-000000000002"),
            a_resource(DISK.replace("0001/", "0002/")),
            a_resource(DISK.replace("rg-lab", "rg-lab/../rg-other")),
            a_resource(subscription_id=""),
        ],
    )
    def test_a_target_in_another_subscription_than_its_id_says(self, target: Target) -> None:
        assert "does not lead into subscription" in protections(target, around(), POLICY)[0]

    @pytest.mark.parametrize(
        "target",
        [
            a_resource(GROUP),
            a_resource(SUB),
            a_resource(kind=Kind.SUBSCRIPTION),
            a_resource(VNET, type="Microsoft.Network/virtualNetworks/subnets"),
            a_group(id=SUB),
            a_group(id=DISK),
            a_group(type="Microsoft.Compute/disks"),
            a_group(kind=Kind.SUBSCRIPTION),
        ],
    )
    def test_an_id_that_is_of_something_else_than_was_judged(self, target: Target) -> None:
        """A rule about a disk never deletes the group whose id came in its place."""
        assert protections(target, around(), POLICY)

    def test_lesson_20_and_oddities_10_to_16_spelling_is_no_reason(self) -> None:
        near = around(group=group(id=GROUP.upper()), subscription=msgspec.structs.replace(SUBSCRIPTION, name="x"))

        for spelled in (
            DISK.upper(),
            DISK.replace("resourceGroups", "resourcegroups"),
            DISK.replace("/disks", "//disks"),
        ):
            assert protections(a_resource(DISK, id=spelled, type="microsoft.compute/DISKS"), near, POLICY) == ()

    def test_what_was_read_of_another_subscription_tells_nothing_of_it(self) -> None:
        """However near the group is; but two spellings of one id are one."""
        id_ = SUBSCRIPTION.id.replace("5e", "5a")
        other, loud = (msgspec.structs.replace(SUBSCRIPTION, id=each) for each in (id_, SUBSCRIPTION.id.upper()))

        assert protections(a_resource(), around(subscription=other), POLICY)
        assert protections(a_resource(), around(subscription=loud), POLICY) == ()
        assert protections(a_resource(subscription_id=loud.id), around(), POLICY) == ()

    def test_another_group_than_its_own_tells_nothing_of_it(self) -> None:
        assert protections(a_resource(), around(group=group("rg-other")), POLICY)
        assert protections(a_resource(), around(group=None), POLICY)


def test_the_most_telling_reason_comes_first() -> None:
    near = around(
        group=group(tags={"keep": "x"}, managed_by="x"),
        locks=(lock(GROUP),),
        denials=(Denial("i", "deny", GROUP),),
        members=(member(given_state="Updating", name="pvc-1"),),
    )
    policy = msgspec.structs.replace(POLICY, protected_resource_groups=("rg-lab",))

    said = protections(a_group(), near, policy)

    words = [
        "is protected by",
        "tag 'keep'",
        "lock 'keep'",
        "is managed by",
        "deny assignment",
        "a name",
        "being changed",
    ]
    assert len(said) == len(words)
    assert all(word in reason for word, reason in zip(words, said, strict=True))


def test_reasons_of_one_sort_come_in_the_order_of_their_ids() -> None:
    """However Azure lists and spells them, two runs say the same."""
    first, last = f"{GROUP}/providers/a.b/c/a", f"{GROUP}/providers/a.b/c/z".upper()
    places = (last, first)
    members = tuple(member(each, tags={"keep": "1"}) for each in places)
    locks = tuple(lock(each) for each in places)
    denials = (Denial("a", "3", last), Denial("C", "2", first), Denial("b", "1", first))

    said = protections(a_group(), around(members=members, locks=locks, denials=denials), POLICY)

    assert said == (
        *(f"tag 'keep' = '1' is on '{each}', which is in it; any value but 'false' protects" for each in (first, last)),
        *(f"lock 'keep' (CanNotDelete) is on '{each}', which is in it" for each in (first, last)),
        f"deny assignment '1' is on '{first}'",
        f"deny assignment '2' is on '{first}'",
        f"deny assignment '3' is on '{last}'",
    )


def test_thousands_of_reasons_are_counted() -> None:
    many = tuple(member(f"{DISK}{number}", tags={"keep": "1"}) for number in range(2000))

    said = protections(a_group(), around(members=many), POLICY)

    assert len(said) == MOST + 1
    assert said[-1] == f"… and 1,990 more like '{said[0]}'"
    assert len(protections(a_group(), around(members=many[:MOST]), POLICY)) == MOST


def test_what_strangers_wrote_stays_on_its_line() -> None:
    hostile: list[tuple[Target, Around]] = [
        (a_resource(tags={"keep": HOSTILE}), around()),
        (a_resource(managed_by=HOSTILE), around()),
        (a_resource(state=HOSTILE), around()),
        (a_resource(type=HOSTILE), around()),
        (a_resource(name=f"pvc-{HOSTILE}", tags={f"k8s-{HOSTILE}": None}), around()),
        (a_group(), around(locks=(Lock("i", HOSTILE, HOSTILE, DISK),), denials=(Denial("i", HOSTILE, HOSTILE),))),
        (a_group(), around(members=(member(DISK + HOSTILE, tags={"keep": HOSTILE}, managed_by=HOSTILE),))),
        (a_resource(), around(group=group(name=f"MC_{HOSTILE}", managed_by=HOSTILE, tags={"keep": HOSTILE}))),
        (a_resource(tags={"keep": "x" * 9000}), around(subscription=tagged({"keep": HOSTILE}))),
    ]  # fmt: skip
    for target, near in hostile:
        said = protections(target, near, msgspec.structs.replace(POLICY, own_resource_group=HOSTILE))
        assert said
        for reason in said:
            assert reason.isprintable()
            assert len(reason) < 2000


PROTECTORS: dict[str, Callable[[Target, Around, Policy, int], tuple[Target, Around, Policy]]] = {
    "own tag": lambda t, a, p, _: (msgspec.structs.replace(t, tags=t.tags | {"KEEP": ""}), a, p),
    "group's tag": lambda t, a, p, _: (t, regroup(a, tags={"donotdelete": "x"}), p),
    "subscription's tag": lambda t, a, p, _: (t, msgspec.structs.replace(a, subscription=tagged({"kEEp": None})), p),
    "member's tag": lambda t, a, p, n: (t, with_member(a, member(f"{SUBNET}{n}", tags={"keep": "1"})), p),
    "lock above": lambda t, a, p, n: (t, with_lock(a, lock(SUB, f"l{n}")), p),
    "lock at": lambda t, a, p, n: (t, with_lock(a, lock(t.id, f"l{n}")), p),
    "lock below": lambda t, a, p, n: (t, with_lock(a, lock(SUBNET, f"l{n}")), p),
    "lock of the group": lambda t, a, p, n: (t, regroup(a, locks=(lock(GROUP, f"l{n}"),)), p),
    "manager": lambda t, a, p, _: (msgspec.structs.replace(t, managed_by="test_admin"), a, p),
    "group's manager": lambda t, a, p, _: (t, regroup(a, managed_by=ELSEWHERE), p),
    "member's manager": lambda t, a, p, n: (t, with_member(a, member(f"{SUBNET}{n}", managed_by=ELSEWHERE)), p),
    "deny": lambda t, a, p, n: (t, msgspec.structs.replace(a, denials=(*a.denials, Denial(str(n), "d", GROUP))), p),
    "group's name": lambda t, a, p, _: (t, a, msgspec.structs.replace(p, protected_resource_groups=("RG-*",))),
    "name": lambda t, a, p, _: (t, a, msgspec.structs.replace(p, protected_names=("*",))),
    "own group": lambda t, a, p, _: (t, a, msgspec.structs.replace(p, own_resource_group=GROUP)),
    "mark": lambda t, a, p, _: (msgspec.structs.replace(t, tags=t.tags | {"rsvaultbackup": "false"}), a, p),
    "state": lambda t, a, p, _: (msgspec.structs.replace(t, state="Deleting"), a, p),
    "elsewhere": lambda t, a, p, _: (msgspec.structs.replace(t, subscription_id="x"), a, p),
}


def regroup(near: Around, **fields: Any) -> Around:
    assert near.group is not None
    if "tags" in fields:
        fields["tags"] = near.group.tags | fields["tags"]
    return msgspec.structs.replace(near, group=msgspec.structs.replace(near.group, **fields))


def with_member(near: Around, one: Resource) -> Around:
    return msgspec.structs.replace(near, members=(*near.members, one))


def with_lock(near: Around, one: Lock) -> Around:
    return msgspec.structs.replace(near, locks=(*near.locks, one))


HARMLESS = some.dictionaries(some.sampled_from(["env", "keep", "Owner", "keep-warm"]), some.just("false"))
TARGETS = some.one_of(
    some.builds(a_resource, some.sampled_from([DISK, VNET]), tags=HARMLESS), some.builds(a_group, tags=HARMLESS)
)


@given(
    target=TARGETS,
    tags=HARMLESS,
    first=some.lists(some.sampled_from(sorted(PROTECTORS)), max_size=6),
    added=some.sampled_from(sorted(PROTECTORS)),
)
def test_whatever_is_added_a_thing_is_never_less_protected(
    target: Target, tags: Tags, first: list[str], added: str
) -> None:
    """Any protection is enough by itself and beside any other, and none hides another."""
    near, policy = around(group=group(tags=tags), members=(member(f"{VNET}2"),)), POLICY
    for number, each in enumerate(first):
        target, near, policy = PROTECTORS[each](target, near, policy, number)
    before = protections(target, near, policy)

    after = protections(*PROTECTORS[added](target, near, policy, 99))

    assert bool(before) is bool(first)
    assert after
    assert len(after) >= len(before)


def test_what_azure_made_for_itself_is_kept() -> None:
    """A database 'master' says so in its kind, and need not say who manages it."""
    system, loud, user = (
        a_resource(definition={"kind": kind}) for kind in ("v12.0,system", "v12.0, SYSTEM", "v12.0,user")
    )

    assert "Azure made it for itself: its kind is 'v12.0,system'" in protections(system, around(), Policy())
    assert "Azure made it for itself: its kind is 'v12.0, SYSTEM'" in protections(loud, around(), Policy())
    assert protections(user, around(), Policy()) == ()
