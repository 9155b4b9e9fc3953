"""The sender over the real apprise, to real receivers on loopback."""

import logging
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from shared_code.notices import apprise_sender
from shared_code.notices.apprise_sender import AppriseSender
from shared_code.notices.notice import Letter, Text
from shared_code.notices.secret import Secret
from tests.notices.receiving import PASSWORD, TOKEN, Hook, Mail

BODY = "tag-audit has found 2 new things.\n\n- vm-1 (disks) in rg_shop_1: 'env' & <b>\n"
TEXT = Text("Steward: tag-audit has found 2 new things", BODY)


def letter(url: str, to: str | None = None, text: Text = TEXT) -> Letter:
    return Letter(url=Secret(url), to=to, text=text)


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_a_web_hook_is_posted_subject_and_body(hook: Hook) -> None:
    assert AppriseSender().send([letter(hook.url)]) == [None]
    assert hook.posted[0]["title"] == TEXT.subject
    assert hook.posted[0]["message"].strip() == BODY.strip()
    assert hook.paths == [f"/{TOKEN}/"]


def test_a_mail_is_plain_text_and_nothing_else(mail: Mail) -> None:
    """No HTML part, so nothing in it can be markup; a mail goes to whom the URL names."""
    assert AppriseSender().send([letter(mail.url)]) == [None]

    assert mail.recipients == [["operator@example.com"]]
    assert mail.taken[0]["Subject"] == TEXT.subject
    assert "steward@example.com" in mail.taken[0]["From"]
    assert mail.text(0).strip() == BODY.strip()


def test_an_owner_is_the_only_recipient(mail: Mail) -> None:
    """Whatever recipients the URL names, in copy or blind copy too."""
    url = f"{mail.url}&cc=team@example.com&bcc=developer@example.com"

    assert AppriseSender().send([letter(url, to="tester@example.com")]) == [None]
    assert mail.recipients == [["tester@example.com"]]
    assert mail.taken[0]["To"] == "tester@example.com"
    assert (mail.taken[0]["Cc"], mail.taken[0]["Bcc"]) == (None, None)


def test_each_letter_has_its_own_outcome(hook: Hook, mail: Mail) -> None:
    """In their order, and one that fails costs no other; more than are sent at the same time."""
    mail.refused.add("tester@example.com")
    hook.status = 200
    letters = [letter(mail.url, to="tester@example.com"), letter(hook.url), letter("nosuch://x")] * 4

    found = AppriseSender().send(letters)

    assert found[1::3] == [None] * 4
    assert all(found[::3])
    assert found[2::3] == [apprise_sender._NO_SERVICE] * 4
    assert len(hook.posted) == 4


@pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 500, 503])
def test_the_status_of_an_answer_is_told(hook: Hook, status: int) -> None:
    hook.status = status

    assert AppriseSender().send([letter(hook.url)]) == [f"the service answered {status}"]


def test_no_secret_is_told_or_logged(hook: Hook, mail: Mail, caplog: pytest.LogCaptureFixture) -> None:
    """Neither on success, nor where a connection is refused, a service says no, or a URL is wrong; at any level."""
    caplog.set_level(1)
    port = closed_port()
    refused = [
        f"json://{TOKEN}:{TOKEN}@127.0.0.1:{port}/{TOKEN}?+X-Key={TOKEN}",
        f"mailto://steward:{PASSWORD}@127.0.0.1:{port}?from=steward@example.com",
        f"mailto://steward:{TOKEN}@127.0.0.1:{mail.port}?from=steward@example.com",
        f"workflows://127.0.0.1:{port}/{TOKEN}/{TOKEN}/",
        f"slack://{TOKEN}/",
        f"nosuch://{TOKEN}",
        f"mailto://{TOKEN}@127.0.0.1:{port}",
    ]

    found = AppriseSender().send([letter(url) for url in (hook.url, mail.url, *refused)])
    hook.status = 403
    found += AppriseSender().send([letter(hook.url)])

    assert found[:2] == [None, None]
    assert all(found[2:])
    logged = [record.getMessage() for record in caplog.records if record.name != "mail.log"]  # the server's own
    told = "\n".join([*(each or "" for each in found), *logged])
    for secret in (TOKEN, PASSWORD, TEXT.subject, "rg_shop_1"):
        assert secret not in told
    assert [record.name for record in caplog.records if record.name == "apprise"] == []


def test_what_others_log_meanwhile_is_let_through(hook: Hook, caplog: pytest.LogCaptureFixture) -> None:
    """Only what is said while a letter is sent is dropped; urllib3 serves Azure too."""
    caplog.set_level(logging.DEBUG)
    hook.before_answer = lambda: logging.getLogger("urllib3.connectionpool").debug("somebody else's request")

    AppriseSender().send([letter(hook.url)])

    assert "somebody else's request" in caplog.text


def test_a_receiver_that_never_answers_is_given_up(hook: Hook) -> None:
    """After its time it has failed, and others were told meanwhile; those that are not begun in time have failed."""
    silent = socket.create_server(("127.0.0.1", 0))
    with silent:
        slow = letter(f"json://127.0.0.1:{silent.getsockname()[1]}/?rto=2")
        sender = AppriseSender(at_once=2, for_one=0.6, for_all=0.8)

        found = sender.send([slow, letter(hook.url), slow, slow, letter(hook.url)])

        assert found == [apprise_sender._SLOW, None, *[apprise_sender._SLOW] * 2, apprise_sender._NO_TIME]
        for thread in threading.enumerate():
            if thread.name == apprise_sender._THREAD:
                thread.join()


def test_apprise_is_imported_when_there_is_something_to_send() -> None:
    """It takes a second, which no cold start has to pay."""
    code = (
        "import sys; from shared_code.notices.apprise_sender import AppriseSender; import shared_code.notices.notifier;"
        "AppriseSender().send([]); print('apprise' in sys.modules)"
    )
    root = Path(__file__).parents[2]

    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
