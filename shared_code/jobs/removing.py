"""Removing: what deleting needs of a run, and what it leaves for the next one."""

from shared_code.acting import Done, Hand
from shared_code.activity import LONGEST_SPAN, Evidence
from shared_code.cleanup_rules import RULES
from shared_code.deletion import Removal, remove
from shared_code.model import Subscription
from shared_code.outcomes import Result
from shared_code.pending_deletions import Pending, PendingDeletions
from shared_code.plan import PlanItem
from shared_code.protection import Policy
from shared_code.resource_ids import group_name
from shared_code.settings import Cleanup, Configuration
from shared_code.snoozes import Snoozes
from shared_code.subscription_cleanup import On
from shared_code.surroundings import GuardReader, by_key
from shared_code.survey import in_scope
from shared_code.tombstones import Tombstones
from shared_code.work import Work


def rules_of(settings: Cleanup) -> On:
    """Return the rules that are on."""
    return {name: (RULES[name], own) for name, own in settings.rules.on.items()}


def policy_of(configuration: Configuration, settings: Cleanup) -> Policy:
    """Return what is protected."""
    return Policy(
        protected_resource_groups=settings.protected_resource_groups,
        protected_names=settings.protected_names,
        protected_tags=settings.protected_tags,
        own_resource_group=configuration.own_resource_group,
    )


def removal_of(work: Work, settings: Cleanup) -> Removal:
    """Return what deleting needs.

    Raises:
        AzureError: nobody knows what is in scope now.
        EmptyScope: nothing is.
    """
    scope = work.configuration.scope

    def includes(resource_id: str, type_: str) -> bool:
        name = group_name(resource_id)
        return name is not None and scope.includes_group(name) and scope.includes_type(type_)

    def evidence(subscription: Subscription) -> Evidence:
        # Asked anew for each thing: whoever wrote to it since the last one counts.
        now = work.clock()
        return work.activity.writers([subscription.id], now - LONGEST_SPAN, now)

    return Removal(
        run=work.run.id,
        remover=work.remover,
        guards=GuardReader(work.remover, work.clock),
        rules=rules_of(settings),
        policy=policy_of(work.configuration, settings),
        snoozes=Snoozes(work.store),
        tombstones=Tombstones(work.store),
        subscriptions=by_key(in_scope(work)),
        evidence=evidence,
        clock=work.clock,
        includes=includes,
    )


def delete(item: PlanItem, hand: Hand, removal: Removal, pending: PendingDeletions) -> Done:
    """Delete what an item names; what Azure is still at is noted for the next run, before the item ends."""
    done = remove(item, hand, removal)
    if done.result is Result.DELETING:
        pending.add(
            Pending(
                plan=hand.plan,
                item=hand.number,
                run=removal.run,
                resource_id=item.resource_id,
                subscription_id=item.subscription_id,
                rule=item.rule,
                since=removal.clock(),
                tombstone=done.tombstone,
            )
        )
    elif hand.begun_with is not None:
        # An earlier attempt may have noted it; its end is told here, and by nobody else.
        pending.forget(hand.plan, hand.number)
    return done
