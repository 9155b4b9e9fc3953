"""`generated`: an estate of any size, the same for the same numbers, as mixed as real ones are."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from random import Random

from msgspec import Struct

from devkit.simulator.estates.drawer import APPS, ENVIRONMENTS, Drawer
from devkit.simulator.model import Estate, Lock, ManagementGroup, Pages, ResourceGroup, Subscription

MOST_GROUPS = 980
"""Azure's limit of resource groups in a subscription."""


class Size(Struct, frozen=True, kw_only=True):
    """How large an estate is to be: groups and resources are totals. `seed` chooses among all of that size."""

    subscriptions: int = 20
    groups: int = 400
    resources: int = 10_000
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse what Azure could not hold either.

        Raises:
            ValueError: naming the number and what it may be.
        """
        if self.subscriptions < 1:
            raise ValueError(f"{self.subscriptions} subscriptions are too few; an estate has 1 or more")
        if self.groups < 0 or self.resources < 0 or self.seed < 0:
            raise ValueError("groups, resources and seed are not negative")
        if self.groups > MOST_GROUPS * self.subscriptions:
            raise ValueError(
                f"{self.groups} resource groups do not fit into {self.subscriptions} subscriptions; "
                f"each holds {MOST_GROUPS} at most"
            )
        if self.resources and not self.groups:
            raise ValueError(f"{self.resources} resources need a resource group to be in; give 1 or more groups")


def generate(size: Size) -> Estate:
    """Make the estate of that size: the same one on every machine."""
    random = Random(size.seed)  # noqa: S311 -- a made-up estate, no secret
    with _no_collection():
        numbers = _shares([random.uniform(0.5, 1.5) for _ in range(size.subscriptions)], size.groups)
        if max(numbers) > MOST_GROUPS:
            numbers = _shares([1.0] * size.subscriptions, size.groups)
        counts = _shares(
            [_weight(random, last=place == size.groups - 1) for place in range(size.groups)], size.resources
        )
        subscriptions = []
        for number, groups in enumerate(numbers):
            subscriptions.append(_subscription(random, number, counts[:groups]))
            del counts[:groups]
    return Estate(
        name=f"generated-{size.subscriptions}-{size.groups}-{size.resources}-{size.seed}",
        subscriptions=tuple(subscriptions),
        management_groups=_management_groups([each.id for each in subscriptions]),
    )


@contextmanager
def _no_collection() -> Iterator[None]:
    # Everything made here stays, so looking for garbage among it only costs time.
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _shares(weights: list[float], total: int) -> list[int]:
    """Whole numbers in these proportions that add up to the total."""
    whole = sum(weights)
    ends = [round(total * part / whole) for part in accumulate(weights)]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def _weight(random: Random, *, last: bool) -> float:
    """How full a group is beside others; one in 25 is empty, and never all of them."""
    return 0.0 if random.random() < 0.04 and not last else random.lognormvariate(0, 0.8)


def _guid(random: Random) -> str:
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"


def _management_groups(subscriptions: list[str]) -> tuple[ManagementGroup, ...]:
    return (
        ManagementGroup(id="mg-root", name="Root"),
        ManagementGroup(id="mg-platform", name="Platform", parent="mg-root", subscriptions=tuple(subscriptions[::10])),
        ManagementGroup(id="mg-landing-zones", name="Landing zones", parent="mg-root"),
        *(
            ManagementGroup(
                id=f"mg-{name.lower()}",
                name=name,
                parent="mg-landing-zones",
                subscriptions=tuple(
                    each for place, each in enumerate(subscriptions) if place % 10 and place % 2 == odd
                ),
            )
            for odd, name in enumerate(("Corporate", "Online"))
        ),
    )


def _subscription(random: Random, number: int, counts: list[int]) -> Subscription:
    own_id = _guid(random)
    app = random.choice(APPS)
    environment = random.choice(ENVIRONMENTS)[0]
    capitals = random.random() < 0.3
    groups = tuple(Drawer(random, own_id, place, capitals=capitals).group(count) for place, count in enumerate(counts))
    return Subscription(
        id=own_id,
        name=f"{app.capitalize()} {environment.capitalize()} {number + 1:03}",
        resource_groups=groups,
        locks=tuple(_locks(random, own_id, groups)),
        group_pages=Pages(size=490),
    )


def _locks(random: Random, subscription_id: str, groups: tuple[ResourceGroup, ...]) -> Iterator[Lock]:
    if random.random() < 0.02:
        yield Lock(name="subscription", scope=f"/subscriptions/{subscription_id}", notes="Ask the platform team.")
    for group in groups:
        drawn = random.random()
        if drawn < 0.02:
            yield Lock(name="keep", scope=group.id, notes="")
        elif drawn < 0.03 and group.resources:
            level = random.choice(("CanNotDelete", "ReadOnly"))
            scope = random.choice(group.resources).id.replace("/resourceGroups/", "/resourcegroups/")
            yield Lock(name="delete", level=level, scope=scope)  # type: ignore[arg-type]
