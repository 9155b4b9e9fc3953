"""Deletions: oddities 35 to 54, as far as asking Azure is concerned; what is judged is cleanup."""

import logging

import pytest

from shared_code.azure_api.operations import LONGEST_WAIT, wait_of
from shared_code.errors import AzureError, Conflict, NotFound, Rejected, UnreadableAnswer
from shared_code.model import Subscription
from shared_code.ports import Deletion, Followed
from tests.azure_api.canned import (
    DISK,
    GROUP,
    KNOWN,
    OPERATION,
    RESULT,
    Canned,
    definition,
    empty,
    error,
    free,
    html,
    said,
)
from tests.azure_api.conftest import Answer
from tests.oddities.recorded import Recording, Recordings, target
from tests.oddities.wire import Wire, plain

ADDRESSES = ("location", "azure-asyncoperation")


type Replayed = tuple[Deletion, list[Followed]]
"""What was made of one recorded deletion."""


@pytest.fixture(name="canned")
def _canned(wire: Wire) -> Canned:
    """A fresh reader of what is deleted."""
    return Canned(wire.script)


def answer_of(recording: Recording, url: str) -> Answer:
    """The answer as recorded, with its addresses leading here: path and query byte for byte."""
    addresses = {
        name: url + target(value)
        for name, value in recording.headers.items()
        if name.lower() in ADDRESSES and value.startswith("http")
    }
    return recording.status, recording.sent | addresses, recording.content


def replay(canned: Canned, *recordings: Recording) -> Replayed:
    """Delete something, and follow it with one recorded answer after the other; addresses are asked as they are."""
    canned.resource(DISK)
    canned.remover.target(DISK, KNOWN)
    first, *later = [answer_of(each, canned.script.url) for each in recordings]
    canned.deleting(DISK, first)
    deletion = canned.remover.delete(DISK, free)
    operation, steps = deletion.operation, list[Followed]()
    for answer in later:
        assert operation is not None
        canned.on("GET", target(operation).partition("?")[0], answer)
        steps.append(canned.remover.follow(operation))
        assert plain(canned.script.sent[-1][1]) == plain(target(operation))
        operation = steps[-1].operation
    return deletion, steps


def deleted(canned: Canned, answer: Answer) -> AzureError:
    """Delete something that is answered so; the error, after looking that it was asked once."""
    canned.deleting(DISK, answer)
    with pytest.raises(AzureError) as raised:
        canned.remover.delete(DISK, free)
    assert sum(each.startswith("DELETE") for each in canned.sent) == 1
    assert "\n" not in str(raised.value)
    return raised.value


def series(recordings: Recordings, name: str, *numbers: int) -> list[Recording]:
    """Recorded steps of one deletion."""
    return list(recordings.named(*(f"{name}__{number:02}" for number in numbers)))


class TestRefusedForALock:
    """35: a lock refuses the delete, or only the poll of an accepted one; its scope is in the text alone."""

    def test_at_once(self, canned: Canned) -> None:
        found = deleted(canned, error(409, "ScopeLocked", f"following scope(s) are locked: '{GROUP.upper()}'."))

        assert type(found) is Rejected
        assert "a management lock forbids it" in str(found)
        assert GROUP.upper() in str(found)

    @pytest.mark.parametrize(
        "answer",
        [
            error(409, "ScopeLocked"),
            said({"status": "Failed", "error": {"code": "ScopeLocked", "message": "locked"}}),
            said({"status": "Failed", "error": {"code": "x", "details": [{"code": "scopelocked"}]}}),
        ],
        ids=["409", "status", "details"],
    )
    def test_in_the_poll(self, canned: Canned, answer: Answer) -> None:
        canned.on("GET", OPERATION, answer)
        found = canned.remover.follow(OPERATION)

        assert found.ended
        assert (found.failed or "").startswith("a management lock forbids it; Azure says ")

    def test_recorded(self, canned: Canned, recordings: Recordings) -> None:
        (recording,) = recordings.named("error__restated-409-scopelocked-delete-rg-lock")
        found = deleted(canned, answer_of(recording, canned.script.url))

        assert type(found) is Rejected
        assert "resourceGroups/rg-a'" in str(found)


class TestAcceptedIsNotDeleted:
    """36: after 202 comes a failure, at the first poll or at the last."""

    def test_a_failure_after_many_polls(self, canned: Canned) -> None:
        canned.deleting(GROUP, empty(202, Location=RESULT))
        canned.on("GET", RESULT, empty(202), empty(202), error(409, "ResourceGroupDeletionTimeout", "rolled back"))
        operation = canned.remover.delete(GROUP, free).operation
        assert operation is not None
        found = [canned.remover.follow(operation) for _ in range(3)]

        assert [each.ended for each in found] == [False, False, True]
        assert found[-1].failed == "Azure says ResourceGroupDeletionTimeout: rolled back"

    def test_recorded(self, canned: Canned, recordings: Recordings) -> None:
        deletion, steps = replay(canned, *series(recordings, "resource-delete__net-privatedns-failed", 1, 2))

        assert deletion.wait == 10
        assert steps[-1].ended
        assert "PreconditionFailed" in (steps[-1].failed or "")

    def test_recorded_group(self, canned: Canned, recordings: Recordings) -> None:
        _, steps = replay(canned, *series(recordings, "rg-delete__net-blocked", 1, 2, 3, 4))

        assert [each.ended for each in steps] == [False, False, True]
        assert [each.wait for each in steps[:2]] == [15, 15]
        assert (steps[-1].failed or "").startswith("it is in use; Azure says ResourceGroupDeletionBlocked: ")


class TestCapitals:
    """37: the failure of a group has names in capitals, and whole answers as the text of details."""

    def test_reasons_within_texts(self, canned: Canned) -> None:
        inner = '{"error":{"code":"OperationNotAllowed","message":"There is an active shared access signature."}}'
        details = [{"Code": None, "Target": DISK, "Message": inner, "Details": None}]
        body = {"Error": {"Code": "ResourceGroupDeletionBlocked", "Message": "blocked", "Details": details}}
        canned.on("GET", RESULT, said(body, 409))

        assert canned.remover.follow(RESULT).failed == (
            "it is in use; Azure says ResourceGroupDeletionBlocked: blocked; "
            "OperationNotAllowed: There is an active shared access signature"
        )

    def test_a_state_in_capitals(self, canned: Canned) -> None:
        canned.on("GET", RESULT, said({"Status": "FAILED", "Error": {"Code": "X", "Message": "y"}}))

        assert canned.remover.follow(RESULT) == Followed(ended=True, failed="Azure says FAILED, X: y")

    @pytest.mark.parametrize("text", ["{", "{}", "[]", '{"error": ' * 50, "null", '{"a": 1}'])
    def test_texts_that_only_look_so(self, canned: Canned, text: str) -> None:
        canned.on("GET", RESULT, said({"Error": {"Code": "X", "Details": [{"Message": text}] * 100}}, 409))

        assert (canned.remover.follow(RESULT).failed or "").startswith("Azure says X")


class TestStillThere:
    """38: after 202 the thing is still returned, and is still there as far as anybody knows."""

    @pytest.mark.parametrize("state", ["Succeeded", "Deleting", None])
    def test_it_is_read_as_before(self, canned: Canned, state: str | None) -> None:
        canned.resource(DISK, properties={"provisioningState": state})
        canned.deleting(DISK, empty(202, Location=RESULT), empty(202, Location=RESULT))
        first = canned.remover.delete(DISK, free)

        assert canned.remover.target(DISK, KNOWN).state == state
        assert canned.remover.delete(DISK, free) == first

    def test_recorded(self, canned: Canned, recordings: Recordings) -> None:
        accepted, there = series(recordings, "resource-delete__c7n-snapshot-still-there", 1, 2)
        assert replay(canned, accepted)[0].operation is not None
        own = there.body["id"]
        canned.on("GET", f"{own.partition('/resourceGroups/')[0]}/providers/", said({"resourceTypes": [KIND]}))
        canned.on("GET", f"{own}?", answer_of(there, canned.script.url))
        canned.on("GET", f"{own.partition('/providers/')[0]}/resources?", said({"value": []}))
        subscription = Subscription(own.split("/")[2], "Recorded", "Enabled")

        assert canned.remover.target(own, subscription).state == there.body["properties"]["provisioningState"]

    def test_recorded_group(self, canned: Canned, recordings: Recordings) -> None:
        _, there = series(recordings, "rg-get__cli-deleting", 1, 2)
        canned.on("GET", "/subscriptions/", said({"value": []}))
        canned.on("GET", f"{there.body['id']}?", answer_of(there, canned.script.url))
        subscription = Subscription(there.body["id"].split("/")[2], "Recorded", "Enabled")

        assert canned.remover.target(there.body["id"], subscription).state == "Deleting"


KIND = {"resourceType": "snapshots", "apiVersions": ["2024-03-02"]}


class TestSignedAddresses:
    """39: a group's delete has only a Location, a new signed one at every 202, which is asked and never shown."""

    @pytest.mark.parametrize(
        ("name", "numbers"), [("rg-delete__cli-force-signed-url", (1, 2, 3, 4)), ("rg-delete__cli-poll", (1, 2, 3, 4))]
    )
    def test_recorded(
        self,
        canned: Canned,
        recordings: Recordings,
        caplog: pytest.LogCaptureFixture,
        name: str,
        numbers: tuple[int, ...],
    ) -> None:
        caplog.set_level(logging.INFO)
        _, steps = replay(canned, *series(recordings, name, *numbers))

        assert [each.ended for each in steps] == [False, False, True]
        assert steps[-1].failed is None
        assert "operationresults" not in caplog.text

    def test_the_newest_is_asked(self, canned: Canned) -> None:
        long = "x" * 3000
        links = [f"{canned.link(RESULT)}?api-version=2022-09-01&t={number}&c={long}%2B%2f==" for number in range(2)]
        canned.on("GET", RESULT, empty(202, Location=links[1]))

        assert canned.remover.follow(links[0]).operation == links[1]


class TestWords:
    """40: there are many words for a state, and three of them are ends."""

    @pytest.mark.parametrize(
        "word",
        [
            *("Running", "Accepted", "Creating", "Deleting", "Enqueued", "Dequeued", "deletingResources", "deleting"),
            *("Inprogress", "Running, Progress = 5.00 %", "ReconcilingAddons", "NotStarted", "Success", "Done"),
        ],
    )
    def test_running(self, canned: Canned, word: str) -> None:
        canned.on("GET", OPERATION, said({"status": word}))

        assert canned.remover.follow(OPERATION) == Followed(ended=False, operation=OPERATION)

    def test_recorded(self, canned: Canned, recordings: Recordings) -> None:
        _, cosmos = replay(canned, *series(recordings, "resource-delete__net-cosmos-404-final", 1, 2, 3))
        _, stack = replay(canned, *series(recordings, "resource-delete__cli-deploymentstack-lowercase", 1, 2, 3))

        assert [(each.ended, each.failed) for each in cosmos] == [(False, None), (True, None)]
        assert [(each.ended, each.failed) for each in stack] == [(False, None), (True, None)]


class TestErrorBesideSuccess:
    """41: an error beside a word for success, or for what is under way, is none."""

    @pytest.mark.parametrize("word", ["InProgress", "Succeeded"])
    @pytest.mark.parametrize("error", [{}, {"code": "None", "message": None}, {"code": "NotLatestOperation"}], ids=str)
    def test_it_is_passed_over(self, canned: Canned, word: str, error: dict[str, object]) -> None:
        canned.on("GET", OPERATION, said({"status": word, "error": error}))
        found = canned.remover.follow(OPERATION)

        assert (found.ended, found.failed) == (word == "Succeeded", None)

    @pytest.mark.parametrize(
        "name", ["resource-delete__cli-afd-error-none", "resource-delete__cli-aks-succeeded-with-error"]
    )
    def test_recorded(self, canned: Canned, recordings: Recordings, name: str) -> None:
        _, steps = replay(canned, *series(recordings, name, 1, 2, 3))

        assert [(each.ended, each.failed) for each in steps] == [(False, None), (True, None)]


class TestEnds:
    """42: a poll ends in several ways, and a 404 is one of them, whatever it calls the record."""

    @pytest.mark.parametrize(
        "answer",
        [
            empty(200),
            empty(204),
            said({}),
            said({"status": "Succeeded"}, 202),
            empty(404),
            error(404, "ResourceNotFound"),
            error(404, "InvalidResourceType"),
        ],
        ids=str,
    )
    def test_they_end(self, canned: Canned, answer: Answer) -> None:
        canned.on("GET", RESULT, answer)

        assert canned.remover.follow(RESULT) == Followed(ended=True)

    def test_an_accepted_body_is_no_end(self, canned: Canned) -> None:
        canned.on("GET", RESULT, said(definition(DISK), 202))

        assert not canned.remover.follow(RESULT).ended

    @pytest.mark.parametrize("answer", [html(404), error(404, "SubscriptionNotFound")], ids=["page", "subscription"])
    def test_what_is_not_about_the_record(self, canned: Canned, answer: Answer) -> None:
        canned.on("GET", RESULT, answer)

        with pytest.raises(AzureError, match="Azure answered 404") as raised:
            canned.remover.follow(RESULT)
        assert not isinstance(raised.value, NotFound)

    @pytest.mark.parametrize(
        ("name", "number"),
        [
            ("resource-delete__net-publicip-retry-after", 3),
            ("resource-delete__net-disk-two-headers", 3),
            ("resource-delete__net-cosmos-404-final", 4),
            ("resource-delete__cli-netapp", 3),
            ("resource-delete__net-sqlserver-202-body", 3),
        ],
    )
    def test_recorded(self, canned: Canned, recordings: Recordings, name: str, number: int) -> None:
        """The state's address ends it; and that of the result would have."""
        _, steps = replay(canned, *series(recordings, name, *range(1, number)))
        assert (steps[-1].ended, steps[-1].failed) == (True, None)
        (result,) = series(recordings, name, number)
        canned.on("GET", RESULT, answer_of(result, canned.script.url))

        assert canned.remover.follow(RESULT) == Followed(ended=True)


class TestAnswersToADelete:
    """43: 200, with or without a body or addresses, 202 again and again, 204 and 404 for what is gone."""

    def test_two_hundred_that_goes_on(self, canned: Canned) -> None:
        canned.deleting(DISK, said(definition(DISK), Azure_AsyncOperation=OPERATION))

        assert canned.remover.delete(DISK, free) == Deletion(OPERATION)

    @pytest.mark.parametrize(
        "name",
        [
            "resource-delete__cli-200-body-roleassignment",
            "resource-delete__cli-204-missing-containerapp",
            "resource-delete__cli-204-networkprofile",
            "resource-delete__aso-204-roleassignment",
            "resource-delete__cli-serverfarm-200",
            "resource-delete__cli-storage-200",
            "resource-delete__net-site-200",
            "resource-delete__node-204-cdn",
        ],
    )
    def test_recorded(self, canned: Canned, recordings: Recordings, name: str) -> None:
        assert replay(canned, *recordings.named(name)) == (Deletion(), [])

    @pytest.mark.parametrize("name", ["rg-delete__net-404", "rg-delete__xplat-404"])
    def test_recorded_and_gone(self, canned: Canned, recordings: Recordings, name: str) -> None:
        (recording,) = recordings.named(name)

        assert type(deleted(canned, answer_of(recording, canned.script.url))) is NotFound


class TestInUse:
    """44: what is in use is refused with 400, and no other try helps until its user is gone."""

    @pytest.mark.parametrize(
        "code",
        [
            *("NicInUse", "InUseNetworkSecurityGroupCannotBeDeleted", "PublicIPAddressCannotBeDeleted"),
            *("InUseSubnetCannotBeDeleted", "InUseDdosProtectionPlanCannotBeDeleted"),
        ],
    )
    def test_it_is_said(self, canned: Canned, code: str) -> None:
        found = deleted(canned, error(400, code, "used by vm-one"))

        assert type(found) is Rejected
        assert str(found).startswith(f"cannot delete '{DISK}': it is in use; Azure answered 400 {code}: used by vm-one")

    @pytest.mark.parametrize("number", [2, 3, 4, 5, 9, 10, 11])
    def test_recorded(self, canned: Canned, recordings: Recordings, number: int) -> None:
        (recording,) = series(recordings, "resource-delete__cli-dependent-resources", number)
        found = deleted(canned, answer_of(recording, canned.script.url))

        assert type(found) is Rejected
        assert ": it is in use; Azure answered 400 " in str(found)

    def test_recorded_plan(self, canned: Canned, recordings: Recordings) -> None:
        (recording,) = recordings.named("resource-delete__cli-400-ddos-in-use")

        assert "it is in use" in str(deleted(canned, answer_of(recording, canned.script.url)))


class TestConflicts:
    """45: 409 has many meanings, and only some of them pass."""

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            ("AnotherOperationInProgress", Conflict),
            ("ResourceGroupBeingDeleted", Conflict),
            ("DeploymentActive", Conflict),
            ("RoleAssignmentExists", Conflict),
            ("CannotDeleteResource", Rejected),
            ("OperationNotAllowed", Rejected),
            ("ShareHasSnapshots", Rejected),
            ("ContainerImmutabilityPolicyFailure", Rejected),
            ("MissingSubscriptionRegistration", Rejected),
        ],
    )
    def test_each(self, canned: Canned, code: str, kind: type[AzureError]) -> None:
        assert type(deleted(canned, error(409, code))) is kind

    @pytest.mark.parametrize(
        "name",
        [
            "resource-delete__cli-409-share-snapshots",
            "resource-delete__cli-409-immutability",
            "error__409-missing-registration",
        ],
    )
    def test_recorded(self, canned: Canned, recordings: Recordings, name: str) -> None:
        (recording,) = recordings.named(name)

        assert type(deleted(canned, answer_of(recording, canned.script.url))) is Rejected


class TestTroubleOfPolls:
    """46: polls fail while the operation goes on; that says nothing about it."""

    @pytest.mark.parametrize("answer", [html(502), html(503), error(500, "x"), error(504, "GatewayTimeout")], ids=str)
    def test_it_goes_on(self, canned: Canned, answer: Answer) -> None:
        canned.on("GET", OPERATION, answer, said({"status": "Succeeded"}))
        with pytest.raises(AzureError, match="how far a deletion is"):
            canned.remover.follow(OPERATION)

        assert canned.remover.follow(OPERATION) == Followed(ended=True)

    @pytest.mark.parametrize(
        "name",
        [
            "async-poll__cli-502",
            "async-poll__cli-sql-503-html",
            "async-poll__cliext-502",
            "async-poll__java-500-multiple",
        ],
    )
    def test_recorded(self, canned: Canned, recordings: Recordings, name: str) -> None:
        (recording,) = recordings.named(name)
        canned.on("GET", OPERATION, answer_of(recording, canned.script.url))

        with pytest.raises(AzureError) as raised:
            canned.remover.follow(OPERATION)
        assert type(raised.value) is AzureError

    def test_recorded_failure(self, canned: Canned, recordings: Recordings) -> None:
        (recording,) = recordings.named("async-poll__cli-vm-failed")
        canned.on("GET", OPERATION, answer_of(recording, canned.script.url))
        found = canned.remover.follow(OPERATION)

        assert found.ended
        assert "VMAgentStatusCommunicationError" in (found.failed or "")


class TestLinksOfOperations:
    """47: an address may be relative, name its port, or lead elsewhere; there is one, or there are two."""

    @pytest.mark.parametrize("address", [RESULT, "{here}" + RESULT, "{here}" + RESULT + "?monitor=true&x={y}"])
    def test_those_that_are_asked(self, canned: Canned, address: str) -> None:
        given = address.replace("{here}", canned.script.url)
        canned.deleting(DISK, empty(202, Location=given))
        canned.on("GET", RESULT, empty(204))

        assert canned.remover.delete(DISK, free) == Deletion(given)
        assert canned.remover.follow(given).ended

    @pytest.mark.parametrize("name", ["Location", "Azure_AsyncOperation"])
    def test_those_that_are_not(self, canned: Canned, name: str) -> None:
        elsewhere = canned.script.elsewhere + OPERATION
        found = deleted(canned, empty(202, **{name: elsewhere}))

        assert type(found) is UnreadableAnswer
        assert "names an address that is not asked" in str(found)
        assert not any(port != int(canned.script.url.rpartition(":")[2]) for port, _ in canned.script.seen)

    def test_recorded(self, canned: Canned, recordings: Recordings) -> None:
        """Two addresses with one path, the state's first."""
        deletion, steps = replay(canned, *series(recordings, "resource-delete__net-disk-two-headers", 1, 2))

        assert "monitor=true" not in (deletion.operation or "")
        assert steps[-1].ended


class TestWaits:
    """48: Retry-After has many values, and changes from poll to poll."""

    @pytest.mark.parametrize(
        "seconds", [0, 1, 5, 10, 15, 17, 20, 25, 30, 35, 37, 46, 60, 61, 70, 80, 100, 160, 900], ids=str
    )
    def test_each(self, canned: Canned, seconds: int) -> None:
        canned.deleting(DISK, empty(202, Location=RESULT, Retry_After=str(seconds)))

        assert canned.remover.delete(DISK, free).wait == min(seconds, LONGEST_WAIT)

    def test_nobody_waits_here(self, canned: Canned) -> None:
        canned.on("GET", RESULT, empty(202, Retry_After="15"), empty(202, Retry_After="1"), empty(202))

        assert [canned.remover.follow(RESULT).wait for _ in range(3)] == [15, 1, 0]
        assert canned.time.waits == []

    def test_recorded(self, canned: Canned, recordings: Recordings) -> None:
        assert replay(canned, *recordings.named("rg-delete__net-retry-after"))[0].wait == 15

    def test_recorded_all(self, recordings: Recordings) -> None:
        assert all(0 <= wait_of(each.headers) <= LONGEST_WAIT for each in recordings.all())


class TestSoftDeletes:
    """49: a vault that is only marked as deleted answers 200 as others do; it is gone from where it was."""

    def test_recorded(self, canned: Canned, recordings: Recordings) -> None:
        deletion, _ = replay(canned, *recordings.named("resource-delete__net-keyvault-200-softdelete"))
        canned.on("GET", f"{DISK}?", error(404, "ResourceNotFound"))

        assert deletion == Deletion()
        with pytest.raises(NotFound):
            canned.remover.target(DISK, KNOWN)


class TestTemplates:
    """50: a template comes at once or later, and may be that of nothing."""

    @pytest.mark.parametrize("name", ["rg-export-template__net-2019", "rg-export-template__cli-empty"])
    def test_recorded(self, canned: Canned, recordings: Recordings, name: str) -> None:
        (recording,) = recordings.named(name)
        canned.on("POST", f"{GROUP}/exportTemplate?", answer_of(recording, canned.script.url))

        assert canned.remover.template(GROUP) == recording.body

    def test_recorded_later(self, canned: Canned, recordings: Recordings) -> None:
        first, second = series(recordings, "rg-export-template__cli-202-poll", 1, 2)
        canned.on("POST", f"{GROUP}/exportTemplate?", answer_of(first, canned.script.url))
        location = next(value for name, value in first.headers.items() if name.lower() == "location")
        canned.on("GET", target(location), answer_of(second, canned.script.url))

        assert canned.remover.template(GROUP) == second.body


class TestNoHead:
    """51: a HEAD has no body to say what is missing, so it is not asked, and an empty 404 says nothing."""

    def test_an_empty_404(self, canned: Canned) -> None:
        canned.on("GET", f"{GROUP}?", empty(404))
        with pytest.raises(AzureError, match="does not say that it is gone"):
            canned.remover.target(GROUP, KNOWN)

        assert all(each.startswith("GET ") for each in canned.sent)


class TestGone:
    """52, 53, 54: of all that is not found, or not allowed, only three codes say that a thing is gone."""

    def test_recorded(self, canned: Canned, recordings: Recordings) -> None:
        """Every error, read as that of a GET and of a DELETE."""
        gone = set()
        for recording in recordings.all():
            if recording.status < 400:
                continue
            canned = Canned(canned.script)
            canned.on("GET", f"{GROUP}?", answer_of(recording, canned.script.url))
            canned.deleting(GROUP, answer_of(recording, canned.script.url))
            with pytest.raises(AzureError) as raised:
                canned.remover.target(GROUP, KNOWN)
            read = type(raised.value) is NotFound
            with pytest.raises(AzureError) as raised:
                canned.remover.delete(GROUP, free)
            assert read is (type(raised.value) is NotFound)
            if read:
                assert recording.status == 404
                gone.add(recording.body["error"]["code"])

        assert gone <= {"ResourceNotFound", "ResourceGroupNotFound", "ParentResourceNotFound"}
        assert len(gone) == 3

    @pytest.mark.parametrize(
        "answer",
        [
            error(404, "SubscriptionNotFound", "The subscription 'topic-one' could not be found."),
            error(404, "DeploymentNotFound"),
            error(404, "NotFound"),
            error(403, "AuthorizationFailed", "… or the scope is invalid."),
            html(404),
            empty(404),
        ],
        ids=str,
    )
    def test_what_does_not_say_so(self, canned: Canned, answer: Answer) -> None:
        canned.on("GET", f"{GROUP}?", answer)
        with pytest.raises(AzureError) as raised:
            canned.remover.target(GROUP, KNOWN)
        assert not isinstance(raised.value, NotFound)

        assert not isinstance(deleted_group(canned, answer), NotFound)


def deleted_group(canned: Canned, answer: Answer) -> AzureError:
    """Delete the group, answered so; the error."""
    canned.deleting(GROUP, answer)
    with pytest.raises(AzureError) as raised:
        canned.remover.delete(GROUP, free)
    return raised.value
