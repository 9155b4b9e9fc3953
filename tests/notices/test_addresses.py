"""Where notices go: no label and no problem shows a secret, and a tag is one address in a known domain or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.notices.addresses import is_domain, label_of, labels_of, owner_address, resolve
from shared_code.notices.secret import Secret

DOMAINS = ("example.com", "mail.example.org")
PLAIN = [
    "json://127.0.0.1:8080",
    "jsons://hooks.example.com/",
    "mailto://smtp.example.com?from=steward@example.com&to=team@example.com",
    "mailtos://smtp.example.com:587?from=steward@example.com",
]
SECRET = [
    "json://user@hooks.example.com",
    "json://user:hunter2@hooks.example.com",
    "json://hooks.example.com/hunter2",
    "json://hooks.example.com?hunter2",
    "json://hooks.example.com#hunter2",
    "json://hooks.example.com?+X-Key=hunter2",
    "mailto://smtp.example.com?pass=hunter2",
    "mailto://smtp.example.com?from=a@example.com&pass=hunter2",
    "mailto://steward:hunter2@smtp.example.com?from=steward@example.com",
    "https://hooks.slack.com/services/T1/B1/hunter2",
    "slack://hunter2/hunter2/hunter2/#general",
    "tgram://123456789:hunter2/12345",
    "workflows://hunter2",
    "%HOOK%/hunter2",
    "json://[hunter2",
    "json://hooks.example.com:hunter2",
]


class TestResolve:
    @pytest.mark.parametrize("text", PLAIN)
    def test_a_url_without_anything_secret_may_be_written_out(self, text: str) -> None:
        assert resolve(text, {}) == Secret(text)

    @pytest.mark.parametrize("text", SECRET)
    def test_a_url_that_may_hold_a_secret_may_not(self, text: str) -> None:
        """And nothing of it is in the sentence."""
        found = resolve(text, {})

        assert isinstance(found, str)
        assert "%STEWARD_NOTICE_URL%" in found
        assert "hunter2" not in found

    @pytest.mark.parametrize("text", SECRET[:-3])
    def test_an_app_setting_may_hold_any_url(self, text: str) -> None:
        """Its name is compared without case, as everywhere."""
        assert resolve("%Hook%", {"HOOK": f" {text} "}) == Secret(text)

    @pytest.mark.parametrize("environ", [{}, {"HOOK": ""}, {"HOOK": "  "}])
    def test_a_setting_that_is_missing_or_empty_is_named(self, environ: dict[str, str]) -> None:
        assert "'%HOOK%' names no app setting, or an empty one" in str(resolve("%HOOK%", environ))

    @pytest.mark.parametrize(
        "value", ["hunter2", "json:/hunter2", "json://a hunter2", "json://a\nhunter2", "://hunter2"]
    )
    def test_a_setting_that_is_no_url_is_named_and_not_shown(self, value: str) -> None:
        found = str(resolve("%HOOK%", {"HOOK": value}))

        assert "the app setting HOOK is no URL" in found
        assert "hunter2" not in found

    def test_a_secret_does_not_print_itself(self) -> None:
        assert "hunter2" not in f"{Secret('hunter2')} {Secret('hunter2')!r}"


class TestLabels:
    @pytest.mark.parametrize(
        ("url", "label"),
        [
            ("json://user:hunter2@hooks.example.com:8443/hunter2?+K=hunter2", "json://hooks.example.com:8443"),
            ("https://hooks.slack.com/services/T1/B1/hunter2", "https://hooks.slack.com"),
            ("mailtos://steward:hunter2@smtp.example.com", "mailtos://smtp.example.com"),
            ("json://[::1]:80/hunter2", "json://[::1]:80"),
            ("slack://hunter2/hunter2/hunter2/#general", "slack://#general"),
            ("slack://hunter2/hunter2/hunter2/", "slack://"),
            ("tgram://123456789:hunter2/12345", "tgram://"),
            ("discord://123/hunter2", "discord://"),
            ("mailto://user:hunter#2@host", "mailto://"),
            ("json://[hunter2", "json://"),
        ],
    )
    def test_a_label_is_scheme_and_host_or_channel(self, url: str, label: str) -> None:
        """Where a scheme has no host, what stands there may be a token."""
        assert label_of(Secret(url)) == label

    def test_two_of_the_same_label_are_told_apart(self) -> None:
        urls = [Secret(f"slack://a/b/{token}") for token in "xyz"]

        assert list(labels_of(urls)) == ["slack://", "slack:// (2)", "slack:// (3)"]

    @given(some.text(), some.text(), some.text(), some.sampled_from(["json", "slack", "mailto", "x"]))
    def test_no_label_shows_user_password_or_path(self, user: str, password: str, path: str, scheme: str) -> None:
        label = label_of(Secret(f"{scheme}://{user}~1:{password}~2@host.example.com/{path}~3"))

        assert not any(mark in label for mark in ("~1", "~2", "~3"))


class TestOwnerAddress:
    @pytest.mark.parametrize(
        ("value", "address"),
        [
            ("team@example.com", "team@example.com"),
            (" Team@Example.COM ", "team@example.com"),
            ("first.last+azure@mail.example.org", "first.last+azure@mail.example.org"),
        ],
    )
    def test_one_address_in_a_known_domain_is_an_owner(self, value: str, address: str) -> None:
        assert owner_address(value, DOMAINS) == address

    @pytest.mark.parametrize(
        "value",
        [
            None,
            "",
            "team",
            "team@",
            "@example.com",
            "team@example.net",
            "team@evil-example.com",
            "team@sub.example.com",
            "team@example.com.evil.example",
            "team@evil.example,team@example.com",
            "team@example.com,team@evil.example",
            "a@example.com b@example.com",
            "a@evil.example@example.com",
            "Team <team@example.com>",
            '"a b"@example.com',
            "a\r\nBcc: b@evil.example\r\n@example.com",
            "team@example.com\r\nBcc: b@evil.example",
            "te..am@example.com",
            "-team@example.com",
            "team\u202e@example.com",
            "tеam@example.com",  # noqa: RUF001  # a Cyrillic letter
            f"{'a' * 65}@example.com",
            "team%40evil.example@example.com",
        ],
    )
    def test_anything_else_is_not(self, value: str | None) -> None:
        assert owner_address(value, DOMAINS) is None

    @given(some.text(max_size=40))
    def test_a_line_break_is_never_part_of_an_address(self, text: str) -> None:
        """An address goes into the header of a mail."""
        for value in (f"a{text}b@example.com", f"ab@example.com{text}", f"{text}@example.com"):
            address = owner_address(value, DOMAINS)
            assert address is None or (address.isprintable() and address.isascii() and address.count("@") == 1)


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("example.com", True),
        ("Mail.Example.org", True),
        ("*", False),
        ("*.example.com", False),
        ("com", False),
        ("team@example.com", False),
        (".example.com", False),
        ("", False),
    ],
)
def test_a_domain_is_written_whole(text: str, valid: bool) -> None:
    assert is_domain(text) is valid
