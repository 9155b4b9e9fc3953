"""The page about what comes of each kind of trouble at each call: docs/reliability.md."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from devkit.campaigns.faults import LAG, LISTS, Cell
from devkit.campaigns.scenes import AUDIT, CHANGE, CLEANUP, DELETE, LIST, UNDO
from devkit.campaigns.trouble import TROUBLES
from devkit.key_table import table

HEAD = """\
# What Steward does when Azure does not answer as it should

Every call to Azure of every job was met with every kind of trouble below, by the app's own client over TLS: once, at
the first, a middle and the last call of its kind, and for good from the first on. After each of these runs it was
checked, by what had arrived at Azure and what was left in the store, that

- the run ended, its lock was free, and a status other than `succeeded` came with a reason in one readable sentence;
- whatever the run called complete was what there is, and nothing was planned that a run without trouble does not plan;
- nothing was written that the plan did not name, nothing was deleted twice, and what is called `changed`, `deleted` or
  `skipped` is so; a definition was saved before each deletion;
- no secret and no traceback was in the log or the store.

This page is printed by the campaign, `python -m devkit.campaigns.faults > docs/reliability.md`, and a part of it is
compared by the tests; `./dev campaign faults` tries them in another order for each `--seed`.

A run that is `partial` vouches for the subscriptions it could read, and says which it could not. `failed` with one
reason means that nothing could be read. What could not be read is never deleted, and never counted as healed. Where a
plan is applied, what some of its six items came to is said in parentheses, if they were not changed or deleted as they
otherwise are: `skipped` items were left alone, for `deleting` and `failed` ones their outcome says why. Nothing comes
of trouble that is over when it is asked again: these are the rows with `succeeded`.
"""
ABOUT = {
    LIST: "Two subscriptions under a management group are listed.",
    AUDIT: "The same two are audited; the activity log in Log Analytics suggests owners.",
    CLEANUP: "Six things are looked for, found and looked at one by one, with everything around them; a plan is made.",
    CHANGE: "A plan of six changes of tags is applied.",
    DELETE: "A plan is applied: two resource groups, two disks and two App Service plans.",
    UNDO: "What was applied is planned to be given back.",
}
KINDS = """\
## The kinds of trouble
"""
NOT_TRIED = """\
Time-outs of Log Analytics and answers that arrive byte by byte from it, or from the identity endpoint, are not tried:
they take the minutes that these clients wait. The watchdog asks Azure only for the app's own requests, as its second
witness. What fails there is said in the finding.
"""


def page(outcomes: Mapping[Cell, str]) -> str:
    """Return the whole page.

    Args:
        outcomes: what has come of each trial in which the trouble has met a call.
    """
    lines = [HEAD]
    for scene, about in ABOUT.items():
        mine = {cell: outcome for cell, outcome in outcomes.items() if cell.scene == scene}
        lines += [f"## {title_of(scene)}", "", about, ""]
        lines += [*table(("Call", "Once", "For good", "Trouble"), _rows(mine)), ""]
    kinds = [(each.name, each.arrives) for each in TROUBLES.values()]
    kinds.append((LAG, "lists that do not show yet what has just been protected"))
    return "\n".join([*lines, KINDS, *table(("Name", "What arrives"), kinds), "", NOT_TRIED])


def title_of(scene: str) -> str:
    """Return the heading of what is performed; the names of jobs are spelled as they are."""
    return f"`{scene}`" if scene in (LIST, AUDIT, CLEANUP) else f"{scene[0].upper()}{scene[1:]}"


def of_call(outcomes: Mapping[Cell, str]) -> dict[str, tuple[str, str]]:
    """Return for each trouble what comes of it once and for good, of the outcomes of one call."""
    once: defaultdict[str, set[str]] = defaultdict(set)
    lasting: defaultdict[str, set[str]] = defaultdict(set)
    for cell, outcome in outcomes.items():
        (lasting if cell.lasts else once)[cell.trouble].add(outcome)
    names = [name for name in (*TROUBLES, LAG) if name in once or name in lasting]
    return {name: (_either(once[name]), _either(lasting[name])) for name in names}


def _rows(outcomes: Mapping[Cell, str]) -> Iterator[tuple[str, ...]]:
    """One row for each call and each pair of outcomes, the best ones first."""
    calls = dict.fromkeys(cell.call for cell in outcomes)
    for call in sorted(calls, key=lambda each: (each == LISTS, each.partition(" ")[2], each)):
        found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        mine = {cell: outcome for cell, outcome in outcomes.items() if cell.call == call}
        for name, pair in of_call(mine).items():
            found[pair].append(name)
        shown = f"`{call}`" if call != LISTS else call
        for pair in sorted(found, key=lambda each: (-len(found[each]), each)):
            yield shown, *pair, ", ".join(found[pair])
            shown = ""


def _either(outcomes: set[str]) -> str:
    return " or ".join(sorted(outcomes))
