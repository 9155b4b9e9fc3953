"""All keys and app settings, from their types: `python -m devkit.configuration_page > docs/configuration.md`.

What a key means is said at its type, and the values that it takes are those of the JSON Schema.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from devkit.key_table import table, without
from shared_code.cleanup_rules import RULES
from shared_code.cleanup_settings import CleanupRules, RuleSettings
from shared_code.environment import SETTINGS
from shared_code.exemptions import Exemption
from shared_code.meaning import meanings_of
from shared_code.notices.settings import Notices
from shared_code.scope import Scope
from shared_code.settings import JOBS, AnyJob, Cleanup, TagAudit
from shared_code.settings_schema import schema
from shared_code.tag_rules import AppliesTo, TagRule

HEADER = ("Key", "Meaning", "Value", "Without it")


class Part(NamedTuple):
    """A part of the page about one table: its heading, and what is said first."""

    level: int
    heading: str
    kind: type[msgspec.Struct]
    text: str


HEAD = """\
# Configuration

What Steward looks after, and when, is in `steward.toml`; where it works and what it is connected to is in
[app settings](#app-settings). `steward check` tells every problem of both at once, each with its place. Editors check
`steward.toml` by [steward.schema.json](steward.schema.json), which has the same texts.
"""

CONVENTIONS = """\
What holds everywhere:

- `%NAME%` in a text of a list is replaced by the app setting `NAME`, as it is in `schedule` and `timezone`. In
  `allowed` and `aliases` of a rule `%` is a character, since tags have it.
- A glob is compared without case, with the whole name or id: `*` is any text, `?` one character, `[ab]` one of those,
  and `[[]` a bracket.
- Where a table includes and excludes, excluding wins.

This page is printed by the code, `python -m devkit.configuration_page`; the tests compare the two.
"""

SCOPE = """\
What all jobs look at. A scope is what all of its keys leave: a subscription under a named management group that
`subscriptions` does not match is out. A scope that leaves nothing is an error, never a run that finds nothing. A
subscription that was in scope at the last run and is no longer listed is `not visible`, and the run `partial`, until it
is listed again or named in `exclude_subscriptions`.
"""

EVERY_JOB = f"""\
The keys of every job: {", ".join(f"`{name}`" for name in JOBS)}. [schedules.md](schedules.md)
says what a schedule means, and where Azure's NCRONTAB surprises.
"""

JOB_TEXTS: dict[type[msgspec.Struct], str] = {
    TagAudit: "Judges tags, and mends them by plan. It needs a rule.\n",
    Cleanup: "Finds what nobody needs, and deletes it by plan. It needs a rule.\n",
}
"""What is said first of the jobs that have more to say than their keys."""

RULE = """\
As often as there are rules. Each checks something, and all but `max_tags` is about `tag`.
"""

APPLIES_TO = """\
What a rule is about: every key that includes has to match, and none that excludes.
"""

EXEMPTION = """\
Where rules need not be kept: at `scope` and everything below it. One that has ended, and is still needed, is a
finding.
"""

CLEANUP_RULES = f"""\
A rule is on where it has a table, which may be empty. [cleanup-rules.md](cleanup-rules.md) says of each of the
{len(RULES)} what it finds, and what holds where nothing is said.
"""

NOTICES = """\
Who is told what happened, by [apprise](https://appriseit.com/services/); without it nobody is. A problem here costs
notices, and no run. Operators are told of everything new that an audit or a cleanup finds, whatever the `mode` of its
rule; owners of what is theirs and found by a rule whose `mode` is not `report`. Digests need all of `owner_url`,
`owner_domains` and `fallback`. [send-notices](../runbooks/send-notices.md) sets it up.
"""

APP_SETTINGS = """\
## App settings

In Azure they are the app's settings, for `func start` values of `local.settings.json`
([an example](../local.settings.example.json) has all of them), and for a terminal its environment. Those that
`steward.toml` names as `%NAME%` come on top.
"""


def parts() -> list[Part]:
    """Return the parts about tables, in the order of the page."""
    jobs = {kind: Part(2, f"`[jobs.{name}]`", kind, JOB_TEXTS.get(kind, "")) for name, kind in JOBS.items()}
    below: dict[type[msgspec.Struct], list[Part]] = {
        TagAudit: [
            Part(3, "`[[jobs.tag-audit.rules]]`", TagRule, RULE),
            Part(3, "`applies_to` of a rule", AppliesTo, APPLIES_TO),
            Part(3, "`[[jobs.tag-audit.exemptions]]`", Exemption, EXEMPTION),
        ],
        Cleanup: [Part(3, "`[jobs.cleanup.rules.NAME]`", CleanupRules, CLEANUP_RULES)],
    }
    return [
        Part(2, "`[scope]`", Scope, SCOPE),
        Part(2, "`[jobs.NAME]`", AnyJob, EVERY_JOB),
        *(part for kind, job in jobs.items() for part in (job, *below.get(kind, ()))),
        Part(2, "`[notices]`", Notices, NOTICES),
    ]


def page() -> str:
    """Return the whole page."""
    content = [f"{'  ' * (each.level - 2)}- [{each.heading}](#{slug(each.heading)})" for each in parts()]
    settings = [(f"`{each.name}`", each.meaning, each.default) for each in SETTINGS]
    return "\n".join(
        [
            HEAD,
            *content,
            "- [App settings](#app-settings)",
            "",
            CONVENTIONS,
            *(line for part in parts() for line in _lines(part)),
            APP_SETTINGS,
            *table(("Setting", "Meaning", "Without it"), settings),
            "",
        ]
    )


def slug(heading: str) -> str:
    """Return the anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _lines(part: Part) -> Iterator[str]:
    yield from (f"{'#' * part.level} {part.heading}", "")
    if part.text:
        yield part.text
    if part.kind is CleanupRules:
        yield from (*table(("Rules", *HEADER), _rows_of_rules()), "")
        return
    inherited = AnyJob.__struct_fields__ if part.kind is not AnyJob and issubclass(part.kind, AnyJob) else ()
    if rows := list(_rows(part.kind, inherited)):
        yield from (*table(HEADER, rows), "")
    else:
        yield from (f"It has the keys of [every job](#{slug('`[jobs.NAME]`')}), and none of its own.", "")


def _rows(kind: type[msgspec.Struct], known: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Give a row for each key that is not known already."""
    described = next(iter(JOBS.values())) if kind is AnyJob else kind  # the schema has no table for every job
    properties = schema()["$defs"][described.__name__]["properties"]
    meanings = meanings_of(kind)
    for field in msgspec.structs.fields(kind):
        if field.name not in known:
            key = field.encode_name
            yield f"`{key}`", meanings[key].text, value_of(properties[key]), without(kind, field)


def _rows_of_rules() -> Iterator[tuple[str, ...]]:
    yield from (("all", *row) for row in _rows(RuleSettings, ()))
    for kind in dict.fromkeys(rule.settings for rule in RULES.values()):
        names = ", ".join(f"[{name}](cleanup-rules.md#{name})" for name, rule in RULES.items() if rule.settings is kind)
        yield from ((names, *row) for row in _rows(kind, RuleSettings.__struct_fields__))


def value_of(described: dict[str, Any]) -> str:
    """Return in words what the JSON Schema says of a value.

    Raises:
        KeyError: it says something for which there are no words; a pattern needs a `title`.
    """
    if name := described.get("$ref"):
        return _reference(name.rpartition("/")[2])
    bounds = {key: described[key] for key in _BOUNDS if key in described}
    match described["type"]:
        case "boolean":
            return "`true` or `false`"
        case "integer":
            return f"a whole number from {bounds['minimum']} to {bounds['maximum']}"
        case "number":
            return f"a number over {bounds['exclusiveMinimum']} and at most {bounds['maximum']}"
        case "array":
            some = " of one or more" if bounds.get("minItems") else ""
            return f"a list{some}, each {value_of(described['items'])}"
        case "object":
            return f"a table, each value {value_of(described['additionalProperties'])}"
    return _text(described)


_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "minItems", "minLength", "maxLength")


def _reference(name: str) -> str:
    target = schema()["$defs"][name]
    if "enum" in target:
        return _one_of([f'`"{word}"`' for word in target["enum"]])
    heading = next(each.heading for each in parts() if each.kind.__name__ == name)
    return f"a table, [below](#{slug(heading)})"


def _text(described: dict[str, Any]) -> str:
    if described.get("format") == "date":
        return "a date without quotes, such as `2027-03-31`"
    if "pattern" in described or "title" in described:
        examples = [f'`"{each}"`' for each in described.get("examples", ())]
        return str(described["title"]) + (f", such as {_one_of(examples)}" if examples else "")
    least, most = described.get("minLength", 0), described.get("maxLength")
    if most is None:
        return "a text, not blank" if least else "a text"
    return f"a text of {least} to {most} characters" if least else f"a text of at most {most} characters"


def _one_of(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


if __name__ == "__main__":
    print(page(), end="")
