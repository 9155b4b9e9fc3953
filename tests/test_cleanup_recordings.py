"""What the rules would find in recorded answers of Azure: nothing there that is in use."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared_code.cleanup_rules import RULES, Match
from shared_code.model import Kind
from shared_code.targets import Target
from tests.cleanup import NOW, SUBSCRIPTION, around
from tests.oddities.recorded import Recordings

BY_TYPE = {type_: rule for rule in RULES.values() for type_ in rule.types}
SIGNS = (
    '"ipConfiguration":',
    '"natGateway":',
    '"publicIPPrefix":',
    '"virtualMachine":',
    '"privateEndpoint":',
    '"privateLinkService":',
    '"hostedWorkloads": ["',
    '"bareMetalServer":',
    '"subnets":',
    '"networkInterfaces":',
    '"flowLogs":',
    '"backendIPConfigurations":',
    '"virtualMachines": [{',
    '"inboundNatRules": [{',
    '"Attached"',
    '"Reserved"',
    '"ActiveSAS"',
    '"ReadyToUpload"',
    '"Approved"',
    '"dnsSettings": {"domainNameLabel"',
    '"managedBy": "/',
)
"""What in a recorded answer shows that something is in use, whichever type it is."""


@pytest.fixture(scope="module", name="things")
def _things() -> list[dict[str, Any]]:
    named = os.environ.get("STEWARD_RECORDINGS", "")
    if not (named and Path(named).is_dir()):
        reason = f"STEWARD_RECORDINGS is '{named}'; set it to a folder of recorded interactions to run this test"
        if "recordings" in os.environ.get("STEWARD_REQUIRE", "").split(","):
            pytest.fail(reason)
        pytest.skip(reason)
    found = list(_of(Recordings(Path(named))))
    if not found:
        pytest.skip("nothing in this folder is of a type that a rule is about")
    return found


def _of(recordings: Recordings) -> Iterator[dict[str, Any]]:
    for recording in recordings.of_kinds("list-*", "resource-get"):
        for item in recording.items:
            if isinstance(item, dict) and str(item.get("type")).lower() in BY_TYPE:
                yield item


def _judge(item: dict[str, Any]) -> Match | str:
    rule = BY_TYPE[item["type"].lower()]
    given = Target(
        id=item["id"],
        name=item["name"],
        type=item["type"],
        kind=Kind.RESOURCE,
        subscription_id=SUBSCRIPTION,
        tags=item.get("tags") or {},
        managed_by=item.get("managedBy"),
        definition=item,
    )
    said = rule.judge(given, around(), rule.settings(), NOW)
    assert isinstance(said, Match | str)
    return said


def test_nothing_in_use_is_found(things: list[dict[str, Any]]) -> None:
    for item in things:
        text = json.dumps(item)
        if any(sign in text for sign in SIGNS):
            assert isinstance(_judge(item), str), item["id"]


def test_something_unused_is_found(things: list[dict[str, Any]]) -> None:
    """A condition that no real answer meets would protect everything, and clean up nothing."""
    found = Counter(BY_TYPE[item["type"].lower()].name for item in things if isinstance(_judge(item), Match))
    types = {item["type"].lower() for item in things}

    never = {"microsoft.compute/disks", "microsoft.network/privateendpoints"}  # none recorded is surely unused
    assert set(found) == {BY_TYPE[type_].name for type_ in types - never}


def test_whatever_is_kept_has_its_reason(things: list[dict[str, Any]]) -> None:
    assert all(said if isinstance(said, str) else said.detail for said in map(_judge, things))
