"""Token buckets: what they give, and what the headers say."""

import pytest

from devkit.simulator import Buckets, Simulator, load_estate
from devkit.simulator.estates.demo import DEVELOPMENT, PRODUCTION
from devkit.simulator.throttling import Left, Rate
from tests.simulator.client import Client

PREFIX = "x-ms-ratelimit-remaining-"
ODD = load_estate("odd").subscriptions


class Clock:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def few(clock: Clock) -> Buckets:
    """Buckets that are soon empty."""
    return Buckets(reads=Rate(3, 0.5), writes=Rate(2, 0.1), deletes=Rate(1, 0.1), clock=clock)


@pytest.mark.parametrize(("kind", "burst", "per_second"), [("read", 250, 25), ("write", 200, 10), ("delete", 200, 10)])
def test_azures_buckets(kind: str, burst: int, per_second: int) -> None:
    """A burst, then so many a second; all callers together have 15 times as much."""
    clock = Clock()
    buckets = Buckets(clock=clock)

    left = [buckets.take("s", kind) for _ in range(burst)]  # type: ignore[arg-type]

    assert left[0] == Left(burst - 1, burst * 15 - 1)
    assert left[-1] == Left(0, burst * 15 - burst)
    assert buckets.take("S", kind).wait == 1  # type: ignore[arg-type]
    clock.now += 1
    assert [buckets.take("s", kind).wait for _ in range(per_second + 1)] == [0] * per_second + [1]  # type: ignore[arg-type]


def test_a_bucket_holds_no_more_than_its_burst() -> None:
    """However long nobody takes."""
    clock = Clock()
    buckets = few(clock)
    buckets.take("s", "read")

    clock.now += 3600

    assert buckets.take("s", "read").own == 2


def test_buckets_are_apart() -> None:
    """By subscription, kind of operation, and for the tenant."""
    buckets = few(Clock())

    assert [buckets.take("s", "delete").wait for _ in range(2)] == [0, 10]
    assert buckets.take("s", "write").wait == 0
    assert buckets.take("t", "delete").wait == 0
    assert buckets.take("", "delete").wait == 0


def test_an_empty_bucket_answers_429_until_there_is_a_token() -> None:
    """Retry-After is whole seconds and true; the log has the refusals, and no fault is spent on them."""
    clock = Clock()
    path = f"/subscriptions/{PRODUCTION}/resources"
    with Simulator(load_estate("demo"), throttle=few(clock)) as simulator, Client(simulator) as client:
        answers = [client.get(path) for _ in range(4)]

        assert [each.status_code for each in answers] == [200, 200, 200, 429]
        assert [each.headers[f"{PREFIX}subscription-reads"] for each in answers] == ["2", "1", "0", "0"]
        assert [each.headers[f"{PREFIX}subscription-global-reads"] for each in answers] == ["44", "43", "42", "42"]
        refusal = answers[-1]
        assert refusal.headers["Retry-After"] == "2"
        assert refusal.json()["error"]["code"] == "SubscriptionRequestsThrottled"
        assert f"'read' requests for subscription '{PRODUCTION}'" in refusal.json()["error"]["message"]
        assert client.get(f"/subscriptions/{DEVELOPMENT}/resources").status_code == 200
        clock.now += 1
        assert client.get(path).headers["Retry-After"] == "1"
        clock.now += 1
        assert client.get(path).status_code == 200
        assert [each.status for each in simulator.requests if each.subscription == PRODUCTION].count(429) == 2


def test_calls_of_the_tenant_have_a_bucket_of_their_own() -> None:
    """And a header of their own."""
    with Simulator(load_estate("demo"), throttle=few(Clock())) as simulator, Client(simulator) as client:
        answers = [client.get("/subscriptions") for _ in range(4)]

        assert [each.headers[f"{PREFIX}tenant-reads"] for each in answers] == ["2", "1", "0", "0"]
        assert answers[-1].status_code == 429
        assert "requests for tenant '" in answers[-1].json()["error"]["message"]


def test_without_throttling_nothing_runs_down(demo: Client) -> None:
    """What is left to a caller who calls rarely, for each kind of operation."""
    path = f"/subscriptions/{PRODUCTION}/resources"
    tags = f"/subscriptions/{PRODUCTION}/resourceGroups/nothing/providers/Microsoft.Resources/tags/default"

    for _ in range(2):
        headers = demo.get(path).headers
        assert headers[f"{PREFIX}subscription-reads"] == "249"
        assert headers[f"{PREFIX}subscription-global-reads"] == "3749"
    assert demo.get(tags, method="PATCH").headers[f"{PREFIX}subscription-writes"] == "199"
    assert demo.get(tags, method="DELETE").headers[f"{PREFIX}subscription-global-deletes"] == "2999"
    assert demo.get("/subscriptions").headers[f"{PREFIX}tenant-reads"] == "249"


def test_other_forms_of_the_headers(odd: Client) -> None:
    """Title-Case; and the old counts by the hour, without one for all callers (oddity 58)."""
    capitals = odd.get(f"/subscriptions/{ODD[0].id}/resources").headers
    hourly = odd.get(f"/subscriptions/{ODD[2].id}/resources").headers

    assert "X-Ms-Ratelimit-Remaining-Subscription-Reads" in list(capitals)
    assert hourly[f"{PREFIX}subscription-reads"] == "11999"
    assert f"{PREFIX}subscription-global-reads" not in hourly
