"""A small estate in which every job has something to find, and what Steward is told about it."""

from msgspec.structs import replace

from devkit.simulator.estates.drafting import group, resource
from devkit.simulator.model import Estate, Lock, ManagementGroup, Pages, ResourceGroup, Subscription

ONE, TWO = "ca000000-0000-4000-8000-000000000001", "ca000000-0000-4000-8000-000000000002"
OWNED = {"owner": "team@example.com"}
OVER = OWNED | {"delete-after": "2026-01-01"}
MANAGED = "mg-all"

TOML = f"""
[scope]
management_groups = ["{MANAGED}"]

[jobs.list-resource-groups]
schedule = "0 0 5 1 1 *"

[jobs.tag-audit]
schedule = "0 0 5 1 1 *"
armed_subscriptions = ["{ONE}", "{TWO}"]
max_share = 0.99

[[jobs.tag-audit.rules]]
name = "owner"
tag = "owner"
required = true
default = "team@example.com"
mode = "approve"
applies_to = {{ kinds = ["resource-group", "resource"] }}

[jobs.cleanup]
schedule = "0 0 5 1 1 *"
armed_subscriptions = ["{ONE}", "{TWO}"]
protected_resource_groups = ["rg-core"]
max_share = 0.99

[jobs.cleanup.rules.expired]
mode = "approve"
minimum_age = "1d"
minimum_observations = 1

[jobs.cleanup.rules.unattached-disk]
mode = "approve"
minimum_age = "1d"
minimum_observations = 1

[jobs.cleanup.rules.app-service-plan-without-apps]
mode = "approve"
minimum_age = "1d"
minimum_observations = 1

[jobs.watchdog]
schedule = "0 0 5 1 1 *"
""".encode()


def _groups(number: int) -> tuple[ResourceGroup, ...]:
    storage = "Microsoft.Storage/storageAccounts"
    disk, plan = "Microsoft.Compute/disks", "Microsoft.Web/serverfarms"
    unused = {"diskState": "Unattached", "diskSizeGB": 32, "timeCreated": "2025-01-21T11:45:22+00:00"}
    tier = {"name": "P1v3", "tier": "PremiumV3", "size": "P1v3", "family": "Pv3", "capacity": 1}
    return (
        group("rg-core", resource(disk, f"kept-{number}", OWNED, properties=unused), tags=OWNED),
        group(
            "rg-parts",
            resource(disk, f"disk-{number}", OWNED, properties=unused, sku={"name": "Premium_LRS"}),
            resource(disk, f"locked-{number}", OWNED, properties=unused),
            resource(plan, f"plan-{number}", OWNED, kind="app", sku=tier, properties={"numberOfSites": 0}),
            resource(storage, f"parts{number}", {}),
            tags=OWNED,
        ),
        group("rg-over", resource(storage, f"over{number}", OWNED), tags=OVER),
        group("rg-shop", resource(storage, f"shop{number}", OWNED), resource(storage, f"shop2{number}"), tags={}),
        group(
            "rg-used",
            resource(disk, f"used-{number}", OWNED, properties=unused | {"diskState": "Attached"}, managed_by="vm"),
            resource(plan, f"busy-{number}", OWNED, kind="app", sku=tier, properties={"numberOfSites": 3}),
            tags=OWNED,
        ),
    )


def _subscription(own: str, name: str, number: int) -> Subscription:
    pages = Pages(size=3)
    groups = _groups(number)
    within = "/subscriptions/{subscription}/resourceGroups/rg-parts"
    return Subscription(
        id=own,
        name=name,
        resource_groups=groups,
        locks=(
            Lock(name="core", scope="/subscriptions/{subscription}/resourceGroups/rg-core"),
            Lock(name="disk", scope=f"{within}/providers/Microsoft.Compute/disks/locked-{number}"),
        ),
        group_pages=pages,
        resource_pages=pages,
        lock_pages=replace(pages, size=1),
    )


ESTATE = Estate(
    name="campaign",
    subscriptions=(_subscription(ONE, "One", 1), _subscription(TWO, "Two", 2)),
    management_groups=(ManagementGroup(id=MANAGED, name="All", subscriptions=(ONE, TWO)),),
)
