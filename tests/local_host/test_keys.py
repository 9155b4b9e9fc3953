import stat
from pathlib import Path

import pytest

from devkit.local_host.errors import LocalHostError
from devkit.local_host.functions import Function, HttpTrigger
from devkit.local_host.keys import Keys, keep_keys
from devkit.local_host.routes import parse_route

KEYS = Keys(reader="r", operator="o", approver="a", master="m")
OWN, OTHER = KEYS.of_function("jobs"), KEYS.of_function("runs")
EVERY = [None, "", "wrong", "\udcff", "r", "o", "a", "m", OWN, OTHER]


def function(methods: set[str] | None, *, name: str = "jobs", level: str = "function") -> Function:
    trigger = HttpTrigger("req", parse_route("api/jobs"), None if methods is None else frozenset(methods), level)
    return Function(name=name, bindings=(), trigger=trigger)


@pytest.mark.parametrize(
    ("called", "opened_by"),
    [
        (function({"GET"}), {"r", "o", "m", OWN}),
        (function({"POST"}), {"o", "m", OWN}),
        (function({"GET", "PUT"}), {"o", "m", OWN}),
        (function(None), {"o", "m", OWN}),
        (function({"POST"}, name="apply_plan"), {"a", "m", KEYS.of_function("apply_plan")}),
        (function({"GET"}, name="apply_plan"), {"a", "m", KEYS.of_function("apply_plan")}),
        (function({"GET"}, level="admin"), {"m"}),
        (function({"POST"}, level="anonymous"), {*EVERY, KEYS.of_function("apply_plan")}),
    ],
    ids=["reading", "writing", "both", "any-method", "apply", "apply-by-get", "admin", "anonymous"],
)
def test_who_may_call_what(called: Function, opened_by: set[str | None]) -> None:
    """Readers read, operators start, the approver alone applies a plan, the master key opens everything.

    The key of one function opens that and no other.
    """
    offered = [*EVERY, KEYS.of_function("apply_plan")]

    assert {key for key in offered if KEYS.opens(called, key)} == opened_by


def test_only_the_master_key_is_the_master_key() -> None:
    """The admin endpoints take no other."""
    assert [key for key in EVERY if KEYS.is_master(key)] == ["m"]


def test_the_key_of_a_function() -> None:
    """Whoever has the keys knows it, by the function's name in any case, and nobody else can tell."""
    assert KEYS.of_function("Jobs") == OWN != OTHER
    assert Keys(reader="r", operator="o", approver="a", master="x").of_function("jobs") != OWN


def test_keys_are_made_once_and_kept(tmp_path: Path) -> None:
    """They stay over restarts, in a file that only its owner may read."""
    path = tmp_path / "state" / "keys.json"

    keys = keep_keys(path)

    assert keep_keys(path) == keys
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len({keys.reader, keys.operator, keys.approver, keys.master}) == 4
    assert min(map(len, (keys.reader, keys.operator, keys.approver, keys.master))) >= 32


def test_an_unreadable_keys_file_is_not_overwritten(tmp_path: Path) -> None:
    """New keys would lock out whoever holds the old ones."""
    path = tmp_path / "keys.json"
    path.write_text("{}")

    with pytest.raises(LocalHostError, match="cannot be read as keys"):
        keep_keys(path)

    assert path.read_text() == "{}"
