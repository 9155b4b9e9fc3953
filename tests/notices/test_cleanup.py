"""What owners hear of a cleanup: that a thing waits, that it is planned, that it was deleted; each once."""

import pytest

from shared_code.notices.notice import Letter
from shared_code.run_requests import Wanted
from shared_code.runs import Mode, Run, TriggeredBy
from tests.azure_model import AzureModel
from tests.cleaning import ONE, TWO, cleaning, toml
from tests.notices.telling import ENVIRON, OWNERS, Kept, Telling

DISK = "unattached-disk"
TEAM: dict[str, str | None] = {"owner": "team@example.com"}


def telling(content: bytes) -> tuple[Telling, Kept, AzureModel]:
    """A world with an Azure in process that tells a sender."""
    world, model = cleaning(content + OWNERS)
    kept = Kept()
    return Telling(world, kept), kept, model


def clean(world: Telling, model: AzureModel, mode: Mode = Mode.PLAN) -> Run:
    """Run a cleanup as the app does."""
    world.world.pass_time(seconds=1)
    run = world.world.requests().by_hand("cleanup", Wanted(mode=Mode.PLAN), TriggeredBy.HTTP)
    if mode is Mode.APPLY:
        world.world.now = world.world.now.replace(hour=5, minute=0, second=0)
        ticked = world.world.requests().tick("cleanup", past_due=False)
        assert ticked is not None
        run = world.world.records().get(ticked).run
    model.run = run.id
    world.worker().perform(run.id)
    return world.world.records().get(run.id).run


def to_owners(kept: Kept) -> dict[str | None, Letter]:
    """What was sent since the last time, but to operators; by recipient, None is the fallback."""
    return {each.to: each for each in kept.take() if each.url.reveal() != ENVIRON["OPS"]}


def test_a_thing_is_told_when_it_is_found_and_when_it_is_planned() -> None:
    """With the time from which it may be planned, and how to keep it; in between nothing is told."""
    world, kept, model = telling(toml(ONE, rules={DISK: {"mode": "approve", "minimum_observations": 2}}))
    model.put(model.new_group(), "disk", "data", tags=TEAM)

    clean(world, model)

    body = to_owners(kept)["team@example.com"].text.body
    assert "What will be planned to be deleted:\n- data (disks) in rg-a of" in body
    assert "give it the tag 'keep'" in body
    world.world.pass_time(hours=1)
    assert clean(world, model).counts["waiting"] == 1
    assert kept.take() == []

    world.world.pass_time(days=1)
    run = clean(world, model)

    assert run.counts["planned"] == 1
    assert (
        "What is planned to be deleted once a person approves:\n- data" in to_owners(kept)["team@example.com"].text.body
    )
    clean(world, model)
    assert to_owners(kept) == {}


@pytest.mark.parametrize(
    ("armed", "mode", "how"),
    [
        ((), "plan", "once a person approves"),
        ((ONE,), "plan", "once a person approves"),
        ((), "apply", "once a person approves"),
        ((ONE,), "apply", "by the timer"),
    ],
)
def test_what_the_timer_may_not_do_waits_for_a_person(armed: tuple[str, ...], mode: str, how: str) -> None:
    """A rule that acts by itself does so only where the job applies and the subscription is armed."""
    world, kept, model = telling(toml(*armed, mode=mode, rules={DISK: {"mode": "automatic"}}))
    model.put(model.new_group(), "disk", "data", tags=TEAM)
    clean(world, model)
    kept.take()
    world.world.pass_time(days=1)

    clean(world, model)

    body = to_owners(kept)["team@example.com"].text.body
    assert f"What is planned to be deleted {how}:\n- data (disks)" in body


def test_another_subscription_that_is_armed_says_nothing_about_this_one() -> None:
    world, kept, model = telling(toml(TWO, mode="apply", rules={DISK: {"mode": "automatic"}}))
    model.put(model.new_group(), "disk", "data", tags=TEAM)
    clean(world, model)
    kept.take()
    world.world.pass_time(days=1)

    clean(world, model)

    body = to_owners(kept)["team@example.com"].text.body
    assert "What is planned to be deleted once a person approves:\n- data (disks)" in body


def test_what_was_deleted_is_told_to_who_owned_it() -> None:
    """Nobody can read its tags any more; the plan has seen them."""
    world, kept, model = telling(toml(ONE, mode="apply", rules={DISK: {"mode": "automatic"}}))
    group = model.new_group()
    model.put(group, "disk", "data", tags=TEAM)
    model.put(group, "vm", "used")
    model.put(group, "disk", "kept", tags={"keep": "true"})
    clean(world, model, Mode.APPLY)
    kept.take()
    world.world.pass_time(days=1)

    run = clean(world, model, Mode.APPLY)

    assert (run.counts["deleted"], run.error) == (1, None)
    found = to_owners(kept)
    assert set(found) == {"team@example.com"}
    assert "What is deleted now:\n- data (disks) in rg-a" in found["team@example.com"].text.body


def test_what_is_kept_is_nobodys_news() -> None:
    world, kept, model = telling(toml(ONE, rules={DISK: {"mode": "approve"}}))
    model.put(model.new_group(), "disk", "data", tags={**TEAM, "keep": "true"})

    clean(world, model)

    assert kept.take() == []


@pytest.mark.parametrize(("mode", "told"), [("report", False), ("notify", True)])
def test_the_mode_of_a_rule_says_whether_owners_are_told(mode: str, *, told: bool) -> None:
    world, kept, model = telling(toml(ONE, rules={DISK: {"mode": mode}}))
    model.put(model.new_group(tags=TEAM), "disk", "data")

    clean(world, model)

    letters = kept.take()
    assert [each.url.reveal() for each in letters if each.to is None] == [ENVIRON["OPS"]]
    assert ("team@example.com" in {each.to for each in letters}) is told
