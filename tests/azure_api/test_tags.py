"""The Tags API over real TLS: what is sent, what comes back, and what each refusal means."""

import json
import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devkit.simulator import tagging
from devkit.simulator.faults import Fault
from shared_code.azure_api.tags import AzureTags
from shared_code.errors import (
    AccessDenied,
    AzureError,
    Conflict,
    NotFound,
    Rejected,
    Throttled,
    Unauthenticated,
    Unreachable,
    UnreadableAnswer,
)
from shared_code.model import Tags
from shared_code.outcomes import Marked, Marks, Result
from shared_code.undo import undo
from tests import applying
from tests.azure_api.conftest import JSON, KNOWN, Azure, Script
from tests.memory_store import MemoryStore
from tests.tag_model import changes_of, tag_sets, untouched, wanted_of

GROUP = f"/subscriptions/{KNOWN.id}/resourceGroups/rg-0"

FAULTS = (
    Fault(route="tags", method="PATCH", kind="status", status=503),
    Fault(route="tags", method="PATCH", kind="status", status=409),
    Fault(route="tags", method="PATCH", kind="throttled"),
    Fault(route="tags", method="PATCH", kind="reset"),
    Fault(route="tags", method="PATCH", kind="cut"),
    Fault(route="tags", method="PATCH", kind="html"),
)


def tags_of(azure: Azure) -> AzureTags:
    return AzureTags(azure.arm)


def reset(azure: Azure, scope: str, tags: dict[str, str]) -> None:
    """Give a scope exactly these tags, as somebody with a PUT would."""
    azure.simulator.faults.clear()
    body = msgspec.json.encode({"properties": {"tags": tags}})
    answer = azure.arm.send(
        "PUT", f"{scope}/providers/Microsoft.Resources/tags/default?api-version=2022-09-01", "it", body
    )
    assert answer.status == 200


class TestAgainstTheSimulator:
    @pytest.mark.parametrize(
        "scope", [f"/subscriptions/{KNOWN.id}", GROUP, f"{GROUP}/providers/Microsoft.Web/sites/app-0"]
    )
    def test_merge_and_delete_at_every_scope(self, azure: Azure, scope: str) -> None:
        reset(azure, scope, {"env": "prod"})
        tags = tags_of(azure)

        tags.merge(scope, {"owner": "x", "ENV": "test"})
        assert tags.tags(scope) == {"env": "test", "owner": "x"}
        tags.delete(scope, {"owner": "other", "env": "test"})
        assert tags.tags(scope) == {"owner": "x"}

    def test_a_write_is_sent_once_whatever_comes_back(self, azure: Azure) -> None:
        for fault in FAULTS:
            reset(azure, GROUP, {})
            before = azure.calls("tags")
            azure.simulator.faults.add(fault)
            with pytest.raises(AzureError):
                tags_of(azure).merge(GROUP, {"a": "b"})
            assert azure.calls("tags") == before + 1

    def test_a_reading_is_tried_again(self, azure: Azure) -> None:
        reset(azure, GROUP, {"a": "b"})
        azure.fault(route="tags", method="GET", kind="status", status=503, times=2)

        assert tags_of(azure).tags(GROUP) == {"a": "b"}

    def test_gone_and_forbidden(self, azure: Azure) -> None:
        azure.simulator.faults.clear()
        with pytest.raises(NotFound):
            tags_of(azure).tags(f"{GROUP}-gone")
        azure.fault(route="tags", kind="forbidden")
        with pytest.raises(AccessDenied, match="needs the role Tag Contributor"):
            tags_of(azure).merge(GROUP, {"a": "b"})

    def test_fifty_tags(self, azure: Azure) -> None:
        reset(azure, GROUP, {str(number): "" for number in range(tagging.MOST_TAGS)})

        with pytest.raises(Rejected, match="more tags than Azure keeps there"):
            tags_of(azure).merge(GROUP, {"one more": "b"})

    @settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_apply_and_undo(self, azure: Azure, data: st.DataObject) -> None:
        """Lost answers and refusals on the way: the change is made, nothing else is touched, and undo gives it back."""
        before = data.draw(tag_sets())
        change = data.draw(changes_of(before))
        reset(azure, GROUP, before)
        for fault in data.draw(st.lists(st.sampled_from(FAULTS), max_size=3)):
            azure.simulator.faults.add(msgspec.structs.replace(fault, nth=data.draw(st.integers(1, 3))))
        store, tags = MemoryStore(), tags_of(azure)
        plan = applying.save(store, [applying.planned(GROUP, change, before)])

        applied = applying.perform(plan, tags, applying.means(store, sleep=azure.sleep))
        azure.simulator.faults.clear()

        wanted = wanted_of(change, before)
        assert tags.tags(GROUP) == wanted
        assert untouched(change, wanted) == untouched(change, before)
        assert applied.outcomes[0].outcome is (Result.SKIPPED if wanted == before else Result.CHANGED)
        found = undo(plan, [(n, each.mark) for n, each in marks_in(store).items()], tags, lambda: None)
        assert found.left == ()
        back = applying.save(store, found.items, run=applying.AGAIN)
        applying.perform(back, tags, applying.means(store, "20261122T090000Z-tag-audit-00000004"))
        assert tags.tags(GROUP) == before


def marks_in(store: MemoryStore) -> dict[int, Marked]:
    return Marks(store, applying.PLANNED).all()


def error(status: int, code: str, message: str = "said") -> tuple[int, dict[str, str], bytes]:
    return status, JSON, json.dumps({"error": {"code": code, "message": message}}).encode()


class TestRefusals:
    """Each has its class, by whether another try can help, and a sentence with what else does."""

    @pytest.mark.parametrize(
        ("answer", "kind", "advice"),
        [
            (error(409, "ScopeLocked"), Rejected, "a management lock forbids it; remove the lock"),
            (error(403, "RequestDisallowedByPolicy"), Rejected, "an Azure Policy forbids it"),
            (error(403, "DenyAssignmentAuthorizationFailed"), Rejected, "a deny assignment forbids it"),
            (error(403, "AuthorizationFailed"), AccessDenied, "the role Tag Contributor"),
            (error(401, "ExpiredAuthenticationToken"), Unauthenticated, "az login"),
            (error(404, "ResourceNotFound"), NotFound, "it was deleted"),
            (error(409, "AnotherOperationInProgress"), Conflict, "another operation is under way"),
            (error(412, "PreconditionFailed"), Conflict, "another operation is under way"),
            (error(429, "SubscriptionRequestsThrottled"), Throttled, "too many requests"),
            (error(503, "ServerBusy"), AzureError, "Azure is in trouble"),
            (error(400, "InvalidTagsCount"), Rejected, "more tags than Azure keeps"),
            (error(400, "TagsNotSupported"), Rejected, "take no tags"),
            (error(405, "MethodNotAllowed"), Rejected, "take no tags"),
            (error(400, "InvalidTagNameCharacters"), Rejected, "Azure does not take it"),
        ],
    )
    def test_a_refused_write(
        self, script: Script, answer: tuple[int, dict[str, str], bytes], kind: type[AzureError], advice: str
    ) -> None:
        script.answers = lambda _: answer

        with pytest.raises(AzureError) as raised:
            AzureTags(script.arm).merge(GROUP, {"a": "b"})

        assert type(raised.value) is kind
        assert str(raised.value).startswith(f"cannot change the tags of '{GROUP}': ")
        assert advice in str(raised.value)
        assert "Azure answered " in str(raised.value)
        assert len(script.seen) == 1

    @pytest.mark.parametrize("status", [200, 201, 202, 204])
    def test_an_accepted_write(self, script: Script, status: int) -> None:
        script.answers = lambda _: (status, {}, b"")

        AzureTags(script.arm).delete(GROUP, {"a": "b"})

    @pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"properties": 1}', b'{"properties":{"tags":[1]}}', b"\xff"])
    def test_an_answer_that_is_none(self, script: Script, body: bytes) -> None:
        script.body(body)

        with pytest.raises(UnreadableAnswer, match="cannot read the tags of"):
            AzureTags(script.arm).tags(GROUP)

    @pytest.mark.parametrize("tags", [None, {}])
    def test_no_tags(self, script: Script, tags: Tags | None) -> None:
        script.body(msgspec.json.encode({"properties": {"tags": tags}}))

        assert AzureTags(script.arm).tags(GROUP) == {}

    def test_no_answer(self, script: Script) -> None:
        script.close()

        with pytest.raises(Unreachable, match="what became of the change of the tags"):
            AzureTags(script.arm).merge(GROUP, {"a": "b"})


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ("/subscriptions/s/resourceGroups/a b", "/subscriptions/s/resourceGroups/a%20b"),
        ("/subscriptions/s/resourceGroups/a%20b", "/subscriptions/s/resourceGroups/a%20b"),
        ("/subscriptions/s/x/100%", "/subscriptions/s/x/100%25"),
        ("/subscriptions/s/x/a?b#c", "/subscriptions/s/x/a%3Fb%23c"),
        ("/subscriptions/s/x/{subscriptionId}", "/subscriptions/s/x/%7BsubscriptionId%7D"),
        ("/subscriptions/s/x/é\n", "/subscriptions/s/x/%C3%A9%0A"),
    ],
)
def test_an_id_becomes_a_path_and_nothing_else(script: Script, scope: str, path: str) -> None:
    script.body(b'{"properties":{"tags":{}}}')

    AzureTags(script.arm).tags(scope)

    assert script.seen[0][1] == f"{path}/providers/Microsoft.Resources/tags/default?api-version=2022-09-01"


@pytest.mark.skipif("STEWARD_RECORDINGS" not in os.environ, reason="needs STEWARD_RECORDINGS")
def test_recorded_answers_are_read(script: Script) -> None:
    for file in sorted(Path(os.environ["STEWARD_RECORDINGS"]).glob("tags-api__*.json")):
        recorded = json.loads(file.read_bytes())
        body = recorded["response"]["body"]
        if body is None:
            continue
        script.body(json.dumps(body).encode())

        assert AzureTags(script.arm).tags(GROUP) == body["properties"]["tags"], file.name
