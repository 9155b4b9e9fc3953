"""Throttling, in time that passes at once: oddities 48 as far as reading goes, and 56 to 58."""

import json

import pytest

from shared_code.azure_api.budgets import LONGEST_WAIT, LOW, remaining
from tests.azure_api.conftest import JSON, Answer
from tests.oddities.recorded import Recordings, value
from tests.oddities.sentences import failed
from tests.oddities.wire import ROOT, Wire, group

LIST = (200, JSON, json.dumps(value([group("rg-one")])).encode())


def refusal(code: str = "Busy", message: str = "x", **headers: str) -> Answer:
    """A 429."""
    named = {name.replace("_", "-"): content for name, content in headers.items()}
    return 429, JSON | named, json.dumps({"error": {"code": code, "message": message}}).encode()


class TestRetryAfter:
    """48: Retry-After is 0 to 900 seconds, another one in each answer; it is kept to, up to our longest wait."""

    @pytest.mark.parametrize("seconds", [1, 2, 5, 10, 15, 17, 20, 25, 30, 35, 46, 60, 61, 100, 160, 900])
    @pytest.mark.parametrize("status", [429, 503])
    def test_is_waited_for(self, wire: Wire, seconds: int, status: int) -> None:
        wire.answers((status, {"Retry-After": str(seconds)}, b""), LIST)

        assert len(wire.read("groups")) == 1
        assert wire.waits == [min(seconds, LONGEST_WAIT)]

    def test_each_answer_has_its_own(self, wire: Wire) -> None:
        wire.answers(*(refusal(Retry_After=seconds) for seconds in ("3", "11", "1")), LIST)

        assert len(wire.read("groups")) == 1
        assert wire.waits == [3, 11, 1]

    def test_none_and_zero_do_not_make_it_hasty(self, wire: Wire) -> None:
        """The first of several tries may follow at once, the later ones not."""
        wire.answers(*[refusal(Retry_After="0")] * 3, LIST)

        assert len(wire.read("groups")) == 1
        assert sorted(wire.waits) == wire.waits
        assert wire.waits[-1] > 1

    def test_recorded(self, wire: Wire, recordings: Recordings) -> None:
        (recording,) = recordings.named("rg-delete__net-retry-after")
        asked = {name.lower(): content for name, content in recording.headers.items()}["retry-after"]
        wire.answers(refusal(Retry_After=asked), LIST)

        assert len(wire.read("groups")) == 1
        assert wire.waits == [min(int(asked), LONGEST_WAIT)]


class TestNotOnlyThrottling:
    """56: 429 also means a lock, a resource that is not ready, or another service; it is asked again, then told."""

    @pytest.mark.parametrize("code", ["RetryableError", "ReferencedResourceNotProvisioned", "Conflict", "429"])
    def test_it_may_pass(self, wire: Wire, code: str) -> None:
        wire.answers(refusal(code), refusal(code), LIST)

        assert len(wire.read("groups")) == 1

    def test_the_inner_text_stays_one_line(self, wire: Wire) -> None:
        inner = 'Status: \'429\'. Response: \'{"error":{"code":"429","message":"Retry after 2 seconds.\r\n"}}\''
        body = {"error": {"code": "FailedIdentityOperation", "message": inner}}
        wire.answer(429, body)

        assert failed(wire, 429, body).startswith("429 FailedIdentityOperation: Status: '429'")
        assert len(wire.waits) == 4

    def test_recorded(self, wire: Wire, recordings: Recordings) -> None:
        (recording,) = recordings.named("error__429-identity")
        wire.answer(429, recording.content, Content_Type="application/json")

        assert failed(wire, 429, recording.body).endswith("; try again later")


class TestWhereTheWaitIsTold:
    """57: in Retry-After, however much is "remaining"; in the text only; or as hh:mm:ss in a quota's header."""

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (refusal(Retry_After="1200", x_ms_ratelimit_remaining_subscription_reads="13000"), LONGEST_WAIT),
            (refusal(message="Please try again after '17' seconds after additional tokens are available."), 17),
            (refusal(message="Rate limit is exceeded. Try again after 9 seconds."), 9),
            (refusal(x_ms_user_quota_remaining="0", x_ms_user_quota_resets_after="00:00:05"), 5),
            (refusal(X_Ms_User_Quota_Resets_After="00:01:05"), LONGEST_WAIT),
            (refusal(message="after '17' seconds", Retry_After="3"), 3),
        ],
        ids=["header", "text", "plain-text", "quota", "long-quota", "header-before-text"],
    )
    def test_it_is_waited(self, wire: Wire, answer: Answer, expected: float) -> None:
        wire.answers(answer, LIST)

        assert len(wire.read("groups")) == 1
        assert wire.waits == [expected]

    def test_zero_seconds_in_the_text(self, wire: Wire) -> None:
        wire.answers(refusal(message="Please try again after '0' seconds."), LIST)

        assert len(wire.read("groups")) == 1
        assert all(wait <= 1 for wait in wire.waits)

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("error__restated-429-compute-1200s", LONGEST_WAIT),
            ("error__restated-429-resourcegraph-ratelimiting", 5),
            ("error__restated-429-subscription-requests-throttled-actor", 1),
        ],
    )
    def test_recorded(self, wire: Wire, recordings: Recordings, name: str, expected: float) -> None:
        (recording,) = recordings.named(name)
        wire.answers((429, recording.sent, recording.content), LIST)

        assert len(wire.read("groups")) == 1
        assert wire.waits == [expected]

    def test_a_recorded_quota(self, wire: Wire, recordings: Recordings) -> None:
        """Of an answer that was no refusal nobody waits for the quota."""
        (recording,) = recordings.named("resource-graph__azd-allowpartialscopes")
        status, _, body = LIST
        wire.answers((status, recording.sent, body))

        assert len(wire.read("groups")) == 1
        assert wire.waits == []


class TestWhatRemains:
    """58: what remains is told by many headers, in any case, as a number or a list of them, or not at all."""

    FAMILIES = (
        "subscription-reads",
        "subscription-global-reads",
        "tenant-reads",
        "tenant-global-reads",
        "subscription-resource-requests",
        "subscription-resource-requests-pt5m",
        "subscription-resource-requests-pt1h",
    )

    def paced(self, wire: Wire, **headers: str) -> list[float]:
        """The waits of a list of two pages whose first one carries these headers."""
        named = {name.replace("_", "-"): content for name, content in headers.items()}
        first = json.dumps(value([group("rg-one")], nextLink=f"{wire.url}{ROOT}/next")).encode()
        wire.answers((200, JSON | named, first), (200, JSON, json.dumps(value([group("rg-two")])).encode()))
        assert len(wire.read("groups")) == 2
        return wire.waits

    @pytest.mark.parametrize("spelling", [str.lower, str.title, str.upper])
    @pytest.mark.parametrize("family", FAMILIES)
    def test_each_family_slows_down_in_time(self, wire: Wire, family: str, spelling: type[str]) -> None:
        (wait,) = self.paced(wire, **{spelling(f"x-ms-ratelimit-remaining-{family}"): "1"})

        assert 0 < wait <= LONGEST_WAIT

    @pytest.mark.parametrize("left", ["11999", "249", "199", "14999", str(LOW + 1)])
    def test_plenty_does_not(self, wire: Wire, left: str) -> None:
        assert self.paced(wire, x_ms_ratelimit_remaining_subscription_reads=left) == []

    def test_a_list_counts_by_its_scarcest(self, wire: Wire) -> None:
        listed = "Microsoft.Compute/LowCostGet3Min;1,Microsoft.Compute/LowCostGet30Min;15998"

        assert len(self.paced(wire, x_ms_ratelimit_remaining_resource=listed)) == 1

    @pytest.mark.parametrize(
        "headers", [{}, {"x_ms_ratelimit_remaining_subscription_writes": "0"}], ids=["none", "other"]
    )
    def test_what_is_not_told_is_not_guessed(self, wire: Wire, headers: dict[str, str]) -> None:
        assert self.paced(wire, **headers) == []

    @pytest.mark.parametrize(
        ("name", "kind", "family"),
        [
            ("resource-delete__c7n-snapshot-still-there__01", "deletes", "subscription-deletes"),
            ("error__409-vm-patch-nested", "writes", "subscription-writes"),
        ],
    )
    def test_recorded(self, recordings: Recordings, name: str, kind: str, family: str) -> None:
        (recording,) = recordings.named(name)
        lowered = {header.lower(): content for header, content in recording.headers.items()}
        listed = lowered["x-ms-ratelimit-remaining-resource"].split(",")
        scarcest = min(int(entry.rpartition(";")[2]) for entry in listed)
        found = remaining(recording.headers, kind)

        assert found is not None
        assert found <= min(scarcest, int(lowered[f"x-ms-ratelimit-remaining-{family}"]))
