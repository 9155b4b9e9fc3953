"""A whole run through the worker, over the real apprise, to a real web hook and a real mail server."""

import logging

import pytest

from shared_code.errors import AzureError
from shared_code.notices.apprise_sender import AppriseSender
from shared_code.runs import RunStatus
from shared_code.work import Summary, Work
from tests.memory_store import MemoryStore
from tests.notices.receiving import PASSWORD, TOKEN, Hook, Mail
from tests.notices.telling import AUDIT, OWNERS, TaggedEstate, Telling
from tests.world import World


def telling(hook: Hook, mail: Mail, estate: TaggedEstate) -> Telling:
    """A world that tells operators by the web hook and by mail, owners by mail, and the fallback by the web hook."""
    both = OWNERS.replace(b'urls = ["%OPS%"]', b'urls = ["%OPS%", "%MAIL%"]')
    world = World(MemoryStore(), toml=AUDIT + both)
    world.estate = estate
    return Telling(world, AppriseSender(), {"OPS": hook.url, "FALLBACK": hook.url, "MAIL": mail.url})


def test_a_run_tells_operators_and_owners(hook: Hook, mail: Mail, caplog: pytest.LogCaptureFixture) -> None:
    """Each once, in plain text, to the address in the tag; and a second run tells nobody."""
    caplog.set_level(logging.DEBUG)
    estate = TaggedEstate(
        count=1,
        group_tags={"owner": "team@example.com", "env": "dev"},
        tags={"mine": {}, "nobodys": {"owner": "<script>"}},
    )
    world = telling(hook, mail, estate)

    run = world.run("tag-audit")

    assert run.status is RunStatus.SUCCEEDED
    assert [(each.receiver, each.things, each.ok) for each in world.told(run)] == [
        (hook.label, 2, True),
        (mail.label, 2, True),
        (hook.label, 1, True),
        (f"{mail.label} to team@example.com", 1, True),
    ]
    assert sorted(mail.recipients) == [["operator@example.com"], ["team@example.com"]]
    own = mail.recipients.index(["team@example.com"])
    assert "- mine (sites) in rg-a of sub-0" in mail.text(own)
    assert "nobodys" not in mail.text(own)
    assert sorted(each["title"] for each in hook.posted) == [
        "Steward: 1 thing without an owner to tell, from tag-audit",
        "Steward: tag-audit has found 2 new things",
    ]
    world.run("tag-audit")
    assert (len(hook.posted), len(mail.taken)) == (2, 2)
    logged = "\n".join(each.getMessage() for each in caplog.records if each.name != "mail.log")
    assert TOKEN not in logged
    assert PASSWORD not in logged


def test_a_web_hook_that_is_down_costs_the_run_nothing(
    hook: Hook, mail: Mail, caplog: pytest.LogCaptureFixture
) -> None:
    """The mail arrives; the web hook is told with the next run, of whatever job."""

    def failing(_: Work) -> Summary:
        raise AzureError("cannot read the list of subscriptions")

    world = telling(hook, mail, TaggedEstate(count=1))
    hook.status = 503

    run = world.run("list-resource-groups", jobs={"list-resource-groups": failing})

    assert run.status is RunStatus.FAILED
    assert [(each.receiver, each.ok, each.error) for each in world.told(run)] == [
        (hook.label, False, "the service answered 503"),
        (mail.label, True, None),
    ]
    assert [each.levelno for each in caplog.records if "not told" in each.message] == [logging.ERROR]
    stored = b"".join(world.world.store.chunks(f"runs/{run.id}/notices.ndjson"))
    assert TOKEN.encode() not in stored
    hook.status = 200
    world.run("watchdog")
    assert (len(hook.posted), len(mail.taken)) == (2, 1)
