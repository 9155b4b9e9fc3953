"""Which licences there are, and that all are accepted."""

import pytest

from devkit.licences_page import metadata_of, page
from devkit.supply.licences import READ, UnknownLicence, is_allowed, licence_of, said_by
from devkit.supply.pins import read_pins
from tests.docs.checkout import ROOT
from tests.supply.test_pins import message

NAMES = sorted(
    {pin.name for name in ("requirements.txt", "requirements-dev.txt") for pin in read_pins((ROOT / name).read_text())}
)


def test_the_page() -> None:
    """docs/licences.md is what its generator prints."""
    assert (ROOT / "docs" / "licences.md").read_text() == page()


def test_each_licence_is_accepted() -> None:
    """A package under another licence needs somebody who reads it first."""
    found = {name: licence_of(metadata_of(name)) for name in NAMES}

    assert len(found) > 90
    assert {name: licence for name, licence in found.items() if not is_allowed(licence)} == {}


def test_what_a_package_says_needs_no_reading() -> None:
    """Once a package says it by itself, it is no more named here."""
    assert sorted(READ) == [name for name in NAMES if said_by(metadata_of(name)) is None]


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("License-Expression: mit", "MIT"),
        ("License-Expression: MIT\nLicense: whatever", "MIT"),
        ("License: Apache 2.0", "Apache-2.0"),
        ("License: Copyright, somebody\nClassifier: License :: OSI Approved :: MIT License", "MIT"),
        ("Classifier: Topic :: Internet\nClassifier: License :: OSI Approved :: ISC License (ISCL)", "ISC"),
    ],
)
def test_what_a_package_says(text: str, expression: str) -> None:
    """The newest of the three ways to say it counts."""
    assert licence_of(message("a", text)) == expression


@pytest.mark.parametrize("text", ["", "License: Proprietary", "Classifier: License :: OSI Approved :: BSD License"])
def test_nothing_exact_is_no_licence(text: str) -> None:
    """Nobody guesses."""
    with pytest.raises(UnknownLicence, match=r"^a does not say which licence it is under"):
        licence_of(message("a", text))


@pytest.mark.parametrize(
    ("expression", "accepted"),
    [
        ("MIT", True),
        ("Apache-2.0 OR BSD-3-Clause", True),
        ("GPL-3.0-only OR MIT", True),
        ("MIT AND PSF-2.0", True),
        ("MIT AND GPL-3.0-only", False),
        ("GPL-3.0-only", False),
        ("AGPL-3.0-or-later", False),
        ("LicenseRef-Proprietary", False),
        ("MIT AND (Apache-2.0 OR BSD-3-Clause)", False),
    ],
)
def test_accepted(expression: str, accepted: bool) -> None:
    """One alternative is enough, all parts of it are needed; with brackets somebody looks."""
    assert is_allowed(expression) == accepted
