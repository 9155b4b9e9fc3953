"""The bill of materials of the package, CycloneDX 1.6: each package in it, its licence, its file and its needs."""

import json
from collections.abc import Mapping, Sequence
from email.message import Message
from typing import Any

from packaging.requirements import Requirement

from devkit.supply.licences import licence_of
from devkit.supply.needs import canonical, needs

NAME = "sbom.cdx.json"
APP = "steward"


def bill(
    metadata: Mapping[str, Message],
    asked: Sequence[Requirement],
    wheels: Mapping[str, str],
    bills: Mapping[str, Sequence[str]],
) -> bytes:
    """Write the bill: without date and serial number, so that the same packages give the same bytes.

    Args:
        metadata: what each package says of itself, by its canonical name.
        asked: what the app itself asks for.
        wheels: the SHA-256 of the file that each package was installed from.
        bills: where in the package the bills are that packages bring along, of what is compiled into them.

    Raises:
        UnknownLicence: a package does not say which licence it is under.
    """
    references = {name: f"pkg:pypi/{name}@{told['Version']}" for name, told in metadata.items()}
    needed = needs(metadata, asked)
    direct = {canonical(each.name) for each in asked} & metadata.keys()
    document: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "lifecycles": [{"phase": "build"}],
            "component": {"type": "application", "bom-ref": APP, "name": APP},
        },
        "components": [
            {
                "type": "library",
                "bom-ref": references[name],
                "name": name,
                "version": metadata[name]["Version"],
                "hashes": [{"alg": "SHA-256", "content": wheels[name]}],
                "licenses": [{"expression": licence_of(metadata[name])}],
                "purl": references[name],
                **_more(bills.get(name, ())),
            }
            for name in sorted(metadata)
        ],
        "dependencies": [
            {"ref": reference, "dependsOn": sorted(references[name] for name in names)}
            for reference, names in [(APP, direct), *((references[name], needed[name]) for name in sorted(metadata))]
        ],
    }
    return json.dumps(document, indent=1).encode() + b"\n"


def _more(bills: Sequence[str]) -> dict[str, Any]:
    return {"externalReferences": [{"type": "bom", "url": each} for each in bills]} if bills else {}
