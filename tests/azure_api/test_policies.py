"""How fast requests follow one another against a model of Resource Manager's bucket, in virtual time."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.core.pipeline import Pipeline
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest
from requests.structures import CaseInsensitiveDict

from shared_code.azure_api.budgets import LONGEST_WAIT, Budgets
from shared_code.azure_api.policies import READY, CappedRetry, Paced, policies
from shared_code.errors import Stopped
from tests.azure_api.virtual_time import VirtualTime

SHOP = "https://management.azure.com/subscriptions/5E000000-0000-4000-8000-000000000001/resources?api-version=1"
BANK = SHOP.replace("0001/", "0002/")


class Answer:
    """As much of an answer as policies look at."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.status_code = status
        self.headers = CaseInsensitiveDict({"Content-Length": str(len(body))} | headers)
        self._body = body

    def read(self) -> bytes:
        return self._body


class Bucket:
    """The tokens of one subscription for one kind of request, as Resource Manager keeps them."""

    def __init__(self, time: VirtualTime, burst: int = 250, refill: float = 25.0) -> None:
        self._time = time
        self._burst = burst
        self._refill = refill
        self._tokens = float(burst)
        self._at = 0.0
        self.refused = 0

    def take(self, family: str = "subscription-reads") -> Answer:
        """Spend a token, or refuse."""
        now = self._time.now()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._refill)
        self._at = now
        if self._tokens < 1:
            self.refused += 1
            return Answer(429, {"Retry-After": str(math.ceil((1 - self._tokens) / self._refill))})
        self._tokens -= 1
        return Answer(200, {f"x-ms-ratelimit-remaining-{family}": str(int(self._tokens))})


class Wire(HttpTransport[Any, Any]):
    """Gives the answers of a function, after the way there; the way back takes as long."""

    def __init__(self, answer: Callable[[HttpRequest], Answer], time: VirtualTime, latency: float = 0.0) -> None:
        self._answer = answer
        self._time = time
        self._half = latency / 2

    def send(self, request: HttpRequest, **_: object) -> Answer:
        if not self._half:
            return self._answer(request)
        self._time.sleep(self._half)
        answer = self._answer(request)
        self._time.sleep(self._half)
        return answer

    def open(self) -> None: ...
    def close(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


def client(wire: Wire, time: VirtualTime, sleep: Callable[[float], None] | None = None) -> Pipeline[Any, Any]:
    """Retry and pacing as Arm has them."""
    wait = sleep or time.sleep
    retry = CappedRetry(wait, retry_total=6, retry_status=4)
    return Pipeline(wire, [retry, Paced(Budgets(time.now), retry.get_retry_after, wait)])


def read(pipeline: Pipeline[Any, Any], todo: Iterator[int], url: str = SHOP, method: str = "GET") -> list[int]:
    """Send requests as fast as possible until there is nothing left to do; return the statuses."""
    return [pipeline.run(HttpRequest(method, url)).http_response.status_code for _ in todo]


def duration(readers: int, latency: float, requests: int, others: float = 0.0) -> tuple[float, float, int]:
    """Let readers share so many requests.

    Args:
        readers: how many at a time.
        latency: seconds from request to answer.
        requests: how many in all.
        others: requests a second that someone else takes from the same bucket.

    Returns: seconds taken, seconds at best, and how many of ours were refused.
    """
    time = VirtualTime()
    bucket = Bucket(time)
    pipeline = client(Wire(lambda _: bucket.take(), time, latency), time)
    todo = iter(range(requests))
    done: list[int] = []
    ended = 0.0
    refused_others = 0

    def one() -> None:
        nonlocal ended
        done.extend(read(pipeline, todo))
        ended = time.now()

    def someone_else() -> None:
        nonlocal refused_others
        while len(done) < requests:
            refused_others += bucket.take().status_code == 429
            time.sleep(1 / others)

    time.run(*[one] * readers, *[someone_else] * bool(others))
    assert done == [200] * requests
    best = max((requests - 250) / (25 - others), requests / readers * latency)
    return ended, best, bucket.refused - refused_others


class TestPace:
    """Readers settle at what the bucket gives: within a tenth of the best time, and not refused."""

    @pytest.mark.parametrize(
        ("readers", "latency", "requests", "others"),
        [
            (1, 0.0, 600, 0.0),
            (1, 0.0, 2000, 0.0),
            (1, 0.05, 600, 0.0),
            (8, 0.0, 600, 0.0),
            (8, 0.05, 600, 0.0),
            (8, 0.05, 2000, 0.0),
            (16, 0.2, 2000, 0.0),
            (1, 0.0, 600, 10.0),
            (1, 0.0, 600, 20.0),
            (8, 0.05, 600, 10.0),
            (8, 0.05, 1000, 20.0),
        ],
    )
    def test_is_the_refill(self, readers: int, latency: float, requests: int, others: float) -> None:
        took, best, refused = duration(readers, latency, requests, others)

        assert refused == 0
        assert best - 0.1 <= took <= best * 1.1

    @pytest.mark.parametrize(("readers", "most"), [(1, 1), (8, 8)])
    def test_a_bucket_that_someone_emptied_refuses_each_reader_once(self, readers: int, most: int) -> None:
        time = VirtualTime()
        bucket = Bucket(time)
        for _ in range(250):
            bucket.take()
        pipeline = client(Wire(lambda _: bucket.take(), time, latency=0.02), time)
        todo = iter(range(500))

        took = time.run(*[lambda: read(pipeline, todo)] * readers)

        assert bucket.refused <= most
        assert took <= 500 / 25 * 1.1

    def test_while_plenty_is_left_nobody_waits(self) -> None:
        time = VirtualTime()
        waits: list[float] = []
        bucket = Bucket(time)
        pipeline = client(Wire(lambda _: bucket.take(), time), time, waits.append)

        time.run(lambda: read(pipeline, iter(range(230))))

        assert waits == []

    @pytest.mark.parametrize(
        ("method", "family", "refill"),
        [
            ("GET", "subscription-reads", 25),
            ("PATCH", "subscription-writes", 10),
            ("DELETE", "subscription-deletes", 10),
        ],
    )
    def test_each_kind_of_request_has_its_own(self, method: str, family: str, refill: int) -> None:
        time = VirtualTime()
        bucket = Bucket(time, burst=200, refill=refill)
        pipeline = client(Wire(lambda _: bucket.take(family), time), time)

        took = time.run(lambda: read(pipeline, iter(range(400)), method=method))

        assert bucket.refused == 0
        assert took == pytest.approx(200 / refill, rel=0.1)

    def test_another_subscription_or_kind_is_never_slowed(self) -> None:
        """However its id is spelled, a subscription is one."""
        time = VirtualTime()
        bucket = Bucket(time)
        calm = {"x-ms-ratelimit-remaining-subscription-writes": "199"}
        pipeline = client(
            Wire(
                lambda request: (
                    bucket.take() if "0001/" in request.url and request.method == "GET" else Answer(200, calm)
                ),
                time,
            ),
            time,
        )
        ends: dict[str, float] = {}

        def reader(name: str, url: str, method: str = "GET") -> Callable[[], None]:
            def call() -> None:
                read(pipeline, iter(range(300)), url, method)
                ends[name] = time.now()

            return call

        time.run(reader("shop", SHOP), reader("lower", SHOP.lower()), reader("bank", BANK), reader("put", SHOP, "PUT"))

        assert bucket.refused == 0
        assert ends["bank"] == ends["put"] == 0.0
        assert max(ends["shop"], ends["lower"]) == pytest.approx(350 / 25, rel=0.1)


class Refusing:
    """Refuses the first requests to the shop, and notes when each request arrives."""

    def __init__(self, time: VirtualTime, headers: dict[str, str], body: bytes = b"", times: int = 1) -> None:
        self._time = time
        self._refusal = Answer(429, headers, body)
        self._left = times
        self.arrived: list[tuple[float, str]] = []

    def __call__(self, request: HttpRequest) -> Answer:
        self.arrived.append((self._time.now(), "shop" if "0001/" in request.url else "bank"))
        if "0001/" in request.url and self._left:
            self._left -= 1
            return self._refusal
        return Answer(200, {})


class TestRefusal:
    @pytest.mark.parametrize(
        ("headers", "body", "wait"),
        [
            ({"Retry-After": "7"}, b"", 7.0),
            ({"retry-after": "7", "X-Ms-User-Quota-Resets-After": "00:00:20"}, b"after '9' seconds", 7.0),
            ({"Retry-After": "1200", "x-ms-ratelimit-remaining-subscription-reads": "13000"}, b"", LONGEST_WAIT),
            ({"x-ms-user-quota-resets-after": "00:00:05"}, b"", 5.0),
            ({"x-ms-user-quota-resets-after": "01:00:00"}, b"", LONGEST_WAIT),
            ({"x-ms-user-quota-resets-after": "soon"}, b"", 0.0),
            ({}, b"Please try again after '17' seconds after additional tokens are available.", 17.0),
            ({}, b"Please try again after 17 seconds.", 17.0),
            ({}, b"Please try again after '0' seconds.", 0.0),
            ({}, b"Please try again after '99999999999999999999' seconds.", 0.0),
            ({"Content-Length": "70000"}, b"Please try again after '17' seconds.", 0.0),
            ({"Content-Length": "some"}, b"Please try again after '17' seconds.", 0.0),
            ({"Retry-After": "soon"}, b"Please try again after '17' seconds.", 17.0),
            ({"x-ms-retry-after-ms": "2500"}, b"", 2.5),
        ],
    )
    def test_says_how_long_to_wait_in_one_of_four_places(
        self, headers: dict[str, str], body: bytes, wait: float
    ) -> None:
        """Once: the wait of the retry and that of the pace do not add up."""
        time = VirtualTime()
        azure = Refusing(time, headers, body)

        time.run(lambda: read(client(Wire(azure, time), time), iter(range(2))))

        assert [at for at, _ in azure.arrived] == [0.0, wait, wait]

    def test_holds_every_request_of_the_subscription_and_no_other(self) -> None:
        time = VirtualTime()
        azure = Refusing(time, {"Retry-After": "7"})
        pipeline = client(Wire(azure, time), time)

        def later(url: str) -> Callable[[], None]:
            def call() -> None:
                time.sleep(1)
                read(pipeline, iter(range(1)), url)

            return call

        time.run(lambda: read(pipeline, iter(range(1))), later(SHOP), later(BANK))

        assert azure.arrived == [(0.0, "shop"), (1.0, "bank"), (7.0, "shop"), (7.0, "shop")]

    def test_permission_is_asked_when_the_turn_has_come(self) -> None:
        """Somebody may say stop while a write waits for its budget; then it is not sent, and takes nothing from it."""
        time = VirtualTime()
        azure = Refusing(time, {"Retry-After": "7"})
        pipeline = client(Wire(azure, time), time)
        asked: list[float] = []

        def ready() -> None:
            asked.append(time.now())
            raise Stopped("no")

        def write() -> None:
            time.sleep(1)
            with pytest.raises(Stopped):
                pipeline.run(HttpRequest("GET", SHOP), **{READY: ready})

        time.run(lambda: read(pipeline, iter(range(1))), write)

        assert asked == [7.0]
        assert azure.arrived == [(0.0, "shop"), (7.0, "shop")]

    def test_holds_a_request_that_was_already_waiting(self) -> None:
        """The first refusal asks for 2 seconds, a later one for 9."""
        time = VirtualTime()
        waits = iter(["2", "9"])
        arrived: list[float] = []

        def azure(_: HttpRequest) -> Answer:
            arrived.append(time.now())
            return Answer(429, {"Retry-After": wait}) if (wait := next(waits, "")) else Answer(200, {})

        pipeline = client(Wire(azure, time, latency=0.5), time)

        time.run(*[lambda: read(pipeline, iter(range(1)))] * 2)

        assert arrived == [0.25, 0.25, 9.75, 9.75]

    def test_that_never_ends_is_given_back_after_five_tries(self) -> None:
        time = VirtualTime()
        azure = Refusing(time, {"Retry-After": "1200"}, times=100)
        statuses: list[int] = []

        took = time.run(lambda: statuses.extend(read(client(Wire(azure, time), time), iter(range(1)))))

        assert (statuses, len(azure.arrived), took) == ([429], 5, 4 * LONGEST_WAIT)

    def test_of_a_broken_wait_is_no_endless_one(self) -> None:
        """Even if no time passes while we sleep, a request is held up for the longest wait at most."""
        time = VirtualTime()
        waits: list[float] = []
        azure = Refusing(time, {"Retry-After": "12"})

        time.run(lambda: read(client(Wire(azure, time), time, waits.append), iter(range(1))))

        assert waits == [12.0, 12.0, 6.0]

    def test_a_wait_that_is_broken_off_leaves_the_budget_as_it_was(self) -> None:
        class Stop(BaseException):
            """What a stop may raise out of any wait."""

        def sleep(_: float) -> None:
            raise Stop

        time = VirtualTime()
        budgets = Budgets(time.now)
        pipeline = Pipeline(
            Wire(lambda _: Answer(200, {"x-ms-ratelimit-remaining-subscription-reads": "3"}), time),
            [Paced(budgets, lambda _: None, sleep)],
        )
        read(pipeline, iter(range(1)))

        for _ in range(50):
            with pytest.raises(Stop):
                read(pipeline, iter(range(1)))

        budgets.of("reads", SHOP).answered(100)
        assert budgets.of("reads", SHOP).reserve() == 0.0


class Counted:
    """Figures that remember what they were told."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, int]] = []
        self.waits: list[float] = []

    def asked(self, kind: str, status: int) -> None:
        self.requests.append((kind, status))

    def waited(self, seconds: float) -> None:
        self.waits.append(seconds)


def test_a_refusal_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """As a line of the log, with the subscription and the wait, and as figures; an answer as a figure alone."""
    time, counted = VirtualTime(), Counted()
    answers = iter([Answer(429, {"Retry-After": "7"}), Answer(200, {})])
    whole = policies(NoCredential(), "https://management.azure.com", time.sleep, time.now, counted)
    paced = [each for each in whole if isinstance(each, CappedRetry | Paced)]
    with Pipeline(Wire(lambda _: next(answers), time), paced) as pipeline:
        pipeline.run(HttpRequest("GET", SHOP))

    assert counted.requests == [("reads", 429), ("reads", 200)]
    assert sum(counted.waits) == 7
    assert [each.getMessage() for each in caplog.records if "throttled" in each.getMessage()] == [
        "subscription=5E000000-0000-4000-8000-000000000001 throttled kind=reads wait=7.0"
    ]


class NoCredential:
    """Nobody, since nothing here asks for a token."""

    def get_token(self, *scopes: str, **options: Any) -> Any:
        raise AssertionError(f"{scopes} {options}")
