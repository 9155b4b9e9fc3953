"""Losses: whatever a run may have deleted is named, with where it is kept what it was."""

from typing import Any

import msgspec
import pytest

from shared_code.errors import Damaged
from shared_code.losses import losses
from shared_code.outcomes import Mark, Marks, Result
from shared_code.outputs import FOLLOWED, OUTCOMES
from shared_code.runs import Mode, Run, RunStatus, TriggeredBy
from shared_code.tombstones import tombstone_key
from tests.azure_model import Ending
from tests.cleaning import APPLYING, JOB, PLANNED, carry, clean, cleaning, item_of, save

FIRST, SECOND = tombstone_key(PLANNED, 0), tombstone_key(PLANNED, 1)


class Scene:
    """A group with an account in it, and a disk in another group, planned to be deleted."""

    def __init__(self) -> None:
        self.world, self.model = cleaning()
        self.group = self.model.new_group("rg-a-old")
        self.model.tag(self.group, "delete-after", "2026-11-01")
        self.account = self.model.put(self.group, "account", "store", tags={"env": "dev"})
        self.disk = self.model.put(self.model.new_group("rg-b"), "disk", "one")
        items = [item_of(self.world, self.model, own, rule) for own, rule in self.rules.items()]
        self.plan = save(self.world, *items)

    @property
    def rules(self) -> dict[str, str]:
        return {self.group: "expired", self.disk: "unattached-disk"}

    def applied(self, **changes: Any) -> Run:
        """The record of the run that applies it, which has ended unless said otherwise."""
        carry(self.world, self.model, self.plan)
        return self.record(**{"outputs": (OUTCOMES,)} | changes)

    def record(self, **changes: Any) -> Run:
        fields: dict[str, Any] = {
            "id": APPLYING,
            "job": JOB,
            "mode": Mode.APPLY,
            "trigger": TriggeredBy.CLI,
            "requested": self.world.now,
            "status": RunStatus.SUCCEEDED,
            "plan": PLANNED,
        }
        return Run(**fields | changes)

    def begin(self, number: int) -> None:
        """Somebody has begun an item, and nobody knows its end."""
        Marks(self.world.store, PLANNED).begin(number, Mark(run=APPLYING, begun=self.world.now, before={}))


@pytest.fixture(name="scene")
def _scene() -> Scene:
    return Scene()


class TestOfARun:
    def test_each_with_what_its_tombstone_says(self, scene: Scene) -> None:
        """Why it was planned, and what went with it."""
        run = scene.applied()

        group, disk = sorted(losses(run, scene.world.store), key=lambda loss: loss.item)

        assert (group.resource_id, disk.resource_id) == (scene.group, scene.disk)
        assert (group.outcome, disk.outcome) == (Result.DELETED, Result.DELETED)
        assert (group.rule, disk.rule) == ("expired", "unattached-disk")
        assert (group.tombstone, disk.tombstone) == (FIRST, SECOND)
        assert (group.kept, group.because, group.begun_by) == (True, "nobody needs it", APPLYING)
        assert [each.id for each in group.members] == [scene.account]
        assert disk.members == ()

    def test_what_was_left_alone_is_no_loss(self, scene: Scene) -> None:
        """Nothing was saved of it, so nothing was sent."""
        scene.model.tag(scene.disk)

        [group] = losses(scene.applied(), scene.world.store)

        assert group.resource_id == scene.group

    def test_what_failed_may_be_gone_in_part(self, scene: Scene) -> None:
        """Once something was saved of it, it is named whatever its outcome."""
        scene.model.endings[scene.group.casefold()] = Ending(answers=("locked",))

        found = {loss.resource_id: loss for loss in losses(scene.applied(), scene.world.store)}

        assert found[scene.group].outcome is Result.FAILED
        assert found[scene.group].kept

    def test_a_tombstone_that_is_gone(self, scene: Scene) -> None:
        """It is said, and hides nothing."""
        run = scene.applied()
        scene.world.store.delete(FIRST)

        group, disk = losses(run, scene.world.store)

        assert (group.kept, group.because, group.tombstone) == (False, None, FIRST)
        assert disk.kept

    def test_a_tombstone_that_cannot_be_read(self, scene: Scene) -> None:
        """It is said, and hides nothing."""
        run = scene.applied()
        scene.world.store.write(FIRST, b'{"reason": 7}')

        group, disk = losses(run, scene.world.store)

        assert (group.kept, group.because) == (True, None)
        assert (group.problem or "").startswith("its tombstone cannot be read: ")
        assert disk.problem is None

    def test_outcomes_that_cannot_be_read(self, scene: Scene) -> None:
        """The error says where to look instead."""
        run = scene.applied()
        scene.world.store.write(f"runs/{APPLYING}/{OUTCOMES}", b"}{\n")

        with pytest.raises(Damaged, match=rf"'{OUTCOMES}' of run '{APPLYING}' cannot be read: .*tombstones/{PLANNED}/"):
            losses(run, scene.world.store)

    @pytest.mark.parametrize("mode", Mode)
    def test_a_run_that_did_nothing(self, scene: Scene, mode: Mode) -> None:
        assert losses(scene.record(mode=mode, status=RunStatus.REFUSED), scene.world.store) == []


class TestUnderWay:
    """A run that has not ended: nobody can wait for its end who fears that it does wrong."""

    def test_what_it_has_done_and_what_it_is_at(self, scene: Scene) -> None:
        carry(scene.world, scene.model, scene.plan, only=(scene.group,))
        scene.begin(1)

        group, disk = losses(scene.record(status=RunStatus.RUNNING), scene.world.store)

        assert (group.outcome, group.kept) == (Result.DELETED, True)
        assert (disk.resource_id, disk.rule, disk.outcome) == (scene.disk, "unattached-disk", None)
        assert (disk.tombstone, disk.kept) == (SECOND, False)

    def test_what_another_run_has_begun_is_not_its(self, scene: Scene) -> None:
        scene.begin(0)

        assert losses(scene.record(id=PLANNED, status=RunStatus.RUNNING), scene.world.store) == []

    def test_an_ended_run_is_told_by_its_outcomes_alone(self, scene: Scene) -> None:
        scene.begin(0)

        assert losses(scene.record(status=RunStatus.REFUSED), scene.world.store) == []


class TestFollowed:
    def test_what_an_earlier_run_began(self, scene: Scene) -> None:
        """The run that saw the end names it too, and who began it."""
        scene.model.endings[scene.disk.casefold()] = Ending(looks=10_000)
        carried = scene.applied()
        assert {loss.item: loss.outcome for loss in losses(carried, scene.world.store)}[1] is Result.DELETING
        scene.model.vanish(scene.disk)
        scene.world.pass_time(days=1)
        later = clean(scene.world, scene.model)
        assert FOLLOWED in later.outputs

        [loss] = losses(later, scene.world.store)

        assert (loss.resource_id, loss.outcome, loss.begun_by) == (scene.disk, Result.DELETED, APPLYING)
        assert (loss.tombstone, loss.kept, loss.because) == (SECOND, True, "nobody needs it")


def test_a_run_that_changed_tags_has_deleted_nothing(scene: Scene) -> None:
    """Its outcomes are changes."""
    run = scene.applied()
    key = f"runs/{APPLYING}/{OUTCOMES}"
    lines = [msgspec.json.decode(line) | {"action": "change-tags"} for line in scene.world.store.lines(key)]
    scene.world.store.write(key, b"".join(msgspec.json.encode(line) + b"\n" for line in lines))

    assert losses(run, scene.world.store) == []
