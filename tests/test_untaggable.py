"""Types that cannot carry tags: asked once, of whichever subscription answers, and never guessed."""

from shared_code.errors import AccessDenied
from shared_code.model import Subscription
from shared_code.untaggable import ATTEMPTS, Untaggable
from tests.fakes import subscription

TYPES = frozenset({"a.b/c"})


class Azure:
    """Refuses the first so many times; remembers who was asked about."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.asked: list[str] = []

    def __call__(self, one: Subscription) -> frozenset[str]:
        self.asked.append(one.id)
        if len(self.asked) <= self.refusals:
            raise AccessDenied("cannot read providers: Azure answered 403")
        return TYPES


def test_one_answer_is_enough() -> None:
    azure = Azure(0)
    untaggable = Untaggable(azure)

    assert [untaggable.types(subscription(number)) for number in range(5)] == [TYPES] * 5
    assert azure.asked == [subscription(0).id]
    assert untaggable.reason is None


def test_the_next_one_is_asked_where_the_first_does_not_answer() -> None:
    azure = Azure(ATTEMPTS - 1)
    untaggable = Untaggable(azure)

    assert [untaggable.types(subscription(number)) for number in range(5)] == [frozenset()] * 2 + [TYPES] * 3
    assert azure.asked == [subscription(number).id for number in range(ATTEMPTS)]
    assert untaggable.reason is None


def test_where_nobody_answers_it_is_not_asked_for_ever_and_the_reason_stays() -> None:
    azure = Azure(99)
    untaggable = Untaggable(azure)

    assert {untaggable.types(subscription(number)) for number in range(9)} == {frozenset()}
    assert len(azure.asked) == ATTEMPTS
    assert untaggable.reason == (
        "cannot read providers: Azure answered 403; so types that cannot carry tags are audited like all others"
    )
