"""Exported templates: at once, or a little later."""

import pytest

from devkit.simulator import load_estate
from devkit.simulator.estates.cleanup import WORKLOADS
from devkit.simulator.templates import half
from tests.simulator.in_process import Azure

GROUPS = f"/subscriptions/{WORKLOADS}/resourceGroups"


@pytest.fixture(name="azure")
def _azure() -> Azure:
    return Azure(load_estate("cleanup"))


def test_an_empty_group_has_no_resources(azure: Azure) -> None:
    """With status 200 (oddity 50)."""
    reply = azure.ask(f"{GROUPS}/rg-empty/exportTemplate", "POST", body={"resources": ["*"]})

    assert reply.status == 200
    assert b'"resources":[]' in reply.body


def test_a_few_resources_come_at_once(azure: Azure) -> None:
    own = azure.id("orphan-disk-1")
    reply = azure.ask(f"{GROUPS}/rg-leftovers/exportTemplate", "POST", body={"resources": [own.upper()]})

    assert reply.status == 200
    assert b"orphan-disk-1" in reply.body
    assert b"orphan-disk-2" not in reply.body
    assert b"diskState" not in reply.body


def test_many_come_later(azure: Azure) -> None:
    """202 with a Location."""
    location = azure.ask(f"{GROUPS}/rg-leftovers/exportTemplate", "POST", body={"resources": ["*"]}).headers["Location"]

    assert azure.ask(location).status == 202
    azure.now += 10
    group = azure.state.estate.subscriptions[0].group("rg-leftovers")
    assert group is not None
    assert len(azure.told(location)["template"]["resources"]) == len(group.resources)


def test_what_is_no_wish_and_what_is_not_there(azure: Azure) -> None:
    assert azure.code(azure.ask(f"{GROUPS}/nothing/exportTemplate", "POST", body={})) == "ResourceGroupNotFound"
    assert azure.code(azure.ask(f"{GROUPS}/rg-empty/exportTemplate", "POST", body=[1])) == "InvalidRequestContent"
    assert azure.ask(f"{GROUPS}/rg-empty/exportTemplate").status == 405


def test_half_of_a_template(azure: Azure) -> None:
    """With an error beside it, and status 200."""
    reply = half(azure.ask(f"{GROUPS}/rg-expired/exportTemplate", "POST", body={"resources": ["*"]}))

    assert (reply.status, azure.code(reply)) == (200, "ExportTemplateCompletedWithErrors")
    assert b"kv-expired" not in reply.body
