"""Estates of our own: data modules, and one that is generated in any size."""

from devkit.simulator.estates.cleanup import CLEANUP
from devkit.simulator.estates.demo import DEMO
from devkit.simulator.estates.generated import Size, generate
from devkit.simulator.estates.odd import ODD
from devkit.simulator.model import Estate

__all__ = ["GENERATED", "Size", "load_estate"]

_ESTATES = {estate.name: estate for estate in (DEMO, CLEANUP, ODD)}
GENERATED = "generated"


def load_estate(name: str, **size: int) -> Estate:
    """The estate of that name; `generated` takes subscriptions, groups, resources and seed (see `Size`).

    Raises:
        ValueError: when there is none, it takes no size, or that size is impossible; one sentence.
    """
    if name == GENERATED:
        return generate(Size(**size))
    if name not in _ESTATES:
        known = ", ".join(f"'{each}'" for each in (*_ESTATES, GENERATED))
        raise ValueError(f"there is no estate '{name}'; there are {known}")
    if size:
        raise ValueError(f"estate '{name}' is as large as it is; {', '.join(size)} can be given for '{GENERATED}' only")
    return _ESTATES[name]
