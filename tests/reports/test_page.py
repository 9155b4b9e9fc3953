"""HTML reports: what strangers wrote is text, never markup."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import jinja2
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from shared_code.group_changes import Change, GroupChange
from shared_code.history import HistoryEntry
from shared_code.model import Lock, Reading, ResourceGroup, Verdict
from shared_code.reports.page import SHOWN, page
from shared_code.reports.resource_groups import ResourceGroupsReport, resource_groups_page
from shared_code.runs import Mode, Run, RunStatus, TriggeredBy
from tests.fakes import NOW, resource_group, subscription

HOSTILE = [
    "<script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</td></tr></table><h1>",
    "<!-- ",
    "]]>",
    "&lt;b&gt; &amp;",
    "{{ 7 * 7 }}{% raw %}",
    "</style><style>body{display:none}",
    "<\x00script>",
    "\u202egpj.exe",
    "<svg/onload=alert(1)",
    "javascript:alert(1)",
]
FOREIGN = some.sampled_from(HOSTILE) | some.text(some.characters(exclude_categories=["Cs"]))
RUN = Run(
    id="20261122T060000Z-list-resource-groups-9c01f2ab",
    job="list-resource-groups",
    mode=Mode.PLAN,
    trigger=TriggeredBy.TIMER,
    requested=NOW,
    started=NOW,
)


class Outline(HTMLParser):
    """The markup of a page without its texts, and the texts without the markup."""

    def __init__(self, content: str) -> None:
        super().__init__(convert_charrefs=True)
        self.markup: list[str] = []
        self.texts: list[str] = []
        self.attributes: list[str | None] = []
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.markup.append(f"<{tag} {' '.join(name for name, _ in attrs)}>")
        self.attributes += [value for _, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        self.markup.append(f"</{tag}>")

    def handle_comment(self, data: str) -> None:
        self.markup.append(f"<!--{data}-->")

    def unknown_decl(self, data: str) -> None:
        self.markup.append(f"<![{data}]>")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


NOTHING = ResourceGroupsReport(
    run=RUN, status=RunStatus.SUCCEEDED, ended=NOW, counts={}, verdicts=(), changes=(), types=(), groups=()
)


def rendered(groups: list[ResourceGroup], unread: list[Verdict] | None = None, **values: object) -> str:
    given = {
        "counts": {"resource_groups": len(groups), "resources": 1234567},
        "verdicts": unread or [],
        "groups": iter(groups),
    }
    return b"".join(resource_groups_page(msgspec.structs.replace(NOTHING, **(given | values)))).decode()


def with_text(text: str) -> str:
    owner = subscription(1, text or "x")
    group = resource_group(
        owner, text, {text: text, text + "2": None}, text, managed_by=text or "x", provisioning_state=text or "x"
    )
    lock = Lock(text, text, text, text, text)
    group = msgspec.structs.replace(group, location=text, locks=(lock, lock), resource_types={text: 1})
    verdict = Verdict(subscription_id=text, subscription_name=text, reading=Reading.INCOMPLETE, reason=text)
    skipped = msgspec.structs.replace(verdict, reading=Reading.SKIPPED)
    fields: dict[str, tuple[object, object]] = {
        "location": (text, text),
        "tags": ({text: text}, {text: None}),
        "locks": ((lock,), ()),
        "resource_types": ({text: 1}, {}),
    }
    change = GroupChange(Change.CHANGED, text, text, text, text, NOW, fields)
    read = Verdict(subscription_id=text, subscription_name=text, reading=Reading.COMPLETE, changes={})
    return rendered([group], [verdict, skipped, read], changes=[change], types=[(text, 1)])


COMPARED = Verdict(subscription_id="s", subscription_name="Shop", reading=Reading.COMPLETE, changes={})
PLAIN = Outline(with_text("x")).markup


class TestForeignText:
    @given(text=FOREIGN)
    @settings(deadline=None)
    def test_never_becomes_markup(self, text: str) -> None:
        assert Outline(with_text(text)).markup == PLAIN

    @pytest.mark.parametrize("text", [text for text in HOSTILE if "\x00" not in text])
    def test_is_shown_as_it_was_written(self, text: str) -> None:
        outline = Outline(with_text(text))

        # Name, subscription, location, state, owner, key and value of the tag; name, level and scope of two locks;
        # name, id and reason of the unread and of the skipped one; name, subscription, location before and now of the
        # change; the type.
        assert outline.texts.count(text) == 7 + 2 * 3 + 2 * 3 + 4 + 1
        assert sum(msgspec.json.encode(text).decode() in shown for shown in outline.texts) >= 4

    def test_direction_marks_end_with_the_text_that_has_them(self) -> None:
        """An override in a subscription's name must not turn the reason round that follows it."""
        content = with_text("\u202egpj.exe")

        told = re.findall(r"<(bdi|td)[^<>]*>[^<]*\u202e[^<]*</\1>", content)
        attributes = re.findall(r"<td title=\"\u202egpj.exe\">", content)
        in_json = re.findall(r"<bdi>[^<]*\u202e[^<]*\u202e[^<]*</bdi>", content)
        assert len(re.findall(r"[^<>]*\u202e[^<>]*", content)) == len(told) + len(attributes)
        assert in_json

    def test_nothing_is_loaded(self) -> None:
        markup = " ".join(PLAIN)

        assert not any(word in markup for word in ("src", "href", "<link", "<iframe", "url("))
        assert "default-src 'none'" in with_text("x")

    def test_half_a_surrogate_pair_does_not_break_the_page(self) -> None:
        lock = Lock("/s/l", "\ud83d", "ReadOnly", "/subscriptions/s")
        content = rendered([msgspec.structs.replace(resource_group(subscription(1), "rg"), locks=(lock,))])

        assert "<bdi>?</bdi>" in content


class TestTheReport:
    def test_unread_is_not_zero(self) -> None:
        owner = subscription(1)
        texts = Outline(rendered([resource_group(owner, "rg-unread")])).texts

        assert texts.count("not read") == 2
        assert "0" not in texts

    def test_read_and_empty_is_not_unread(self) -> None:
        group = msgspec.structs.replace(resource_group(subscription(1), "rg"), resources=0, locks=())

        assert "not read" not in Outline(rendered([group])).texts

    def test_a_lock_is_told_with_what_it_stands_on(self) -> None:
        locked = Lock("/s/l", "keep", "ReadOnly", "/subscriptions/s")
        group = msgspec.structs.replace(resource_group(subscription(1), "rg"), locks=(locked,))

        assert "<bdi>ReadOnly</bdi> <bdi>keep</bdi> on <bdi>/subscriptions/s</bdi>" in rendered([group])

    def test_nothing_to_compare_with_is_not_no_change(self) -> None:
        assert "Changes since" not in rendered([])
        assert '<td colspan="6">None.</td>' in rendered([], [COMPARED])

    def test_a_change_has_both_values(self) -> None:
        fields: dict[str, tuple[object, object]] = {"managed_by": (None, "x"), "tags": ({}, {"a": "b"})}
        change = GroupChange(Change.CHANGED, "/id", "rg-a", "s", "Shop", NOW, fields)
        content = rendered([], [COMPARED], changes=[change])

        assert '<td class="word">changed</td><td>rg-a</td><td title="s">Shop</td>' in content
        before, now = re.findall(r"<ul class=\"tags\">(.*?)</ul>", content)
        assert Outline(before).texts == ["managed by: ", "none", "tags: ", "{}"]
        assert Outline(now).texts == ["managed by: ", "x", "tags: ", '{"a":"b"}']

    def test_a_long_value_is_cut_with_an_ellipsis(self) -> None:
        """A group may have 50 tags of 768 characters, and a thousand of them may change at once."""
        change = GroupChange(Change.CHANGED, "/id", "rg", "s", "", NOW, {"tags": ({}, {"k": "v" * 1000})})

        assert f'{{"k":"{"v" * 394}…' in Outline(rendered([], [COMPARED], changes=[change])).texts

    def test_types_are_counted_with_thousands_separated(self) -> None:
        row = '<td>a.b/c</td><td class="number" data-sort="12345">12,345</td>'

        assert row in rendered([], types=[("a.b/c", 12345)])

    def test_numbers_and_times_are_readable(self) -> None:
        group = resource_group(subscription(1), "rg", created=datetime(2026, 5, 12, 15, 46, tzinfo=UTC))
        texts = Outline(rendered([group])).texts

        assert "1,234,567" in texts
        assert "2026-05-12T15:46:00Z" in texts

    def test_unknown_times_say_so(self) -> None:
        assert "unknown" in Outline(rendered([resource_group(subscription(1), "rg")])).texts

    def test_what_was_not_read_stands_above_the_table(self) -> None:
        verdict = Verdict(subscription_id="s", subscription_name="", reading=Reading.INCOMPLETE, reason="no role")
        content = rendered([], [verdict])

        assert content.index("Not read completely") < content.index("<table")
        assert "<bdi>s</bdi> (<bdi>s</bdi>): <bdi>no role</bdi>" in content

    def test_every_element_is_closed_in_order(self) -> None:
        opened: list[str] = []
        for tag in PLAIN:
            name = tag.strip("</>").split()[0]
            if name == "meta":
                continue
            if tag.startswith("</"):
                assert opened.pop() == name
            else:
                opened.append(name)
        assert opened == []

    def test_a_long_report_comes_in_pieces(self) -> None:
        groups = [resource_group(subscription(1), f"rg-{number}") for number in range(500)]
        pieces = list(resource_groups_page(msgspec.structs.replace(NOTHING, groups=iter(groups))))

        assert len(pieces) > 10

    def test_more_than_a_browser_sorts_are_counted_and_left_to_the_file(self) -> None:
        groups = [resource_group(subscription(1), f"rg-{number}") for number in range(SHOWN + 1)]
        content = rendered(groups, [msgspec.structs.replace(COMPARED, changes={"new": SHOWN + 1})])

        assert content.count(f"The first {SHOWN:,} of {SHOWN + 1:,} are shown") == 2
        assert f">rg-{SHOWN - 1}<" in content
        assert f">rg-{SHOWN}<" not in content

    def test_the_trend_is_of_more_than_one_run(self) -> None:
        days = [
            HistoryEntry(
                run=f"r{day}",
                taken=NOW + timedelta(days=day),
                status=RunStatus.SUCCEEDED,
                percent=None,
                counts={"resource_groups": 10 * day},
            )
            for day in (1, 2)
        ]

        assert "Resource groups over the last runs" in rendered([], history=days)
        assert "<figure>" not in rendered([], history=days[:1])

    def test_a_forgotten_value_is_an_error_and_no_blank(self) -> None:
        with pytest.raises(jinja2.UndefinedError, match="'report' is undefined"):
            list(page("resource_groups.html", run=RUN))
