"""Resource Graph: oddities 8 and 9, as far as asking Azure is concerned."""

import json

import pytest

from shared_code.ports import Candidates
from tests.azure_api.canned import Canned, Json, said
from tests.azure_api.conftest import Answer
from tests.oddities.recorded import Recordings
from tests.oddities.wire import Wire

ONE = "0e000000-0000-4000-8000-000000000001"
QUERY = "resources | where type =~ 'microsoft.compute/disks' | project id | order by id asc"


@pytest.fixture(name="canned")
def _canned(wire: Wire) -> Canned:
    """A fresh reader of Resource Graph."""
    return Canned(wire.script)


def ask(canned: Canned, *answers: Json, subscription: str = ONE) -> Candidates:
    """Ask about one subscription, which it shows, and answer so."""
    left = list(answers)

    def answer(_: str) -> Answer:
        asked = json.loads(canned.script.sent[-1][2])
        return said(whole({"id": f"/subscriptions/{subscription}"}) if asked["query"] != QUERY else left.pop(0))

    canned.script.answers = answer
    return canned.graph.candidates(QUERY, [subscription])


def whole(*rows: Json, **fields: object) -> Json:
    """An answer that is whole, but for these fields."""
    return {"totalRecords": len(rows), "count": len(rows), "data": list(rows), "resultTruncated": "false"} | fields


def row(name: str, **fields: object) -> Json:
    """A disk."""
    return {"id": f"/subscriptions/{ONE}/resourceGroups/rg/providers/Microsoft.Compute/disks/{name}"} | fields


class TestTruncated:
    """8: whether an answer is cut off is a text, "false" where three rows of thousands are there; some are tables."""

    def test_a_token_leads_on_whatever_is_said(self, canned: Canned) -> None:
        first = whole(row("a"), totalRecords=2, **{"$skipToken": "next"})
        found = ask(canned, first, whole(row("b"), totalRecords=2))

        assert found.ids == {ONE: [row("a")["id"], row("b")["id"]]}

    def test_rows_that_are_missing(self, canned: Canned) -> None:
        found = ask(canned, whole(row("a"), totalRecords=2994))

        assert found.ids == {}
        assert "there are 2,994 records, and the pages have 1" in found.unread[ONE]

    @pytest.mark.parametrize("said", [False, None, 0, "no", ""], ids=repr)
    def test_another_word(self, canned: Canned, said: object) -> None:
        assert set(ask(canned, whole(row("a"), resultTruncated=said)).unread) == {ONE}

    def test_recorded(self, canned: Canned, recordings: Recordings) -> None:
        (recording,) = recordings.named("resource-graph__cliext-skiptoken")
        own = recording.body["data"][0]["id"].split("/")[2]
        rest = {name: value for name, value in recording.body.items() if name != "$skipToken"}
        found = ask(canned, recording.body, rest | {"data": [], "count": 0}, subscription=own)

        assert found.ids == {}
        assert "there are 2,994 records, and the pages have 3" in found.unread[own]
        token = recording.body["$skipToken"]
        assert json.loads(canned.script.sent[-1][2])["options"]["$skipToken"] == token

    def test_recorded_table(self, canned: Canned, recordings: Recordings) -> None:
        """It is asked for rows by name, and takes nothing else."""
        (recording,) = recordings.named("resource-graph__c7n-table-format")

        assert "another shape" in ask(canned, recording.body).unread[ONE]


class TestEmptyTexts:
    """9: rows have "" for nothing, and types in lower case; of a row only the id is taken."""

    def test_they_decide_nothing(self, canned: Canned) -> None:
        odd = row("a", type="microsoft.compute/DISKS", managedBy="", kind="", tenantId="", tags=None, sku=None)

        assert ask(canned, whole(odd)).ids == {ONE: [odd["id"]]}

    def test_an_id_of_nothing(self, canned: Canned) -> None:
        assert set(ask(canned, whole({"id": ""})).unread) == {ONE}

    def test_recorded(self, canned: Canned, recordings: Recordings) -> None:
        """The rows of the table, by name."""
        (recording,) = recordings.named("resource-graph__c7n-table-format")
        names = [column["name"] for column in recording.body["data"]["columns"]]
        rows = [dict(zip(names, each, strict=True)) for each in recording.body["data"]["rows"]]
        own = rows[0]["id"].split("/")[2]
        found = ask(canned, whole(*rows), subscription=own)

        assert found.ids == {own: [each["id"] for each in rows]}
