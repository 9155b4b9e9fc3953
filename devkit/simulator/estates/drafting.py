"""Short forms in which the estates are written down."""

import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from devkit.simulator.model import Resource, ResourceGroup, Tags


def resource(resource_type: str, name: str, tags: Tags | UnsetType | None = UNSET, **fields: Any) -> Resource:
    """A resource; without `location` it is where its group is, without `created_time` its name decides."""
    return Resource(type=resource_type, name=name, tags=tags, **(_times(name) | fields))


def group(
    name: str, *resources: Resource, location: str = "westeurope", tags: Tags | UnsetType | None = UNSET, **fields: Any
) -> ResourceGroup:
    """A resource group with its resources."""
    placed = tuple(replace(each, location=location) if each.location is UNSET else each for each in resources)
    return ResourceGroup(name=name, location=location, tags=tags, resources=placed, **(_times(name) | fields))


def _times(name: str) -> dict[str, str]:
    """Times that look like an estate that grew, and are the same on every day."""
    seed = zlib.crc32(name.encode())
    created = datetime(2025, 2, 3, 7, tzinfo=UTC) + timedelta(minutes=seed % 800_000)
    changed = min(created + timedelta(minutes=seed % 90_000), datetime(2026, 11, 1, tzinfo=UTC))
    # Azure writes seven digits after the second (oddity 60).
    return {
        "created_time": f"{created:%Y-%m-%dT%H:%M:%S}.{seed % 10_000_000:07}Z",
        "changed_time": f"{max(created, changed):%Y-%m-%dT%H:%M:%S}.{seed * 7 % 10_000_000:07}Z",
    }
