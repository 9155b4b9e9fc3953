"""Tag rules as operators write them: `[[jobs.tag-audit.rules]]` of steward.toml."""

from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec

from shared_code.meaning import says
from shared_code.model import Kind, Severity
from shared_code.scope import Glob, Globs
from shared_code.tag_formats import Format
from shared_code.tag_keys import LONGEST_KEY, LONGEST_VALUE, MOST_TAGS

_EVERYTHING = ("*",)
LONGEST_PATTERN = 1000
"""Characters of a pattern; what people write by hand is far shorter."""
LONGEST_MESSAGE = 1000
NAME = "[a-z0-9]+(-[a-z0-9]+)*"
"""What the name of a rule consists of; as everything about rules, `rule_problems` checks it."""
LONGEST_NAME = 80


class RuleMode(StrEnum):
    """What may come of what a rule finds; each includes what stands before it."""

    REPORT = "report"
    """It stands in the report."""
    NOTIFY = "notify"
    """Its owner is told too."""
    APPROVE = "approve"
    """The run plans the change; a person applies it."""
    AUTOMATIC = "automatic"
    """The timer may apply it, when the job's mode is apply."""

    @property
    def changes(self) -> bool:
        """Whether a plan holds the changes of such a rule."""
        return self in (RuleMode.APPROVE, RuleMode.AUTOMATIC)


class Parent(StrEnum):
    """What a tag can be inherited from."""

    RESOURCE_GROUP = "resource-group"
    """The resource group that a resource is in."""
    SUBSCRIPTION = "subscription"
    """The subscription that it is in."""


type Key = Annotated[str, msgspec.Meta(extra_json_schema={"minLength": 1, "maxLength": LONGEST_KEY})]
type Value = Annotated[str, msgspec.Meta(extra_json_schema={"maxLength": LONGEST_VALUE})]


class AppliesTo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a rule is about: include, then exclude, and exclude wins; globs, compared without case."""

    kinds: Annotated[tuple[Kind, ...], says("What carries the tags.", minItems=1)] = (Kind.RESOURCE,)
    types: Annotated[Globs, says('Types of resources, such as `"Microsoft.Compute/*"`.', minItems=1)] = _EVERYTHING
    exclude_types: Annotated[Globs, says("Types of resources it is not about.")] = ()
    resource_groups: Annotated[Globs, says("Names of resource groups.", minItems=1)] = _EVERYTHING
    exclude_resource_groups: Annotated[Globs, says("Names of resource groups it is not about.")] = ()
    subscriptions: Annotated[Globs, says("Ids or names of subscriptions.", minItems=1)] = _EVERYTHING
    exclude_subscriptions: Annotated[Globs, says("Ids or names of subscriptions it is not about.")] = ()
    locations: Annotated[Globs, says('Locations; `"West Europe"` and `"westeurope"` are one.', minItems=1)] = (
        _EVERYTHING
    )
    exclude_locations: Annotated[Globs, says("Locations it is not about.")] = ()
    tags: Annotated[
        dict[Key, Glob],
        says('Other tags it must carry, each with a glob for the value, such as `{ environment = "prod*" }`.'),
    ] = {}
    exclude_tags: Annotated[
        dict[Key, Glob], says("Tags of which it must carry none, each with a glob for the value.")
    ] = {}


class TagRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule about one tag, or about the number of tags."""

    LITERAL: ClassVar = frozenset({"allowed", "aliases"})
    """Lists in which `%` is a character and names no app setting, since values of tags have it."""

    name: Annotated[
        str,
        says(
            "What the rule is called; one of a kind.",
            pattern=f"^{NAME}$",
            maxLength=LONGEST_NAME,
            title=f"at most {LONGEST_NAME} lower-case letters, digits and single hyphens",
        ),
    ]
    tag: Annotated[
        Key | None,
        says("The key of the tag it is about, compared without case.", "it can only be about `max_tags`"),
    ] = None
    required: Annotated[bool, says("The tag must be there, and its value not blank.")] = False
    empty_allowed: Annotated[bool, says("A blank value will do.")] = False
    allowed: Annotated[
        tuple[Value, ...] | None, says("The values there may be, compared with case.", "any", minItems=1)
    ] = None
    allowed_from: Annotated[
        str | None,
        says(
            "A file beside `steward.toml` with the values there may be, one a line, in place of `allowed`.",
            "any",
            title="the name of a file, without folders",
            minLength=1,
            maxLength=255,
        ),
    ] = None
    ignore_case: Annotated[bool, says("Compares `allowed` and `replace` without case.")] = False
    pattern: Annotated[
        str | None,
        says(
            "The whole value must match.",
            "any",
            title=f"a regular expression of RE2, of at most {LONGEST_PATTERN} characters",
            minLength=1,
            maxLength=LONGEST_PATTERN,
        ),
    ] = None
    format: Annotated[
        Format | None,
        says("How the value is written; a `date` is one of ISO 8601, with or without a time.", "any way"),
    ] = None
    spelling: Annotated[bool, says("The key must be spelled exactly as in `tag`.")] = False
    aliases: Annotated[tuple[Key, ...], says("Other keys that mean this one, and should be it.")] = ()
    forbidden: Annotated[bool, says("The tag must not be there.")] = False
    max_tags: Annotated[
        int | None,
        says(f"How many tags there may be; Azure keeps {MOST_TAGS}.", "any number", minimum=1, maximum=MOST_TAGS),
    ] = None
    applies_to: Annotated[AppliesTo, says("What the rule is about.", "every resource")] = AppliesTo()
    severity: Annotated[Severity, says("How much a finding matters.")] = Severity.MEDIUM
    message: Annotated[
        str | None,
        says("What to tell whoever reads a finding.", "nothing", minLength=1, maxLength=LONGEST_MESSAGE),
    ] = None
    mode: Annotated[
        RuleMode,
        says(
            "What may come of a finding. Each mode does what those before it do: `report` puts it in the report, "
            "`notify` tells its owner, where `[notices]` does so, `approve` plans its change for a person to apply, "
            "and `automatic` lets the timer apply that, where the job's `mode` is `apply`."
        ),
    ] = RuleMode.REPORT
    inherit_from: Annotated[Parent | None, says("Where a missing value comes from.", "nowhere")] = None
    default: Annotated[
        Value | None, says("The value where there is none, not even to inherit.", "none", minLength=1)
    ] = None
    replace: Annotated[dict[str, Value], says("Values that are wrong, each with the right one.")] = {}
    rename: Annotated[bool, says("Renames `aliases`, and spells the key as in `tag`.")] = False

    @property
    def checks_value(self) -> bool:
        """Whether there is anything the value could break."""
        values = (self.allowed, self.allowed_from, self.pattern, self.format)
        return bool(self.replace) or any(each is not None for each in values)

    @property
    def proposes(self) -> tuple[str, ...]:
        """The keys by which it says what a change may do."""
        said = {
            "inherit_from": self.inherit_from is not None,
            "default": self.default is not None,
            "replace": bool(self.replace),
            "rename": self.rename,
        }
        return tuple(key for key, is_said in said.items() if is_said)
