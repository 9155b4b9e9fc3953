"""[notices] of steward.toml: what is wrong with it costs notices alone, and no problem shows a URL."""

import pytest

from shared_code.notices.secret import Secret
from shared_code.notices.settings import NoticeKind
from shared_code.settings import JOBS, Configuration, Costs, configure

ENVIRON = {
    "STEWARD_NOTICE_URL": "json://hooks.example.com/hunter2",
    "MAIL": "mailtos://steward:hunter2@smtp.example.com",
    "BAD": "hunter2",
}
OWNERS = '[notices]\nowner_url = "%MAIL%"\nowner_domains = ["example.com"]\nfallback = "%STEWARD_NOTICE_URL%"\n'


def configured(text: str) -> Configuration:
    return configure(text.encode(), "steward.toml", ENVIRON)


def test_without_the_table_nobody_is_told() -> None:
    assert not configured("").receivers


def test_what_it_says_is_what_holds() -> None:
    found = configured(OWNERS + 'urls = ["%STEWARD_NOTICE_URL%"]\non = ["digest"]\nowner_tag = "team"\ndry_run = true')

    assert (found.problems, [each for each in found.warnings if "notices" in each.place]) == ((), [])
    assert found.receivers.operators == {"json://hooks.example.com": Secret(ENVIRON["STEWARD_NOTICE_URL"])}
    assert (found.receivers.owner, found.receivers.fallback) == (
        Secret(ENVIRON["MAIL"]),
        Secret(ENVIRON["STEWARD_NOTICE_URL"]),
    )
    assert (found.notices.on, found.notices.owner_tag, found.notices.dry_run) == ((NoticeKind.DIGEST,), "team", True)


def test_everything_is_told_unless_it_says_of_what() -> None:
    assert set(configured('[notices]\nurls = ["%MAIL%"]').notices.on) == set(NoticeKind)


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("notices = 1", "notices", "must be a table, not a whole number; write [notices]"),
        ("[notices]\nurl = []", "notices", "there is no key 'url'; did you mean 'urls'"),
        ("[notices]\nurls = 'json://hunter2'", "notices.urls", "expected a list, got a text in quotes"),
        ("[notices]\nurls = ['%BAD%']", "notices.urls[0]", "the app setting BAD is no URL"),
        ("[notices]\nurls = ['%MAIL%', '%NONE%']", "notices.urls[1]", "'%NONE%' names no app setting"),
        ("[notices]\nurls = ['json://a.example.com/hunter2']", "notices.urls[0]", "may hold a secret"),
        ("[notices]\nurls = ['slack://hunter2/a/b']", "notices.urls[0]", "may hold a secret"),
        ("[notices]\nurls = ['json://a%20hunter2%20b/']", "notices.urls[0]", "may hold a secret"),
        (
            "[notices]\non = ['digests']",
            "notices.on[0]",
            "'digests' is none of summary, failure, missed-run, digest; did",
        ),
        ("[notices]\ndry_run = 'yes'", "notices.dry_run", "expected true or false"),
        ("[notices]\nowner_tag = ' '", "notices.owner_tag", "is blank"),
        (OWNERS.replace('["example.com"]', "[]"), "notices.owner_domains", "is empty, and strangers write tags"),
        (OWNERS.replace("example.com", "*"), "notices.owner_domains[0]", "'*' is no mail domain"),
        (OWNERS.replace('fallback = "%STEWARD_NOTICE_URL%"', ""), "notices.fallback", "is not set"),
        (OWNERS.replace("%MAIL%", "%STEWARD_NOTICE_URL%"), "notices.owner_url", "is no mail server"),
        (OWNERS.replace("%MAIL%", "mailto://a:hunter2@b.example.com"), "notices.owner_url", "may hold a secret"),
    ],
)
def test_a_bad_table_costs_notices_and_no_job(text: str, place: str, says: str) -> None:
    """Nobody is told, as nobody knows who was meant; health and `steward check` say it; every job runs."""
    found = configured(text)

    assert [each.place for each in found.problems] == [f"steward.toml: {place}"]
    assert says in found.problems[0].text
    assert found.problems[0].costs is Costs.NOTICES
    assert "hunter2" not in str(found.problems)
    assert not found.receivers
    for job in JOBS:
        assert found.problems_of(job, Costs.TIMER) == []
        assert found.problems_of(job, Costs.RUNS) == []


def test_the_configuration_does_not_print_a_url() -> None:
    assert "hunter2" not in repr(configured(OWNERS + 'urls = ["%STEWARD_NOTICE_URL%"]'))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[notices]\nowner_domains = ["example.com"]', "notices.owner_domains"),
        ('[notices]\nfallback = "%STEWARD_NOTICE_URL%"', "notices.fallback"),
        ('[notices]\nurls = ["%MAIL%"]\non = []', "notices.on"),
        (OWNERS, "notices.urls"),
    ],
)
def test_what_has_no_effect_is_a_warning(text: str, place: str) -> None:
    found = configured(text)

    assert found.problems == ()
    assert f"steward.toml: {place}" in [each.place for each in found.warnings]
