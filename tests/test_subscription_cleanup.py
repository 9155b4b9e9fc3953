"""The cleanup of one subscription by itself: several look at a time, and one tells."""

import threading

from shared_code.cleanup_rules import RULES
from shared_code.cleanup_settings import RuleSettings
from shared_code.model import Finding, Reading
from shared_code.proposals import Proposals
from shared_code.protection import Policy
from shared_code.scope import Scope
from shared_code.subscription_cleanup import Cleaner, SubscriptionCleanup
from tests.azure_model import AzureModel, ModelEstate
from tests.cleaning import ONE
from tests.fakes import NOW, NoActivity

RULE = "unattached-disk"


def test_findings_are_told_by_one_thread_and_in_order() -> None:
    """What takes them sorts and spills as they come, and is for one thread."""
    model = AzureModel(lambda: NOW, 1)
    group = model.new_group()
    own = [model.put(group, "disk", f"disk-{number:03}") for number in range(120)]
    told: list[tuple[int, Finding]] = []
    cleaner = Cleaner(
        rules={RULE: (RULES[RULE], RuleSettings())},
        policy=Policy(),
        scope=Scope(),
        remover=model,
        activity=NoActivity(),
        proposals=Proposals(model, [RULES[RULE]], [model.subs[ONE]]),
        deleting=frozenset(),
        snoozes={},
        now=NOW,
    )

    cleanup = SubscriptionCleanup(cleaner, model.subs[ONE], lambda each: told.append((threading.get_ident(), each)))
    found = cleanup.run(ModelEstate(model), lambda: None)

    assert found.reading is Reading.COMPLETE
    assert [each.resource_id for _, each in told] == own
    assert {thread for thread, _ in told} == {threading.get_ident()}
