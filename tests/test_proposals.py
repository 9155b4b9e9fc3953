"""Proposals: Resource Graph is asked once for each rule that has a query; what was not read is said."""

from collections.abc import Collection

import msgspec

from shared_code.cleanup_rules import RULES
from shared_code.model import Subscription
from shared_code.ports import Candidates
from shared_code.proposals import Proposals

ONE = Subscription("AAAAAAAA-0000-4000-8000-000000000001", "one", "Enabled")
TWO = Subscription("bbbbbbbb-0000-4000-8000-000000000002", "two", "Enabled")
DISK, NIC = RULES["unattached-disk"], RULES["unattached-network-interface"]


class Graph:
    """Answers each query as it is told to, and remembers what it was asked."""

    def __init__(self, answers: dict[str, Candidates]) -> None:
        self._answers = answers
        self.asked: list[tuple[str, list[str]]] = []

    def candidates(self, query: str, subscriptions: Collection[str]) -> Candidates:
        self.asked.append((query, list(subscriptions)))
        return self._answers.get(query, Candidates(ids={}))


def answering(disks: Candidates, interfaces: Candidates) -> Graph:
    return Graph({str(DISK.query): disks, str(NIC.query): interfaces})


def test_each_query_is_asked_once_about_all_subscriptions() -> None:
    """A rule for which the lists of the estate are enough asks nothing."""
    graph = Graph({})

    Proposals(graph, [DISK, NIC, RULES["expired"]], [ONE, TWO])

    assert graph.asked == [(DISK.query, [ONE.id, TWO.id]), (NIC.query, [ONE.id, TWO.id])]


def test_about_no_subscription_nothing_is_asked() -> None:
    """Resource Graph would take no subscriptions for all of them."""
    graph = Graph({})

    proposals = Proposals(graph, [DISK], [])

    assert graph.asked == []
    assert proposals.of(ONE) == {}
    assert proposals.unread(ONE) is None


def test_what_is_proposed_in_a_subscription() -> None:
    """However its id is spelled; a rule that proposes nothing there has an empty list."""
    graph = answering(Candidates(ids={ONE.id.casefold(): ["/a", "/b"]}), Candidates(ids={TWO.id: ["/c"]}))

    proposals = Proposals(graph, [DISK, NIC], [ONE, TWO])

    assert proposals.of(ONE) == {DISK.name: ["/a", "/b"], NIC.name: []}
    assert proposals.of(TWO) == {DISK.name: [], NIC.name: ["/c"]}
    assert proposals.unread(ONE) is None


def test_what_was_not_read_is_said_with_every_reason_once() -> None:
    """And of that subscription alone."""
    down = Candidates(ids={}, unread={ONE.id.casefold(): "Azure answered 503"})
    other = msgspec.structs.replace(down, unread={ONE.id.casefold(): "no answer"})

    same = Proposals(answering(down, down), [NIC, DISK], [ONE, TWO])
    two = Proposals(answering(down, other), [NIC, DISK], [ONE, TWO])
    one = Proposals(answering(down, Candidates(ids={})), [NIC, DISK], [ONE, TWO])

    names = f"{DISK.name}, {NIC.name}"
    assert same.unread(ONE) == f"the candidates of {names} could not be read: Azure answered 503"
    assert two.unread(ONE) == f"the candidates of {names} could not be read: no answer; Azure answered 503"
    assert one.unread(ONE) == f"the candidates of {DISK.name} could not be read: Azure answered 503"
    assert same.unread(TWO) is None
