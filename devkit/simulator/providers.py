"""What each provider offers: the types of an estate, and which of them can carry tags."""

from collections import defaultdict
from collections.abc import Iterable

from devkit.simulator.model import Json

TYPES_WITHOUT_TAGS = (
    "Microsoft.Compute/virtualMachineScaleSets/extensions",
    "Microsoft.Insights/diagnosticSettings",
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
    "Microsoft.Network/virtualNetworks/subnets",
    "Microsoft.Resources/operations",
)
"""Listed with `capabilities` that say so; whatever else an estate has can carry tags."""

OF_RESOURCE_MANAGER = ("Microsoft.Resources/deploymentStacks", "Microsoft.Resources/deployments")
"""Types that every subscription knows, whatever is in it."""

_TAGGABLE = "CrossResourceGroupResourceMove, CrossSubscriptionResourceMove, SupportsTags, SupportsLocation"


def providers(subscription: str, types: Iterable[str]) -> list[Json]:
    """The providers of a subscription with the types that are in use, in the shape of the recorded `provider-get`.

    Args:
        subscription: its id.
        types: what the estate's resources are.
    """
    of_namespace: defaultdict[str, dict[str, Json]] = defaultdict(dict)
    for name in sorted({*types, *TYPES_WITHOUT_TAGS, *OF_RESOURCE_MANAGER}):
        namespace, _, kind = name.partition("/")
        of_namespace[namespace.casefold()].setdefault(kind.casefold(), _type(namespace, kind, name))
    return [
        {
            "id": f"/subscriptions/{subscription}/providers/{_namespace(kinds)}",
            "namespace": _namespace(kinds),
            "resourceTypes": [
                {key: value for key, value in kind.items() if key != "namespace"} for kind in kinds.values()
            ],
            "registrationState": "Registered",
            "registrationPolicy": "RegistrationRequired",
        }
        for kinds in of_namespace.values()
    ]


def _type(namespace: str, kind: str, name: str) -> Json:
    without = name.casefold() in {each.casefold() for each in TYPES_WITHOUT_TAGS}
    return {
        "namespace": namespace,
        "resourceType": kind,
        "locations": ["West Europe", "North Europe"],
        "apiVersions": ["2024-03-01", "2023-09-01"],
        "capabilities": "None" if without else _TAGGABLE,
    }


def _namespace(kinds: dict[str, Json]) -> str:
    return str(next(iter(kinds.values()))["namespace"])
