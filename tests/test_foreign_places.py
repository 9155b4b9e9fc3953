"""What strangers try, at places that belong to no list of their own; docs/foreign-text.md has all of them."""

import io
import json
import re
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some
from requests import Request
from requests.exceptions import InvalidURL
from urllib3.util import parse_url

from shared_code import terminal
from shared_code.apps import Apps, SeenApp, app_of
from shared_code.azure_api.arm import LONGEST_LINK, Arm
from shared_code.azure_api.bodies import Answer, Reply
from shared_code.azure_api.operations import LONGEST_WAIT, deletion_of, wait_of
from shared_code.azure_api.target_reading import document_of
from shared_code.doctor.neighbours import neighbour_check
from shared_code.errors import UnreadableAnswer
from shared_code.model import Reading, Verdict
from shared_code.notices.addresses import owner_address
from shared_code.notices.foreign import plain
from shared_code.settings import configure
from shared_code.store_local import LocalStore
from shared_code.timezones import problem_of, zone_of
from shared_code.tombstones import Tombstone, Tombstones, tombstone_key
from shared_code.wiring import Steward, read_list
from tests.azure_api.test_links import PARTS
from tests.fakes import NOW, Clock
from tests.hostile import FORGED, INJECTIONS
from tests.memory_store import MemoryStore
from tests.test_telemetry import Watched, run

DRIVES = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
ENDPOINT = "https://management.azure.com"
LONGEST = 1500
each_text = pytest.mark.parametrize("tried", INJECTIONS)


def quoted(text: str) -> str:
    """Write a text into TOML; half a pair of surrogates is none, and makes the whole file unreadable."""
    return json.dumps(text).replace("\x7f", "\\u007f")


def no_credential() -> object:
    raise AssertionError("nothing is asked here")


ARM = Arm(ENDPOINT, ENDPOINT, no_credential)  # type: ignore[arg-type]  # it is never called


class TestTimeZones:
    """The name of a zone is looked up among those there are before it becomes a path."""

    @each_text
    def test_no_text_is_a_zone(self, tried: str) -> None:
        problem = problem_of(INJECTIONS[tried])

        assert problem is not None
        assert not DRIVES.search(problem)
        assert len(problem) < LONGEST
        with pytest.raises(ValueError, match="there is no time zone"):
            zone_of(INJECTIONS[tried])

    @each_text
    def test_it_costs_the_timer_and_is_told_in_a_line(self, tried: str) -> None:
        content = f'[jobs.watchdog]\nschedule = "0 0 * * * *"\ntimezone = {quoted(INJECTIONS[tried])}\n'
        read = configure(content.encode(errors="surrogatepass"), "steward.toml", {})

        assert "watchdog" not in read.schedules
        assert read.problems
        for problem in read.problems:
            assert not DRIVES.search(str(problem).replace("\n", " "))
            assert len(str(problem)) < LONGEST


class TestTheConfiguration:
    """STEWARD_CONFIG names a file; what is none, or is no configuration, is a problem that quotes nothing of it."""

    @each_text
    def test_no_text_is_one(self, tmp_path: Path, tried: str) -> None:
        environ = {"STEWARD_CONFIG": INJECTIONS[tried], "STEWARD_STORE": (tmp_path / "store").as_uri()}
        configuration = Steward(environ).configuration

        assert configuration.problems
        for problem in configuration.problems:
            assert not DRIVES.search(str(problem).replace("\n", " "))
            assert len(str(problem)) < LONGEST
            assert "root:" not in str(problem)
        assert not any((tmp_path / "store").rglob("*"))


RULE = """
[[jobs.tag-audit.rules]]
name = "cost"
tag = "cost"
allowed_from = {name}
applies_to = {{ kinds = ["resource-group"] }}
"""


class TestListsOfValues:
    """The file of `allowed_from` lies beside steward.toml, and its lines are values and nothing else."""

    @each_text
    def test_no_name_leads_out_of_the_folder(self, tmp_path: Path, tried: str) -> None:
        asked: list[str] = []

        def read(name: str) -> list[str] | None:
            asked.append(name)
            return read_list(tmp_path, name)

        content = RULE.format(name=quoted(INJECTIONS[tried])).encode(errors="surrogatepass")
        found = configure(content, "steward.toml", {}, read)

        assert found.problems
        assert all(Path(name).name == name and "\\" not in name for name in asked)
        for problem in found.problems:
            assert not DRIVES.search(str(problem).replace("\n", " "))
            assert len(str(problem)) < LONGEST

    @each_text
    def test_no_line_is_more_than_a_value(self, tried: str) -> None:
        lines = INJECTIONS[tried].encode(errors="replace").decode().splitlines()
        content = RULE.format(name='"cost-centers.txt"').encode()
        found = configure(content, "steward.toml", {}, lambda _: lines)

        for problem in found.problems:
            assert problem.place.startswith("steward.toml: jobs.tag-audit.rules[0]")
            assert not DRIVES.search(str(problem).replace("\n", " "))
            assert len(str(problem)) < LONGEST


class TestNamesOfApps:
    """Word of each app is kept under a digest, and told by the doctor in one line."""

    @each_text
    def test_of_the_machine_and_of_the_site(self, tried: str) -> None:
        name, _ = app_of({}, INJECTIONS[tried])
        site = INJECTIONS[tried].encode(errors="replace").decode()
        environ = {"WEBSITE_SITE_NAME": site, "WEBSITE_INSTANCE_ID": "1"}
        store = MemoryStore()
        Apps(store, Clock(NOW), name, "").leave_word()
        Apps(store, Clock(NOW), *app_of(environ, "machine")).leave_word()

        assert not DRIVES.search(name)
        assert len(store.objects) == 2
        assert all(re.fullmatch(r"apps/[0-9a-f]{16}\.json", key) for key in store.objects)

    @each_text
    @pytest.mark.parametrize("is_app", [False, True])
    def test_of_another_one_in_the_store(self, tried: str, *, is_app: bool) -> None:
        """Whoever may write to the store makes no line of the doctor's."""
        store = MemoryStore()
        name = INJECTIONS[tried].encode(errors="replace").decode()
        for number, each in enumerate((name, FORGED)):
            seen = SeenApp(name=f"x\n{each}", host_id="same", seen=NOW)
            store.write(f"apps/{number:016}.json", msgspec.json.encode(seen))
        check = neighbour_check(Apps(store, Clock(NOW), "own", "same"), is_app=is_app)
        shown = io.StringIO()
        with redirect_stdout(shown):
            terminal.show_checks([check], "1 warning")
        first, *others = shown.getvalue().splitlines()

        assert others == ["1 warning"]
        assert not DRIVES.search(first)
        assert "other apps: " in first


class TestLinksOfAzure:
    """A link that Azure's answer gives is followed to the host of the endpoint, or not at all."""

    @each_text
    @pytest.mark.parametrize("before", ["", "/", "https:", "https://management.azure.com", f"{ENDPOINT}:443/"])
    def test_no_text_leads_elsewhere(self, tried: str, before: str) -> None:
        link = before + INJECTIONS[tried]

        assert not ARM.follows(link) or goes_to(link) in ("management.azure.com", None)
        assert not ARM.follows(INJECTIONS[tried] if INJECTIONS[tried][0] != "/" else "//" + INJECTIONS[tried])

    @given(parts=some.lists(PARTS, max_size=9))
    def test_nor_does_any_path(self, parts: list[str]) -> None:
        """One that begins with a slash is behind the endpoint, whatever follows."""
        link = "/" + "".join(parts)

        assert not ARM.follows(link) or goes_to(link) in ("management.azure.com", None)

    def test_none_is_longer_than_what_is_followed(self) -> None:
        assert ARM.follows("/" + "x" * (LONGEST_LINK - 1))
        assert not ARM.follows("/" + "x" * LONGEST_LINK)

    @each_text
    @pytest.mark.parametrize("header", ["Azure-AsyncOperation", "Location"])
    def test_an_operation_elsewhere_is_said_and_not_asked(self, tried: str, header: str) -> None:
        """And the address is in no text."""
        text = INJECTIONS[tried]
        reply = Reply(Answer(202, "", b""), {header: text})
        if ARM.follows(text):
            assert deletion_of(reply, ARM.follows, "the deletion of 'rg-web'").operation == text
            assert goes_to(text) == "management.azure.com"
            return
        with pytest.raises(UnreadableAnswer, match="names an address that is not asked") as refused:
            deletion_of(reply, ARM.follows, "the deletion of 'rg-web'")

        assert text not in str(refused.value)


def goes_to(link: str) -> str | None:
    """Give the host that the HTTP library would connect to, as links are sent; None where it refuses."""
    try:
        prepared = Request("GET", ENDPOINT + link if link.startswith("/") else link).prepare().url
    except (InvalidURL, UnicodeError):
        return None
    assert prepared
    return parse_url(prepared).host


class TestHeadersOfAzure:
    """What a header asks for is bounded."""

    @each_text
    def test_no_retry_after_is_longer_than_ours(self, tried: str) -> None:
        headers: Mapping[str, str] = {"Retry-After": INJECTIONS[tried], "Date": INJECTIONS[tried]}

        assert 0 <= wait_of(headers) <= LONGEST_WAIT


class TestWhatIsKeptOfADeletion:
    """A tombstone has what Azure said as it was said, under a key of numbers."""

    @each_text
    def test_definition_and_template(self, tmp_path: Path, tried: str) -> None:
        """Text of strangers comes back letter for letter, and is read by nobody as anything else."""
        text = INJECTIONS[tried]
        answer = json.dumps({"name": text, "tags": {text: text}, "resources": [{"name": f"[concat('{text}')]"}]})
        answered = Answer(200, "application/json", answer.encode())
        if tried == "half a pair":  # no text that JSON may spell and UTF-8 may not is kept
            with pytest.raises(UnreadableAnswer, match="the answer is no whole JSON"):
                document_of(answered, "the template of 'rg-web'")
            return
        document = document_of(answered, "the template of 'rg-web'")
        store = LocalStore(tmp_path / "store")
        plan = "20261122T060000Z-cleanup-9c01f2ab"
        stone = Tombstone(
            plan=plan, item=7, run=plan, rule="empty-resource-group", reason=text, resource_id=f"/subscriptions/{text}",
            subscription_id=text, saved=NOW, definition=document, template=document,
        )  # fmt: skip
        key = Tombstones(store).save(stone)

        assert key == tombstone_key(plan, 7) == f"tombstones/{plan}/000007.json"
        assert [path.relative_to(tmp_path / "store").as_posix() for path in (tmp_path / "store").rglob("0*7.json")] == [
            key
        ]
        kept = store.read(key)
        assert kept is not None
        assert msgspec.json.decode(kept.data, type=Tombstone) == stone


class TestOwners:
    """The value of an owner's tag is one mail address in a domain that may receive, or nobody."""

    @each_text
    def test_no_text_is_an_address(self, tried: str) -> None:
        """Neither alone nor around one."""
        text = INJECTIONS[tried]

        for value in (text, f"team@example.com{text}", f"{text}team@example.com", f"team@{text}example.com"):
            found = owner_address(value, ["example.com"])
            assert found is None or re.fullmatch(r"[a-z0-9_.+-]+@example\.com", found)
        assert owner_address(text, ["example.com"]) is None

    @each_text
    def test_in_a_notice_it_is_plain(self, tried: str) -> None:
        """One line without markup, link or mention, for mail, chats and web hooks alike."""
        shown = plain(INJECTIONS[tried])

        assert not DRIVES.search(shown)
        assert len(shown) <= 600
        assert not re.search(r"[<>\[\]`*|\\~@](?![:.]\])|://", re.sub(r"\[[:.]\]", "", shown))


class TestFigures:
    """Attributes of metrics are our own words: each new one costs money, and everybody who sees a chart reads them."""

    @each_text
    def test_no_text_is_an_attribute(self, tried: str) -> None:
        text = INJECTIONS[tried].encode(errors="replace").decode()
        verdict = Verdict(subscription_id=text, subscription_name=text, reading=Reading.INCOMPLETE, reason=text)
        watched = Watched()
        watched.telemetry.ended(run(subscriptions=(verdict,), error=text, requested_by=text, counts={"findings": 1}))
        found = [at for name in ("steward.runs", "steward.reads", "steward.findings") for at, _ in watched.points(name)]
        watched.provider.shutdown()

        assert len(found) == 3
        assert all(re.fullmatch(r"[a-z-]+", str(value)) for at in found for value in at.values())
