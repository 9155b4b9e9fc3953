"""The page about the rules of cleanup, from their code: `python -m devkit.cleanup_page > docs/cleanup-rules.md`."""

from collections.abc import Iterator
from datetime import timedelta

import msgspec

from devkit.key_table import table, without
from shared_code.cleanup_rules import RULES, Rule
from shared_code.cleanup_settings import RuleSettings
from shared_code.jobs.cleanup import APART
from shared_code.meaning import meanings_of
from shared_code.protection import MARKS, SYSTEM_GROUPS

HEAD = """\
# The rules of cleanup

A rule is on where `steward.toml` has a table for it, `[jobs.cleanup.rules.NAME]`, which may be empty: what is not said
there is the rule's own. What a rule finds is looked at one by one, with everything around it, and decided:

| Decision | Meaning |
|---|---|
| `unread` | something around it could not be read, or it is beyond the first 10,000 found there, so it stays |
| `kept` | something protects it, or a closer look does not bear out what a list said |
| `snoozed` | somebody asked that this rule leave it alone, until a time |
| `reported` | its rule only tells, or something has to be mended first, such as a date that is none |
| `waiting` | it is too young, has not been so for long enough, or was seen in too few runs |
| `planned` | it is in the plan, and is deleted when the plan is applied and nothing has changed by then |

The first of these that applies counts. Each comes with its reasons, in `decisions.ndjson`, `decisions.csv` and
`report.html` of the run.

This page is printed by the code, `python -m devkit.cleanup_page`; the tests compare the two.

## Settings of every rule

Runs that follow each other quickly are one observation: a sighting counts if it comes {apart:g} hours or more after the
last one that did.
"""

ALL = """\
## All of them

`report` and `notify` only tell, `approve` plans for a person, `automatic` lets the timer delete where the job's mode
is `apply`, and no rule does so unless `steward.toml` says it. "Made anew" says whether it could be made just as it was.
"""

PROTECTED = """\
## What no rule touches

Whatever a rule finds, it is kept with a lock on it, above it or below it; with a tag of `protected_tags` on it, on its
resource group or subscription, or on anything in it; with a name that `protected_names` has, or in a group that
`protected_resource_groups` has; where something manages it, a deny assignment covers it, or it is being changed; and in
Steward's own resource group. So is what is in the groups that Azure makes for itself:
"""

MARKED = """\
And what services mark as theirs, by the key of a tag or by a name:
"""


def page() -> str:
    """Return the whole page."""
    common = [
        (f"`{key}`", meaning.text, f"{meaning.without}, below") for key, meaning in meanings_of(RuleSettings).items()
    ]
    facts = [rule.facts for rule in RULES.values()]
    overview = [
        (
            f"[{each['name']}](#{each['name']})",
            each["about"],
            f"`{each['mode']}`",
            each["minimum_age"],
            each["minimum_observations"],
            each["recreatable"],
        )
        for each in facts
    ]
    names: dict[str, list[str]] = {}
    for pattern, owner in MARKS.items():
        names.setdefault(owner, []).append(f"`{pattern}`")
    return "\n".join(
        [
            HEAD.format(apart=APART / timedelta(hours=1)),
            *table(("Key", "Meaning", "Without it"), common),
            "",
            ALL,
            *table(("Rule", "About", "Mode", "Minimum age", "Observations", "Made anew"), overview),
            "",
            *(line for rule in RULES.values() for line in _section(rule)),
            PROTECTED,
            *table(("Resource group", "Why"), ((f"`{name}`", reason) for name, reason in SYSTEM_GROUPS.items())),
            "",
            MARKED,
            *table(("Whose", "Tags and names"), ((owner, ", ".join(found)) for owner, found in names.items())),
            "",
        ]
    )


def _section(rule: Rule) -> Iterator[str]:
    facts = rule.facts
    yield from (f"## {facts['name']}", "", facts["finds"], "")
    if rule.needs_activity:
        yield from ("It needs the activity log, by `STEWARD_LOGS_WORKSPACE_ID`; without it, it finds nothing.", "")
    known, meanings = meanings_of(RuleSettings), meanings_of(rule.settings)
    own = [field for field in msgspec.structs.fields(rule.settings) if field.name not in known]
    if own:
        rows = [(f"`{each.name}`", meanings[each.name].text, without(rule.settings, each)) for each in own]
        yield from (*table(("Key of its own", "Meaning", "Without it"), rows), "")


if __name__ == "__main__":
    print(page(), end="")
