"""Draws the resource groups of generated estates, and what is in them."""

from datetime import date, timedelta
from itertools import accumulate
from random import Random
from typing import Any

from msgspec import UNSET, UnsetType

from devkit.simulator.estates.catalog import CLUSTER_PRODUCTS, PRODUCTS, Product
from devkit.simulator.model import Resource, ResourceGroup, Tags, provider_path

_LAST_DAY = date(2026, 11, 1)
_DAYS = tuple((_LAST_DAY - timedelta(days=back)).isoformat() for back in range(3 * 365, -1, -1))
_LOCATIONS = ("westeurope", "westeurope", "westeurope", "northeurope", "eastus", "germanywestcentral", "swedencentral")
ENVIRONMENTS = (("production", "prod"), ("production", "prod"), ("development", "dev"), ("test", "test"))
APPS = ("shop", "billing", "search", "crm", "reports", "ingest", "portal", "identity", "stock", "mail", "maps", "chat")
_TEAMS = ("shop", "billing", "data", "platform", "search", "integration", "mobile", "security", "finance", "web")
_OWNER_KEYS = ("owner", "owner", "owner", "owner", "Owner", "OWNER")
_COST_KEYS = ("cost-center", "cost-center", "CostCenter", "costCenter", "Cost-Center")
_ENVIRONMENT_KEYS = ("environment", "environment", "Environment", "env")
_MORE_TAGS = (
    ("created-by", "terraform"),
    ("repository", "https://example.com/infrastructure/landing-zone"),
    ("data-classification", "internal"),
    ("criticality", "medium"),
    ("business-unit", "Retail and Logistics"),
    ("maintenance-window", "Sun 02:00-06:00 UTC"),
    ("DoNotDelete", ""),
    ("backup-policy", "daily-30d"),
    ("delete-after", "2026-12-31"),
)
_STATES = ("Succeeded",) * 60 + ("Failed", "Updating", "succeeded")


class Drawer:
    """Draws one group and what is in it; what its resources have in common is made once."""

    def __init__(self, random: Random, subscription_id: str, place: int, *, capitals: bool) -> None:
        self._random = random
        self._app = random.choice(APPS)
        environment, self._short = random.choice(ENVIRONMENTS)
        self._location = random.choice(_LOCATIONS)
        self._cluster = random.random() < 0.03
        self.name = f"rg-{self._app}-{self._short}-{place + 1:04}"
        self._owner: str | UnsetType = UNSET
        if self._cluster:
            cluster = f"aks-{self._app}-{self._short}"
            self._owner = f"/subscriptions/{subscription_id}/resourcegroups/{self.name}/providers/" + (
                provider_path("Microsoft.ContainerService/managedClusters", cluster)
            )
            self.name = f"MC_{self.name}_{cluster}_{self._location}"
        self._root = f"/subscriptions/{subscription_id}/resourceGroups/{self.name}"
        self._capital = (
            f"/subscriptions/{subscription_id}/resourceGroups/{self.name.upper()}" if capitals else self._root
        )
        self._lower = f"/subscriptions/{subscription_id}/resourcegroups/{self.name}"
        self._products = CLUSTER_PRODUCTS if self._cluster else PRODUCTS
        self._shares = list(accumulate(product.share for product in self._products))
        self._usual = self._tags(environment)
        self._choices = self._tag_choices()

    def group(self, count: int) -> ResourceGroup:
        """The group with that many resources."""
        random = self._random
        created, changed = self._times()
        drawn = random.random()
        drawer = self._resource
        return ResourceGroup(
            id=self._root,
            name=self.name,
            location=self._location,
            managed_by=self._owner,
            tags=UNSET if drawn < 0.15 else {} if drawn < 0.2 else self._usual,
            created_time=created,
            changed_time=changed,
            resources=tuple(
                drawer(product, place)
                for place, product in enumerate(random.choices(self._products, cum_weights=self._shares, k=count))
            ),
        )

    def _resource(self, product: Product, place: int) -> Resource:
        random = self._random
        chance = random.random
        name = f"{product.prefix}-{self._app}-{self._short}-{place:04}"
        if product.nested:
            name = f"{name}/{product.nested}"
        root = self._lower if product.lower else self._capital if product.compute else self._root
        created, changed = self._times()
        more: dict[str, Any] = {}
        if product.skus:
            more["sku"] = product.skus[int(chance() * len(product.skus))]
        if product.kinds:
            more["kind"] = product.kinds[int(chance() * len(product.kinds))]
        if product.identity and chance() < 0.5:
            more["identity"] = product.identity
        if product.plan:
            more["plan"] = product.plan
        if product.zones and chance() < 0.3:
            more["zones"] = ["1"]
        if product.managed and chance() < 0.8:
            machine = f"vm-{self._app}-{self._short}-{place:04}"
            more["managed_by"] = f"{self._capital}/providers/Microsoft.Compute/virtualMachines/{machine}"
        return Resource(
            id=f"{root}/providers/{provider_path(product.type, name)}",
            name=name,
            type=product.type,
            location=product.location or self._location,
            created_time=created,
            changed_time=changed,
            provisioning_state=_STATES[int(chance() * len(_STATES))],
            tags=self._choices[int(chance() * len(self._choices))],
            **more,
        )

    def _times(self) -> tuple[str, str]:
        """When something was made and last changed, with Azure's seven digits after the second (oddity 60)."""
        chance = self._random.random
        first = chance() * len(_DAYS)
        last = first + chance() * (len(_DAYS) - first)
        return _moment(first), _moment(last)

    def _tags(self, environment: str) -> Tags:
        random = self._random
        tags = {}
        if random.random() < 0.9:
            tags[random.choice(_OWNER_KEYS)] = f"{random.choice(_TEAMS)}-team@example.com"
        if random.random() < 0.85:
            tags[random.choice(_COST_KEYS)] = f"CC-{random.randrange(1000, 9999)}"
        if random.random() < 0.85:
            tags[random.choice(_ENVIRONMENT_KEYS)] = environment
        tags |= dict(random.sample(_MORE_TAGS, random.choice((0, 1, 2, 3, 4, 5))))
        return tags

    def _tag_choices(self) -> list[Tags | UnsetType | None]:
        """What tags the group's resources have: mostly the group's, some fewer or more, some none at all."""
        random = self._random
        names = list(self._usual)
        fewer = {name: self._usual[name] for name in names[1:]}
        more = self._usual | dict(random.sample(_MORE_TAGS, random.choice((4, 6, 8, len(_MORE_TAGS)))))
        other = {name.upper(): value for name, value in self._usual.items()}
        empty_value = self._usual | dict.fromkeys(names[:1], "")
        return [self._usual] * 9 + [more] * 6 + [fewer, other, empty_value, {}, UNSET, UNSET, None]


def _moment(day: float) -> str:
    place = min(int(day), len(_DAYS) - 1)
    ticks = int((day - int(day)) * 864_000_000_000)
    seconds, fraction = divmod(ticks, 10_000_000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{_DAYS[place]}T{hour:02}:{minute:02}:{second:02}.{fraction:07}Z"
