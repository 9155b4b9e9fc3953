"""What a campaign tells: progress, violations with how to see them again, and one line of JSON."""

import io
import json

import pytest

from devkit.campaigns.__main__ import main
from devkit.campaigns.catalog import CAMPAIGNS
from devkit.campaigns.session import Session
from tests.azure_api.conftest import Clock


def test_a_violation_names_the_seed_and_how_to_see_it_again() -> None:
    told, result = io.StringIO(), io.StringIO()
    session = Session("faults", seed=7, minutes=1, out=told)
    session.figures["cells"] += 2
    session.violated("it was deleted twice", "apply deletions/GET locks/429/1")

    assert session.end(result) == 1
    assert told.getvalue().startswith(
        "violation: it was deleted twice\n"
        "  seed 7; again: ./dev campaign faults --seed 7 --only 'apply deletions/GET locks/429/1'\n"
        "faults: 2 cells, 1 violations in "
    )
    assert json.loads(result.getvalue()) | {"seconds": 0} == {
        "campaign": "faults",
        "seed": 7,
        "seconds": 0,
        "cells": 2,
        "violations": [{"what": "it was deleted twice", "only": "apply deletions/GET locks/429/1"}],
    }


def test_progress_has_a_rate_and_the_time_left() -> None:
    """The time left is that of the work, or that of the minutes if these are over sooner."""
    told, passing = io.StringIO(), Clock()
    session = Session("faults", minutes=1, out=told, clock=passing.now)
    for done in range(0, 41, 10):
        session.progress(done, "cells", 100)
        passing.sleep(5)
    passing.sleep(5)
    session.progress(48, "cells")

    assert told.getvalue() == (
        "faults: 20 of 100 cells, 2.0/s, about 40 s left\n"
        "faults: 40 of 100 cells, 2.0/s, about 30 s left\n"
        "faults: 48 cells, 1.6/s, about 30 s left\n"
    )
    assert session.goes_on
    passing.sleep(31)
    assert not session.goes_on


def test_all_campaigns_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(CAMPAIGNS)


@pytest.mark.parametrize("arguments", [[], ["none-such"]])
def test_a_campaign_that_is_none_is_a_mistake(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
