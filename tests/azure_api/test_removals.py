"""What is deleted, over real TLS: what is asked, what the answers mean, and what is never taken for gone."""

import logging
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from shared_code.azure_api.operations import LONGEST_WAIT, wait_of
from shared_code.azure_api.removals import EXPORT_LIMIT
from shared_code.errors import (
    AccessDenied,
    AzureError,
    Conflict,
    NotFound,
    Rejected,
    Stopped,
    Throttled,
    Unauthenticated,
    UnreadableAnswer,
)
from shared_code.model import Kind, Lock, Subscription
from shared_code.ports import Deletion, Followed, Remover
from shared_code.targets import Denial
from tests.azure_api.canned import (
    DATABASE,
    DISK,
    GROUP,
    KNOWN,
    NEWEST,
    OPERATION,
    RESULT,
    ROOT,
    Canned,
    Json,
    definition,
    empty,
    error,
    free,
    html,
    said,
)
from tests.azure_api.conftest import Answer, Script

CREATED = datetime(2024, 5, 6, 7, 8, 9, 123456, UTC)
NOT_GONE: dict[str, Answer] = {
    "type": error(404, "InvalidResourceType"),
    "subscription": error(404, "SubscriptionNotFound"),
    "deployment": error(404, "DeploymentNotFound"),
    "vague": error(404, "NotFound"),
    "namespace": error(404, "InvalidResourceNamespace"),
    "page": html(404),
    "empty": empty(404),
    "json": said({}, 404),
    "forbidden": error(403, "AuthorizationFailed", "… or the scope is invalid"),
    "another status": error(400, "ResourceNotFound"),
}
GONE = {code: error(404, code) for code in ("ResourceNotFound", "ResourceGroupNotFound", "parentresourcenotfound")}


@pytest.fixture(name="canned")
def _canned(script: Script) -> Canned:
    """A fresh reader of a scripted server."""
    return Canned(script)


def test_it_is_the_port(canned: Canned) -> None:
    port: Remover = canned.remover

    assert port is canned.remover


class TestTarget:
    def test_a_resource(self, canned: Canned) -> None:
        canned.resource(DISK, managedBy="", properties={"diskState": "Unattached", "provisioningState": "Succeeded"})

        found = canned.remover.target(DISK, KNOWN)

        assert (found.id, found.name, found.type, found.kind) == (
            DISK,
            "disk-one",
            "Microsoft.Compute/disks",
            Kind.RESOURCE,
        )
        assert (found.subscription_id, found.location, found.state) == (KNOWN.id, "westeurope", "Succeeded")
        assert (found.tags, found.managed_by, found.created) == ({"env": "test"}, None, CREATED)
        assert found.properties["diskState"] == "Unattached"
        assert canned.sent[1:] == [f"GET {DISK}?api-version={NEWEST}"]

    def test_a_group(self, canned: Canned) -> None:
        canned.resource(GROUP, systemData=None, createdTime="2024-05-06T07:08:09.1234567Z", managedBy="somebody")

        found = canned.remover.target(GROUP, KNOWN)

        assert (found.kind, found.name, found.managed_by) == (Kind.RESOURCE_GROUP, "rg-one", "somebody")
        assert found.created == CREATED
        assert canned.sent == [f"GET {GROUP}?api-version=2025-04-01&$expand=createdTime"]

    def test_the_id_may_come_back_in_another_spelling(self, canned: Canned) -> None:
        canned.on("GET", f"{DISK}?", said(definition(DISK.upper(), type="microsoft.compute/DISKS")))

        assert canned.remover.target(DISK, KNOWN).id == DISK.upper()

    @pytest.mark.parametrize(
        "body",
        [
            definition(f"{DISK}-2"),
            definition(GROUP),
            {**definition(DISK), "id": None},
            {**definition(DISK), "id": [DISK]},
            {**definition(DISK), "type": "Microsoft.Compute/snapshots"},
            {**definition(DISK), "type": None},
            {**definition(DISK), "tags": ["DoNotDelete"]},
            {**definition(DISK), "tags": {"DoNotDelete": 1}},
            {**definition(DISK), "tags": "DoNotDelete"},
            {**definition(DISK), "managedBy": 5},
            {**definition(DISK), "managedBy": {"id": "x"}},
            [definition(DISK)],
            "x",
            None,
        ],
        ids=str,
    )
    def test_an_answer_that_is_not_it(self, canned: Canned, body: object) -> None:
        """What cannot be read is not a thing without tags."""
        canned.on("GET", f"{DISK}?", said(body))

        with pytest.raises(UnreadableAnswer, match=r"^cannot read (the tags of |what manages )?'"):
            canned.remover.target(DISK, KNOWN)

    def test_a_mark_of_the_byte_order(self, canned: Canned) -> None:
        canned.on("GET", f"{DISK}?", (200, {}, b"\xef\xbb\xbf" + said(definition(DISK))[2]))

        assert canned.remover.target(DISK, KNOWN).id == DISK

    @pytest.mark.parametrize("content", [b"", b"<html>", b'{"id":', b"\xff", b"[" * 100_000])
    def test_an_answer_that_is_no_json(self, canned: Canned, content: bytes) -> None:
        canned.on("GET", f"{DISK}?", (200, {}, content))

        with pytest.raises(UnreadableAnswer, match="no whole JSON"):
            canned.remover.target(DISK, KNOWN)

    def test_a_definition_has_its_limit(self, canned: Canned) -> None:
        canned.resource(DISK, properties={"x": "y" * 2**20})

        with pytest.raises(UnreadableAnswer, match="larger than 1,048,576 bytes"):
            canned.remover.target(DISK, KNOWN)

    @pytest.mark.parametrize("tags", [None, {}])
    def test_no_tags(self, canned: Canned, tags: object) -> None:
        canned.resource(DISK, tags=tags)

        assert canned.remover.target(DISK, KNOWN).tags == {}

    @pytest.mark.parametrize("answer", GONE.values(), ids=GONE)
    def test_gone(self, canned: Canned, answer: Answer) -> None:
        canned.on("GET", f"{DISK}?", answer)

        with pytest.raises(NotFound):
            canned.remover.target(DISK, KNOWN)

    @pytest.mark.parametrize("answer", NOT_GONE.values(), ids=NOT_GONE)
    @pytest.mark.parametrize("place", [DISK, GROUP])
    def test_not_known_to_be_gone(self, canned: Canned, answer: Answer, place: str) -> None:
        canned.on("GET", f"{place}?", answer)

        with pytest.raises(AzureError) as raised:
            canned.remover.target(place, KNOWN)

        assert not isinstance(raised.value, NotFound)

    @pytest.mark.parametrize(
        "resource_id",
        [
            "",
            "/",
            ROOT,
            f"{ROOT}/",
            f"{ROOT}/resourceGroups",
            f"{ROOT}/resourceGroups/",
            f"{GROUP}/providers/Microsoft.Compute",
            f"{GROUP}/providers/Microsoft.Compute/disks",
            f"{GROUP}/disks/disk-one",
            f"{DISK}/..",
            f"{DISK}/snapshots/..",
            f"{GROUP}/providers/Microsoft.Compute/disks/%2e%2E",
            f"{GROUP}/providers/Microsoft.Compute/disks/%252e%252e",
            f"{GROUP}/providers/Microsoft.Compute/disks/a%2f..",
            f"{ROOT}/resourceGroups/..",
            f"{GROUP}/providers/Microsoft.Compute/disks/.",
            f"https://example.com{DISK}",
            f"/x{DISK}",
            "/providers/Microsoft.Management/managementGroups/mg",
        ],
    )
    def test_an_id_that_leads_elsewhere_is_never_asked(self, canned: Canned, resource_id: str) -> None:
        for ask in (
            lambda: canned.remover.target(resource_id, KNOWN),
            lambda: canned.remover.delete(resource_id, free),
            lambda: canned.remover.group(resource_id, KNOWN),
            lambda: canned.remover.members(resource_id),
        ):
            with pytest.raises(AzureError, match=r"nothing is asked$"):
                ask()
        assert canned.sent == []

    def test_nor_one_of_another_subscription(self, canned: Canned) -> None:
        with pytest.raises(AzureError, match="is not in subscription 'other'"):
            canned.remover.target(DISK, Subscription("other", "Other", "Enabled"))

        assert canned.sent == []

    def test_what_a_name_may_have(self, canned: Canned) -> None:
        """It becomes a path, and nothing else."""
        odd = f"{GROUP}/providers/Microsoft.Compute/disks/a b?c#d%20e%"
        canned.on("GET", f"{GROUP}/providers/Microsoft.Compute/disks/", said(definition(odd)))

        assert canned.remover.target(odd, KNOWN).id == odd
        assert canned.sent[-1] == (
            f"GET {GROUP}/providers/Microsoft.Compute/disks/a%20b%3Fc%23d%20e%25?api-version={NEWEST}"
        )


class TestCreated:
    def test_the_list_tells_it(self, canned: Canned) -> None:
        canned.resource(DISK, systemData=None)
        canned.list(
            f"{GROUP}/resources",
            {"id": f"{GROUP}/providers/Microsoft.Compute/snapshots/disk-one", "createdTime": "2020-01-01T00:00:00Z"},
            {"id": DISK.upper(), "name": "disk-one", "createdTime": "2024-05-06T07:08:09.1234567Z"},
        )

        assert canned.remover.target(DISK, KNOWN).created == CREATED
        assert canned.sent[-1].endswith("provisioningState&$filter=name%20eq%20%27disk-one%27")

    @pytest.mark.parametrize(
        "given", [None, "", "0001-01-01T00:00:00Z", "10/19/2019 1:59:57 PM", 5, "1970-01-01T00:00Z"]
    )
    def test_unknown(self, canned: Canned, given: object) -> None:
        """The beginning of the calendar is no age."""
        canned.resource(DISK, systemData={"createdAt": given})
        canned.list(f"{GROUP}/resources", {"id": DISK, "name": "d", "type": "t", "createdTime": given})

        assert canned.remover.target(DISK, KNOWN).created is None

    def test_the_list_that_was_just_read_is_not_asked_again(self, canned: Canned) -> None:
        canned.resource(DISK, systemData=None)

        assert canned.remover.target(DISK, KNOWN, CREATED).created == CREATED
        assert not [each for each in canned.sent if "/resources?" in each]

    def test_what_the_get_says_comes_first(self, canned: Canned) -> None:
        canned.resource(DISK, systemData={"createdAt": "2024-05-06T07:08:09.1234567Z"})

        assert canned.remover.target(DISK, KNOWN, CREATED - timedelta(days=9)).created == CREATED

    def test_a_list_that_tells_the_beginning_of_the_calendar(self, canned: Canned) -> None:
        canned.resource(DISK, systemData=None)

        assert canned.remover.target(DISK, KNOWN, datetime(1, 1, 1, tzinfo=UTC)).created is None

    def test_a_group_in_the_list(self, canned: Canned) -> None:
        canned.resource(GROUP, systemData=None)
        item = {"id": GROUP.upper(), "name": "RG-ONE", "createdTime": "2024-05-06T07:08:09.1234567Z"}
        canned.list(f"{ROOT}/resourcegroups", {"id": f"{GROUP}-2", "name": "rg-one-2"}, item)

        assert canned.remover.target(GROUP, KNOWN).created == CREATED
        found = canned.remover.group(DISK, KNOWN)
        assert found is not None
        assert found.created == CREATED

    def test_a_list_that_fails_does_not_say_gone(self, canned: Canned) -> None:
        canned.resource(GROUP, systemData=None)
        canned.on("GET", f"{ROOT}/resourcegroups?", error(404, "SubscriptionNotFound"))

        with pytest.raises(AzureError) as raised:
            canned.remover.target(GROUP, KNOWN)
        assert not isinstance(raised.value, NotFound)

    def test_an_extension_is_in_no_list(self, canned: Canned) -> None:
        canned.provider("Microsoft.Insights", {"diagnosticSettings": [NEWEST]})
        own = f"{DISK}/providers/Microsoft.Insights/diagnosticSettings/d"
        canned.resource(own, systemData=None, type="Microsoft.Insights/diagnosticSettings")

        assert canned.remover.target(own, KNOWN).created is None


class TestVersions:
    def test_the_newest_that_is_no_preview(self, canned: Canned) -> None:
        """A provider's default may be years old, and hide who uses a thing."""
        versions = ["2021-01-01", "2024-12-01-preview", NEWEST, "nonsense", "2023-01-02"]
        canned.provider("microsoft.COMPUTE", {"DISKS": versions}, DISKS="2019-01-01")
        canned.resource(DISK)
        canned.remover.target(DISK, KNOWN)

        assert canned.sent[-1].endswith(NEWEST)

    def test_a_nested_type(self, canned: Canned) -> None:
        canned.resource(DATABASE)

        assert canned.remover.target(DATABASE, KNOWN).type == "Microsoft.Sql/servers/databases"
        assert canned.sent == [
            f"GET {ROOT}/providers/Microsoft.Sql?api-version=2025-04-01",
            f"GET {DATABASE}?api-version={NEWEST}",
        ]

    def test_a_preview_where_there_is_nothing_else(self, canned: Canned) -> None:
        canned.provider("Microsoft.Compute", {"disks": ["2020-01-01-preview", "2021-01-01-preview"]})
        canned.resource(DISK)
        canned.remover.target(DISK, KNOWN)

        assert canned.sent[-1].endswith("2021-01-01-preview")

    def test_a_provider_is_read_once(self, canned: Canned) -> None:
        canned.resource(DISK)
        for _ in range(3):
            canned.remover.target(DISK, KNOWN)

        assert sum("/providers/Microsoft.Compute?" in each for each in canned.sent) == 1

    @pytest.mark.parametrize(
        "answer",
        [
            error(400, "NoRegisteredProviderFound"),
            error(400, "InvalidApiVersionParameter"),
            error(404, "InvalidResourceType"),
        ],
    )
    def test_the_next_one_where_it_is_not_registered(self, canned: Canned, answer: Answer) -> None:
        """And from then on that one first."""
        canned.resource(DISK)
        canned.on("GET", f"{DISK}?api-version={NEWEST}", answer)
        canned.deleting(DISK, empty(200))

        canned.remover.target(DISK, KNOWN)
        canned.remover.delete(DISK, free)

        assert [each.split("=")[-1] for each in canned.sent[1:]] == [NEWEST, "2023-01-02", "2023-01-02"]

    def test_a_delete_that_refuses_the_version_has_done_nothing(self, canned: Canned) -> None:
        asked: list[int] = []
        canned.deleting(DISK, error(400, "NoRegisteredProviderFound"), empty(200))

        assert canned.remover.delete(DISK, lambda: asked.append(1)) == Deletion()
        assert len(asked) == 2
        assert canned.sent[-1] == f"DELETE {DISK}?api-version=2023-01-02"

    @pytest.mark.parametrize("types", [{}, {"snapshots": [NEWEST]}, {"disks": []}, {"disks": ["v1"]}])
    def test_a_type_that_nobody_knows(self, canned: Canned, types: dict[str, list[str]]) -> None:
        canned.provider("Microsoft.Compute", types)

        with pytest.raises(AzureError, match=r"^cannot read 'Microsoft.Compute/disks': the provider has no such type"):
            canned.remover.delete(DISK, free)
        assert not any("DELETE" in each for each in canned.sent)

    @pytest.mark.parametrize(
        "answer", [*NOT_GONE.values(), *GONE.values(), said([]), said({"resourceTypes": 1}), said(None)], ids=str
    )
    def test_a_provider_that_cannot_be_read(self, canned: Canned, answer: Answer) -> None:
        """Whatever is not there, it is not the resource."""
        canned.on("GET", f"{ROOT}/providers/Microsoft.Compute?", answer)

        with pytest.raises(AzureError, match=r"cannot read provider 'Microsoft\.Compute'") as raised:
            canned.remover.target(DISK, KNOWN)
        assert not isinstance(raised.value, NotFound)


class TestAround:
    def test_the_group_of_a_resource(self, canned: Canned) -> None:
        canned.resource(GROUP, managedBy="somebody", createdTime="2024-05-06T07:08:09.1234567Z")

        found = canned.remover.group(DISK, KNOWN)

        assert found is not None
        assert (found.id, found.name, found.subscription_name) == (GROUP, "rg-one", "Canned")
        assert (found.managed_by, found.tags, found.created) == ("somebody", {"env": "test"}, CREATED)
        assert (found.resources, found.locks) == (None, None)

    def test_what_is_in_no_group(self, canned: Canned) -> None:
        assert canned.remover.group(f"{ROOT}/providers/Microsoft.Compute/disks/d", KNOWN) is None
        assert canned.sent == []

    def test_members(self, canned: Canned) -> None:
        link = canned.link(f"{GROUP}/more")
        canned.on("GET", f"{GROUP}/resources?", said({"value": [{"id": DISK.upper()}], "nextLink": link}))
        canned.on("GET", f"{GROUP}/more", said({"value": [{"id": DATABASE, "name": "n", "type": "t"}]}))

        found = canned.remover.members(GROUP)

        assert [(each.id, each.name, each.type) for each in found] == [
            (DISK.upper(), "DISK-ONE", "MICROSOFT.COMPUTE/DISKS"),
            (DATABASE, "n", "t"),
        ]

    @pytest.mark.parametrize("odd", [f"{ROOT}/resourceGroups/other/providers/a/b/c", f"{ROOT}/x", GROUP])
    def test_members_of_another_group(self, canned: Canned, odd: str) -> None:
        canned.list(f"{GROUP}/resources", {"id": odd})

        with pytest.raises(UnreadableAnswer):
            canned.remover.members(GROUP)

    def test_members_of_no_group(self, canned: Canned) -> None:
        with pytest.raises(AzureError, match="is no resource group's id"):
            canned.remover.members(DISK)

    def test_members_of_a_group_that_is_gone(self, canned: Canned) -> None:
        canned.on("GET", f"{GROUP}/resources?", error(404, "ResourceGroupNotFound"))
        with pytest.raises(NotFound):
            canned.remover.members(GROUP)

        canned.on("GET", f"{GROUP}/resources?", error(404, "SubscriptionNotFound"))
        with pytest.raises(AzureError, match="does not say that it is gone"):
            canned.remover.members(GROUP)

    def test_locks(self, canned: Canned) -> None:
        own = f"{DISK}/providers/Microsoft.Authorization/locks/keep"
        canned.list(
            f"{ROOT}/providers/Microsoft.Authorization/locks",
            {"id": own, "name": "keep", "properties": {"level": "CanNotDelete"}},
        )

        assert canned.remover.locks(KNOWN) == [Lock(own, "keep", "CanNotDelete", DISK)]

    def test_denials(self, canned: Canned) -> None:
        below = "/providers/Microsoft.Authorization/denyAssignments/1"
        above = "/providers/Microsoft.Management/managementGroups/mg"
        canned.list(
            f"{ROOT}/providers/Microsoft.Authorization/denyAssignments",
            {"id": f"{DISK}{below}", "properties": {"denyAssignmentName": "managed", "scope": GROUP}},
            {"id": f"{DISK}{below.lower()}"},
            {"id": f"{above}{below}", "properties": {"scope": above}},
            {"id": below, "properties": {"scope": "/"}},
        )

        assert canned.remover.denials(KNOWN) == [
            Denial(f"{DISK}{below}", "managed", GROUP),
            Denial(f"{DISK}{below.lower()}", "1", DISK),
            Denial(f"{above}{below}", "1", ROOT),
            Denial(below, "1", ROOT),
        ]

    @pytest.mark.parametrize("item", [{"id": DISK}, {"id": ""}, {}, "x", {"id": DISK, "properties": {"scope": 1}}])
    def test_a_denial_without_scope(self, canned: Canned, item: object) -> None:
        canned.list(f"{ROOT}/providers/Microsoft.Authorization/denyAssignments", item)

        with pytest.raises(UnreadableAnswer, match="cannot read deny assignments"):
            canned.remover.denials(KNOWN)

    @pytest.mark.parametrize("answer", [*NOT_GONE.values(), *GONE.values()])
    def test_locks_and_denials_that_cannot_be_read(self, canned: Canned, answer: Answer) -> None:
        canned.on("GET", f"{ROOT}/providers/Microsoft.Authorization/", answer)

        for ask in (canned.remover.locks, canned.remover.denials):
            with pytest.raises(AzureError) as raised:
                ask(KNOWN)
            assert not isinstance(raised.value, NotFound)

    def test_items(self, canned: Canned) -> None:
        """A list whose items are a type of their own, and one whose are not."""
        server = DATABASE.rpartition("/databases/")[0]
        canned.list(f"{server}/databases", {"name": "master"}, {"name": "orders"})
        canned.list(f"{server}/usages", {"name": "x"})

        assert canned.remover.items(f"{server}/databases") == [{"name": "master"}, {"name": "orders"}]
        assert canned.remover.items(f"{server}/usages") == [{"name": "x"}]
        assert [each.split("=")[-1] for each in canned.sent[1:]] == [NEWEST, "2021-11-01"]

    def test_items_of_another_provider(self, canned: Canned) -> None:
        """What a provider has at a place, as the deployments in a group, is asked with its own version."""
        path = f"{GROUP}/providers/Microsoft.Compute/disks"
        canned.list(path, {"name": "x"})

        assert canned.remover.items(path) == [{"name": "x"}]
        assert canned.sent[-1].endswith(f"{path}?api-version={NEWEST}")

    def test_items_with_the_next_version(self, canned: Canned) -> None:
        canned.list(f"{DISK}/uses", {"name": "x"})
        canned.on("GET", f"{DISK}/uses?api-version={NEWEST}", error(404, "InvalidResourceType"))

        assert canned.remover.items(f"{DISK}/uses") == [{"name": "x"}]

    @pytest.mark.parametrize("answer", [*NOT_GONE.values(), said({}), said({"value": ["x"]}), said([])], ids=str)
    def test_items_that_cannot_be_read(self, canned: Canned, answer: Answer) -> None:
        canned.on("GET", f"{DISK}/uses?", answer)

        with pytest.raises(AzureError) as raised:
            canned.remover.items(f"{DISK}/uses")
        assert not isinstance(raised.value, NotFound)

    @pytest.mark.parametrize("path", [f"{DISK}/..", f"{DISK}/%2e%2e", "x", f"{GROUP}/providers/../x"])
    def test_items_of_no_list(self, canned: Canned, path: str) -> None:
        with pytest.raises(AzureError, match="nothing is asked"):
            canned.remover.items(path)


class TestDelete:
    @pytest.mark.parametrize("answer", [empty(200), empty(204), said(definition(DISK)), said({})], ids=str)
    def test_done_at_once(self, canned: Canned, answer: Answer) -> None:
        canned.deleting(DISK, answer)

        assert canned.remover.delete(DISK, free) == Deletion()

    def test_a_group(self, canned: Canned) -> None:
        canned.deleting(GROUP, empty(202, Location=canned.link(RESULT), Retry_After="15"))

        assert canned.remover.delete(GROUP, free) == Deletion(canned.link(RESULT), 15.0)
        assert canned.sent == [f"DELETE {GROUP}?api-version=2025-04-01"]

    @pytest.mark.parametrize("status", [200, 201, 202])
    def test_the_address_that_tells_the_state_comes_first(self, canned: Canned, status: int) -> None:
        headers = {"Location": canned.link(RESULT), "Azure_AsyncOperation": canned.link(OPERATION)}
        canned.deleting(DISK, empty(status, **headers))

        assert canned.remover.delete(DISK, free).operation == canned.link(OPERATION)

    def test_addresses_in_other_forms(self, canned: Canned) -> None:
        """Each is kept byte for byte."""
        port = canned.script.url.rpartition(":")[2]
        for address in (RESULT, f"https://127.0.0.1:{port}{RESULT}?t=1&c=a%2fb", f"HTTPS://127.0.0.1:{port}{RESULT}"):
            canned.deleting(DISK, empty(202, location=address))
            canned.on("GET", RESULT, empty(200))

            deletion = canned.remover.delete(DISK, free)

            assert deletion.operation == address
            assert canned.remover.follow(address) == Followed(ended=True)

    def test_another_host_is_passed_over(self, canned: Canned) -> None:
        elsewhere = f"{canned.script.elsewhere}{OPERATION}"
        canned.deleting(DISK, empty(202, Azure_AsyncOperation=elsewhere, Location=RESULT))

        assert canned.remover.delete(DISK, free).operation == RESULT

    @pytest.mark.parametrize(
        "address",
        [
            "https://evil.example/x",
            "//evil.example/x",
            "http://127.0.0.1/x",
            "results/1",
            "https://127.0.0.1@evil/x",
            "",
        ],
    )
    def test_where_nobody_can_ask_it_is_said(self, canned: Canned, address: str) -> None:
        canned.deleting(DISK, empty(202, **({"Location": address} if address else {})))

        with pytest.raises(UnreadableAnswer, match="Azure accepted it") as raised:
            canned.remover.delete(DISK, free)
        assert "evil" not in str(raised.value)
        with pytest.raises(UnreadableAnswer, match="on another host"):
            canned.remover.follow(address or "results")

    def test_what_stops_it_sends_nothing(self, canned: Canned) -> None:
        def stop() -> None:
            raise Stopped("stop")

        canned.resource(DISK)
        canned.remover.target(DISK, KNOWN)
        with pytest.raises(Stopped):
            canned.remover.delete(DISK, stop)
        assert not any("DELETE" in each for each in canned.sent)

    @pytest.mark.parametrize(
        ("answer", "kind", "advice"),
        [
            (error(409, "ScopeLocked"), Rejected, "a management lock forbids it"),
            (error(403, "RequestDisallowedByPolicy"), Rejected, "an Azure Policy forbids it"),
            (error(403, "DenyAssignmentAuthorizationFailed"), Rejected, "a deny assignment forbids it"),
            (error(409, "ContainerImmutabilityPolicyFailure"), Rejected, "an immutability policy forbids it"),
            (error(409, "MissingSubscriptionRegistration"), Rejected, "its provider is not registered"),
            (error(400, "NicInUse"), Rejected, "it is in use"),
            (error(400, "InUseSubnetCannotBeDeleted"), Rejected, "it is in use"),
            (error(400, "PublicIPAddressCannotBeDeleted"), Rejected, "it is in use"),
            (error(409, "CannotDeleteResource"), Rejected, "it is in use"),
            (error(409, "OperationNotAllowed"), Rejected, "it is in use"),
            (error(409, "ShareHasSnapshots"), Rejected, "it is in use"),
            (error(409, "AnotherOperationInProgress"), Conflict, "another operation is under way"),
            (error(429, "AnotherOperationInProgress"), Throttled, "too many requests"),
            (error(400, "RetryableError"), Conflict, "another operation is under way"),
            (error(409, "ResourceGroupBeingDeleted"), Conflict, "another operation is under way"),
            (error(409, "SomethingNew"), Conflict, "another operation is under way"),
            (error(412, "PreconditionFailed"), Conflict, "another operation is under way"),
            (error(401, "ExpiredAuthenticationToken"), Unauthenticated, "az login"),
            (
                error(403, "AuthorizationFailed"),
                AccessDenied,
                "needs the role Steward Deleter there, with 'Microsoft.Compute/disks/delete'",
            ),
            (error(404, "ResourceNotFound"), NotFound, "it is gone"),
            (error(404, "SubscriptionNotFound"), AzureError, "does not say whether it is gone"),
            (html(404), AzureError, "does not say whether it is gone"),
            (error(429, "SubscriptionRequestsThrottled"), Throttled, "too many requests"),
            (error(503, "ServerBusy"), AzureError, "may be under way"),
            (html(502), AzureError, "may be under way"),
            (error(408, "Timeout"), AzureError, "may be under way"),
            (empty(302, Location="/x"), AzureError, "may be under way"),
            (error(400, "BadRequest"), Rejected, "Azure does not take it"),
            (error(405, "MethodNotAllowed"), Rejected, "Azure does not take it"),
        ],
        ids=str,
    )
    def test_refused(self, canned: Canned, answer: Answer, kind: type[AzureError], advice: str) -> None:
        """Each has its class, by whether another try can help; and no DELETE is sent twice."""
        canned.deleting(DISK, answer)

        with pytest.raises(AzureError) as raised:
            canned.remover.delete(DISK, free)

        assert type(raised.value) is kind
        assert str(raised.value).startswith(f"cannot delete '{DISK}': ")
        assert advice in str(raised.value)
        assert sum("DELETE" in each for each in canned.sent) == 1

    def test_a_reason_within(self, canned: Canned) -> None:
        inner = {"code": "MultipleErrorsOccurred", "details": [{"code": "ScopeLocked", "message": "at rg-one"}]}
        canned.deleting(DISK, said({"error": inner}, 409))

        with pytest.raises(Rejected, match=r"lock forbids it; Azure answered 409 Multiple.*ScopeLocked: at rg-one"):
            canned.remover.delete(DISK, free)

    def test_deletions_are_paced_by_their_own_count(self, canned: Canned) -> None:
        canned.resource(DISK)
        canned.deleting(DISK, empty(204, x_ms_ratelimit_remaining_subscription_deletes="0"))

        canned.remover.delete(DISK, free)
        canned.remover.target(DISK, KNOWN)
        assert canned.time.waits == []
        canned.remover.delete(DISK, free)
        assert sum(canned.time.waits) > 1


def state(word: object, **more: object) -> Answer:
    """An answer that tells the state in a word."""
    return said({"status": word, **more})


class TestFollow:
    @pytest.mark.parametrize(
        "word",
        [
            "InProgress",
            "Running",
            "Accepted",
            "Creating",
            "Deleting",
            "deleting",
            "Enqueued",
            "Dequeued",
            "deletingResources",
            "Running, Progress = 5.00 %",
            "NotStarted",
            "SucceededNot",
            "Completed",
            "Cancelled?",
        ],
    )
    def test_any_other_word_is_still_running(self, canned: Canned, word: str) -> None:
        canned.on("GET", OPERATION, said({"status": word, "error": {}}, Retry_After="7"))

        assert canned.remover.follow(OPERATION) == Followed(ended=False, operation=OPERATION, wait=7.0)

    @pytest.mark.parametrize("word", ["Succeeded", "succeeded", "SUCCEEDED", " Succeeded "])
    @pytest.mark.parametrize("error", [None, {}, {"code": "None", "message": None}, {"code": "NotLatestOperation"}])
    def test_success_whatever_is_beside_it(self, canned: Canned, word: str, error: Json | None) -> None:
        canned.on("GET", OPERATION, state(word, error=error))

        assert canned.remover.follow(OPERATION) == Followed(ended=True)

    @pytest.mark.parametrize("word", ["Failed", "failed", "Canceled", "CANCELED"])
    def test_failure(self, canned: Canned, word: str) -> None:
        canned.on("GET", OPERATION, state(word, error={"code": "PreconditionFailed", "message": "etag mismatch."}))

        assert canned.remover.follow(OPERATION) == Followed(
            ended=True, failed=f"Azure says {word}, PreconditionFailed: etag mismatch"
        )

    def test_failure_without_a_reason(self, canned: Canned) -> None:
        canned.on("GET", OPERATION, state("Failed"))

        assert canned.remover.follow(OPERATION).failed == "Azure says Failed, no reason"

    @pytest.mark.parametrize(
        "answer", [empty(200), empty(204), said({}), said(definition(DISK)), empty(404), *GONE.values()]
    )
    def test_ends_of_a_location(self, canned: Canned, answer: Answer) -> None:
        canned.on("GET", RESULT, answer)

        assert canned.remover.follow(RESULT) == Followed(ended=True)

    def test_a_new_location_at_each_answer(self, canned: Canned) -> None:
        """The newest is asked, as it is."""
        steps = [f"{canned.link(RESULT)}?t={number}&c=x%2Fy&s=z=" for number in range(3)]
        for here, there in pairwise(steps):
            path = here.removeprefix(canned.script.url)
            canned.on("GET", path, empty(202, Location=there, Retry_After="15"))
            assert canned.remover.follow(here) == Followed(ended=False, operation=there, wait=15.0)
            assert canned.sent[-1] == f"GET {path}"

    def test_a_location_beside_a_state_is_that_of_the_result(self, canned: Canned) -> None:
        canned.on("GET", OPERATION, said({"status": "InProgress"}, 202, Location=RESULT))

        assert canned.remover.follow(OPERATION).operation == OPERATION

    def test_no_new_location(self, canned: Canned) -> None:
        canned.on("GET", RESULT, empty(202))

        assert canned.remover.follow(RESULT) == Followed(ended=False, operation=RESULT)

    def test_a_new_location_elsewhere_is_not_asked(self, canned: Canned) -> None:
        canned.on("GET", RESULT, empty(202, Location=canned.script.elsewhere + RESULT))

        with pytest.raises(UnreadableAnswer, match="goes on at an address that is not asked"):
            canned.remover.follow(RESULT)

    def test_why_a_group_was_not_deleted(self, canned: Canned) -> None:
        """Errors in capitals, and a provider's whole answer as the text of a message."""
        inner = '{"error":{"code":"ScopeLocked","message":"locked: /subscriptions/x"}}'
        details = [{"Code": None, "Target": DISK, "Message": inner}] * 2
        body = {"Error": {"Code": "ResourceGroupDeletionBlocked", "Message": "Deletion failed.", "Details": details}}
        canned.on("GET", RESULT, said(body, 409))

        assert canned.remover.follow(RESULT) == Followed(
            ended=True,
            failed="a management lock forbids it; Azure says ResourceGroupDeletionBlocked: Deletion failed.; "
            "ScopeLocked: locked: /subscriptions/x",
        )

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            (error(502, "BadGatewayConnection"), AzureError),
            (error(500, "MultipleErrorsOccurred"), AzureError),
            (html(503), AzureError),
            (html(404), AzureError),
            (html(400), AzureError),
            (error(404, "SubscriptionNotFound"), AzureError),
            (error(401, "ExpiredAuthenticationToken"), Unauthenticated),
            (error(403, "AuthorizationFailed"), AccessDenied),
            (error(429, "TooManyRequests"), Throttled),
            (error(408, "Timeout"), AzureError),
            (empty(302), AzureError),
            ((200, {"Content-Type": "text/html"}, b"<html>"), UnreadableAnswer),
            ((200, {}, b"\xff\xfe"), UnreadableAnswer),
            (said(["Succeeded"]), UnreadableAnswer),
        ],
        ids=str,
    )
    def test_trouble_says_nothing_about_the_deletion(
        self, canned: Canned, answer: Answer, kind: type[AzureError]
    ) -> None:
        """And is not waited for: whoever asked will ask again."""
        canned.on("GET", OPERATION, answer)

        with pytest.raises(AzureError) as raised:
            canned.remover.follow(OPERATION)
        assert type(raised.value) is kind
        assert len(canned.sent) == 1

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("0", 0.0),
            ("0.5", 0.5),
            ("35", 35.0),
            ("900", LONGEST_WAIT),
            ("-5", 0.0),
            ("soon", 0.0),
            ("nan", 0.0),
            ("1e9", 0.0),
            ("", 0.0),
            ("Mon, 01 Jan 2024 00:00:20 GMT", 20.0),
            ("Mon, 01 Jan 2024 09:00:00 GMT", LONGEST_WAIT),
            ("Mon, 01 Jan 2023 00:00:00 GMT", 0.0),
        ],
    )
    def test_how_long_to_wait(self, text: str, expected: float) -> None:
        """A date is compared with the answer's own."""
        assert wait_of({"Retry-After": text, "Date": "Mon, 01 Jan 2024 00:00:00 GMT"}) == expected

    def test_a_date_without_another(self) -> None:
        assert wait_of({"Retry-After": "Mon, 01 Jan 2024 00:00:20 GMT"}) == 0.0

    def test_signed_addresses_are_in_no_text(self, canned: Canned, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        secret = f"{canned.link(RESULT)}?t=1&c=SECRET&s=SECRET&h=SECRET"
        for answer in (
            error(500, "x", f"see {secret}"),
            html(502),
            empty(202, Location=f"https://e.example/?{secret}"),
        ):
            canned.on("GET", RESULT, answer)
            with pytest.raises(AzureError) as raised:
                canned.remover.follow(secret)
            assert "SECRET" not in str(raised.value)
        canned.on("GET", RESULT, state("Failed", error={"code": "x", "message": f"see {secret}"}))
        assert "SECRET" not in (canned.remover.follow(secret).failed or "")
        canned.script.close()
        with pytest.raises(AzureError) as raised:
            Canned(canned.script).remover.follow(secret)
        assert "SECRET" not in str(raised.value)
        assert "SECRET" not in caplog.text


EXPORTED: Json = {"template": {"resources": []}, "error": {"code": "ExportTemplateCompletedWithErrors"}}


class TestTemplate:
    def test_at_once(self, canned: Canned) -> None:
        """With what could not be exported."""
        canned.on("POST", f"{GROUP}/exportTemplate?", said(EXPORTED))

        assert canned.remover.template(GROUP) == EXPORTED
        assert canned.bodies == [{"resources": ["*"], "options": "IncludeParameterDefaultValue"}]

    def test_later(self, canned: Canned) -> None:
        canned.on("POST", f"{GROUP}/exportTemplate?", empty(202, Location=canned.link(RESULT), Retry_After="15"))
        canned.on("GET", RESULT, empty(202, Location=RESULT), said(EXPORTED))

        assert canned.remover.template(GROUP) == EXPORTED
        assert canned.time.waits == [15.0, 5.0]

    def test_never(self, canned: Canned) -> None:
        canned.on("POST", f"{GROUP}/exportTemplate?", empty(202, Location=RESULT))
        canned.on("GET", RESULT, empty(202, Retry_After="900"))

        with pytest.raises(AzureError, match="Azure is still at it"):
            canned.remover.template(GROUP)
        assert sum(canned.time.waits) <= EXPORT_LIMIT

    @pytest.mark.parametrize(
        "answer",
        [
            said({}),
            said({"error": {"code": "ExportTemplateFailed"}}),
            said({"template": None}),
            said([]),
            empty(200),
            empty(202),
            empty(202, Location="https://evil.example/"),
            html(404),
            error(409, "ScopeLocked"),
        ],
        ids=str,
    )
    def test_none(self, canned: Canned, answer: Answer) -> None:
        canned.on("POST", f"{GROUP}/exportTemplate?", answer)

        with pytest.raises(AzureError, match="cannot read the template of '") as raised:
            canned.remover.template(GROUP)
        assert not isinstance(raised.value, NotFound)

    def test_a_group_that_is_gone(self, canned: Canned) -> None:
        canned.on("POST", f"{GROUP}/exportTemplate?", error(404, "ResourceGroupNotFound"))

        with pytest.raises(NotFound):
            canned.remover.template(GROUP)

    def test_a_reading_is_repeated(self, canned: Canned) -> None:
        """It is a POST that changes nothing."""
        canned.on("POST", f"{GROUP}/exportTemplate?", error(429, "x"), error(503, "x"), said(EXPORTED))

        assert canned.remover.template(GROUP) == EXPORTED
