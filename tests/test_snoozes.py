"""Snoozes: a rule leaves one resource alone until a time; one that cannot be read never ends by itself."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.cleanup_rules import RULES
from shared_code.errors import InvalidRequest, StoreError, Unknown
from shared_code.retention import SNOOZES_KEPT, remove_old
from shared_code.run_records import RunRecords
from shared_code.snoozes import LONGEST, Snooze, Snoozes, about, snooze_id, until_of, view_of
from shared_code.store import Stored
from shared_code.times import text_of
from tests.fakes import NOW
from tests.memory_store import MemoryStore

SUB = "/subscriptions/5e000000-0000-4000-8000-000000000001"
GROUP = f"{SUB}/resourceGroups/rg-lab"
DISK = f"{GROUP}/providers/Microsoft.Compute/disks/data"
RULE = "unattached-disk"
ID = snooze_id(RULE, DISK)
KEY = f"snoozes/{ID}.json"
OPERATOR = "operator@example.com"
DAY = timedelta(days=1)


def snoozed(store: MemoryStore, resource_id: str = DISK, rule: str = RULE, until: str = "2026-12-31") -> Snooze:
    return Snoozes(store).set(rule, resource_id, until=until, by=OPERATOR, reason="still needed", now=NOW)


@pytest.fixture(name="store")
def _store() -> MemoryStore:
    return MemoryStore()


def test_a_snooze_says_who_why_and_until_when(store: MemoryStore) -> None:
    snooze = snoozed(store)

    assert snooze == Snooze(
        resource_id=DISK,
        rule=RULE,
        until=datetime(2027, 1, 1, tzinfo=UTC),
        by=OPERATOR,
        reason="still needed",
        at=NOW,
    )
    assert snooze.sentence == f"until 2027-01-01T00:00:00Z by {OPERATOR}: still needed"
    assert msgspec.json.decode(store.objects[KEY].data) == {
        "resource_id": DISK,
        "rule": RULE,
        "until": "2027-01-01T00:00:00Z",
        "by": OPERATOR,
        "reason": "still needed",
        "at": "2026-11-22T06:00:00Z",
    }
    assert Snoozes(store).all() == {ID: snooze}
    assert Snoozes(store).get(ID) == snooze
    assert view_of(ID, snooze, NOW) == {"id": ID, "active": True, **msgspec.to_builtins(snooze)}


def test_it_ends_at_its_time(store: MemoryStore) -> None:
    snooze = snoozed(store, until="2026-12-31T18:00:00+01:00")
    assert snooze.until == datetime(2026, 12, 31, 17, tzinfo=UTC)

    assert about(Snoozes(store).all(), RULE, DISK, snooze.until - timedelta(seconds=1)) == snooze
    assert about(Snoozes(store).all(), RULE, DISK, snooze.until) is None


def test_times_are_kept_in_utc(store: MemoryStore) -> None:
    """Wherever the clock of whoever wanted it stands."""
    east = timezone(timedelta(hours=2))
    Snoozes(store).set(RULE, DISK, until="2026-12-31T18:00:00+01:00", by=OPERATOR, reason="r", now=NOW.astimezone(east))

    kept = msgspec.json.decode(store.objects[KEY].data)
    assert (kept["until"], kept["at"]) == ("2026-12-31T17:00:00Z", "2026-11-22T06:00:00Z")


def test_the_last_one_counts_and_removing_it_ends_it(store: MemoryStore) -> None:
    snoozed(store)
    later = snoozed(store, DISK.upper(), until="2027-02-01")

    assert list(Snoozes(store).all().values()) == [later]
    Snoozes(store).remove(ID)
    assert Snoozes(store).all() == {}
    with pytest.raises(Unknown, match=f"There is no snooze '{ID}'; list them with"):
        Snoozes(store).remove(ID)


@pytest.mark.parametrize("name", ["", "x", "../control/stop", ID.upper(), ID[:-1], f"{ID}0", f"{ID}\n"])
def test_an_id_that_is_none(name: str) -> None:
    """It is never looked for in the store, and is told as one short line."""

    class Shut(MemoryStore):
        def read(self, key: str) -> Stored | None:
            raise AssertionError(f"{key} was read")

    for ask in (Snoozes(Shut()).get, Snoozes(Shut()).remove):
        with pytest.raises(Unknown) as raised:
            ask(name)
        assert str(raised.value).isprintable()


def test_one_that_is_not_there(store: MemoryStore) -> None:
    snoozed(store)
    other = snooze_id("other", DISK)

    with pytest.raises(Unknown, match=f"There is no snooze '{other}'"):
        Snoozes(store).get(other)


class TestAbout:
    """What a snooze keeps: the thing, what lies in it, and what it would go along with."""

    def found(self, store: MemoryStore, rule: str, resource_id: str) -> Snooze | None:
        return about(Snoozes(store).all(), rule, resource_id, NOW)

    def test_of_the_thing(self, store: MemoryStore) -> None:
        snooze = snoozed(store)

        assert self.found(store, RULE, DISK.upper()) == snooze
        assert self.found(store, RULE, DISK.replace("/disks/data", "//disks/d%61ta/")) == snooze
        assert self.found(store, "expired", DISK) is None
        assert self.found(store, RULE, f"{DISK}2") is None

    def test_of_the_group_holds_for_what_is_in_it(self, store: MemoryStore) -> None:
        snooze = snoozed(store, GROUP, "expired")

        assert self.found(store, "expired", DISK) == snooze
        assert self.found(store, RULE, DISK) is None
        assert self.found(store, "expired", f"{GROUP}2/providers/Microsoft.Compute/disks/data") is None

    def test_of_something_in_it_holds_for_the_group_whatever_the_rule(self, store: MemoryStore) -> None:
        """It would go along."""
        snooze = snoozed(store)

        assert self.found(store, "expired", GROUP) == snooze
        assert self.found(store, "expired", f"{GROUP}-2") is None

    def test_one_that_has_ended_keeps_nothing(self, store: MemoryStore) -> None:
        snoozed(store, until="2026-11-23")

        assert about(Snoozes(store).all(), "expired", GROUP, NOW + 3 * DAY) is None

    def test_one_that_has_ended_hides_none_that_has_not(self, store: MemoryStore) -> None:
        """Of several that hold the same one is told, in whatever order they are given."""
        places = sorted((f"{DISK}-{number}" for number in range(4)), key=lambda each: snooze_id(RULE, each))
        for place, until in zip(places, ["2026-11-23", "2026-12-31", "2026-11-23", "2027-01-31"], strict=True):
            snoozed(store, place, until=until)
        every, later = Snoozes(store).all(), NOW + 3 * DAY

        for mixed in (every, dict(reversed(every.items()))):
            assert about(mixed, "expired", GROUP, later) == every[snooze_id(RULE, places[1])]


def test_pages_hold_each_snooze_once_and_in_order(store: MemoryStore) -> None:
    """The last one says so, also where it is full."""
    for number in range(4):
        snoozed(store, f"{DISK}-{number}")
    every, snoozes = Snoozes(store).all(), Snoozes(store)
    names = sorted(every)

    assert snoozes.page(9) == snoozes.page(4) == (every, None)
    assert snoozes.page(3) == ({name: every[name] for name in names[:3]}, names[2])
    assert snoozes.page(3, names[2]) == ({names[3]: every[names[3]]}, None)
    assert snoozes.page(2, names[1]) == ({name: every[name] for name in names[2:]}, None)
    assert snoozes.page(3, names[3]) == ({}, None)


def test_one_that_somebody_removes_meanwhile_is_on_no_page() -> None:
    class Raced(MemoryStore):
        def read(self, key: str) -> Stored | None:
            return None if key == KEY else super().read(key)

    store = Raced()
    snoozed(store)
    other = snoozed(store, GROUP)

    assert Snoozes(store).page(2) == ({snooze_id(RULE, GROUP): other}, None)


class TestUntil:
    @pytest.mark.parametrize(
        ("text", "until"),
        [
            ("2026-11-22", "2026-11-23T00:00:00Z"),
            (" 2026-12-31 ", "2027-01-01T00:00:00Z"),
            ("2026-11-22T06:00:01Z", "2026-11-22T06:00:01Z"),
            ("2026-12-01T00:30:00+02:00", "2026-11-30T22:30:00Z"),
            ("2027-11-22", "2027-11-23T00:00:00Z"),
            ("2027-11-23T06:00:00Z", "2027-11-23T06:00:00Z"),
        ],
    )
    def test_a_day_is_whole_and_a_time_has_a_zone(self, text: str, until: str) -> None:
        assert text_of(until_of(text, NOW)) == until

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("2026-11-21", "has passed"),
            ("2026-11-22T06:00:00Z", "has passed"),
            ("2027-11-23", "more than 366 days ahead"),
            ("2027-11-23T06:00:01Z", "more than 366 days ahead"),
            ("9998-01-01", "more than 366 days ahead"),
            ("9999-12-31", "is no day or time"),
            ("2026-12-01T18:00:00", "has no time zone"),
            ("20261231", "has no time zone"),
            ("2026-02-30", "is no day or time"),
            ("tomorow", "is no day or time"),
            ("01/02/2027", "is no day or time"),
            ("", "is no day or time"),
            ("x\r\ny", "'x y' is no day or time"),
        ],
    )
    def test_what_will_not_do(self, text: str, problem: str) -> None:
        with pytest.raises(InvalidRequest, match=problem) as raised:
            until_of(text, NOW)
        assert str(raised.value).isprintable()

    @given(days=some.integers(-1000, 1000))
    def test_it_lies_ahead_and_within_a_year(self, days: int) -> None:
        text = (NOW + days * DAY).date().isoformat()
        try:
            until = until_of(text, NOW)
        except InvalidRequest:
            assert days < 0 or days > 365
        else:
            assert NOW < until <= NOW + LONGEST


class TestWhatCannotBeSnoozed:
    @pytest.mark.parametrize(
        "resource_id",
        [
            "",
            "data",
            SUB,
            f"{SUB}/resourceGroups/",
            f"{SUB}/resourceGroups/rg-lab/providers",
            f"{GROUP}/providers/Microsoft.Compute/disks",
            GROUP.replace("5e000000", "x"),
            f"{GROUP}/../rg-other",
            f"{GROUP}/providers/Microsoft.Compute/disks/%2e%2e",
            f"{GROUP}\n",
            f"https://management.azure.com{GROUP}",
            f"{DISK}{'x' * 2048}",
        ],
    )
    def test_an_id_of_nothing_that_cleanup_looks_at(self, store: MemoryStore, resource_id: str) -> None:
        with pytest.raises(InvalidRequest, match="is no id of a resource or a resource group") as raised:
            snoozed(store, resource_id)
        assert str(raised.value).isprintable()
        assert store.objects == {}

    @pytest.mark.parametrize("rule", ["", "Unattached-Disk", "unatached-disk", "a\nb", "x" * 300])
    def test_a_rule_that_is_not_there(self, store: MemoryStore, rule: str) -> None:
        """A slip of the pen must not look as if something were left alone."""
        with pytest.raises(InvalidRequest, match=r"There is no cleanup rule '.*'; there are .*, unattached-disk, "):
            snoozed(store, rule=rule)
        assert store.objects == {}

    def test_the_rules_there_are_stand_in_order(self, store: MemoryStore) -> None:
        with pytest.raises(InvalidRequest) as raised:
            snoozed(store, rule="other")
        assert str(raised.value) == f"There is no cleanup rule 'other'; there are {', '.join(sorted(RULES))}."

    @pytest.mark.parametrize("reason", ["", " \n", "x" * 1001])
    def test_a_reason_is_needed(self, store: MemoryStore, reason: str) -> None:
        with pytest.raises(InvalidRequest):
            Snoozes(store).set(RULE, DISK, until="2026-12-31", by=OPERATOR, reason=reason, now=NOW)

    def test_a_name_that_is_too_long(self, store: MemoryStore) -> None:
        with pytest.raises(InvalidRequest, match="and a name 256; shorten it"):
            Snoozes(store).set(RULE, DISK, until="2026-12-31", by="x" * 257, reason="r", now=NOW)
        assert store.objects == {}

    def test_the_longest_of_each_can_be(self, store: MemoryStore) -> None:
        """And nothing of it is cut off."""
        longest = DISK + "x" * (2048 - len(DISK))
        name, reason = "n" * 256, "r" * 1000

        snooze = Snoozes(store).set(RULE, longest, until="2026-12-31", by=name, reason=reason, now=NOW)

        assert (snooze.resource_id, snooze.by, snooze.reason) == (longest, name, reason)
        with pytest.raises(InvalidRequest, match="is no id of a resource or a resource group"):
            snoozed(store, f"{longest}x")

    def test_a_group_and_a_child_can_be(self, store: MemoryStore) -> None:
        for each in (GROUP, f"{DISK}/x/y", DISK.replace("/disks/data", "//disks/d%61ta/")):
            snoozed(store, each)
            assert about(Snoozes(store).all(), RULE, each, NOW)


GOOD = {"resource_id": DISK, "rule": RULE, "until": "2026-12-01T00:00:00Z", "by": "a", "reason": "b", "at": "2026-11-22T06:00:00Z"}  # fmt: skip  # noqa: E501


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"\xff",
        b"null",
        b"[" * 5000,
        b'{"x": ' + b"[" * 100_000,
        msgspec.json.encode(GOOD | {"until": "2026-12-01"}),
        msgspec.json.encode(GOOD | {"until": "2020-12-01T00:00:00"}),
        msgspec.json.encode(GOOD | {"until": None}),
        msgspec.json.encode(GOOD | {"resource_id": GROUP, "until": "2020-12-01T00:00:00Z"}),
        msgspec.json.encode(GOOD | {"rule": "other", "until": "2020-12-01T00:00:00Z"}),
    ],
)
def test_one_that_cannot_be_understood_counts_until_somebody_removes_it(store: MemoryStore, content: bytes) -> None:
    store.write(KEY, content)
    far = NOW + 4000 * DAY
    snooze = about(Snoozes(store).all(), RULE, DISK, far)

    assert snooze is not None
    assert snooze.is_damaged
    assert snooze.sentence == (
        f"the snooze in '{KEY}' cannot be read, so it counts; DELETE /api/snoozes/{ID} removes it"
    )
    assert Snoozes(store).all() == {ID: snooze}
    assert view_of(ID, snooze, far)["active"] is True
    assert Snoozes(store).remove_expired(far) == 0
    Snoozes(store).remove(ID)
    assert Snoozes(store).all() == {}


def test_what_is_no_snooze_is_left_out(store: MemoryStore) -> None:
    for name in ("snoozes/readme.txt", f"snoozes/{ID}.json.bak", f"snoozes/old/{ID}.json", f"snoozes/{ID}"):
        store.write(name, b"x")

    assert Snoozes(store).all() == {}


def test_a_store_that_cannot_be_read_is_no_absence() -> None:
    class Silent(MemoryStore):
        def read(self, key: str) -> Stored | None:
            raise StoreError(f"{key}: no answer")

    silent = Silent()
    silent.write(KEY, b"{}")

    with pytest.raises(StoreError):
        Snoozes(silent).all()


@given(
    rules=some.lists(some.sampled_from(["a", "b-c"]), min_size=2, max_size=2),
    ids=some.lists(some.sampled_from([DISK, DISK.upper(), GROUP, f"{GROUP}2"]), min_size=2, max_size=2),
)
def test_one_id_for_each_rule_and_resource(rules: list[str], ids: list[str]) -> None:
    same = rules[0] == rules[1] and ids[0].lower() == ids[1].lower()

    assert (snooze_id(rules[0], ids[0]) == snooze_id(rules[1], ids[1])) is same


def test_what_strangers_wrote_stays_on_its_line(store: MemoryStore) -> None:
    snooze = Snoozes(store).set(RULE, DISK, until="2026-12-31", by="a\r\nb", reason="x\x1b[31m\nFORGED", now=NOW)

    assert snooze.sentence.isprintable()
    assert (snooze.by, snooze.reason) == ("a b", "x [31m FORGED")
    written = msgspec.structs.replace(snooze, by="a\r\nb", reason="x\nFORGED")
    assert written.sentence.endswith("until 2027-01-01T00:00:00Z by a b: x FORGED")


def test_a_snooze_is_removed_a_month_after_its_end(store: MemoryStore) -> None:
    """Until then it can be seen why something was left alone; one that cannot be read stays."""
    old = snoozed(store, until="2026-12-01T00:00:00Z")
    snoozed(store, GROUP)
    broken = f"snoozes/{'0' * 64}.json"
    store.write(broken, b"?")
    assert old.until is not None

    remove_old(store, RunRecords(store), 90, old.until + SNOOZES_KEPT, lambda: None)
    assert KEY in store.objects
    remove_old(store, RunRecords(store), 90, old.until + SNOOZES_KEPT + timedelta(seconds=1), lambda: None)

    assert sorted(store.keys("snoozes")) == sorted([broken, f"snoozes/{snooze_id(RULE, GROUP)}.json"])
