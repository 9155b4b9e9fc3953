"""The cleanup of one subscription by itself: several look at a time, and one tells."""

import threading
from typing import Any

from shared_code.cleanup_rules import RULES
from shared_code.cleanup_settings import RuleSettings
from shared_code.eligibility import Decided
from shared_code.model import Finding, Reading
from shared_code.proposals import Proposals
from shared_code.protection import Policy
from shared_code.resource_ids import key
from shared_code.scope import Scope
from shared_code.subscription_cleanup import Cleaner, SubscriptionCleanup
from tests.azure_model import AzureModel, ModelEstate
from tests.cleaning import ONE
from tests.fakes import NOW, NoActivity

RULE = "unattached-disk"


def cleaner_for(model: AzureModel, **more: Any) -> Cleaner:
    """What cleans up disks, and nothing else."""
    return Cleaner(
        rules={RULE: (RULES[RULE], RuleSettings())},
        policy=Policy(),
        scope=Scope(),
        remover=model,
        activity=NoActivity(),
        proposals=Proposals(model, [RULES[RULE]], [model.subs[ONE]]),
        deleting=frozenset(),
        snoozes={},
        now=NOW,
        **more,
    )


def test_findings_are_told_by_one_thread_and_in_order() -> None:
    """What takes them sorts and spills as they come, and is for one thread."""
    model = AzureModel(lambda: NOW, 1)
    group = model.new_group()
    own = [model.put(group, "disk", f"disk-{number:03}") for number in range(120)]
    told: list[tuple[int, Finding]] = []
    cleaner = cleaner_for(model)

    cleanup = SubscriptionCleanup(cleaner, model.subs[ONE], lambda each: told.append((threading.get_ident(), each)))
    found = cleanup.run(ModelEstate(model), lambda: None)

    assert found.reading is Reading.COMPLETE
    assert [each.resource_id for _, each in told] == own
    assert {thread for thread, _ in told} == {threading.get_ident()}


def test_so_many_candidates_that_a_run_would_not_end() -> None:
    """The first by id are looked at; every other is kept, is told of, and has not healed."""
    model = AzureModel(lambda: NOW, 1)
    group = model.new_group()
    own = [model.put(group, "disk", f"disk-{number}") for number in range(5)]
    told: list[Finding] = []
    cleanup = SubscriptionCleanup(cleaner_for(model, most=3), model.subs[ONE], told.append)

    found = cleanup.run(ModelEstate(model), lambda: None)

    reason = "a run looks at the first 3 candidates of a subscription, and there are 5; narrow the scope or the rules"
    assert found.reading is Reading.COMPLETE
    assert [each.resource_id for each in told] == own[:3]
    assert [(each.resource_id, each.decision, each.reasons) for each in cleanup.kept] == [
        (each, Decided.UNREAD, (reason,)) for each in own[3:]
    ]
    assert cleanup.unlooked == {(key(each), RULE) for each in own[3:]}
