"""Reading lists over real TLS: whole, or an error that says why not."""

import json
import logging
import re
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

import pytest

from devkit.simulator import Simulator
from shared_code.azure_api.arm import LONGEST_LINK, MOST_EMPTY_PAGES, Arm
from shared_code.azure_api.budgets import LONGEST_WAIT
from shared_code.azure_api.estate import AzureEstate
from shared_code.errors import (
    AccessDenied,
    AzureError,
    Conflict,
    NotFound,
    Throttled,
    Unauthenticated,
    Unreachable,
    UnreadableAnswer,
)
from tests.azure_api.conftest import JSON, KNOWN, Answer, Azure, Script, Thing

START = "cannot read the list of subscriptions: "
LIBRARY = re.compile(r"Traceback|object at 0x|Connection(Pool)?\(|urllib3|requests\.|msrest|Errno|Max retries|<\w+")


def failed(azure: Azure) -> AzureError:
    """The error of reading the subscriptions, after looking at its sentence."""
    with pytest.raises(AzureError) as raised:
        azure.estate.subscriptions()
    sentence = str(raised.value)
    assert sentence.startswith(START)
    assert len(sentence.splitlines()) == 1
    assert LIBRARY.search(sentence) is None
    assert not any(token in sentence for token in azure.credential.tokens)
    return raised.value


class TestFaults:
    """Each kind of trouble has its class of error, and a sentence with the thing, the value and what to do."""

    @pytest.mark.parametrize(
        ("fault", "kind", "expected"),
        [
            (
                {"kind": "forbidden"},
                AccessDenied,
                "Azure answered 403 AuthorizationFailed: The client '*; give Steward",
            ),
            ({"kind": "not-found"}, NotFound, "Azure answered 404 SubscriptionNotFound: *; it was deleted, or"),
            ({"kind": "status", "status": 409}, Conflict, "Azure answered 409 Conflict: *; try again later"),
            ({"kind": "status", "status": 412}, Conflict, "Azure answered 412 Failed: *; try again later"),
            (
                {"kind": "status", "status": 400},
                AzureError,
                "Azure answered 400 BadRequest: *; this is worth reporting",
            ),
            (
                {"kind": "flat", "status": 400},
                AzureError,
                "Azure answered 400 BadRequest: The request is invalid; this",
            ),
            ({"kind": "capitals", "status": 400}, AzureError, "Azure answered 400 BadRequest: The request is invalid;"),
            (
                {"kind": "status", "status": 500},
                AzureError,
                "Azure answered 500 InternalServerError: *; try again later",
            ),
            ({"kind": "html"}, AzureError, "Azure answered 503: an HTML page, 'Service unavailable'; try again later"),
            (
                {"kind": "html", "status": 404},
                NotFound,
                "Azure answered 404: an HTML page, 'Service unavailable'; it was",
            ),
            (
                {"kind": "html", "status": 401},
                Unauthenticated,
                "Azure answered 401: an HTML page, *; check that the app",
            ),
            ({"kind": "empty", "status": 404}, NotFound, "Azure answered 404: an empty answer; it was deleted"),
            ({"kind": "status", "status": 302}, AzureError, "Azure answered 302 Failed: *; this is worth reporting"),
            ({"kind": "throttled", "retry_after": 0}, Throttled, "Azure answered 429 SubscriptionRequestsThrottled: *"),
            (
                {"kind": "expired-token"},
                Unauthenticated,
                "Azure answered 401 ExpiredAuthenticationToken: *; check that the app's managed identity exists, or",
            ),
            ({"kind": "html", "status": 200}, UnreadableAnswer, "the answer is text/html, not JSON in UTF-8"),
            ({"kind": "empty", "status": 200}, UnreadableAnswer, "the answer is of no type, not JSON in UTF-8"),
            ({"kind": "not-json"}, UnreadableAnswer, "the answer is no whole JSON: JSON is malformed: *"),
            ({"kind": "cut-json"}, UnreadableAnswer, "the answer is no whole JSON: Input data was truncated"),
            ({"kind": "cut"}, UnreadableAnswer, "the answer broke off or is damaged; try again later"),
            ({"kind": "reset"}, Unreachable, "the connection was reset; check the address and the network"),
            ({"kind": "error-in-200"}, UnreadableAnswer, "the answer has no 'value', so it is no list"),
            (
                {"kind": "delay", "content_type": "application/json; charset=utf-16"},
                UnreadableAnswer,
                "the answer is application/json; charset=utf-16, not JSON in UTF-8",
            ),
            (
                {"kind": "status", "status": 400, "body": "<html>\x1b[31m<title>\u202e a\nb </title>"},
                AzureError,
                "Azure answered 400: an HTML page, 'a b'; this is worth reporting",
            ),
            (
                {"kind": "status", "status": 200, "body": '{"odd":' + "[" * 100_000},
                UnreadableAnswer,
                "the answer is no whole JSON: *",
            ),
            (
                {"kind": "status", "status": 200, "body": '{"value":[{"subscriptionId":"\\ud800"}]}'},
                UnreadableAnswer,
                "the answer is no whole JSON: *",
            ),
        ],
        ids=lambda value: "-".join(map(str, value.values()))[:40] if isinstance(value, dict) else "",
    )
    def test_become_our_errors(
        self, azure: Azure, fault: dict[str, Any], kind: type[AzureError], expected: str
    ) -> None:
        azure.fault(route="subscriptions", **fault)

        error = failed(azure)

        assert isinstance(error, kind)
        assert type(error).__module__.startswith("shared_code.")
        pattern = ".+".join(map(re.escape, expected.split("*")))
        assert re.match(re.escape(START) + pattern, str(error)), str(error)

    def test_name_the_page(self, azure: Azure) -> None:
        """The pages before stay valid, and the list does not look complete."""
        azure.fault(route="resource-groups", page=3, kind="forbidden")
        pages = azure.estate.resource_groups(KNOWN)

        assert [[group.name for group in next(pages)] for _ in range(2)] == [["rg-0", "rg-1"], ["rg-2", "rg-3"]]
        with pytest.raises(AccessDenied, match=r"^cannot read resource groups.*, page 3: Azure answered 403"):
            next(pages)


class TestShapes:
    """An item of another shape makes the list unreadable, with the path to it; it is never left out in silence."""

    @pytest.mark.parametrize(
        ("items", "path"),
        [
            ([{"id": "/a", "name": "a", "tags": ["a"]}], "$.value[0].tags"),
            ([{"id": "/a", "name": "a"}, {"name": "b"}], "$.value[1]"),
            ([{"id": "/a", "name": "a", "tags": {"a": {"b": 1}}}], "$.value[0].tags[...]"),
            ([{"id": 5, "name": "a"}], "$.value[0].id"),
            ([None], "$.value[0]"),
            (7, "$.value"),
            ("text", "$.value"),
            ({"id": "/a"}, "$.value"),
            (None, "$.value"),
        ],
        ids=["tags-list", "no-id", "tag-object", "id-number", "null-item", "number", "text", "object", "null"],
    )
    def test_are_checked(self, azure: Azure, items: object, path: str) -> None:
        azure.fault(route="resource-groups", kind="status", status=200, body={"value": items})

        with pytest.raises(UnreadableAnswer) as raised:
            azure.groups()

        assert "an item has another shape than Azure's: " in str(raised.value)
        assert str(raised.value).endswith(f" - at `{path}`")
        assert azure.waits == []


class TestRetry:
    def test_a_short_throttling_passes(self, azure: Azure) -> None:
        azure.fault(route="subscriptions", kind="throttled", retry_after=7, times=2)

        assert azure.estate.subscriptions() == [KNOWN]
        assert azure.waits == [7.0, 7.0]

    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
    def test_an_overloaded_azure_is_asked_again(self, azure: Azure, status: int) -> None:
        azure.fault(route="subscriptions", kind="status", status=status, times=3)

        assert azure.estate.subscriptions() == [KNOWN]
        assert azure.waits == [0, 1.6, 3.2]

    def test_a_long_retry_after_is_capped(self, azure: Azure) -> None:
        """azure-core would sleep for 20 minutes without a word."""
        azure.fault(route="subscriptions", kind="throttled", retry_after=1200)

        failed(azure)
        assert azure.waits == [LONGEST_WAIT] * 4

    @pytest.mark.parametrize("retry_after", ["soon", "nan", "-5", "99999999999999999999999", "Fri, 99 Foo 2026"])
    def test_an_odd_retry_after_breaks_nothing(self, azure: Azure, retry_after: str) -> None:
        azure.fault(route="subscriptions", kind="throttled", retry_after=retry_after, times=1)

        assert azure.estate.subscriptions() == [KNOWN]
        assert all(0 <= wait <= LONGEST_WAIT for wait in azure.waits)

    @pytest.mark.parametrize("kind", ["cut", "cut-json", "reset", "not-json"])
    def test_a_broken_answer_is_asked_for_again(self, azure: Azure, kind: str) -> None:
        azure.fault(route="resource-groups", page=2, kind=kind, times=2)

        assert azure.groups() == ["rg-0", "rg-1", "rg-2", "rg-3", "rg-4"]
        assert sum(azure.waits) < 5

    @pytest.mark.parametrize("kind", ["cut", "cut-json"])
    def test_an_answer_that_always_breaks_off_is_asked_for_three_times(self, azure: Azure, kind: str) -> None:
        azure.fault(route="subscriptions", kind=kind)

        failed(azure)
        assert azure.calls("subscriptions") == 3

    @pytest.mark.parametrize("kind", ["forbidden", "not-found", "error-in-200"])
    def test_a_clear_answer_is_not_asked_for_again(self, azure: Azure, kind: str) -> None:
        azure.fault(route="subscriptions", kind=kind)

        failed(azure)
        assert (azure.calls("subscriptions"), azure.waits) == (1, [])


class TestPace:
    """A list is read as fast as its subscription allows; how fast that is, test_policies shows."""

    def read(self, script: Script, left: str) -> list[float]:
        """The waits while three pages are read that each tell how many requests are left."""
        links = {"/a": f"{script.url}/b", "/b": f"{script.url}/c", "/c": None}
        script.answers = lambda path: (
            200,
            JSON | {"X-Ms-Ratelimit-Remaining-Subscription-Reads": left},
            json.dumps({"value": [{"id": path}], "nextLink": links[path]}).encode(),
        )
        assert script.things("/a") == ["/a", "/b", "/c"]
        return script.time.waits

    @pytest.mark.parametrize("left", ["249", "11999", "11", "", "many", "-5", "\u00b2"])
    def test_with_plenty_or_an_unknown_number_left_nobody_waits(self, script: Script, left: str) -> None:
        assert self.read(script, left) == []

    def test_with_little_left_each_request_waits_a_moment(self, script: Script) -> None:
        assert self.read(script, "10") == pytest.approx([0.04, 0.04])

    def test_with_less_left_it_is_a_longer_one(self, script: Script) -> None:
        assert self.read(script, "5") == pytest.approx([0.48, 0.48])


def linked(azure: Azure, link: str) -> None:
    """Make the first page of the resource groups end in `link`."""
    body = {"value": [{"id": f"/subscriptions/{KNOWN.id}/resourceGroups/first", "name": "first"}], "nextLink": link}
    azure.fault(route="resource-groups", kind="status", status=200, body=body, times=1)


class TestPages:
    def test_are_read_to_the_end(self, azure: Azure) -> None:
        assert azure.groups() == ["rg-0", "rg-1", "rg-2", "rg-3", "rg-4"]
        assert len([each for page in azure.estate.resources(KNOWN) for each in page]) == 5

    @pytest.mark.parametrize(
        "query",
        [
            "%24skiptoken=a%2Bb%2f%3d%3D&api-version=2025-04-01",
            "$skiptoken=1!8!abc!/Subscriptions/next&api-version=2025-04-01",
            "api-version=2025-04-01&$skiptoken={page:2,{nested}}",
            "api-version=2025-04-01&$skiptoken={}",
            "api-version=2025-04-01&$skiptoken={0}{{1}}{subscriptionId}{",
            "api-version=2025-04-01&$filter=tagName eq 'a b'",
            "$skiptoken=a%2520b+c&api-version=2014-01-01",
            f"$skiptoken={'x' * 3000}&api-version=2025-04-01",
        ],
        ids=["escaped", "raw", "braces", "empty-braces", "odd-braces", "filter", "twice-escaped", "long"],
    )
    def test_the_link_is_followed_as_it_is(self, azure: Azure, query: str) -> None:
        """What is no part of a URL is escaped, and hex written in capitals; nothing else changes."""
        path = f"/subscriptions/{KNOWN.id}/resourcegroups"
        linked(azure, f"{azure.simulator.url}{path}?{query}")
        with suppress(AzureError):  # the simulator knows no such page
            azure.groups()

        followed = azure.simulator.requests[-1]
        assert followed.path == path
        assert unquote(followed.query) == unquote(query)
        assert followed.query.count("%25") == query.count("%25")
        assert followed.query.count("+") == query.count("+")

    @pytest.mark.parametrize("segment", ["{0}", "{subscriptionId}", "{", "{{a}}"])
    def test_braces_in_the_path_stay(self, azure: Azure, segment: str) -> None:
        """azure-core takes them for a template and cuts the segment out."""
        path = f"/subscriptions/{KNOWN.id}/resourcegroups/{segment}/x"
        linked(azure, f"{azure.simulator.url}{path}?api-version=2025-04-01")
        with pytest.raises(AzureError):
            azure.groups()

        assert azure.simulator.requests[-1].path == path

    @pytest.mark.parametrize(
        "link",
        [
            "https://localhost:{port}/subscriptions?api-version=1",
            "http://127.0.0.1:{port}/subscriptions?api-version=1",
            "https://127.0.0.1:1/subscriptions?api-version=1",
            "https://127.0.0.1/subscriptions?api-version=1",
            "https://127.0.0.1:{port}@localhost:{port}/subscriptions",
            "https://localhost:{port}\\@127.0.0.1:{port}/subscriptions",
            "https://steward:word@127.0.0.1:{port}/subscriptions",
            "https://127.0.0.1:{port}.example.com/subscriptions",
            "https://127.0.0.1:{port}\\.example.com/subscriptions",
            "//127.0.0.1:{port}/subscriptions",
            "/subscriptions?api-version=1",
            "https://[::1/subscriptions",
            "https:///subscriptions",
            " https://127.0.0.1:{port}/subscriptions",
            "file:///etc/passwd",
        ],
    )
    def test_a_link_to_another_host_is_refused_and_never_called(self, azure: Azure, link: str) -> None:
        """Whoever writes the link would be handed our token."""
        linked(azure, link.format(port=azure.simulator.url.rpartition(":")[2]))

        with pytest.raises(UnreadableAnswer, match=r"the next page is on another host, which is not followed$"):
            azure.groups()

        assert azure.calls("resource-groups") == 1
        assert azure.calls("subscriptions") == azure.calls("unknown") == 0
        assert azure.simulator.requests[-1].host.startswith("127.0.0.1:")

    @pytest.mark.parametrize(
        "last", [{"value": []}, {"value": [], "nextLink": None}, {"value": [], "nextLink": ""}, {"nextLink": ""}]
    )
    def test_there_are_several_ways_to_say_that_there_is_no_more(self, azure: Azure, last: object) -> None:
        azure.fault(route="resource-groups", kind="status", status=200, body=last)

        assert azure.groups() == []

    @pytest.mark.parametrize(
        "body",
        [{}, {"nextLink": None}, {"count": 0}, {"nextLink": "https://127.0.0.1/"}],
        ids=["nothing", "null", "count", "more"],
    )
    def test_an_object_that_is_no_list_is_not_empty(self, azure: Azure, body: object) -> None:
        azure.fault(route="resource-groups", kind="status", status=200, body=body)

        with pytest.raises(UnreadableAnswer, match=r"the answer has no 'value', so it is no list$"):
            azure.groups()


class TestChains:
    """A chain of pages is read to its end, or there is an error; it never goes on for ever, nor ends in silence."""

    @pytest.mark.parametrize(
        ("chain", "expected", "read"),
        [
            ({"a": "a"}, "page 2 leads back to one already read", ["/a"]),
            ({"a": "b", "b": "a"}, "page 3 leads back to one already read", ["/a", "/b"]),
            ({"a": "b", "b": "c", "c": "b"}, "page 4 leads back to one already read", ["/a", "/b", "/c"]),
        ],
        ids=["itself", "a-b-a", "middle"],
    )
    def test_a_circle_is_noticed(self, script: Script, chain: dict[str, str], expected: str, read: list[str]) -> None:
        script.pages(
            **{
                name: {"value": [{"id": f"/{name}"}], "nextLink": f"{script.url}/{after}"}
                for name, after in chain.items()
            }
        )
        pages = script.arm.pages("/a", Thing, "things")

        assert [next(pages) for _ in read] == [[Thing(each)] for each in read]
        with pytest.raises(UnreadableAnswer, match=f"^cannot read things: {expected}$"):
            next(pages)
        assert [path for _, path in script.seen] == read

    def test_a_page_that_comes_again_is_noticed(self, script: Script) -> None:
        """At another link: what should have come instead of it is missing."""
        first, other = {"value": [{"id": "/a"}, {"id": "/b"}]}, {"value": [{"id": "/c"}]}
        after = {name: {"nextLink": f"{script.url}/{name}"} for name in "bcd"}
        script.pages(a=first | after["b"], b=other | after["c"], c=first | after["d"], d={"value": []})
        pages = script.arm.pages("/a", Thing, "things")

        assert [len(next(pages)) for _ in range(2)] == [2, 1]
        with pytest.raises(UnreadableAnswer, match=r"^cannot read things: page 3 has what an earlier one had; "):
            next(pages)

    def test_an_endless_chain_of_empty_pages_is_noticed(self, script: Script) -> None:
        """Many may be empty before one is not, as a filter has it; but not as many as the largest estate has pages."""

        def answer(path: str) -> Answer:
            after = f"{script.url}/{int(path[1:]) + 1}"
            return 200, JSON, f'{{"value":[],"nextLink":"{after}"}}'.encode()

        script.answers = answer

        with pytest.raises(UnreadableAnswer, match=r"^cannot read things: 1,000 pages in a row are empty and there is"):
            script.things("/0")
        assert len(script.seen) == MOST_EMPTY_PAGES

    def test_empty_pages_between_others_are_not_counted_together(self, script: Script) -> None:
        """The second and third pages are empty, the last has an item (recorded)."""
        link = f"{script.url}/"
        script.pages(
            a={"value": [{"id": "/a"}], "nextLink": f"{link}b"},
            b={"value": [], "nextLink": f"{link}c"},
            c={"value": [], "nextLink": f"{link}d"},
            d={"value": [{"id": "/d"}], "nextLink": None},
        )

        assert script.things("/a") == ["/a", "/d"]

    def test_a_very_long_link_is_not_followed(self, script: Script) -> None:
        link = f"{script.url}/b?$skiptoken="
        script.pages(a={"value": [], "nextLink": link + "x" * (LONGEST_LINK - len(link) + 1)})

        with pytest.raises(UnreadableAnswer, match=r"^cannot read things: the link to the next page has 16,385 char"):
            script.things("/a")
        assert len(script.seen) == 1

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_never_followed(self, script: Script, status: int) -> None:
        """Whoever writes the Location would be handed our token."""
        script.answers = lambda _: (status, {"Location": f"{script.elsewhere}/a"}, b"")

        with pytest.raises(AzureError, match=f"^cannot read things: Azure answered {status}: an empty answer; this is"):
            script.things("/a")
        assert [f"https://127.0.0.1:{port}" for port, _ in script.seen] == [script.url]

    def test_the_token_goes_to_no_other_port(self, script: Script) -> None:
        script.pages(a={"value": [{"id": "/a"}], "nextLink": f"{script.elsewhere}/a"})

        with pytest.raises(UnreadableAnswer, match=r"the next page is on another host, which is not followed$"):
            script.things("/a")
        assert [f"https://127.0.0.1:{port}" for port, _ in script.seen] == [script.url]


class TestNextPage:
    """The next page is on its way while the caller works on the present one, and nothing else changes."""

    def chain(self, script: Script, pages: int) -> None:
        """Pages `/1` to `/n`, each with one item."""
        script.pages(
            **{
                str(number): {
                    "value": [{"id": f"/{number}"}],
                    "nextLink": f"{script.url}/{number + 1}" if number < pages else None,
                }
                for number in range(1, pages + 1)
            }
        )

    def test_one_page_is_fetched_ahead_and_never_more(self, script: Script) -> None:
        self.chain(script, 4)
        asked = threading.Semaphore(0)
        written = script.answers

        def noted(path: str) -> Answer:
            asked.release()
            return written(path)

        script.answers = noted
        pages = script.arm.pages("/1", Thing, "things")

        for number in range(1, 5):
            assert next(pages) == [Thing(f"/{number}")]
            for _ in range(2 if number == 1 else int(number < 4)):
                assert asked.acquire(timeout=30)
            assert [path for _, path in script.seen] == [f"/{page}" for page in range(1, min(number + 1, 4) + 1)]
        assert list(pages) == []

    def test_a_single_page_starts_no_thread(self, script: Script) -> None:
        self.chain(script, 1)
        pages = script.arm.pages("/1", Thing, "things")
        before = set(threading.enumerate())

        next(pages)

        assert "page-ahead" not in {thread.name for thread in set(threading.enumerate()) - before}

    def test_its_error_waits_until_the_present_page_is_done(self, script: Script) -> None:
        script.pages(a={"value": [{"id": "/a"}], "nextLink": f"{script.url}/b"}, b={"value": [{"id": ""}]})
        pages = script.arm.pages("/a", Thing, "things")

        assert next(pages) == [Thing("/a")]
        with pytest.raises(UnreadableAnswer, match=r"^cannot read things, page 2: an item has an empty id"):
            next(pages)

    def test_a_caller_that_stops_early_leaves_nothing_behind(
        self, script: Script, caplog: pytest.LogCaptureFixture
    ) -> None:
        script.pages(a={"value": [{"id": "/a"}], "nextLink": f"{script.url}/b"}, b={"value": 5})
        pages = script.arm.pages("/a", Thing, "things")
        next(pages)

        pages.close()  # type: ignore[attr-defined]  # it is a generator

        for thread in threading.enumerate():
            if thread.name == "page-ahead":
                assert thread.daemon
                thread.join(30)
        assert [record for record in caplog.records if record.exc_info] == []


class TestIdentity:
    """Without a token there is one clear sentence, and Resource Manager is not asked."""

    @pytest.mark.parametrize(
        "fault",
        [
            {"kind": "status", "status": 400},
            {"kind": "status", "status": 403},
            {"kind": "html", "status": 200},
            {"kind": "not-json"},
            {"kind": "empty", "status": 200},
            {"kind": "cut"},
            {"kind": "cut-json"},
            {"kind": "status", "status": 200, "body": {"access_token": ""}},
            {"kind": "status", "status": 200, "body": []},
        ],
        ids=lambda fault: "-".join(map(str, fault.values())),
    )
    def test_a_broken_endpoint_says_so(
        self, azure: Azure, fault: dict[str, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        azure.fault(route="identity", **fault)

        error = failed(azure)

        assert isinstance(error, Unauthenticated)
        assert "; check that the app's managed identity exists, or sign in with 'az login'" in str(error)
        assert azure.calls("subscriptions") == 0
        assert azure.waits == []

    def test_half_a_token_is_not_logged(self, azure: Azure, caplog: pytest.LogCaptureFixture) -> None:
        """azure-identity quotes an answer it cannot read in its warnings."""
        from shared_code.azure_api.credential import credential

        credential(None, managed_identity=True)
        azure.fault(route="identity", kind="cut-json")

        failed(azure)
        issued = list(azure.simulator._identity._issued)
        assert not any(token[:16] in caplog.text for token in issued)

    def test_a_token_that_azure_takes_for_expired(self, azure: Azure) -> None:
        azure.fault(route="identity", kind="expired-token")

        error = failed(azure)

        assert isinstance(error, Unauthenticated)
        assert "401 ExpiredAuthenticationToken" in str(error)

    def test_the_wrong_audience(self, simulator: Simulator, azure: Azure) -> None:
        arm = Arm(simulator.url, "https://graph.example.com", lambda: azure.credential, azure.sleep, azure.clock)

        with pytest.raises(Unauthenticated, match="401 InvalidAuthenticationTokenAudience"):
            AzureEstate(arm).subscriptions()


class TestUnreachable:
    def other(self, azure: Azure, endpoint: str) -> Azure:
        azure.arm = Arm(endpoint, "https://management.azure.com", lambda: azure.credential, azure.sleep, azure.clock)
        azure.estate = AzureEstate(azure.arm)
        return azure

    def test_a_closed_port(self, azure: Azure) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            error = failed(self.other(azure, f"https://127.0.0.1:{taken.getsockname()[1]}"))

        assert type(error) is Unreachable
        assert str(error) == f"{START}the connection was refused; check the address and the network"
        assert sum(azure.waits) < 5

    def test_an_unknown_name(self, azure: Azure) -> None:
        error = failed(self.other(azure, "https://arm.invalid"))

        assert type(error) is Unreachable
        assert re.search("the name is unknown|the name could not be looked up", str(error))

    def test_no_tls(self, azure: Azure, simulator: Simulator) -> None:
        port = simulator.environment["IDENTITY_ENDPOINT"].split(":")[2].partition("/")[0]
        error = failed(self.other(azure, f"https://127.0.0.1:{port}"))

        assert type(error) is Unreachable

    @pytest.mark.parametrize("bundle", ["", "missing.pem"], ids=["not-trusted", "no-such-file"])
    def test_no_trust(self, azure: Azure, monkeypatch: pytest.MonkeyPatch, bundle: str) -> None:
        if bundle:
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
        else:
            monkeypatch.delenv("REQUESTS_CA_BUNDLE")

        error = failed(azure)

        assert type(error) is Unreachable
        assert ("missing.pem" if bundle else "the certificate is not trusted") in str(error)


class TestImports:
    @pytest.mark.parametrize(
        "module",
        ["ahead", "arm", "bodies", "budgets", "credential", "envelopes", "errors", "estate", "links", "pages"],
    )
    def test_the_sdk_is_imported_on_first_use(self, module: str) -> None:
        """Indexing the app must stay fast."""
        heavy = ("azure.identity", "azure.mgmt", "azure.core", "azure.monitor", "msal", "requests")
        code = (
            f"import sys, shared_code.azure_api.{module}\n"
            f"print([name for name in sys.modules if name.startswith({heavy!r})])"
        )

        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

        assert done.stdout == "[]\n"
