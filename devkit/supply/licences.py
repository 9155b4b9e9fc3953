"""Under which licence a package is, as an SPDX expression, and which licences are accepted."""

from contextlib import suppress
from email.message import Message

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from devkit.supply.needs import canonical

ALLOWED = frozenset(
    {
        "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CNRI-Python",
        "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0",
    }
)  # fmt: skip
"""Licences that ask to be passed on, and MPL-2.0 for the source of what is changed in its files."""
READ = {
    "antlr4-python3-runtime": "BSD-3-Clause",
    "google-re2": "BSD-3-Clause",
    "isodate": "BSD-3-Clause",
    "jinja2": "BSD-3-Clause",
}
"""Packages that only say BSD: which of them it is, was read in the licence itself."""
_NAMES = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_CLASSIFIER = "License :: OSI Approved :: "


class UnknownLicence(Exception):
    """A package does not say in a way that is understood which licence it is under."""


def licence_of(told: Message) -> str:
    """Give the SPDX expression of the licence that a package says it is under.

    The field for that is rather new; before, there were a free text and classifiers.

    Raises:
        UnknownLicence: neither says it.
    """
    name = canonical(str(told["Name"]))
    if found := said_by(told) or READ.get(name):
        return found
    raise UnknownLicence(f"{name} does not say which licence it is under; read it, and add it to READ of {__name__}.")


def said_by(told: Message) -> str | None:
    """Give the SPDX expression that a package gives itself; None where it says nothing, or nothing exact."""
    classifiers = [str(line).removeprefix(_CLASSIFIER) for line in told.get_all("Classifier", [])]
    for text in (told.get("License-Expression"), told.get("License"), *classifiers):
        with suppress(InvalidLicenseExpression):
            return canonicalize_license_expression(_NAMES.get(str(text), str(text)))
    return None


def is_allowed(expression: str) -> bool:
    """Tell whether all that an expression asks for is accepted, in one of its alternatives."""
    return any(all(part in ALLOWED for part in one.split(" AND ")) for one in expression.split(" OR "))
