"""What is asked over the network: identity, endpoints, clocks, the workspace, the queues."""

from datetime import timedelta
from pathlib import Path

import pytest

from __app__ import queue
from shared_code.doctor.checks import Check
from shared_code.doctor.network import QUEUES, Network
from shared_code.environment import read_environment
from shared_code.errors import Unauthenticated, Unreachable
from shared_code.store import Store, open_store
from tests.doctor.asking import PRINCIPAL, FakeProber, answered
from tests.fakes import NOW, Clock

WORKSPACE = "10600000-0000-4000-8000-000000000001"
NO_TOKEN = Unauthenticated("cannot read a token: no token, nobody is signed in; sign in with 'az login'")
UNREACHABLE = Unreachable("cannot read it: the certificate is not trusted; check the address and the network")


def network(prober: FakeProber, clock: Clock | None = None, **environ: str) -> Network:
    environment = read_environment(environ, Path("/app"))

    def opened() -> Store:
        return open_store(environment.store, azure_credential=object)

    return Network(environment, environ, prober, clock or Clock(), opened)


def told(checks: list[Check]) -> list[tuple[str, str, str]]:
    return [(each.what, str(each.result), each.detail) for each in checks]


class TestIdentity:
    def test_who_and_until_when(self) -> None:
        assert told(network(FakeProber()).identity()) == [
            (
                "identity",
                "ok",
                (
                    f"managed identity for management.azure.com; object id {PRINCIPAL}; "
                    "token for https://management.azure.com until 2026-11-23T06:00:00Z"
                ),
            )
        ]

    def test_nobody_is_signed_in(self) -> None:
        [check] = network(FakeProber(refusal=NO_TOKEN)).identity()

        assert (str(check.result), check.detail) == ("failed", str(NO_TOKEN))

    def test_a_token_that_ends_at_once(self) -> None:
        """Such as with a clock that is a day ahead."""
        [check] = network(FakeProber(expires=NOW + timedelta(minutes=4))).identity()

        assert str(check.result) == "failed"
        assert "which is too soon" in check.detail


class TestReach:
    def test_resource_manager_without_signing_in(self) -> None:
        """Whatever it answers: a 401 has come over the same connection."""
        prober = FakeProber({"/subscriptions?": answered(401, "401 AuthenticationFailed")})

        assert told(network(prober).resource_manager()) == [
            ("resource manager", "ok", "https://management.azure.com answers over TLS"),
            ("clock by resource manager", "ok", "right"),
        ]
        assert prober.asked[0][1] is None

    def test_the_account_of_the_store(self) -> None:
        prober = FakeProber()
        checks = network(prober, STEWARD_STORE="https://st.blob.core.windows.net/steward").storage()

        assert told(checks) == [
            ("storage", "ok", "https://st.blob.core.windows.net/steward answers over TLS"),
            ("clock by storage", "ok", "right"),
        ]
        assert prober.asked[0][0] == "https://st.blob.core.windows.net/steward?restype=container"

    def test_a_folder_needs_no_network(self) -> None:
        [check] = network(prober := FakeProber()).storage()

        assert (str(check.result), prober.asked) == ("not checked", [])

    @pytest.mark.parametrize("url", ["ftp://st/steward", "https://st.blob.core.windows.net/steward?sig=c2VjcmV0"])
    def test_what_is_no_store_is_not_asked(self, url: str) -> None:
        """There may be a secret in it."""
        prober = FakeProber()

        [check] = network(prober, None, STEWARD_STORE=url).storage()

        assert (str(check.result), prober.asked) == ("not checked", [])
        assert "c2VjcmV0" not in check.sentence

    def test_nobody_is_asked_on_a_guess(self) -> None:
        """With a wrong address the public cloud would be asked in its place."""
        prober = FakeProber()
        asking = network(prober, None, STEWARD_ARM_ENDPOINT="http://management.example.com")

        [identity], [reached] = asking.identity(), asking.resource_manager()

        assert (str(identity.result), str(reached.result), prober.asked) == ("not checked", "not checked", [])

    def test_nobody_answers(self) -> None:
        [reached, clock] = network(FakeProber({"": UNREACHABLE})).resource_manager()

        assert (str(reached.result), str(clock.result)) == ("failed", "not checked")
        assert "the certificate is not trusted" in reached.detail
        assert reached.sentence.endswith("; STEWARD_ARM_ENDPOINT has the address")

    def test_it_is_in_trouble(self) -> None:
        [reached, _] = network(FakeProber({"": answered(503, "503 ServerBusy")})).resource_manager()

        assert (str(reached.result), reached.detail.endswith("answers over TLS: 503 ServerBusy")) == ("warning", True)

    @pytest.mark.parametrize(
        ("off", "result", "words"),
        [
            (0, "ok", "right"),
            (-60, "ok", "60 s behind"),
            (-61, "warning", "61 s behind"),
            (62, "warning", "61 s ahead"),
            (-150, "warning", "150 s behind"),
            (-151, "failed", "151 s behind"),
            (152, "failed", "151 s ahead"),
        ],
    )
    def test_the_clock(self, off: int, result: str, words: str) -> None:
        """Over a minute somebody should look, over the life of a lock nothing can be relied on."""
        prober = FakeProber(date=NOW - timedelta(seconds=off))

        [_, clock] = network(prober).resource_manager()

        assert (str(clock.result), clock.detail) == (result, words)

    def test_a_slow_answer_is_no_wrong_clock(self) -> None:
        clock = Clock()
        prober = FakeProber(before_answer=lambda: clock.move(timedelta(seconds=200)))

        assert network(prober, clock).resource_manager()[1].detail == "right"

    def test_an_answer_without_a_date(self) -> None:
        assert str(network(FakeProber(date=None)).resource_manager()[1].result) == "not checked"


class TestWorkspace:
    def check(self, answer: object = None, workspace: str = WORKSPACE) -> Check:
        prober = FakeProber({} if answer is None else {"/query": answer})  # type: ignore[dict-item]  # tests give both
        [check] = network(prober, STEWARD_LOGS_WORKSPACE_ID=workspace).workspace()
        self.asked = prober.asked
        return check

    def test_it_answers(self) -> None:
        assert str(self.check().result) == "ok"
        [(address, audience, body, _)] = self.asked
        assert address == f"https://api.loganalytics.io/v1/workspaces/{WORKSPACE}/query"
        assert (audience, body) == ("https://api.loganalytics.io", b'{"query":"print 1"}')

    @pytest.mark.parametrize(
        ("status", "result", "words"),
        [
            (404, "failed", "does not exist, or not for this identity"),
            (400, "failed", "does not exist, or not for this identity"),
            (403, "failed", "may not be queried"),
            (429, "warning", "Azure answered 429"),
        ],
    )
    def test_it_does_not(self, status: int, result: str, words: str) -> None:
        check = self.check(answered(status, f"{status} SomeError: said"))

        assert str(check.result) == result
        assert words in check.detail

    def test_none_is_configured(self) -> None:
        assert (str(self.check(workspace="").result), self.asked) == ("not checked", [])

    def test_what_is_no_id(self) -> None:
        check = self.check(workspace="logs")

        assert (str(check.result), self.asked) == ("failed", [])
        assert "STEWARD_LOGS_WORKSPACE_ID is not the id" in check.detail


class TestQueues:
    def test_they_are_those_of_the_app(self) -> None:
        assert (queue.NAME, queue.POISON) == QUEUES

    @pytest.mark.parametrize(
        "environ",
        [
            {"AzureWebJobsStorage__queueServiceUri": "https://st.queue.core.windows.net/"},
            {"AzureWebJobsStorage__accountName": "st"},
        ],
        ids=["service", "account"],
    )
    def test_their_metadata_is_read(self, environ: dict[str, str]) -> None:
        """That takes and sends nothing."""
        prober = FakeProber({"steward-runs": answered(200, x_ms_approximate_messages_count="0")})

        checks = list(network(prober, None, **environ).queues())

        assert told(checks) == [(f"queue {name}", "ok", "there, about 0 messages in it") for name in QUEUES]
        assert [(each[0], each[1], each[2]) for each in prober.asked] == [
            (f"https://st.queue.core.windows.net/{name}?comp=metadata", "https://storage.azure.com", None)
            for name in QUEUES
        ]
        assert prober.asked[0][3]["x-ms-date"] == "Sun, 22 Nov 2026 06:00:00 GMT"

    def test_messages_that_nobody_could_handle(self) -> None:
        prober = FakeProber({"steward-runs": answered(200, x_ms_approximate_messages_count="3")})

        runs, poison = network(prober, AzureWebJobsStorage__accountName="st").queues()

        assert (str(runs.result), str(poison.result), poison.detail) == (
            "ok",
            "warning",
            "there, about 3 messages in it",
        )

    @pytest.mark.parametrize(
        ("answer", "result", "words"),
        [
            (answered(404, "404 QueueNotFound"), "failed", "make the queue steward-runs"),
            (answered(403, "403 AuthorizationPermissionMismatch"), "failed", "Storage Queue Data Contributor"),
            (answered(503, "503 ServerBusy"), "warning", "try again later"),
            (UNREACHABLE, "failed", "the certificate is not trusted"),
        ],
        ids=["gone", "no role", "busy", "unreachable"],
    )
    def test_what_is_wrong_with_one(self, answer: object, result: str, words: str) -> None:
        prober = FakeProber({"": answer})  # type: ignore[dict-item]  # tests give both

        check, _ = network(prober, AzureWebJobsStorage__accountName="st").queues()

        assert str(check.result) == result
        assert words in check.sentence

    def test_without_an_identity_nobody_can_tell(self) -> None:
        [check] = network(FakeProber(), AzureWebJobsStorage="AccountKey=c2VjcmV0").queues()

        assert str(check.result) == "not checked"
        assert "c2VjcmV0" not in check.sentence
