"""requirements.txt and requirements-dev.txt, and what asks for them."""

import ast
from email.message import Message
from email.parser import Parser
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement

from devkit.licences_page import metadata_of
from devkit.supply.needs import canonical, needs, read_asked
from devkit.supply.pins import Pin, read_pins
from tests.docs.checkout import ROOT

ASKED = {canonical(each.name): each for each in read_asked((ROOT / "requirements.in").read_text())}
DISTRIBUTIONS = packages_distributions()


def test_reading() -> None:
    text = "a-b==1.0 \\\n    --hash=sha256:01 \\\n    --hash=sha256:02\n# a remark\n\nc==2\n"

    assert read_pins(text) == [Pin("a-b", "1.0", frozenset({"01", "02"})), Pin("c", "2", frozenset())]


def imported() -> set[str]:
    """The packages that the app imports anything of, now or when it first needs it."""
    names: set[str] = set()
    for path in [ROOT / "function_app.py", *(ROOT / "__app__").rglob("*.py"), *(ROOT / "shared_code").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                names |= {each.name for each in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module)
    found = {owner(name) for name in names}
    return {name for name in found if name}


def owner(module: str) -> str | None:
    """Give the package that a module is of; None for the standard library and for the app itself."""
    if module.startswith("azure."):  # many packages have a part of it
        found = [name for name in ASKED if f"{module}.".startswith(f"{name.replace('-', '.')}.")]
        assert found, f"{module} is of no package that requirements.in asks for"
        return max(found, key=len)
    top = module.split(".", maxsplit=1)[0]
    names = {canonical(name) for name in DISTRIBUTIONS.get(top, ())} - {"steward"}
    assert len(names) <= 1, module
    return next(iter(names), None)


def test_what_the_app_imports_is_what_it_asks_for() -> None:
    """A package that is there because another one needs it may go with that one; one that nobody imports may go."""
    assert imported() == set(ASKED)


def test_both_files_agree() -> None:
    """What both pin is one version: tests run with what is deployed."""
    deployed = {pin.name: pin for pin in read_pins((ROOT / "requirements.txt").read_text())}
    tested = {pin.name: pin for pin in read_pins((ROOT / "requirements-dev.txt").read_text())}

    assert len(deployed.keys() & tested.keys()) > 10
    assert [name for name in deployed.keys() & tested.keys() if deployed[name] != tested[name]] == []


def test_nothing_is_pinned_that_nobody_needs() -> None:
    """Each pin is asked for, or needed by another one."""
    pins = read_pins((ROOT / "requirements.txt").read_text())
    needed = needs({pin.name: metadata_of(pin.name) for pin in pins}, ASKED.values())

    assert {pin.name for pin in pins} == set(ASKED) | {name for names in needed.values() for name in names}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements.in", "requirements-dev.in"])
def test_no_file_names_a_place_to_take_packages_from(name: str) -> None:
    """Each machine has its own; a second index beside it is how somebody else's package of the same name gets in."""
    lines = (ROOT / name).read_text().splitlines()

    assert [line for line in lines if "://" in line or line.startswith(("-i", "-f", "--"))] == []


class TestNeeds:
    """Which package needs which."""

    @pytest.fixture
    def told(self) -> dict[str, str]:
        return {
            "a": "Requires-Dist: B_x[more]>=1\nRequires-Dist: c; sys_platform == 'win32'\n",
            "b-x": "Requires-Dist: d; extra == 'more'\nRequires-Dist: e; extra == 'other'\n",
            "c": "", "d": "Requires-Dist: f; python_version < '3.11'\n", "e": "", "f": "",
        }  # fmt: skip

    def test_markers_and_extras(self, told: dict[str, str]) -> None:
        """On Linux with Python 3.13, and with the extras that somebody asks for."""
        metadata = {name: message(name, text) for name, text in told.items()}

        assert needs(metadata, [Requirement("a")]) == {
            "a": {"b-x"}, "b-x": {"d"}, "c": set(), "d": set(), "e": set(), "f": set(),
        }  # fmt: skip
        assert needs(metadata, [Requirement("a"), Requirement("b-x[other]")])["b-x"] == {"d", "e"}


def message(name: str, text: str = "") -> Message:
    """What a package of that name says of itself."""
    return Parser().parsestr(f"Name: {name}\nVersion: 1\n{text}\n", headersonly=True)
