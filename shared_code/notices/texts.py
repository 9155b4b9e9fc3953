"""What notices say: plain text, our own words, and foreign text only as `plain` leaves it.

What is told first is what matters most, since a service may cut what is too long for it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from heapq import nsmallest

from shared_code.model import Severity
from shared_code.notices.foreign import plain
from shared_code.notices.incidents import Incident
from shared_code.notices.notice import Text
from shared_code.notices.things import Stage, Thing
from shared_code.outcomes import Result
from shared_code.plan import LIFETIME
from shared_code.resource_ids import group_name, is_group, key, type_and_name
from shared_code.runbooks import FAILED, MISSED
from shared_code.runs import Run
from shared_code.tag_rules import RuleMode
from shared_code.times import text_of

SHOWN = 30
"""Things named in a notice; the rest is counted, and the run has them all."""
RULES = 20
"""Rules named in a summary."""
LONGEST = 16_000
"""Characters of a notice; a Teams card takes 28 kB in all."""

_HOUR = timedelta(hours=1)
_SEVERITIES = tuple(reversed(Severity))


def summary(run: Run, new: Counter[tuple[str, str]], planned: Counter[str], first: Sequence[Thing]) -> Text:
    """Tell operators what a run has found and planned that they do not know yet.

    Args:
        run: that has ended.
        new: how many things were not told before, by rule and severity ("" where it has none).
        planned: how many of a plan's items were not, by rule.
        first: some of them.
    """
    found, plans = new.total(), planned.total()
    kind = "deletion" if run.job == "cleanup" else "change"
    said = [f"found {_number(found, 'new thing')}"] if found else []
    said += [f"planned {_number(plans, kind)}"] if plans else []
    lines = [f"{run.job} has {' and '.join(said)} that you were not told of before.", _pointer(run), ""]
    if new:
        lines += ["New, by rule:", *_ranked({_rule(*name): number for name, number in new.items()}), ""]
    if planned:
        lines += [
            "Planned, by rule:",
            *_ranked({plain(name, 80): number for name, number in planned.items()}),
            *([f"A plan can be applied for {LIFETIME // _HOUR} hours: steward plan {run.plan}"] if run.plan else []),
            "",
        ]
    lines += ["Among them:", *(_line(each, names_of(run)) for each in first), ""] if first else []
    return _text(f"{run.job} has {' and '.join(said)}", lines)


def names_of(run: Run) -> dict[str, str]:
    """Return the names of the subscriptions that a run has looked at, by the key of the id."""
    return {key(each.subscription_id): each.subscription_name for each in run.subscriptions}


def failures(incidents: Sequence[Incident]) -> Text:
    """Tell operators of runs that ended badly."""
    if len(incidents) == 1:
        subject = f"a run of {incidents[0].job} has not ended well"
    else:
        subject = f"{len(incidents)} runs have not ended well"
    lines = []
    for each in incidents:
        said = each.name.removeprefix(f"{each.job} ") if each.name != each.run else "not ended well"
        lines += [f"{each.job}: {said}, at {text_of(each.since)}: {plain(each.sentence, 1000)}"]
        lines += [f"  steward show {each.run}", ""]
    return _text(
        subject, [*lines, f"What to do: {FAILED}", "The same again is not told until a run of the job succeeds."]
    )


def missed_runs(incidents: Sequence[Incident]) -> Text:
    """Tell operators of runs that did not happen, and of those that are missed no more."""
    late = [each for each in incidents if each.over is None]
    over = [each for each in incidents if each.over is not None]
    words = [f"{', '.join(each.job for each in late)}: a run was missed"] if late else []
    words += [f"{', '.join(each.job for each in over)}: no run is missed any more"] if over else []
    lines = [f"{plain(each.sentence, 1000)}. What to do: {MISSED}" for each in late]
    lines += [
        f"{each.job}: no run is missed any more, as seen at {text_of(each.over or each.since)}; it was since"
        f" {text_of(each.since)}."
        for each in over
    ]
    return _text("; ".join(words), lines)


def digest(
    run: Run, things: Sequence[Thing], names: Mapping[str, str], *, owner: bool, tag: str, keep: str | None
) -> Text:
    """Tell an owner, or the fallback, what is new about their things.

    Args:
        run: that has found it.
        things: all of them, in any order.
        names: of subscriptions, by the key of the id.
        owner: whether it goes to the owner; else there is none who may be told.
        tag: that names owners.
        keep: the tag that keeps a thing from cleanup; None for an audit.
    """
    number = _number(len(things), "thing")
    if owner:
        subject = f"{number} of yours to look at, from {run.job}"
        lines = [f"You are the owner of {number} that {run.job} has something to say about: you are in the tag"]
        lines += [f"'{plain(tag, 80)}', there or on the resource group.", _pointer(run), ""]
    else:
        subject = f"{number} without an owner to tell, from {run.job}"
        lines = [
            f"{run.job} has something to say about {number} whose owner cannot be told: the tag '{plain(tag, 80)}'"
        ]
        lines += ["is not there, or is not one mail address in a domain that may be told.", _pointer(run), ""]
    shown = nsmallest(SHOWN, things, key=_urgency)
    heading = ""
    for each in shown:
        said = _heading(each)
        if said != heading:
            lines += [*([""] if heading else []), f"{said}:"]
            heading = said
        lines.append(_line(each, names))
    if len(things) > len(shown):
        lines.append(f"and {len(things) - len(shown):,} more, which are in the report of the run.")
    lines.append("")
    if keep:
        lines += [f"To keep a thing, give it the tag '{plain(keep, 80)}', with any value but false.", ""]
    return _text(subject, lines)


def _urgency(thing: Thing) -> tuple[int, str, int, str]:
    severity = _SEVERITIES.index(thing.severity) if thing.severity else len(_SEVERITIES)
    due = text_of(thing.due) if thing.due else ""
    return _place(thing), due, severity, thing.resource_id


def _place(thing: Thing) -> int:
    if thing.outcome in (Result.DELETED, Result.DELETING, Result.CHANGED):
        return 0
    return 1 if thing.stage is Stage.PLANNED else 2 if thing.waits else 3


def _heading(thing: Thing) -> str:
    if thing.outcome in (Result.DELETED, Result.DELETING, Result.CHANGED):
        return f"What is {thing.outcome} now"
    if thing.stage is Stage.PLANNED:
        what = "to be deleted" if thing.deletes else "to be changed"
        how = "by the timer" if thing.mode is RuleMode.AUTOMATIC else "once a person approves"
        return f"What is planned {what} {how}"
    return "What will be planned to be deleted" if thing.waits else "What a rule has found"


def _line(thing: Thing, names: Mapping[str, str]) -> str:
    due = f", from {text_of(thing.due)}" if thing.waits and thing.due else ""
    detail = f": {plain(thing.detail, 160)}" if thing.detail else ""
    advice = f" ({plain(thing.advice, 120)})" if thing.advice else ""
    return f"- {_named(thing, names)}{due}; rule {plain(thing.rule, 80)}{detail}{advice}"


def _named(thing: Thing, names: Mapping[str, str]) -> str:
    """Name a thing for people: what it is called, its type, its group, its subscription."""
    named, group = type_and_name(thing.resource_id), group_name(thing.resource_id)
    within = names.get(key(thing.subscription_id or ""), "")
    where = f" of {plain(within, 80)}" if within else ""
    if group is not None and is_group(thing.resource_id):
        return f"resource group {plain(group, 100)}{where}"
    if named is None:
        return f"{plain(thing.resource_id, 200)}{where}"
    kind = named[0].partition("/")[2]
    return f"{plain(named[1], 100)} ({plain(kind, 80)}){f' in {plain(group, 100)}' if group else ''}{where}"


def _rule(name: str, severity: str) -> str:
    return f"{plain(name, 80)} ({severity})" if severity else plain(name, 80)


def _ranked(numbers: dict[str, int]) -> Iterable[str]:
    ranked = sorted(numbers.items(), key=lambda each: (-each[1], each[0]))
    yield from (f"- {name}: {number:,}" for name, number in ranked[:RULES])
    if len(ranked) > RULES:
        yield f"- and {len(ranked) - RULES:,} more rules"


def _pointer(run: Run) -> str:
    return f"All of it: steward show {run.id}, or GET /api/runs/{run.id}/report"


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _text(subject: str, lines: Iterable[str]) -> Text:
    body = "\n".join(lines).rstrip("\n") + "\n"
    cut = "\n… the rest is in the report of the run.\n"
    return Text(f"Steward: {subject}", body if len(body) <= LONGEST else body[: LONGEST - len(cut)] + cut)
