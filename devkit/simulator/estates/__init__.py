"""Estates of our own, one data module each."""

from devkit.simulator.estates.demo import DEMO
from devkit.simulator.estates.odd import ODD
from devkit.simulator.model import Estate

_ESTATES = {estate.name: estate for estate in (DEMO, ODD)}


def load_estate(name: str) -> Estate:
    """The estate of that name.

    Raises:
        ValueError: when there is none; the sentence names those there are.
    """
    if name not in _ESTATES:
        known = ", ".join(f"'{each}'" for each in _ESTATES)
        raise ValueError(f"there is no estate '{name}'; there are {known}")
    return _ESTATES[name]
