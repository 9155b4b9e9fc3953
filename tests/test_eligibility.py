"""Eligibility: nothing is planned that is protected, unread, too young, seen too seldom, snoozed or only to be told."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from shared_code.cleanup_rule import Doubt, DoubtKind, Match, Rule, Stage
from shared_code.cleanup_settings import RuleSettings
from shared_code.durations import Duration
from shared_code.eligibility import EARLIEST, Decided, Decision, decide, mode_of, observed
from shared_code.ledger import Entry
from shared_code.model import Resource
from shared_code.protection import protections
from shared_code.snoozes import Snooze
from shared_code.tag_rules import RuleMode
from shared_code.targets import Around, Target
from tests.fakes import NOW, lock
from tests.test_protection import DISK, GROUP, HARMLESS, HOSTILE, POLICY, a_group, a_resource, around, group, member

DAY = timedelta(days=1)
OLD = NOW - 100 * DAY
FOUND = Match("attached to nothing", {"diskState": "Unattached"})
LONG_SO = Match("attached to nothing", since=OLD)
"""The same, where Azure itself tells since when."""
DOUBT = Doubt(DoubtKind.UNREADABLE, "its tag says nothing that can be read")


def judge(*_: object) -> Match:
    return FOUND


RULE = Rule(
    name="unattached-disk",
    sentence="Disks that nothing is attached to.",
    judge=judge,
    stage=Stage.PARTS,
    types=frozenset({"microsoft.compute/disks"}),
    mode=RuleMode.APPROVE,
    minimum_age=Duration.parse("14d"),
)
PLAIN = RuleSettings()


def seen(times: int = 2, first: datetime = NOW - 20 * DAY, last: datetime = NOW, **fields: Any) -> Entry:
    plain = Entry(rule=RULE.name, resource_id=DISK, first_seen=first, last_seen=last, times_seen=times)
    return msgspec.structs.replace(plain, **fields)


def snooze(until: datetime | None) -> Snooze:
    return Snooze(
        resource_id=DISK, rule=RULE.name, until=until, by="operator@example.com", reason="still needed", at=OLD
    )


NEEDED: Mapping[str, Any] = {
    "rule": RULE,
    "settings": PLAIN,
    "target": a_resource(created=OLD, state="Succeeded"),
    "around": around(),
    "found": FOUND,
    "entry": seen(),
    "policy": POLICY,
    "snooze": None,
    "now": NOW,
}


def decided(**changed: Any) -> Decision:
    """Decide about an old disk that was seen twice and that nothing protects, with these things otherwise."""
    return decide(**{**NEEDED, **changed})


def test_a_decision_says_all_there_is_to_know() -> None:
    assert decided() == Decision(
        rule="unattached-disk",
        resource_id=DISK,
        subscription_id=NEEDED["target"].subscription_id,
        type="Microsoft.Compute/disks",
        decision=Decided.PLANNED,
        reasons=(
            "it was created 2026-08-14T06:00:00Z; the minimum age is 14d",
            "it has been so since 2026-11-02T06:00:00Z, as far as it was watched; it must be for 14d",
            "it was seen 2 times, first 2026-11-02T06:00:00Z; 2 times needed",
        ),
        due=NOW - 6 * DAY,
        first_seen=NOW - 20 * DAY,
        last_seen=NOW,
        times_seen=2,
        created=OLD,
        mode=RuleMode.APPROVE,
        detail="attached to nothing",
        evidence={"diskState": "Unattached"},
    )


class TestPrecedence:
    """unread > kept > snoozed > reported > waiting > planned."""

    LAYERS = (
        (Decided.WAITING, {"target": a_resource(created=NOW, state="Succeeded")}),
        (Decided.REPORTED, {"settings": RuleSettings(mode=RuleMode.NOTIFY)}),
        (Decided.SNOOZED, {"snooze": snooze(NOW + DAY)}),
        (Decided.KEPT, {"found": "it is attached to 'vm'"}),
        (Decided.UNREAD, {"around": "the locks could not be read: 403"}),
    )

    def test_each_layer_wins_over_those_before(self) -> None:
        changed: dict[str, Any] = {}
        for decision, layer in self.LAYERS:
            changed |= layer
            assert decided(**changed).decision is decision

    @pytest.mark.parametrize(("decision", "layer"), LAYERS)
    def test_each_layer_is_enough(self, decision: Decided, layer: dict[str, Any]) -> None:
        assert decided(**layer).decision is decision

    def test_all_reasons_to_keep_are_told(self) -> None:
        kept = decided(around=around(locks=(lock(GROUP),)), found="it is attached to 'vm'")

        assert kept.reasons == (
            f"lock 'keep' (CanNotDelete) is on '{GROUP}', which is above it",
            "it is attached to 'vm'",
        )
        assert (kept.due, kept.detail) == (None, "")


def test_lesson_1_what_could_not_be_read_is_not_empty() -> None:
    """Neither a reason nor its absence makes it readable."""
    for why in ("its members could not be read: Azure answered 500", ""):
        unread = decided(around=why)
        assert (unread.decision, unread.due) == (Decided.UNREAD, None)
        assert unread.reasons == (why or "what is around it could not be read",)


@pytest.mark.parametrize(("count", "decision"), [(None, Decided.UNREAD), (2, Decided.UNREAD), (1, Decided.PLANNED)])
def test_lesson_1_a_group_is_read_when_all_in_it_is(count: int | None, decision: Decided) -> None:
    """What was not seen would go with the group, and might protect it."""
    near = around(group=group(resources=count), members=(member(),))

    made = decided(target=a_group(created=OLD), around=near, entry=seen(resource_id=GROUP))

    assert made.decision is decision


@pytest.mark.parametrize("count", [None, 7])
def test_what_else_is_in_the_group_of_a_resource_need_not_be_read(count: int | None) -> None:
    """It does not go with the resource."""
    assert decided(around=around(group=group(resources=count))).decision is Decided.PLANNED


def test_what_a_person_should_mend_first_is_reported_and_never_planned() -> None:
    doubt = Doubt(DoubtKind.UNREADABLE, "its tag 'delete-after' = 'tomorow' is no date", {"value": "tomorow"})
    made = decided(found=doubt, settings=RuleSettings(mode=RuleMode.AUTOMATIC))

    assert (made.decision, made.due, made.reasons) == (Decided.REPORTED, None, (doubt.detail,))
    assert (made.detail, made.evidence) == (doubt.detail, doubt.evidence)
    assert decided(found=doubt, around=around(locks=(lock(GROUP),))).decision is Decided.KEPT
    assert decided(found=doubt, snooze=snooze(NOW + DAY)).due is None


@pytest.mark.parametrize("other", [{"rule": "other"}, {"resource_id": f"{DISK}2"}])
def test_what_was_observed_of_something_else_counts_for_nothing(other: dict[str, str]) -> None:
    entry = msgspec.structs.replace(seen(), **other)

    found = decided(entry=entry)

    assert (found.decision, found.reasons) == (
        Decided.UNREAD,
        (f"what the ledger remembers is about rule '{entry.rule}' and '{entry.resource_id}', so nobody knows",),
    )


def test_lesson_20_an_entry_in_another_spelling_is_its_own() -> None:
    assert decided(entry=seen(resource_id=DISK.upper())).decision is Decided.PLANNED


def test_lesson_21_what_a_live_reading_no_longer_finds_is_kept() -> None:
    for why in ("it is attached to 'vm'", ""):
        kept = decided(found=why)
        assert kept.decision is Decided.KEPT
        assert kept.reasons[0]


def test_lesson_25_a_lock_on_the_group_is_a_reason_in_the_data() -> None:
    kept = decided(around=around(locks=(lock(GROUP, "no-delete"),)))

    assert kept.decision is Decided.KEPT
    assert "no-delete" in kept.reasons[0]


class TestAge:
    """It counts from the creation, and from when it became so: as Azure tells each, else from the first sighting."""

    @pytest.mark.parametrize(
        ("created", "decision"),
        [
            (NOW - 14 * DAY, Decided.PLANNED),
            (NOW - 14 * DAY + timedelta(seconds=1), Decided.WAITING),
            (NOW, Decided.WAITING),
            (NOW + DAY, Decided.WAITING),
        ],
    )
    def test_lesson_3_nothing_is_planned_before_its_minimum_age(self, created: datetime, decision: Decided) -> None:
        first = min(created, NOW)
        made = decided(
            target=a_resource(created=created), entry=seen(first=first + timedelta(seconds=1)), found=LONG_SO
        )

        assert (made.decision, made.due) == (decision, created + 14 * DAY)

    def test_what_is_in_it_may_be_younger(self) -> None:
        """A group of years with a server of yesterday in it is not old: the server would go along."""
        server = Resource(f"{DISK}/parts/new", "new", "a.b/c", created_time="2026-11-21T06:00:00Z")
        made = decided(target=a_resource(created=OLD), around=around(members=(server,)), found=LONG_SO)

        assert (made.decision, made.due) == (Decided.WAITING, NOW + 13 * DAY)
        assert made.reasons == ("something in it was created 2026-11-21T06:00:00Z; the minimum age is 14d",)

    def test_what_is_in_it_may_be_younger_and_old_enough(self) -> None:
        """Then it is said what was counted from, though it was there before anybody looked."""
        server = Resource(f"{DISK}/parts/new", "new", "a.b/c", created_time="2026-10-03T06:00:00Z")
        made = decided(target=a_resource(created=OLD), around=around(members=(server,)))

        assert made.decision is Decided.PLANNED
        assert made.reasons[0] == "something in it was created 2026-10-03T06:00:00Z; the minimum age is 14d"

    @pytest.mark.parametrize("found", [FOUND, Match("attached to nothing", since=NOW - DAY)], ids=["watched", "told"])
    def test_an_old_thing_that_was_orphaned_yesterday_waits(self, found: Match) -> None:
        """A disk of years whose machine went yesterday is not an old orphan, however often it is looked at."""
        source = "as Azure tells" if found.since else "as far as it was watched"
        made = decided(target=a_resource(created=OLD), found=found, entry=seen(50, first=NOW - DAY))

        assert (made.decision, made.due, made.created) == (Decided.WAITING, NOW + 13 * DAY, OLD)
        assert made.reasons == (f"it has been so since 2026-11-21T06:00:00Z, {source}; it must be for 14d",)

    @pytest.mark.parametrize(
        ("since", "decision"),
        [
            (NOW - 14 * DAY, Decided.PLANNED),
            (NOW - 14 * DAY + timedelta(seconds=1), Decided.WAITING),
            (NOW, Decided.WAITING),
            (NOW + DAY, Decided.WAITING),
            (datetime.max.replace(tzinfo=UTC), Decided.WAITING),
        ],
    )
    def test_what_azure_tells_of_since_when_counts_more_than_the_ledger(
        self, since: datetime, decision: Decided
    ) -> None:
        """It was attached again in between, and nobody looked; or it was so long before the first look."""
        found = Match("attached to nothing", since=since)

        for first in (NOW - 90 * DAY, NOW - timedelta(hours=1)):
            made = decided(found=found, entry=seen(first=first))
            assert made.decision is decision
            assert made.due == (since + 14 * DAY if since.year < 9999 else since)

    @pytest.mark.parametrize("year", [1, 1601, 1970, 2009])
    def test_since_a_time_before_there_was_azure_is_since_the_first_sighting(self, year: int) -> None:
        found = Match("attached to nothing", since=datetime(year, 1, 1, tzinfo=UTC))
        made = decided(found=found, entry=seen(first=NOW - DAY))

        assert (made.decision, made.due) == (Decided.WAITING, NOW + 13 * DAY)
        assert "as far as it was watched" in made.reasons[0]

    def test_the_later_of_both_counts(self) -> None:
        young = decided(target=a_resource(created=NOW - 3 * DAY), found=LONG_SO, entry=seen(first=NOW - DAY))
        fresh = decided(target=a_resource(created=OLD), found=Match("", since=NOW - 2 * DAY))

        assert (young.decision, young.due) == (Decided.WAITING, NOW + 11 * DAY)
        assert young.reasons == ("it was created 2026-11-19T06:00:00Z; the minimum age is 14d",)
        assert (fresh.decision, fresh.due) == (Decided.WAITING, NOW + 12 * DAY)

    def test_an_unknown_age_is_the_time_it_was_watched(self) -> None:
        """Whoever was watched for the whole minimum age is at least as old."""
        short = decided(target=a_resource(), entry=seen(first=NOW - 13 * DAY))
        long = decided(target=a_resource(), entry=seen(first=NOW - 14 * DAY))

        assert (short.decision, short.due) == (Decided.WAITING, NOW + DAY)
        assert short.reasons == (
            "its creation is unknown, and seen since 2026-11-09T06:00:00Z; the minimum age is 14d",
            "it has been so since 2026-11-09T06:00:00Z, as far as it was watched; it must be for 14d",
        )
        assert (long.decision, long.due, long.created) == (Decided.PLANNED, NOW, None)

    @pytest.mark.parametrize("year", [1, 1601, 1900, 1970, 2000])
    def test_a_time_before_there_was_azure_is_unknown(self, year: int) -> None:
        """0001-01-01 is how an unset time looks, and not two thousand years of age."""
        made = decided(target=a_resource(created=datetime(year, 1, 1, tzinfo=UTC)), entry=seen(first=NOW - DAY))

        assert (made.decision, made.created) == (Decided.WAITING, None)

    def test_the_first_moment_of_azure_is_a_time(self) -> None:
        first = datetime(2010, 2, 1, tzinfo=UTC)

        assert decided(target=a_resource(created=first)).created == first
        assert decided(target=a_resource(created=first - timedelta(microseconds=1))).created is None

    def test_what_was_seen_in_the_moment_of_its_creation_is_the_same_thing(self) -> None:
        first = NOW - 20 * DAY

        assert observed(seen(first=first), a_resource(created=first), NOW) == seen(first=first)
        assert decided(target=a_resource(created=first), entry=seen(first=first)).decision is Decided.PLANNED

    def test_a_time_at_the_end_of_time_waits_for_ever(self) -> None:
        made = decided(target=a_resource(created=datetime.max.replace(tzinfo=UTC)))

        assert made.decision is Decided.WAITING

    def test_what_was_made_anew_is_young_however_long_its_name_is_known(self) -> None:
        for found, due in ((FOUND, NOW + 14 * DAY), (LONG_SO, NOW + 13 * DAY)):
            made = decided(target=a_resource(created=NOW - DAY), entry=seen(9, first=NOW - 90 * DAY), found=found)

            assert (made.decision, made.due) == (Decided.WAITING, due)
            assert (made.first_seen, made.times_seen) == (NOW, 1)

    def test_what_was_observed_of_its_predecessor_is_not_about_it(self) -> None:
        """It is old enough by now, and was never seen since: the ledger starts anew, and the minimum age with it."""
        target, entry = a_resource(created=NOW - 20 * DAY), seen(9, first=NOW - 90 * DAY)
        first = decided(target=target, entry=entry)
        again = observed(entry, target, NOW)

        def at(later: datetime, found: Match) -> Decision:
            seen_again = msgspec.structs.replace(again, times_seen=2, last_seen=later)
            return decided(target=target, entry=seen_again, now=later, found=found)

        assert (first.decision, first.times_seen) == (Decided.WAITING, 1)
        assert again == msgspec.structs.replace(entry, first_seen=NOW, last_seen=NOW, times_seen=1)
        assert at(NOW + 14 * DAY - timedelta(seconds=1), FOUND).decision is Decided.WAITING
        assert at(NOW + 14 * DAY, FOUND).decision is Decided.PLANNED
        assert at(NOW + DAY, LONG_SO).decision is Decided.PLANNED

    @pytest.mark.parametrize("name", ["resourceGuid", "uniqueId", "vmId"])
    def test_one_made_anew_is_known_by_its_identity(self, name: str) -> None:
        """A list may go on telling when its predecessor was created, which had the same name."""
        target = a_resource(created=NOW - 90 * DAY, definition={"properties": {name: "B7E23EC2-0000"}})
        entry = seen(9, first=NOW - 80 * DAY)

        same = observed(msgspec.structs.replace(entry, identity="b7e23ec2-0000"), target, NOW)
        other = observed(msgspec.structs.replace(entry, identity="5f0c0001-0000"), target, NOW)

        assert observed(entry, target, NOW) == same == msgspec.structs.replace(entry, identity="b7e23ec2-0000")
        assert (other.first_seen, other.times_seen, other.identity) == (NOW, 1, "b7e23ec2-0000")

    def test_what_tells_no_identity_is_what_it_was(self) -> None:
        entry = msgspec.structs.replace(seen(9, first=NOW - 80 * DAY), identity="b7e23ec2-0000")

        assert observed(entry, a_resource(created=NOW - 90 * DAY), NOW) == entry

    def test_the_operator_may_say_another_age(self) -> None:
        settings = RuleSettings(minimum_age=Duration.parse("200d"))

        assert decided(settings=settings).due == NOW + 180 * DAY
        assert decided(settings=settings, found=LONG_SO).due == OLD + 200 * DAY
        assert decided(settings=settings, found=LONG_SO).decision is Decided.WAITING


class TestObservations:
    def test_lesson_22_one_sighting_is_not_enough(self) -> None:
        once = decided(entry=seen(1, first=NOW), found=LONG_SO)

        assert (once.decision, once.due) == (Decided.WAITING, NOW)
        assert once.reasons == ("it was seen once, first 2026-11-22T06:00:00Z; 2 times needed",)

    def test_lesson_22_a_second_sighting_never_moves_the_first_date(self) -> None:
        """Rancher's cleaner marked anew at each run, and so postponed for ever."""
        dues = {
            decided(target=a_resource(), entry=seen(times, last=NOW + times * DAY), now=NOW + times * DAY).due
            for times in range(2, 30)
        }

        assert dues == {NOW - 6 * DAY}

    def test_the_operator_may_ask_for_more(self) -> None:
        settings = RuleSettings(minimum_observations=5)

        assert decided(settings=settings, entry=seen(4)).decision is Decided.WAITING
        assert decided(settings=settings, entry=seen(5)).decision is Decided.PLANNED

    def test_all_reasons_to_wait_are_told(self) -> None:
        made = decided(target=a_resource(created=NOW - DAY), entry=seen(1, first=NOW))

        assert made.reasons == (
            "it was created 2026-11-21T06:00:00Z; the minimum age is 14d",
            "it has been so since 2026-11-22T06:00:00Z, as far as it was watched; it must be for 14d",
            "it was seen once, first 2026-11-22T06:00:00Z; 2 times needed",
        )


class TestMode:
    @pytest.mark.parametrize("mode", [RuleMode.REPORT, RuleMode.NOTIFY])
    def test_a_rule_that_only_tells_plans_nothing(self, mode: RuleMode) -> None:
        made = decided(settings=RuleSettings(mode=mode))

        assert (made.decision, made.mode, made.due) == (Decided.REPORTED, mode, None)
        assert made.reasons == (f"the mode of its rule is '{mode}'",)

    @pytest.mark.parametrize("mode", [RuleMode.REPORT, RuleMode.NOTIFY, RuleMode.APPROVE])
    def test_a_rule_never_does_more_than_it_says_by_itself(self, mode: RuleMode) -> None:
        for recreatable in (False, True):
            rule = msgspec.structs.replace(RULE, mode=mode, recreatable=recreatable)
            assert mode_of(rule, PLAIN) is decided(rule=rule).mode is mode

    def test_what_cannot_be_made_anew_is_automatic_only_if_the_operator_says_so(self) -> None:
        rule = msgspec.structs.replace(RULE, mode=RuleMode.AUTOMATIC)

        assert mode_of(rule, PLAIN) is RuleMode.APPROVE
        assert mode_of(msgspec.structs.replace(rule, recreatable=True), PLAIN) is RuleMode.AUTOMATIC
        assert mode_of(rule, RuleSettings(mode=RuleMode.AUTOMATIC)) is RuleMode.AUTOMATIC


class TestSnooze:
    def test_it_holds_until_its_time_and_is_due_then(self) -> None:
        until = NOW + 5 * DAY
        made = decided(snooze=snooze(until))

        assert (made.decision, made.due) == (Decided.SNOOZED, until)
        assert made.reasons == ("until 2026-11-27T06:00:00Z by operator@example.com: still needed",)
        assert decided(snooze=snooze(until), now=until - timedelta(seconds=1)).decision is Decided.SNOOZED
        assert decided(snooze=snooze(until), now=until).decision is Decided.PLANNED

    def test_it_is_due_no_earlier_than_it_would_be(self) -> None:
        assert decided(snooze=snooze(NOW + DAY), target=a_resource(created=NOW)).due == NOW + 14 * DAY

    def test_one_that_cannot_be_read_never_ends(self) -> None:
        made = decided(snooze=snooze(None))

        assert (made.decision, made.due, made.reasons) == (Decided.SNOOZED, None, ("still needed",))

    def test_of_a_rule_that_only_tells_it_is_never_due(self) -> None:
        assert decided(snooze=snooze(NOW + DAY), settings=RuleSettings(mode=RuleMode.REPORT)).due is None


def test_what_strangers_wrote_stays_on_its_line() -> None:
    hostile = [
        decided(found=HOSTILE),
        decided(found=Match(HOSTILE, {HOSTILE: HOSTILE * 9000})),
        decided(around=HOSTILE),
        decided(target=a_resource(managed_by=HOSTILE)),
        decided(entry=seen(rule=HOSTILE)),
        decided(snooze=msgspec.structs.replace(snooze(NOW + DAY), reason=HOSTILE, by=HOSTILE)),
    ]
    for made in hostile:
        for text in (*made.reasons, made.detail, *made.evidence, *made.evidence.values()):
            assert not text or text.isprintable()
            assert len(text) <= 1000
    assert len(decided(around="x" * 9000).reasons[0]) == 1000


def test_a_decision_is_a_line_of_json_and_back() -> None:
    line = msgspec.json.encode(decided())

    assert b"\n" not in line
    assert msgspec.json.decode(line, type=Decision) == decided()


MOMENTS = some.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)).map(lambda each: each.replace(tzinfo=UTC))  # noqa: DTZ001  # hypothesis takes bounds without a zone
ANY_TIME = some.datetimes(timezones=some.just(UTC))
MATCHES = some.just(FOUND) | some.builds(Match, some.just("so"), since=some.none() | MOMENTS | ANY_TIME)
KEEPING: some.SearchStrategy[dict[str, Any]] = some.sampled_from(
    [
        {},
        {},
        {"locks": (lock(GROUP),)},
        {"group": group(managed_by="x")},
        {"group": group(tags={"keep": ""})},
        {"group": None},
    ]
)
INPUTS: some.SearchStrategy[dict[str, Any]] = some.fixed_dictionaries(
    {
        "rule": some.sampled_from(
            [RULE, msgspec.structs.replace(RULE, mode=RuleMode.AUTOMATIC, minimum_observations=1)]
        ),
        "settings": some.builds(
            RuleSettings,
            mode=some.sampled_from([None, None, *RuleMode]),
            minimum_age=some.sampled_from([None, Duration.parse("1s"), Duration.parse("400d")]),
            minimum_observations=some.none() | some.integers(1, 4),
        ),
        "target": some.builds(
            a_resource,
            some.just(DISK),
            created=some.none() | MOMENTS | ANY_TIME,
            state=some.sampled_from([None, "Succeeded", "Updating"]),
            tags=HARMLESS | some.just({"keep": ""}),
        )
        | some.builds(a_group, created=some.none() | MOMENTS),
        "around": KEEPING.map(lambda changed: around(**changed)) | some.just("unreadable"),
        "found": MATCHES | MATCHES | some.sampled_from(["nothing found", DOUBT]),
        "entry": some.builds(
            seen, some.integers(1, 5), MOMENTS, MOMENTS, resource_id=some.sampled_from([DISK, DISK, GROUP])
        ),
        "policy": some.just(POLICY),
        "snooze": some.none() | some.none() | some.builds(snooze, some.none() | MOMENTS),
        "now": MOMENTS,
    }
)
LIKELY: some.SearchStrategy[dict[str, Any]] = some.fixed_dictionaries(
    {
        "target": some.builds(a_resource, some.just(DISK), created=some.none() | MOMENTS),
        "found": MATCHES,
        "entry": some.builds(seen, some.integers(1, 4), MOMENTS, MOMENTS),
        "snooze": some.none() | some.builds(snooze, MOMENTS),
        "now": MOMENTS,
    }
).map(lambda changed: {**NEEDED, **changed})
"""What is often planned, so that the properties of plans have something to say."""


@given(given_=INPUTS | LIKELY)
def test_nothing_is_planned_that_is_protected_young_seldom_seen_or_unread(given_: dict[str, Any]) -> None:
    made = decide(**given_)

    assert made.reasons
    if made.decision is not Decided.PLANNED:
        return
    target, near, now, rule, settings = (given_[name] for name in ("target", "around", "now", "rule", "settings"))
    assert isinstance(target, Target)
    assert isinstance(near, Around)
    assert protections(target, near, given_["policy"]) == ()
    found = given_["found"]
    assert isinstance(found, Match)
    assert made.due is not None
    assert made.due <= now
    age = (settings.minimum_age or rule.minimum_age).length
    known = target.created is not None and target.created >= EARLIEST
    since = target.created if known else given_["entry"].first_seen
    assert now - since >= age
    told = found.since is not None and found.since >= EARLIEST
    assert now - (found.since if told else made.first_seen) >= age
    assert made.times_seen >= (settings.minimum_observations or rule.minimum_observations)
    assert made.mode in (RuleMode.APPROVE, RuleMode.AUTOMATIC)
    assert given_["snooze"] is None or given_["snooze"].until <= now


@given(given_=INPUTS | LIKELY, later=some.timedeltas(timedelta(0), timedelta(days=4000)))
def test_once_planned_it_stays_planned_if_nothing_changes(given_: dict[str, Any], later: timedelta) -> None:
    if decide(**given_).decision is Decided.PLANNED:
        assert decide(**{**given_, "now": given_["now"] + later}).decision is Decided.PLANNED


@given(given_=INPUTS | LIKELY)
def test_it_is_planned_when_it_is_due_and_not_before(given_: dict[str, Any]) -> None:
    """Given the sightings it needs: `due` is the first moment at which it would be, and None where there is none.

    The next run finds in the ledger what this one has observed, and nothing is made in the future.
    """
    made = decide(**given_)
    rule, settings, now = given_["rule"], given_["settings"], given_["now"]
    assume(made.created is None or made.created <= now)
    given_ = {**given_, "entry": observed(given_["entry"], given_["target"], now)}
    enough = made.times_seen >= (settings.minimum_observations or rule.minimum_observations)
    if made.due is None:
        late = decide(**{**given_, "now": now + timedelta(days=100_000)}).decision
        assert Decided.PLANNED not in (made.decision, late)
        assert made.decision in (late, Decided.SNOOZED)
    elif enough and made.due < datetime(9999, 1, 1, tzinfo=UTC):
        at = max(made.due, now)
        assert decide(**{**given_, "now": at}).decision is Decided.PLANNED
        before = decide(**{**given_, "now": made.due - timedelta(microseconds=1)})
        assert before.decision in (Decided.WAITING, Decided.SNOOZED)


@given(given_=INPUTS | LIKELY, since=MOMENTS, later=some.timedeltas(timedelta(0), timedelta(days=4000)))
def test_what_became_so_later_is_never_planned_earlier(
    given_: dict[str, Any], since: datetime, later: timedelta
) -> None:
    first, second = (decide(**{**given_, "found": Match("so", since=moment)}) for moment in (since, since + later))

    assert (first.due is None) is (second.due is None)
    if first.due is not None and second.due is not None:
        assert first.due <= second.due
    assert first.decision is Decided.PLANNED or second.decision is not Decided.PLANNED


@given(given_=INPUTS | LIKELY)
def test_the_same_is_decided_again_just_before_the_delete(given_: dict[str, Any]) -> None:
    assert decide(**given_) == decide(**given_)
