"""Resource Graph over real TLS: every answer is whole, or nobody concludes anything from it."""

import json
import os
from pathlib import Path

import pytest

from shared_code.azure_api import graph as module
from shared_code.azure_api.graph import MOST_SUBSCRIPTIONS
from shared_code.ports import Inventory
from tests.azure_api.canned import Canned, Json, empty, error, html, said
from tests.azure_api.conftest import JSON, Answer, Script

PATH = "/providers/Microsoft.ResourceGraph/resources?"
QUERY = "resources | where type =~ 'microsoft.compute/disks' | project id | order by id asc"
ONE, TWO = "0A000000-0000-4000-8000-00000000000A", "0b000000-0000-4000-8000-00000000000b"
OWN = ONE.lower()


def disk(name: str, subscription: str = ONE) -> Json:
    return {"id": f"/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.Compute/disks/{name}"}


def page(*rows: object, **fields: object) -> Json:
    """An answer as Resource Graph gives it."""
    whole = {
        "totalRecords": len(rows),
        "count": len(rows),
        "data": list(rows),
        "facets": [],
        "resultTruncated": "false",
    }
    return whole | {name.replace("skipToken", "$skipToken"): value for name, value in fields.items()}


class Graph:
    """Resource Graph with these subscriptions, and what it answers to the query."""

    def __init__(self, canned: Canned, *seen: str) -> None:
        self.canned = canned
        self.seen = [{"id": f"/subscriptions/{each}"} for each in seen or (ONE, TWO)]
        self.asked: list[Json] = []
        self.left: list[Answer] = [said(page())]
        canned.script.answers = self._answer

    def says(self, *answers: Answer | Json) -> None:
        """Answer the query so, one after the other, and later ones like the last."""
        self.left = [said(each) if isinstance(each, dict) else each for each in answers]

    def read(self, *subscriptions: str) -> dict[str, list[str]]:
        """Read what must be complete."""
        found = self.canned.graph.candidates(QUERY, subscriptions or (ONE, TWO))
        assert found.unread == {}
        return found.ids

    def unread(self, *subscriptions: str) -> str:
        """Read what must be no evidence, for all of them; the reason."""
        found = self.canned.graph.candidates(QUERY, subscriptions or (ONE,))
        assert found.ids == {}
        assert set(found.unread) == {each.lower() for each in subscriptions or (ONE,)}
        return found.unread[(subscriptions or (ONE,))[0].lower()]

    def _answer(self, path: str) -> Answer:
        assert path == f"{PATH}api-version=2021-03-01"
        method, _, body = self.canned.script.sent[-1]
        assert method == "POST"
        asked = json.loads(body)
        assert asked["options"]["resultFormat"] == "objectArray"
        if asked["query"] != QUERY:
            known = {each.lower() for each in asked["subscriptions"]}
            return said(page(*(each for each in self.seen if each["id"].rpartition("/")[2].lower() in known)))
        self.asked.append(asked)
        return self.left.pop(0) if len(self.left) > 1 else self.left[0]


@pytest.fixture(name="graph")
def _graph(script: Script) -> Graph:
    """Resource Graph that sees two subscriptions."""
    return Graph(Canned(script))


def test_it_is_the_port(graph: Graph) -> None:
    port: Inventory = graph.canned.graph

    assert port is graph.canned.graph


class TestWhole:
    def test_ids_by_subscription(self, graph: Graph) -> None:
        """As received, in their order; what has none is known to have none."""
        graph.says(page(disk("b"), disk("A", ONE.lower()), {**disk("c"), "name": "c"}))

        assert graph.read() == {
            OWN: [disk("b")["id"], disk("A", ONE.lower())["id"], disk("c")["id"]],
            TWO: [],
        }
        assert graph.asked[0]["options"] == {"resultFormat": "objectArray", "$top": 1000}
        assert graph.asked[0]["subscriptions"] == [ONE, TWO]

    def test_a_group_is_a_candidate(self, graph: Graph) -> None:
        own = f"/subscriptions/{ONE}/resourcegroups/rg"
        graph.says(page({"id": own}))

        assert graph.read(ONE) == {OWN: [own]}

    def test_nobody_is_asked_about_nothing(self, graph: Graph) -> None:
        """It would answer for the whole tenant."""
        assert graph.canned.graph.candidates(QUERY, []).ids == {}
        assert graph.canned.sent == []

    def test_all_pages(self, graph: Graph) -> None:
        """That an answer is not cut off means nothing where there is a token."""
        graph.says(
            page(disk("a"), totalRecords=3, skipToken="one"),
            page(totalRecords=3, skipToken="two", resultTruncated="true"),
            page(disk("b"), disk("c"), totalRecords=3),
        )

        assert len(graph.read(ONE)[OWN]) == 3
        assert [each["options"].get("$skipToken") for each in graph.asked] == [None, "one", "two"]

    @pytest.mark.parametrize("token", [None, ""])
    def test_no_token(self, graph: Graph, token: str | None) -> None:
        graph.says(page(disk("a"), skipToken=token))

        assert len(graph.read(ONE)[OWN]) == 1

    def test_a_subscription_is_asked_about_once(self, graph: Graph) -> None:
        graph.read(ONE, ONE.lower(), ONE.upper())

        assert len(graph.asked[0]["subscriptions"]) == 1

    def test_many_subscriptions(self, graph: Graph) -> None:
        many = [f"0c000000-0000-4000-8000-{number:012}" for number in range(MOST_SUBSCRIPTIONS + 1)]
        graph.seen = [{"id": f"/subscriptions/{each}"} for each in many]

        assert set(graph.read(*many)) == set(many)
        assert [len(each["subscriptions"]) for each in graph.asked] == [1000, 1]


class TestUnread:
    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({"totalRecords": 2}, "there are 2 records, and the pages have 1"),
            ({"totalRecords": 0}, "there are 0 records, and the pages have 1"),
            ({"count": 2}, "the answer counts 2 rows, and has 1"),
            ({"resultTruncated": "true"}, "the answer is cut off, and there is no next page"),
            ({"resultTruncated": "True"}, "whether the answer is cut off is 'True'"),
            ({"resultTruncated": ""}, "whether the answer is cut off is ''"),
            ({"resultTruncated": False}, "another shape"),
            ({"resultTruncated": None}, "another shape"),
            ({"count": "1"}, "another shape"),
            ({"count": True}, "another shape"),
            ({"totalRecords": None}, "another shape"),
            ({"data": {"columns": [], "rows": []}}, "another shape"),
            ({"data": None}, "another shape"),
            ({"skipToken": 5}, "another shape"),
            ({"skipToken": "same"}, "always one more page"),
            ({"skipToken": "x" * 70_000}, "always one more page"),
            ({"error": {"code": "PartialError"}}, "an error beside the rows"),
        ],
        ids=str,
    )
    def test_an_answer_that_is_not_whole(self, graph: Graph, fields: Json, reason: str) -> None:
        graph.says(page(disk("a"), **fields), page(**({"totalRecords": 1} | fields)))

        assert reason in graph.unread()

    @pytest.mark.parametrize("name", ["totalRecords", "count", "data", "resultTruncated"])
    def test_what_is_missing(self, graph: Graph, name: str) -> None:
        graph.says({key: value for key, value in page(disk("a")).items() if key != name})

        assert f"missing required field `{name}`" in graph.unread()

    @pytest.mark.parametrize(
        "row",
        [
            None,
            "x",
            [disk("a")["id"]],
            {},
            {"ID": disk("a")["id"]},
            {"id": None},
            {"id": ""},
            {"id": 5},
            {"id": "x"},
            {"id": "/providers/Microsoft.Management/managementGroups/mg"},
            disk("a", TWO),
        ],
        ids=str,
    )
    def test_a_row_that_is_about_nobody_asked(self, graph: Graph, row: object) -> None:
        """Then it is no answer to the question."""
        graph.says(page(disk("b"), row))

        assert graph.unread().startswith("cannot read Resource Graph: ")

    @pytest.mark.parametrize(
        "end", ["", "/", "/resourceGroups", "/resourceGroups/rg/providers/Microsoft.Compute/disks"]
    )
    def test_a_row_of_another_shape(self, graph: Graph, end: str) -> None:
        """Its subscription is unread, and the other is not."""
        graph.says(page(disk("a"), disk("b", TWO), {"id": f"/subscriptions/{ONE}{end}"}))

        found = graph.canned.graph.candidates(QUERY, [ONE, TWO])

        assert found.ids == {TWO: [disk("b", TWO)["id"]]}
        assert "is no id of a resource or a resource group" in found.unread[OWN]

    def test_a_row_that_comes_twice(self, graph: Graph) -> None:
        """Something moved between two pages, and something else may be missing."""
        graph.says(page(disk("a"), totalRecords=2, skipToken="one"), page(disk("A"), totalRecords=2))

        assert "comes twice" in graph.unread()

    def test_a_subscription_that_it_does_not_show(self, graph: Graph) -> None:
        """No rows are no evidence: it may not see it, or not yet."""
        graph.seen.pop()
        graph.says(page(disk("a")))

        found = graph.canned.graph.candidates(QUERY, [ONE, TWO])

        assert found.ids == {OWN: [disk("a")["id"]]}
        assert found.unread == {TWO: "Resource Graph does not show this subscription"}

    def test_too_many_subscriptions(self, graph: Graph) -> None:
        graph.says(said(page(), x_ms_tenant_subscription_limit_hit="True"))

        assert "has left out subscriptions" in graph.unread()

    @pytest.mark.parametrize(
        "answer",
        [error(400, "BadRequest"), error(403, "AuthorizationFailed"), html(404), empty(200), (200, JSON, b'{"data":')],
        ids=str,
    )
    def test_a_batch_that_fails(self, graph: Graph, answer: Answer) -> None:
        graph.says(answer)

        assert graph.unread(ONE, TWO).startswith("cannot read Resource Graph: ")

    def test_a_batch_is_split_once(self, graph: Graph) -> None:
        graph.says(error(403, "AuthorizationFailed"), page(disk("a")), error(403, "AuthorizationFailed"))

        found = graph.canned.graph.candidates(QUERY, [ONE, TWO])

        assert found.ids == {OWN: [disk("a")["id"]]}
        assert set(found.unread) == {TWO}
        assert [each["subscriptions"] for each in graph.asked] == [[ONE, TWO], [ONE], [TWO]]

    def test_no_answer(self, graph: Graph) -> None:
        """Nobody is asked by halves then."""
        graph.canned.script.close()

        assert "cannot read Resource Graph" in graph.unread(ONE, TWO)

    def test_pages_without_end(self, graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MOST_PAGES", 5)
        graph.says(*(page(skipToken=str(number), totalRecords=1) for number in range(10)))

        assert "always one more page after 6" in graph.unread()


class TestPace:
    """15 queries in 5 seconds; what is left is in every answer."""

    def test_waits_for_a_new_quota(self, graph: Graph) -> None:
        first, second = page(disk("a"), totalRecords=2, skipToken="one"), page(disk("b"), totalRecords=2)
        graph.says(said(first, x_ms_user_quota_remaining="0", x_ms_user_quota_resets_after="00:00:05"), second)
        graph.read(ONE)

        assert graph.canned.time.waits == [5.0]

    def test_a_refusal_names_the_wait_as_a_clock_does(self, graph: Graph) -> None:
        quota = {"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "00:00:04"}
        graph.says((429, JSON | quota, b"{}"), page(disk("a")))

        assert len(graph.read(ONE)[OWN]) == 1
        assert graph.canned.time.waits == [4.0]

    def test_a_refusal_without_end(self, graph: Graph) -> None:
        graph.says((429, JSON | {"x-ms-user-quota-resets-after": "00:00:05"}, b"{}"))

        assert "429" in graph.unread(ONE, TWO)
        assert len(graph.asked) < 8

    def test_trouble_is_waited_for(self, graph: Graph) -> None:
        graph.says(error(503, "x"), (200, JSON | {"Content-Length": "100"}, b'{"data":'), page(disk("a")))

        assert len(graph.read(ONE)[OWN]) == 1


@pytest.mark.skipif("STEWARD_RECORDINGS" not in os.environ, reason="needs STEWARD_RECORDINGS")
def test_recorded_answers(graph: Graph) -> None:
    """Each is read, or refused for what is odd about it."""
    for file in sorted(Path(os.environ["STEWARD_RECORDINGS"]).glob("resource-graph__*.json")):
        recorded = json.loads(file.read_bytes())["response"]
        rows = recorded["body"].get("data", [])
        told = {row["id"].split("/")[2] for row in rows if isinstance(row, dict) and "/subscriptions/" in row["id"]}
        graph.seen = [{"id": f"/subscriptions/{each}"} for each in told or {ONE}]
        graph.says((recorded["status"], JSON, json.dumps(recorded["body"]).encode()))

        found = graph.canned.graph.candidates(QUERY, told or {ONE})

        whole = isinstance(rows, list) and len(rows) == recorded["body"].get("totalRecords") and bool(told)
        assert bool(found.unread) is not whole, file.name
        assert sum(map(len, found.ids.values())) == (len(rows) if whole else 0)
