"""Who is told of a run: each thing once, failures at once, and a run never suffers from it."""

import logging
from dataclasses import replace

import pytest

from shared_code.errors import AzureError, Refused, StoreError
from shared_code.notices.memory import Memory
from shared_code.notices.notice import Letter
from shared_code.notices.notifier import LOCK
from shared_code.notices.settings import NoticeKind
from shared_code.outputs import NOTICES
from shared_code.runs import Run, RunStatus, TriggeredBy
from shared_code.work import OutOfTime, Summary, Work
from tests.notices.telling import AUDIT, CHAT, ENVIRON, FALLBACK, OPERATORS, OPS, OWNERS, TaggedEstate, telling
from tests.stores import Killed
from tests.world import subscription_id

JOB = "list-resource-groups"
BOTH = OPERATORS.replace(b'"]', b'", "%CHAT%"]')
DRY = OWNERS + b"dry_run = true\n"


def failing(_: Work) -> Summary:
    raise AzureError("cannot read the list of subscriptions: [x](http://evil.example)")


def partial(_: Work) -> Summary:
    return Summary(status=RunStatus.PARTIAL, error="Not read completely: sub-1")


def refusing(_: Work) -> Summary:
    raise Refused("not today")


def subjects(letters: list[Letter]) -> list[str]:
    return [each.text.subject for each in letters]


class TestFailures:
    @pytest.mark.parametrize("job", [failing, partial, refusing])
    def test_a_run_that_ends_badly_is_told_at_once(self, job: object) -> None:
        """With its job, its error as plain text, and how to see more."""
        world, kept = telling(AUDIT + OPERATORS)

        run = world.run(JOB, jobs={JOB: job})

        letter = kept.take()[0]
        assert letter.text.subject == f"Steward: a run of {JOB} has not ended well"
        assert f"steward show {run.id}" in letter.text.body
        assert run.status in letter.text.body
        assert "http://" not in letter.text.body
        assert [(each.kind, each.receiver, each.ok) for each in world.told(run)] == [(NoticeKind.FAILURE, OPS, True)]

    def test_the_same_again_is_told_once_until_it_is_over(self) -> None:
        world, kept = telling(AUDIT + OPERATORS)
        for _ in range(3):
            world.run(JOB, jobs={JOB: failing})
        assert len(kept.take()) == 1

        assert world.run(JOB).status is RunStatus.SUCCEEDED
        assert kept.take() == []

        world.run(JOB, jobs={JOB: failing})
        assert len(kept.take()) == 1

    def test_another_kind_of_end_is_told_too(self) -> None:
        """What was partial and has failed now has become worse; going back and forth is told no more."""
        world, kept = telling(AUDIT + OPERATORS)
        for job in (partial, failing, partial, failing):
            world.run(JOB, jobs={JOB: job})

        assert len(kept.take()) == 2

    def test_a_success_of_a_part_does_not_end_it(self) -> None:
        world, kept = telling(AUDIT + OPERATORS)
        world.run(JOB, jobs={JOB: failing})
        world.run(JOB, subscription_id(0))
        world.run(JOB, jobs={JOB: failing})

        assert len(kept.take()) == 1

    def test_a_poison_message_is_told(self) -> None:
        world, kept = telling(AUDIT + OPERATORS)
        run = world.ask(JOB)

        world.worker().give_up(run.id, "Its message was delivered too often.")

        assert "delivered too often" in kept.take()[0].text.body

    def test_a_run_whose_record_is_damaged_is_told_when_its_message_is_given_up(self) -> None:
        world, kept = telling(AUDIT + OPERATORS)
        run = world.ask(JOB)
        world.world.store.write(f"runs/{run.id}/run.json", b"{")

        world.worker().give_up(run.id, "Its message was delivered too often.")

        assert run.id in kept.take()[0].text.body

    def test_a_message_without_a_run_tells_nobody(self) -> None:
        world, kept = telling(AUDIT + OPERATORS)

        assert world.worker().perform(f"20261122T000000Z-{JOB}-00000000") == ()
        assert kept.take() == []

    def test_who_failed_to_be_told_is_told_with_the_next_run(self, caplog: pytest.LogCaptureFixture) -> None:
        """Of any job, and nobody else again; the failure is one ERROR line, without the secret."""
        world, kept = telling(AUDIT + BOTH)
        kept.failing = {ENVIRON["CHAT"]}
        failed = world.run(JOB, jobs={JOB: failing})
        assert len(kept.take()) == 1
        assert [(each.receiver, each.ok, each.error) for each in world.told(failed)] == [
            (OPS, True, None),
            (CHAT, False, "the service answered 503"),
        ]
        errors = [record.getMessage() for record in caplog.records if "not told" in record.getMessage()]
        assert len(errors) == 1
        assert f"failure to {CHAT}: the service answered 503" in errors[0]
        assert "t0psecret" not in caplog.text

        kept.failing = set()
        world.run("watchdog")

        assert [each.url.reveal() for each in kept.take()] == [ENVIRON["CHAT"]]

    def test_only_what_is_asked_for_is_told(self) -> None:
        world, kept = telling(AUDIT + OPERATORS + b'on = ["summary"]\n')
        world.run(JOB, jobs={JOB: failing})

        assert kept.take() == []


class TestOnce:
    """A run is told once, whoever delivers its message and however often."""

    def test_a_second_delivery_tells_nothing(self) -> None:
        world, kept = telling(AUDIT + OPERATORS)
        run = world.run("tag-audit")
        assert len(kept.take()) == 1

        world.worker().perform(run.id)

        assert kept.take() == []

    def test_what_a_dead_process_did_not_tell_the_next_delivery_tells(self) -> None:
        """It died when the record said that the run had ended, and had told nobody."""
        world, kept = telling(AUDIT + OPERATORS)
        run = world.ask("tag-audit")
        world.world.worker().perform(run.id)
        assert kept.take() == []

        world.worker().perform(run.id)

        assert len(kept.take()) == 1

    def test_a_process_that_dies_before_it_remembers_tells_once_more(self) -> None:
        """Better twice than never."""
        world, kept = telling(AUDIT + OPERATORS)
        run = world.ask("tag-audit")

        def dies() -> None:
            kept.before = lambda: None
            raise Killed

        kept.before = dies
        with pytest.raises(Killed):
            world.worker().perform(run.id)

        world.world.dead.add("process-1")
        world.worker(holder="process-2").perform(run.id)

        assert len(kept.take()) == 1

    def test_a_late_delivery_of_an_old_run_tells_nothing(self) -> None:
        """What it says may be over; a later run of the job has told what is not."""
        world, kept = telling(AUDIT + OPERATORS)
        world.run(JOB, jobs={JOB: failing})
        repeated = world.run(JOB, jobs={JOB: failing})
        world.run(JOB)
        kept.take()

        world.worker().perform(repeated.id)

        assert world.told(repeated) == []
        assert kept.take() == []

    def test_a_run_that_goes_on_in_a_new_message_is_told_at_its_end(self) -> None:
        world, kept = telling(AUDIT + OPERATORS)
        run = world.ask(JOB)

        def out_of_time(_: Work) -> Summary:
            raise OutOfTime

        assert world.worker(jobs={JOB: out_of_time}).perform(run.id) == (run.id,)
        assert kept.take() == []
        world.worker(jobs={JOB: failing}).perform(run.id)

        assert len(kept.take()) == 1

    def test_two_at_the_same_time_take_turns(self) -> None:
        """While one sends, the other waits, and finds then that it is told."""
        world, kept = telling(AUDIT + OPERATORS)
        run = world.ask("tag-audit")
        world.world.worker().perform(run.id)
        other = replace(world.notifier(holder="process-2"), sleep=lambda _: None)

        def meanwhile() -> None:
            kept.before = lambda: None
            other(run.id)

        kept.before = meanwhile
        world.notifier()(run.id)
        other(run.id)

        assert len(kept.take()) == 1
        assert world.world.locks().read(LOCK).run is None

    def test_who_had_to_wait_looks_again(self) -> None:
        """The other one has told it by then."""
        world, kept = telling(AUDIT + OPERATORS)
        run = world.ask("tag-audit")
        world.world.worker().perform(run.id)
        other = world.world.locks("process-2")
        other.acquire(LOCK, run.id, "theirs")

        def meanwhile(_: float) -> None:
            world.world.store.write(f"runs/{run.id}/{NOTICES}", b"")
            other.release(LOCK, "theirs")

        replace(world.notifier(), sleep=meanwhile)(run.id)

        assert kept.take() == []

    def test_a_run_of_a_terminal_is_told_to_nobody(self) -> None:
        """Who started it sees how it ends; what is new is told with the next run of the app."""
        world, kept = telling(AUDIT + OPERATORS)
        world.run("tag-audit", trigger=TriggeredBy.CLI)
        assert kept.take() == []

        world.run("tag-audit")

        assert len(kept.take()) == 1


class TestTheRun:
    """Nothing that telling does reaches the run."""

    @pytest.mark.parametrize("error", [KeyError("t0psecret"), StoreError("no answer")], ids=["ours not", "ours"])
    def test_a_notifier_that_fails_costs_it_nothing(self, error: Exception, caplog: pytest.LogCaptureFixture) -> None:
        world, kept = telling(AUDIT + OPERATORS)

        def fails() -> None:
            raise error

        kept.before = fails
        run = world.run("tag-audit")

        assert run.status is RunStatus.SUCCEEDED
        assert [each.levelno for each in caplog.records if "nobody was told" in each.message] == [logging.ERROR]
        kept.before = lambda: None
        world.run("tag-audit")
        assert len(kept.take()) == 1

    def test_a_damaged_memory_costs_summaries_and_not_failures(self) -> None:
        world, kept = telling(AUDIT + OPERATORS)
        world.world.store.write("notified/tag-audit.json", b"{")
        world.run(
            JOB,
            jobs={JOB: failing},
        )
        kept.take()

        run = world.run("tag-audit")

        assert run.status is RunStatus.SUCCEEDED
        assert [(each.ok, each.error is None) for each in world.told(run)] == [(False, False)]
        assert "notified/tag-audit.json" in str(world.told(run)[0].error)

    def test_without_notices_nothing_is_kept(self) -> None:
        world, _ = telling(AUDIT)
        run = world.run("tag-audit")

        assert [*world.world.store.keys("notified")] == []
        assert world.told(run) == []


class TestSummaries:
    def test_what_is_new_is_told_with_counts_and_examples(self) -> None:
        world, kept = telling(AUDIT + OPERATORS)

        run = world.run("tag-audit")

        text = kept.take()[0].text
        assert text.subject == "Steward: tag-audit has found 1 new thing"
        assert "- env (high): 1\n" in text.body
        assert "- resource group rg-a of sub-0; rule env: " in text.body
        assert run.id in text.body

    def test_nothing_new_tells_nothing(self) -> None:
        world, kept = telling(AUDIT + OPERATORS)
        world.run("tag-audit")
        kept.take()

        run = world.run("tag-audit")

        assert kept.take() == []
        assert world.told(run) == []

    def test_what_healed_and_came_back_is_told_anew(self) -> None:
        estate = TaggedEstate(count=1)
        world, kept = telling(AUDIT + OPERATORS, estate)
        for tags, letters in (({}, 1), ({"env": "dev"}, 0), ({}, 1), ({}, 0)):
            estate.group_tags = dict(tags)
            world.run("tag-audit")
            assert len(kept.take()) == letters

    def test_what_could_not_be_read_has_not_healed(self) -> None:
        estate = TaggedEstate(count=2)
        world, kept = telling(AUDIT + OPERATORS, estate)
        world.run("tag-audit")
        estate.unreadable = frozenset({1})
        estate.tags = {"new": {}}
        world.run("tag-audit")
        assert "tag-audit has found 1 new thing" in str(kept.take())
        estate.unreadable = frozenset()

        world.run("tag-audit")

        assert [each for each in subjects(kept.take()) if "found" in each] == [
            "Steward: tag-audit has found 1 new thing"  # the other one of that name
        ]

    def test_what_is_gone_is_forgotten_when_something_is_told(self) -> None:
        """Its entry would otherwise stay for ever."""
        estate = TaggedEstate(count=1)
        world, _ = telling(AUDIT + OPERATORS, estate)
        world.run("tag-audit")
        estate.group_tags, estate.tags = {"env": "dev"}, {"new": {}}
        world.run("tag-audit")

        assert [each.resource_id.rpartition("/")[2] for each in Memory(world.world.store, "tag-audit").entries()] == [
            "new"
        ]

    def test_a_run_of_a_part_says_nothing_of_the_rest(self) -> None:
        estate = TaggedEstate(count=2)
        world, kept = telling(AUDIT + OPERATORS, estate)
        world.run("tag-audit")
        estate.tags = {"new": {}}
        world.run("tag-audit", subscription_id(0))
        estate.tags = {}
        kept.take()

        world.run("tag-audit")

        assert kept.take() == []

    def test_what_one_receiver_missed_is_told_to_it_alone(self) -> None:
        estate = TaggedEstate(count=1)
        world, kept = telling(AUDIT + BOTH, estate)
        kept.failing = {ENVIRON["CHAT"]}
        world.run("tag-audit")
        kept.take()
        kept.failing = set()

        world.run("tag-audit")

        assert [each.url.reveal() for each in kept.take()] == [ENVIRON["CHAT"]]

    def test_a_change_that_is_planned_is_told_too(self) -> None:
        planning = AUDIT.replace(b'mode = "notify"', b'mode = "approve"\ndefault = "dev"')
        world, kept = telling(planning + OPERATORS)

        run = world.run("tag-audit")

        text = kept.take()[0].text
        assert text.subject == "Steward: tag-audit has found 1 new thing and planned 1 change"
        assert f"steward plan {run.plan}" in text.body
        world.run("tag-audit")
        assert kept.take() == []


class TestDryRun:
    def test_it_writes_what_would_be_sent_and_sends_nothing(self) -> None:
        """And nobody knows, so that all of it is told when it ends."""
        world, kept = telling(AUDIT + DRY, TaggedEstate(count=1, group_tags={"owner": "team@example.com"}))
        run = world.run("tag-audit")
        again = world.run("tag-audit")

        assert kept.take() == []
        told = world.told(run)
        assert [(each.kind, each.receiver, each.ok, each.error) for each in told] == [
            (NoticeKind.SUMMARY, OPS, False, None),
            (NoticeKind.DIGEST, "mailtos://smtp.example.com to team@example.com", False, None),
        ]
        assert [each.would_send.subject for each in world.told(again) if each.would_send] == [
            each.would_send.subject for each in told if each.would_send
        ]

        world.world.toml = AUDIT + OWNERS
        world.run("tag-audit")
        assert [each.text.subject for each in kept.take()] == [
            each.would_send.subject for each in told if each.would_send
        ]


class TestDigests:
    def digests(self, letters: list[Letter]) -> dict[str | None, Letter]:
        """By recipient; None is the fallback."""
        return {each.to: each for each in letters if each.url.reveal() != ENVIRON["OPS"]}

    def test_each_owner_hears_of_their_things_and_the_fallback_of_the_rest(self) -> None:
        """The owner is the tag on the thing, else on its group; an address elsewhere is none."""
        estate = TaggedEstate(
            count=1,
            group_tags={"Owner": "team@example.com", "env": "dev"},
            tags={
                "one": {},
                "two": {"owner": " "},
                "three": {"OWNER": "Tester@example.com"},
                "four": {"owner": "evil@example.net"},
                "five": {"owner": "team@example.com\r\nBcc: evil@example.net"},
                "six": {"env": "dev", "owner": "developer@example.com"},
            },
        )
        world, kept = telling(AUDIT + OWNERS, estate)

        run = world.run("tag-audit")

        found = self.digests(kept.take())
        assert set(found) == {"team@example.com", "tester@example.com", None}
        for recipient, names in {
            "team@example.com": {"one", "two"},
            "tester@example.com": {"three"},
            None: {"four", "five"},
        }.items():
            body = found[recipient].text.body
            assert {name for name in estate.tags if f"- {name} (sites) in rg-a" in body} == names
        assert found[None].url.reveal() == ENVIRON["FALLBACK"]
        assert {each.receiver: each.things for each in world.told(run) if each.kind is NoticeKind.DIGEST} == {
            "mailtos://smtp.example.com to team@example.com": 2,
            "mailtos://smtp.example.com to tester@example.com": 1,
            FALLBACK: 2,
        }

    def test_a_rule_that_only_reports_is_no_owners_business(self) -> None:
        world, kept = telling(AUDIT.replace(b'"notify"', b'"report"') + OWNERS)
        world.run("tag-audit")

        assert self.digests(kept.take()) == {}

    def test_nothing_is_read_again_where_nothing_is_new(self) -> None:
        estate = TaggedEstate(count=1, tags={"one": {}})
        world, kept = telling(AUDIT + OWNERS, estate)
        world.run("tag-audit")
        kept.take()
        estate.read.clear()

        world.run("tag-audit")

        assert estate.read.count(f"resources of {subscription_id(0)}") == 1
        assert kept.take() == []

    def test_who_could_not_be_told_is_told_with_the_next_run(self) -> None:
        estate = TaggedEstate(count=1, group_tags={"env": "x"}, tags={"one": {"owner": "team@example.com"}, "two": {}})
        world, kept = telling(AUDIT + OWNERS, estate)
        kept.failing = {"team@example.com"}
        world.run("tag-audit")
        assert set(self.digests(kept.take())) == {None}
        kept.failing = set()

        world.run("tag-audit")

        assert set(self.digests(kept.take())) == {"team@example.com"}

    def test_where_owners_cannot_be_read_nobody_is_told_until_they_can(self) -> None:
        """The fallback does not hear of what may well have an owner."""
        estate = TaggedEstate(count=1, group_tags={"owner": "team@example.com"})
        world, kept = telling(AUDIT + OWNERS, estate)
        run = world.ask("tag-audit")
        world.world.worker().perform(run.id)
        estate.unreadable = frozenset({0})

        world.notifier()(run.id)

        assert self.digests(kept.take()) == {}
        assert [each.error for each in world.told(run) if each.error] == [
            "their tags were not read: cannot read resource groups: Azure answered 403 AuthorizationFailed"
        ]
        estate.unreadable = frozenset()
        world.run("tag-audit")
        assert set(self.digests(kept.take())) == {"team@example.com"}

    def test_ten_thousand_things_are_cut(self) -> None:
        """With their number, and where all of them are."""
        estate = TaggedEstate(
            count=1, group_tags={"owner": "team@example.com"}, tags={f"site-{number}": {} for number in range(10_000)}
        )
        world, kept = telling(AUDIT + OWNERS, estate)

        run = world.run("tag-audit")

        text = self.digests(kept.take())["team@example.com"].text
        assert text.subject == "Steward: 10,001 things of yours to look at, from tag-audit"
        assert "and 9,971 more, which are in the report of the run." in text.body
        assert f"steward show {run.id}" in text.body
        assert len(text.body) < 16_000

    def test_foreign_text_makes_no_link_and_no_header(self) -> None:
        evil = "[x](http://evil.example)\r\nBcc: a@evil.example <!channel> @here"
        auditing = AUDIT.replace(b'mode = "notify"', b'mode = "notify"\nallowed = ["dev"]')
        estate = TaggedEstate(count=1, group_tags={"env": evil, "owner": "team@example.com"})
        world, kept = telling(auditing + OWNERS, estate)

        world.run("tag-audit")

        letters = kept.take()
        assert len(letters) == 2
        for each in letters:
            assert each.text.subject.isprintable()
            assert "evil[.]example" in each.text.body
            assert not any(mark in each.text.body for mark in ("http://", "evil.example", "](", "<!", "@here"))


class TestMissedRuns:
    def test_a_missed_run_is_told_once_and_once_that_it_is_over(self) -> None:
        """However many occurrences are missed, and however often the watchdog looks."""
        world, kept = telling(AUDIT + OPERATORS)
        world.run("watchdog")
        world.world.pass_time(days=1)
        assert kept.take() == []

        for _ in range(3):
            world.run("watchdog")
            world.world.pass_time(days=1)

        letters = kept.take()
        assert len(letters) == 1
        assert f"{JOB} was due at " in letters[0].text.body
        assert "tag-audit was due at " in letters[0].text.body
        for job in (JOB, "tag-audit"):
            world.run(job)
        kept.take()
        runs = [world.run("watchdog") for _ in range(2)]

        assert subjects(kept.take()) == [f"Steward: {JOB}, tag-audit: no run is missed any more"]
        assert [len(world.told(each)) for each in runs] == [1, 0]

    def test_an_end_is_not_told_to_who_never_knew(self) -> None:
        world, kept = telling(AUDIT + OPERATORS)
        world.run("watchdog")
        world.world.pass_time(days=1)
        kept.failing = {ENVIRON["OPS"]}
        world.run("watchdog")
        for job in (JOB, "tag-audit"):
            world.run(job)
        kept.failing = set()

        world.run("watchdog")

        assert [each for each in subjects(kept.take()) if "missed" in each] == []


def test_what_is_told_is_beside_the_run_and_not_in_its_record() -> None:
    """The record says how the run has ended, and nothing is added to it then."""
    world, _ = telling(AUDIT + OPERATORS)
    run: Run = world.run("tag-audit")

    assert NOTICES not in run.outputs
    assert world.world.store.read(f"runs/{run.id}/{NOTICES}") is not None
