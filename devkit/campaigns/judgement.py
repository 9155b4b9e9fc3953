"""Whether a run has kept what Steward promises: judged by what Azure was asked for, and not by what Steward says."""

from collections import Counter
from collections.abc import Iterable, Iterator

from devkit.campaigns.azure import Asked
from devkit.campaigns.scenes import CHANGE, CLEANUP, DELETE, Json, Left, Scene, things
from devkit.simulator import Estate
from shared_code.outputs import DECISIONS, FINDINGS, OUTCOMES, RESOURCE_GROUPS
from shared_code.plan import Plan
from shared_code.resource_ids import key
from shared_code.runs import RunStatus

TAGS = "/providers/microsoft.resources/tags/default"
_LONGEST = 2000
_TECHNICAL = ("Traceback", "Unexpected ", "object at 0x", "urllib3", "HTTPSConnectionPool", "<class", "Errno")
"""What no reason for people has in it."""


def broken_promises(
    scene: Scene,
    left: Left,
    asked: list[Asked],
    after: Estate,
    *,
    lies: bool = False,
    changed: bool = False,
    crashed: bool = False,
) -> Iterator[str]:
    """Give each promise that a run has not kept, in a sentence.

    Args:
        scene: what was performed, and what it leaves where nothing is the matter.
        left: what the run has left.
        asked: all that came to Azure.
        after: what the estate is like now.
        lies: whether Azure has said that something is gone which is there.
        changed: whether others have changed the estate meanwhile.
        crashed: whether earlier attempts died, of which nobody knows all that they sent.
    """
    yield from _reasons(left)
    yield from _outcomes(left)
    yield from _writes(scene, asked)
    yield from _readings(scene, left, lies=lies)
    if changed and scene.name == DELETE:
        yield from _late(asked, after)
    if scene.name == CHANGE:
        if not changed:
            yield from _changes(scene, left, asked, after, crashed=crashed)
    elif scene.name == DELETE:
        yield from _deletions(scene, left, asked, after, lies=lies)
    elif not changed and things(after) != things(scene.estate):
        yield "a run that only plans has changed the estate"


def _reasons(left: Left) -> Iterator[str]:
    run = left.run
    told = [run.error, *(each.reason for each in run.subscriptions)]
    told += [each.get("reason") for each in left.lines.get(OUTCOMES, ())]
    if not run.status.ended:
        yield f"the run has not ended: {run.status}"
    if run.status is not RunStatus.SUCCEEDED and not run.error:
        yield f"the run is {run.status}, and nobody is told why"
    for text in filter(None, told):
        if "\n" in text or len(text) > _LONGEST or any(word in text for word in _TECHNICAL):
            yield f"a reason that is none for people: {text[:300]!r}"


def _outcomes(left: Left) -> Iterator[str]:
    """Each item of a plan has one outcome, and no more."""
    if OUTCOMES not in left.lines or not left.plan:
        return
    told = Counter(each["item"] for each in left.lines[OUTCOMES])
    for number in range(len(left.plan.items)):
        if told[number] != 1:
            yield f"item {number} of the plan has {told[number]} outcomes"


def _writes(scene: Scene, asked: list[Asked]) -> Iterator[str]:
    items = scene.left.plan.items if scene.left.plan else ()
    allowed: set[tuple[str, str]] = set()
    if scene.name == CHANGE:
        allowed = {("PATCH", key(item.resource_id) + TAGS) for item in items}
    elif scene.name == DELETE:
        allowed = {("DELETE", key(item.resource_id)) for item in items}
    for each in asked:
        if each.method not in ("GET", "HEAD", "POST") and (each.method, each.path.casefold()) not in allowed:
            yield f"{each.method} {each.path} is in no plan"
        if each.method == "POST" and each.name not in scene.calls:
            yield f"{each.method} {each.path} is not asked for where nothing is the matter"
    done = Counter(each.path.casefold() for each in asked if each.method == "DELETE" and each.done)
    for path, times in done.items():
        if times > 1:
            yield f"{path} was deleted {times} times"


def _readings(scene: Scene, left: Left, *, lies: bool) -> Iterator[str]:
    """What a verdict vouches for is what there is; what is planned is no more than would be planned otherwise."""
    verdicts = {each.subscription_id: each for each in left.run.subscriptions}
    healthy = {each.subscription_id: each for each in scene.left.run.subscriptions}
    if left.run.status is RunStatus.SUCCEEDED and set(verdicts) != set(healthy):
        yield "a run that succeeded has not all subscriptions"
    for own, verdict in verdicts.items():
        if verdict.reading != "complete":
            if left.run.status is RunStatus.SUCCEEDED:
                yield f"the run succeeded, and subscription {own} is {verdict.reading}"
            continue
        unread = {_named(each) for each in left.lines.get(DECISIONS, ()) if each["decision"] == "unread"}
        for name in (RESOURCE_GROUPS, FINDINGS):
            there = [each for each in scene.left.lines.get(name, ()) if _named(each) not in unread]
            # What Azure calls gone when it is looked at is found no more.
            if lies and scene.name == CLEANUP:
                continue
            if name in left.lines and _of(left.lines[name], own) != _of(there, own):
                yield f"subscription {own} is complete, and {name} is not what there is"
        if unread and left.run.status is RunStatus.SUCCEEDED:
            yield "the run succeeded, and something could not be looked at"
        if verdict.resource_groups != healthy[own].resource_groups or verdict.resources != healthy[own].resources:
            yield f"subscription {own} is complete, and its counts are not those of what there is"
    if scene.name not in (CHANGE, DELETE) and (more := _items(left.plan) - _items(scene.left.plan)):
        yield f"planned, and not planned where nothing is the matter: {min(more)}"


def _named(line: Json) -> tuple[str, str]:
    return str(line.get("rule")), str(line.get("resource_id") or line.get("id"))


def _of(lines: Iterable[Json], subscription: str) -> list[tuple[str, ...]]:
    """The lines about a subscription, as far as the same run would always write them."""
    mine = (each for each in lines if each.get("subscription_id") == subscription)
    return sorted((*_named(each), str(each.get("resources"))) for each in mine)


def _items(plan: Plan | None) -> set[tuple[str, str]]:
    return {(item.rule, key(item.resource_id)) for item in plan.items} if plan else set()


def _late(asked: list[Asked], after: Estate) -> Iterator[str]:
    """What was protected a moment ago is there, whatever lists say."""
    locked = [key(lock.scope) for held in after.subscriptions for lock in held.locks]
    for each in asked:
        own = each.path.casefold()
        if each.method == "DELETE" and each.done and any(f"{own}/".startswith(f"{scope}/") for scope in locked):
            yield f"{own} is locked, and was deleted"
    if not any(tags.get("keep") for tags in things(after).values()):
        yield "what has the tag keep was deleted"


def _changes(scene: Scene, left: Left, asked: list[Asked], after: Estate, *, crashed: bool) -> Iterator[str]:
    was, wanted, now = things(scene.estate), things(scene.after), things(after)
    outcomes = {key(each["resource_id"]): each for each in left.lines.get(OUTCOMES, ())}
    planned = {key(item.resource_id) for item in scene.left.plan.items} if scene.left.plan else set()
    for own, tags in now.items():
        if own not in planned and tags != was[own]:
            yield f"{own} is in no plan, and its tags have changed"
        if tags not in (was[own], wanted[own]):
            yield f"{own} has tags that nobody planned"
    sent = Counter(each.path.casefold().removesuffix(TAGS) for each in asked if each.method == "PATCH")
    for own in planned:
        told = outcomes.get(own)
        if told is None:
            if sent[own]:
                yield f"{own} was written to, and has no outcome"
            continue
        if told["outcome"] == "changed" and now[own] != wanted[own]:
            yield f"{own} is told to be changed, and is not"
        if told["outcome"] == "skipped" and now[own] != was[own]:
            yield f"{own} is told to be left alone, and has changed"
        if told["outcome"] != "changed" and not told.get("reason"):
            yield f"{own} is {told['outcome']}, and nobody is told why"
        if told["writes"] < sent[own] and not crashed:
            yield f"{own} was written to {sent[own]} times, and its outcome tells of {told['writes']}"


def _deletions(scene: Scene, left: Left, asked: list[Asked], after: Estate, *, lies: bool) -> Iterator[str]:
    was, now = set(things(scene.estate)), set(things(after))
    outcomes = {key(each["resource_id"]): each for each in left.lines.get(OUTCOMES, ())}
    planned = {key(item.resource_id) for item in scene.left.plan.items} if scene.left.plan else set()
    gone = {own for own in was - now if not any(own == each or own.startswith(f"{each}/") for each in planned)}
    for own in gone:
        yield f"{own} is in no plan, and is gone"
    done = {each.path.casefold() for each in asked if each.method == "DELETE" and each.done}
    sent = {each.path.casefold() for each in asked if each.method == "DELETE"}
    for own in planned:
        told = outcomes.get(own)
        if told is None:
            if own in sent:
                yield f"{own} was deleted, and has no outcome"
            continue
        if told["outcome"] == "deleted" and own in now and not lies:
            yield f"{own} is told to be deleted, and is there"
        if told["outcome"] == "skipped" and own in done:
            yield f"{own} is told to be left alone, and was deleted"
        if told["outcome"] != "deleted" and not told.get("reason"):
            yield f"{own} is {told['outcome']}, and nobody is told why"
        if own in sent and not told.get("tombstone"):
            yield f"{own} was deleted, and nothing was saved of it before"
