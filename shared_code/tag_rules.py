"""Tag rules as operators write them: `[[jobs.tag-audit.rules]]` of steward.toml."""

from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec

from shared_code.model import Kind, Severity
from shared_code.tag_formats import Format
from shared_code.tag_keys import LONGEST_KEY, LONGEST_VALUE, MOST_TAGS

_EVERYTHING = ("*",)
LONGEST_PATTERN = 1000
"""Characters of a pattern; what people write by hand is far shorter."""
LONGEST_MESSAGE = 1000
NAME = "[a-z0-9]+(-[a-z0-9]+)*"
"""What the name of a rule consists of."""


def _says(description: str, **schema: object) -> msgspec.Meta:
    """Describe a key in the JSON Schema; `rule_problems` checks it, with the operator's words and all at once."""
    return msgspec.Meta(description=description, extra_json_schema=schema or None)


class RuleMode(StrEnum):
    """What may come of what a rule finds; each includes what stands before it."""

    REPORT = "report"
    """It stands in the report."""
    NOTIFY = "notify"
    """Somebody is told."""
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


type Globs = tuple[str, ...]
type Key = Annotated[str, msgspec.Meta(extra_json_schema={"minLength": 1, "maxLength": LONGEST_KEY})]
type Value = Annotated[str, msgspec.Meta(extra_json_schema={"maxLength": LONGEST_VALUE})]


class AppliesTo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a rule is about: include, then exclude, and exclude wins; globs, compared without case."""

    kinds: Annotated[
        tuple[Kind, ...], _says("What carries the tags: resource, resource-group, subscription.", minItems=1)
    ] = (Kind.RESOURCE,)
    types: Annotated[Globs, _says("Resource types, such as Microsoft.Compute/*.", minItems=1)] = _EVERYTHING
    exclude_types: Annotated[Globs, _says("Resource types it is not about.")] = ()
    resource_groups: Annotated[Globs, _says("Names of resource groups.", minItems=1)] = _EVERYTHING
    exclude_resource_groups: Annotated[Globs, _says("Names of resource groups it is not about.")] = ()
    subscriptions: Annotated[Globs, _says("Ids or names of subscriptions.", minItems=1)] = _EVERYTHING
    exclude_subscriptions: Annotated[Globs, _says("Ids or names of subscriptions it is not about.")] = ()
    locations: Annotated[Globs, _says("Locations: 'West Europe' and westeurope are one.", minItems=1)] = _EVERYTHING
    exclude_locations: Annotated[Globs, _says("Locations it is not about.")] = ()
    tags: Annotated[dict[Key, str], _says("Other tags it must carry, each with a glob for the value.")] = {}
    exclude_tags: Annotated[dict[Key, str], _says("Tags of which it must carry none, each with such a glob.")] = {}


class TagRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule about one tag, or about the number of tags."""

    LITERAL: ClassVar = frozenset({"allowed", "aliases"})
    """Lists in which `%` is a character and names no app setting, since values of tags have it."""

    name: Annotated[str, _says("What the rule is called: kebab-case, one of a kind.", pattern=f"^{NAME}$")]
    tag: Annotated[Key | None, _says("The key, compared without case.")] = None
    required: Annotated[bool, _says("The tag must be there, and its value not blank.")] = False
    empty_allowed: Annotated[bool, _says("A blank value will do.")] = False
    allowed: Annotated[tuple[Value, ...] | None, _says("The values there may be.", minItems=1)] = None
    allowed_from: Annotated[str | None, _says("A file beside steward.toml with those values, one a line.")] = None
    ignore_case: Annotated[bool, _says("Compare allowed and replaced values without case.")] = False
    pattern: Annotated[
        str | None, _says("RE2 syntax; the whole value must match.", minLength=1, maxLength=LONGEST_PATTERN)
    ] = None
    format: Annotated[Format | None, _says("How the value is written: date, email, number, guid.")] = None
    spelling: Annotated[bool, _says("The key must be spelled exactly as in 'tag'.")] = False
    aliases: Annotated[tuple[Key, ...], _says("Other keys that mean this one, and should be it.")] = ()
    forbidden: Annotated[bool, _says("The tag must not be there.")] = False
    max_tags: Annotated[int | None, _says("How many tags it may carry.", minimum=1, maximum=MOST_TAGS)] = None
    applies_to: Annotated[AppliesTo, _says("What the rule is about.")] = AppliesTo()
    severity: Annotated[Severity, _says("How much a finding matters: low, medium, high.")] = Severity.MEDIUM
    message: Annotated[
        str | None, _says("What to tell whoever reads a finding.", minLength=1, maxLength=LONGEST_MESSAGE)
    ] = None
    mode: Annotated[RuleMode, _says("What may come of it: report, notify, approve, automatic.")] = RuleMode.REPORT
    inherit_from: Annotated[
        Parent | None, _says("Where a missing value comes from: resource-group or subscription.")
    ] = None
    default: Annotated[Value | None, _says("The value where there is none, not even to inherit.", minLength=1)] = None
    replace: Annotated[dict[str, Value], _says("Values that are wrong, each with the right one.")] = {}
    rename: Annotated[bool, _says("Rename aliases, and spell the key as in 'tag'.")] = False

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
