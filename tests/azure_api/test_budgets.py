"""What answers say about the requests that are left, and what follows from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.azure_api.budgets import (
    LONGEST_WAIT,
    LOW,
    Budget,
    Budgets,
    kind_of,
    quota_left,
    quota_reset,
    remaining,
    told_wait,
)

PREFIX = "x-ms-ratelimit-remaining-"


@pytest.mark.parametrize(
    ("headers", "kind", "expected"),
    [
        ({"subscription-reads": "249"}, "reads", 249),
        ({"subscription-reads": "11999"}, "reads", 11999),
        ({"subscription-global-reads": "3749", "subscription-reads": "249"}, "reads", 249),
        ({"tenant-reads": "11"}, "reads", 11),
        ({"subscription-writes": "1199"}, "writes", 1199),
        ({"subscription-global-deletes": "14999"}, "deletes", 14999),
        ({"subscription-deletes": "0"}, "deletes", 0),
        ({"subscription-writes": "0"}, "reads", None),
        ({"subscription-resource-requests": "149"}, "writes", 149),
        ({"subscription-resource-requests-pt5m": "77", "subscription-resource-requests-pt1h": "900"}, "reads", 77),
        (
            {"resource": "Microsoft.Compute/GetOperation3Min;2999,Microsoft.Compute/GetOperation30Min;15999"},
            "reads",
            2999,
        ),
        ({"resource": "Microsoft.Compute/DeleteDisks3Min;5 , Microsoft.Compute/DeleteDisks30Min; 900"}, "deletes", 5),
        ({"resource": "Microsoft.Compute/PutVM3Min;many,;,,;7", "subscription-reads": "9"}, "reads", 7),
        ({"resource": "14"}, "reads", None),
        ({"resource": ""}, "reads", None),
        ({"subscription-resource-entities-read": "3"}, "reads", None),  # counts what lists hold
        ({"subscription-reads": ""}, "reads", None),
        ({"subscription-reads": "-1"}, "reads", None),
        ({"subscription-reads": "1e3"}, "reads", None),
        ({"subscription-reads": "12, 11"}, "reads", None),
        ({"subscription-reads": "\u0663"}, "reads", None),
        ({"subscription-reads": "9" * 5000}, "reads", None),
        ({"subscription-reads": "nan", "tenant-reads": "80"}, "reads", 80),
        ({}, "reads", None),
    ],
)
@pytest.mark.parametrize("spelling", [str.lower, str.title, str.upper])
def test_the_scarcest_count_matters(
    headers: dict[str, str], kind: str, expected: int | None, spelling: type[str]
) -> None:
    named = {spelling(PREFIX + name): value for name, value in headers.items()} | {"Content-Type": "x"}

    assert remaining(named, kind) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("00:00:05", 5),
        ("00:01:00", 60),
        ("1:00:00", 3600),
        ("00:00:05.5", 5),
        ("5", None),
        ("", None),
        ("-1:00:00", None),
    ],
)
def test_a_quota_tells_when_it_is_new(value: str, expected: float | None) -> None:
    assert quota_reset({"X-MS-User-Quota-Resets-After": value}) == expected


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://management.azure.com/subscriptions/A-1/resources?api-version=1", "a-1"),
        ("https://management.azure.com/Subscriptions/a-1?api-version=1", "a-1"),
        ("https://management.azure.com:443/subscriptions/a-1/resources", "a-1"),
        ("https://management.azure.com/subscriptions?api-version=1", ""),
        ("https://management.azure.com/tenants?x=/subscriptions/a-1", ""),
        ("https://management.azure.com/providers/x/subscriptions/a-1", ""),
    ],
)
def test_a_budget_is_its_subscriptions_or_the_tenants(url: str, name: str) -> None:
    budgets = Budgets(lambda: 0.0)
    own = f"https://x/subscriptions/{name}/x" if name else "https://x/tenants"

    assert budgets.of("reads", url) is budgets.of("reads", own)
    assert budgets.of("writes", url) is not budgets.of("reads", own)


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("GET", "reads"),
        ("HEAD", "reads"),
        ("PUT", "writes"),
        ("patch", "writes"),
        ("POST", "writes"),
        ("DELETE", "deletes"),
    ],
)
def test_azure_counts_methods_as_kinds(method: str, kind: str) -> None:
    assert kind_of(method) == kind


@pytest.mark.parametrize(
    "path", ["/providers/Microsoft.ResourceGraph/resources?x=1", "/Providers/microsoft.resourcegraph/resources"]
)
def test_queries_of_resource_graph_are_a_kind_of_their_own(path: str) -> None:
    assert kind_of("POST", f"https://management.azure.com{path}") == "queries"
    assert kind_of("POST", f"https://management.azure.com/subscriptions/a{path}") == "writes"


@pytest.mark.parametrize(
    ("value", "expected"), [("14", 14), ("0", 0), (" 3 ", 3), ("", None), ("-1", None), ("x", None)]
)
def test_a_quota_tells_what_is_left(value: str, expected: int | None) -> None:
    assert quota_left({"X-MS-User-Quota-Remaining": value}) == expected


class TestQuota:
    """It is new at once, after the time that is told."""

    @pytest.mark.parametrize(
        ("left", "reset", "closed"),
        [(0, 5.0, 5.0), (2, 5.0, 5.0), (3, 5.0, 0.0), (0, 600.0, LONGEST_WAIT), (None, 5.0, 0.0), (0, None, 0.0)],
    )
    def test_closes_where_those_on_their_way_will_have_the_rest(
        self, left: int | None, reset: float | None, closed: float
    ) -> None:
        budget = Budget(3.0, lambda: 0.0)
        for _ in range(3):
            budget.reserve()
        budget.answered(None)
        budget.quota(left, reset)

        assert budget.closed_for() == closed
        assert budget.reserve() == closed


class TestBudget:
    """A bucket that refills at 25 a second, and a clock that stands."""

    def test_nobody_waits_before_the_first_answer(self) -> None:
        budget = Budget(25.0, lambda: 0.0)

        assert [budget.reserve() for _ in range(1000)] == [0.0] * 1000

    def test_nobody_waits_while_plenty_is_left(self) -> None:
        budget = Budget(25.0, lambda: 0.0)
        budget.reserve()
        budget.answered(100)

        assert [budget.reserve() for _ in range(100 - LOW)] == [0.0] * (100 - LOW)

    def test_then_each_waits_a_little_longer_than_the_one_before(self) -> None:
        budget = Budget(25.0, lambda: 0.0)
        budget.reserve()
        budget.answered(LOW)

        assert [budget.reserve() for _ in range(3)] == pytest.approx([0.04, 0.08, 0.12])

    def test_requests_on_their_way_are_spent_already(self) -> None:
        budget = Budget(25.0, lambda: 0.0)
        for _ in range(5):
            budget.reserve()
        budget.answered(LOW + 4)

        assert budget.reserve() == pytest.approx(0.04)

    def test_a_request_without_an_answer_is_forgotten(self) -> None:
        budget = Budget(25.0, lambda: 0.0)
        for _ in range(5):
            budget.reserve()
        for _ in range(4):
            budget.lost()
        budget.answered(LOW + 4)

        assert budget.reserve() == 0.0

    def test_what_is_not_told_any_more_slows_nothing(self) -> None:
        budget = Budget(25.0, lambda: 0.0)
        budget.reserve()
        budget.answered(0)
        assert budget.reserve() > 0
        budget.answered(None)

        assert budget.reserve() == 0.0

    def test_a_refusal_without_a_wait_closes_nothing(self) -> None:
        """429 is not always throttling: a provider may mean one busy resource."""
        budget = Budget(25.0, lambda: 0.0)
        budget.reserve()
        budget.answered(None, refused=True)

        assert (budget.reserve(), budget.closed_for()) == (0.0, 0.0)


TEXT = st.text(max_size=20)
GARBAGE = st.dictionaries(
    st.one_of(
        TEXT,
        st.sampled_from(["subscription-reads", "tenant-reads", "resource", "subscription-resource-requests-pt5m"]).map(
            PREFIX.__add__
        ),
        st.just("x-ms-user-quota-resets-after"),
    ),
    st.one_of(
        TEXT, st.integers().map(str), st.floats().map(str), st.lists(TEXT).map(";".join), st.lists(TEXT).map(",".join)
    ),
)


@given(GARBAGE, st.binary(max_size=50))
def test_garbage_breaks_nothing(headers: dict[str, str], body: bytes) -> None:
    left = remaining(headers, "reads")

    assert left is None or left >= 0
    assert (quota_reset(headers) or 0) >= 0
    assert (told_wait(body) or 0) >= 0


@given(st.lists(st.text(st.characters(exclude_categories=["Nd"]), max_size=20)))
def test_what_is_no_number_slows_nothing(values: list[str]) -> None:
    budget = Budget(25.0, lambda: 0.0)
    for value in values:
        budget.reserve()
        budget.answered(remaining({f"{PREFIX}subscription-reads": value, f"{PREFIX}resource": f"A;{value}"}, "reads"))

    assert budget.reserve() == 0.0


@given(st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 20000)), st.booleans(), st.floats(0, 1e9)), max_size=30))
def test_no_answer_makes_a_request_wait_for_longer_than_the_longest_wait(
    answers: list[tuple[int | None, bool, float]],
) -> None:
    waits: list[float] = []
    budget = Budget(25.0, lambda: sum(waits))
    for left, refused, wait in answers:
        before = len(waits)
        budget.wait_for_turn(waits.append)
        assert sum(waits[before:]) <= LONGEST_WAIT + 1e-6
        budget.answered(left, refused, wait)
