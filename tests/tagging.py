"""Subjects, tags and rules for the tests of the tag audit: by hand, and at random."""

from typing import Any

from hypothesis import strategies as some

from shared_code.model import Kind, Severity, Subject, Tags
from shared_code.tag_formats import Format
from shared_code.tag_rules import AppliesTo, Parent, RuleMode, TagRule

SUBSCRIPTION = "00000000-0000-0000-0000-00000000000a"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-web"


def resource(tags: Tags | None = None, **changed: str | None) -> Subject:
    given = {
        "id": f"{GROUP}/providers/Microsoft.Web/sites/shop",
        "name": "shop",
        "type": "Microsoft.Web/sites",
        "location": "westeurope",
        "managed_by": None,
        "subscription_id": SUBSCRIPTION,
        "subscription_name": "Production",
        "resource_group": "rg-web",
    }
    return Subject(kind=Kind.RESOURCE, tags=tags or {}, **(given | changed))  # type: ignore[arg-type]


def group(tags: Tags | None = None, *, managed_by: str | None = None) -> Subject:
    return Subject(
        kind=Kind.RESOURCE_GROUP,
        id=GROUP,
        name="rg-web",
        type="Microsoft.Resources/resourceGroups",
        location="West Europe",
        tags=tags or {},
        managed_by=managed_by,
        subscription_id=SUBSCRIPTION,
        subscription_name="Production",
        resource_group="rg-web",
    )


def subscription(tags: Tags | None = None) -> Subject:
    return Subject(
        kind=Kind.SUBSCRIPTION,
        id=f"/subscriptions/{SUBSCRIPTION}",
        name="Production",
        type="Microsoft.Resources/subscriptions",
        location=None,
        tags=tags or {},
        managed_by=None,
        subscription_id=SUBSCRIPTION,
        subscription_name="Production",
        resource_group=None,
    )


def rule(tag: str | None = "env", **said: Any) -> TagRule:
    return TagRule(**({"name": "a-rule", "tag": tag} | said))


KEYS = some.sampled_from(["env", "Env", "ENV", "stage", "Stage", "owner", "hidden-link:/x", "straße", "STRASSE", ""])
VALUES = some.sampled_from(
    ["", " ", "dev", "Dev", "prod", "prd", "5", "x@example.com", "2026-02-31", "\ud800", "🙂\u202e"]
)
TAGS = some.dictionaries(KEYS | some.text(max_size=6), some.none() | VALUES | some.text(max_size=6), max_size=8)
ALLOWED = some.lists(some.sampled_from(["dev", "prod", "5", "x@example.com", ""]), min_size=1, max_size=3).map(tuple)
GLOB = some.sampled_from(["*", "rg-*", "rg-web", "microsoft.*", "*/sites", "x"])
INCLUDED = some.just(("*",)) | some.lists(GLOB, min_size=1, max_size=2).map(tuple)
EXCLUDED = some.just(()) | some.lists(GLOB, max_size=2).map(tuple)
CONDITIONS = some.builds(
    AppliesTo,
    kinds=some.lists(some.sampled_from(Kind), min_size=1, unique=True).map(tuple),
    types=INCLUDED,
    resource_groups=INCLUDED,
    exclude_resource_groups=EXCLUDED,
    exclude_types=EXCLUDED,
    tags=some.dictionaries(KEYS, some.sampled_from(["*", "d*"]), max_size=1),
    exclude_tags=some.dictionaries(KEYS, some.sampled_from(["*", "d*"]), max_size=1),
)


def rules(conditions: some.SearchStrategy[AppliesTo]) -> some.SearchStrategy[TagRule]:
    return some.builds(
        TagRule,
        name=some.just("a-rule"),
        tag=some.sampled_from(["env", "Env", "owner", "straße"]),
        required=some.booleans(),
        empty_allowed=some.booleans(),
        allowed=some.none() | ALLOWED,
        ignore_case=some.booleans(),
        pattern=some.none() | some.sampled_from(["[a-z]+", ".*", "(a+)+b"]),
        format=some.none() | some.sampled_from(Format),
        spelling=some.booleans(),
        aliases=some.lists(some.sampled_from(["stage", "Owner-Name"]), max_size=2, unique=True).map(tuple),
        forbidden=some.booleans(),
        max_tags=some.none() | some.integers(1, 50),
        applies_to=conditions,
        severity=some.sampled_from(Severity),
        mode=some.sampled_from(RuleMode),
        inherit_from=some.none() | some.sampled_from(Parent),
        default=some.none() | VALUES,
        replace=some.dictionaries(VALUES, VALUES, max_size=2),
        rename=some.booleans(),
    )


RULES = rules(CONDITIONS)
RULES_ABOUT_ALL = rules(some.just(AppliesTo(kinds=tuple(Kind))))
SUBJECTS = some.builds(lambda make, tags: make(tags), some.sampled_from([resource, group, subscription]), TAGS)

NEAR_TAGS = some.dictionaries(
    some.sampled_from(["env", "Env", "stage", "Stage", "other", "hidden-x"]),
    some.sampled_from(["dev", "prod", "prd", "", None]),
    max_size=4,
)
"""Tags that a rule of `MENDING` can often mend."""
MENDING = some.builds(
    rule,
    required=some.booleans(),
    aliases=some.sampled_from([(), ("stage",)]),
    spelling=some.booleans(),
    rename=some.booleans(),
    allowed=some.none() | some.just(("dev", "prod")),
    ignore_case=some.booleans(),
    inherit_from=some.none() | some.sampled_from(Parent),
    default=some.none() | some.sampled_from(["dev", "x"]),
    replace=some.sampled_from([{}, {"prd": "prod"}, {"prd": "x"}]),
    applies_to=some.just(AppliesTo(kinds=tuple(Kind))),
)
