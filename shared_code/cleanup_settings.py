"""What steward.toml says about the rules of cleanup: `[jobs.cleanup.rules.NAME]`."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, ClassVar

import msgspec

from shared_code.durations import Duration
from shared_code.meaning import says
from shared_code.tag_keys import problem_of
from shared_code.tag_rules import RuleMode

LONGEST_UNUSED = timedelta(days=90)
"""How far back the activity log reaches, `activity.LONGEST_SPAN`."""
_DAY = timedelta(days=1)


_ITS_OWN = "the rule's own"


class RuleSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator may say about any rule; what is left out is the rule's own default."""

    mode: Annotated[
        RuleMode | None,
        says(
            "What may come of what it finds. Each mode does what those before it do: `report` puts it in the report, "
            "`notify` tells its owner, where `[notices]` does so, `approve` plans its deletion for a person to apply, "
            "and `automatic` lets the timer apply that, where the job's `mode` is `apply`.",
            _ITS_OWN,
        ),
    ] = None
    minimum_age: Annotated[
        Duration | None, says("How old a thing must be, and for how long it must have been so.", _ITS_OWN)
    ] = None
    minimum_observations: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=1000)] | None,
        says("How often it must have been found, at least 12 hours apart.", _ITS_OWN),
    ] = None

    def problems(self) -> Iterator[tuple[str, str]]:
        """Give what is wrong with them, each with its key."""
        yield from ()


class ExpiredSettings(RuleSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[jobs.cleanup.rules.expired]`."""

    tags: Annotated[tuple[str, ...], says("Keys of the tags, compared without case.", minItems=1)] = (
        "delete-after",
        "expires-on",
    )
    grace_period: Annotated[
        Duration | None, says('Time from the date to when it may be deleted; at least `"1d"`.', '`"1d"`')
    ] = None
    longest_renewal: Annotated[
        Duration | None, says("How far ahead a date may be; one beyond is reported.", '`"400d"`')
    ] = None

    def problems(self) -> Iterator[tuple[str, str]]:
        """Give what is wrong with them, each with its key."""
        if not self.tags:
            yield "tags", 'is empty, so nothing ever expires; name a tag such as ["delete-after"]'
        for index, name in enumerate(self.tags):
            if problem := problem_of(name):
                yield f"tags[{index}]", problem
        if self.grace_period and self.grace_period.length < _DAY:
            yield (
                "grace_period",
                f"'{self.grace_period}' is less than a day, and days differ by zone; write '1d' or more",
            )


class StaleSettings(RuleSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[jobs.cleanup.rules.stale-resource-group]`."""

    unused_for: Annotated[
        Duration | None, says('For how long nobody may have written to it; at most `"90d"`.', '`"60d"`')
    ] = None

    def problems(self) -> Iterator[tuple[str, str]]:
        """Give what is wrong with them, each with its key."""
        if self.unused_for and self.unused_for.length > LONGEST_UNUSED:
            yield (
                "unused_for",
                f"'{self.unused_for}' is longer than the activity log is kept; write at most '{LONGEST_UNUSED.days}d'",
            )


class CleanupRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """The tables under `[jobs.cleanup.rules]`; a rule that is not named is off.

    What the rules are is in `cleanup_rules`, which indexing the app has no need of.
    """

    NOUN: ClassVar = "rule"
    """What a key of this table is, where one is not known."""

    expired: ExpiredSettings | None = None
    empty_resource_group: RuleSettings | None = None
    unattached_disk: RuleSettings | None = None
    unattached_network_interface: RuleSettings | None = None
    unused_public_ip: RuleSettings | None = None
    unused_network_security_group: RuleSettings | None = None
    unused_route_table: RuleSettings | None = None
    unused_nat_gateway: RuleSettings | None = None
    load_balancer_without_backends: RuleSettings | None = None
    application_gateway_without_backends: RuleSettings | None = None
    app_service_plan_without_apps: RuleSettings | None = None
    unused_availability_set: RuleSettings | None = None
    old_snapshot: RuleSettings | None = None
    disconnected_private_endpoint: RuleSettings | None = None
    sql_elastic_pool_without_databases: RuleSettings | None = None
    stale_resource_group: StaleSettings | None = None

    @property
    def on(self) -> dict[str, RuleSettings]:
        """The rules that are named, by name, each with what is said about it."""
        named = {field.encode_name: getattr(self, field.name) for field in msgspec.structs.fields(self)}
        return {name: settings for name, settings in named.items() if settings is not None}
