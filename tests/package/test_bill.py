"""The bill of materials in the package."""

import json
import zipfile
from importlib.resources import files
from typing import Any

import jsonschema_rs
import pytest

from devkit.package import PACKAGES
from devkit.supply import bill
from devkit.supply.licences import is_allowed
from devkit.supply.pins import read_pins
from tests.docs.checkout import ROOT

PINS = {pin.name: pin for pin in read_pins((ROOT / "requirements.txt").read_text())}
SCHEMAS = files("cyclonedx.schema._res")


@pytest.fixture
def document(archive: zipfile.ZipFile) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(archive.read(bill.NAME))
    return found


def schema(name: str) -> Any:
    """One of the schemas that CycloneDX publishes."""
    return json.loads((SCHEMAS / f"{name}.SNAPSHOT.schema.json").read_bytes())


def test_it_is_a_bill_of_materials(document: dict[str, Any]) -> None:
    """By the schema of CycloneDX 1.6."""
    others = [
        (f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json", schema(name)) for name in ("spdx", "jsf-0.82")
    ]
    registry = jsonschema_rs.Registry(others)
    validator = jsonschema_rs.validator_for(schema("bom-1.6"), registry=registry, validate_formats=True)

    assert [str(error) for error in validator.iter_errors(document)] == []
    assert not validator.is_valid(document | {"components": [{"type": "library"}]})


def test_it_names_every_package(document: dict[str, Any]) -> None:
    """As pinned, with the file that it came from, which is one of those that are known, and with its licence."""
    components = {each["name"]: each for each in document["components"]}

    assert {name: each["version"] for name, each in components.items()} == {
        name: pin.version for name, pin in PINS.items()
    }
    for name, each in components.items():
        assert each["purl"] == f"pkg:pypi/{name}@{PINS[name].version}"
        assert [told["alg"] for told in each["hashes"]] == ["SHA-256"]
        assert each["hashes"][0]["content"] in PINS[name].hashes
        assert is_allowed(each["licenses"][0]["expression"])


def test_it_says_what_needs_what(document: dict[str, Any]) -> None:
    """All of it is reached from the app."""
    needs = {each["ref"]: each["dependsOn"] for each in document["dependencies"]}
    reached, ahead = set[str](), ["steward"]
    while ahead:
        one = ahead.pop()
        if one not in reached:
            reached.add(one)
            ahead += needs[one]

    assert reached == {"steward"} | {each["bom-ref"] for each in document["components"]}
    assert PINS["requests"].name in {name.split("/")[1].split("@")[0] for name in needs["steward"]}


def test_it_names_the_bills_of_what_is_compiled(document: dict[str, Any], archive: zipfile.ZipFile) -> None:
    """Packages with compiled parts bring a bill of those along, which is in the package too."""
    named = {reference["url"] for each in document["components"] for reference in each.get("externalReferences", [])}

    assert named == {name for name in archive.namelist() if name.startswith(PACKAGES) and "/sboms/" in name}
    assert any("/cryptography-" in name for name in named)
