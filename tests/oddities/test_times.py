"""Times, states, sign-in and subscriptions: oddities 60, 61, 62 and 65."""

from datetime import UTC, datetime

import pytest

from devkit.simulator import Fault, Simulator
from shared_code.errors import Unauthenticated, UnreadableAnswer
from shared_code.model import Reading, Subscription
from shared_code.scope import Scope, select
from shared_code.times import from_azure
from tests.azure_api.conftest import Script
from tests.oddities.recorded import Json, Recordings
from tests.oddities.wire import Wire, group, resource

NOON = datetime(2026, 5, 12, 12, 30, 15, tzinfo=UTC)


class TestTimes:
    """60: times have 0, 3, 6 or 7 digits and any offset or none; they are exact in UTC, and unknown where in doubt."""

    @pytest.mark.parametrize(
        ("text", "microseconds"),
        [
            ("2026-05-12T12:30:15.1234567Z", 123456),
            ("2026-05-12T12:30:15.123456Z", 123456),
            ("2026-05-12T12:30:15.123Z", 123000),
            ("2026-05-12T12:30:15Z", 0),
            ("2026-05-12T12:30:15.1234567+00:00", 123456),
            ("2026-05-12T20:30:15.1234567+08:00", 123456),
            ("2026-05-12T05:30:15-07:00", 0),
            ("2026-05-12T18:15:15+05:45", 0),
            ("2026-05-12T12:30:15.1234567", 123456),
            ("2026-05-12T12:30:15", 0),
        ],
    )
    def test_is_read_exactly(self, wire: Wire, text: str, microseconds: int) -> None:
        """Without an offset it is UTC, as all of Resource Manager's are."""
        expected = NOON.replace(microsecond=microseconds)
        (found,) = wire.resources(resource("rg-one/A.B/c/d", createdTime=text, changedTime=text))

        assert (found.created, found.changed) == (expected, expected)
        assert wire.groups(group("rg-one", createdTime=text))[0].created == expected

    @pytest.mark.parametrize(
        "odd",
        ["10/19/2019 1:59:57 PM", "05/12/2026 12:30:15 +00:00", "", None, 1778589015, {"$date": 1}, "/Date(1)/"],
        ids=str,
    )
    def test_is_unknown_rather_than_guessed(self, wire: Wire, odd: object) -> None:
        """And nothing else becomes unreadable for it."""
        (found,) = wire.resources(resource("rg-one/A.B/c/d", createdTime=odd, changedTime=odd))

        assert (found.created, found.changed) == (None, None)
        assert wire.groups(group("rg-one", createdTime=odd))[0].created is None

    def test_recorded(self, wire: Wire, recordings: Recordings) -> None:
        """Compared with the digits of the text itself."""
        (recording,) = recordings.named("resources-list-sub__cli-expand-page__01")
        found = wire.replay(recording, into="resources")

        for each, item in zip(found, recording.items, strict=True):
            for moment, text in ((each.created, item["createdTime"]), (each.changed, item["changedTime"])):
                assert moment is not None
                assert moment.tzinfo is UTC
                assert text.endswith("Z")
                assert text.startswith(f"{moment:%Y-%m-%dT%H:%M:%S}")

    def test_recorded_offset(self, recordings: Recordings) -> None:
        (recording,) = recordings.named("resource-delete__net-disk-two-headers__02")
        moment = from_azure(recording.body["startTime"])

        assert moment is not None
        assert recording.body["startTime"].endswith("+08:00")
        assert f"{moment.hour:02}" == f"{(int(recording.body['startTime'][11:13]) - 8) % 24:02}"

    def test_recorded_us_date(self, recordings: Recordings) -> None:
        (recording,) = recordings.named("error__401-expired")

        assert from_azure(recording.body["error"]["message"].split("'")[1]) is None


class TestStates:
    """61: provisioningState is in any case, null, absent, or one of many passing words; what is listed is there."""

    @pytest.mark.parametrize(
        "state", ["Succeeded", "succeeded", "SUCCEEDED", "Failed", "Updating", "ResolvingDNS", "x y"]
    )
    def test_as_received(self, wire: Wire, state: str) -> None:
        assert wire.resources(resource("rg-one/A.B/c/d", provisioningState=state))[0].provisioning_state == state
        (found,) = wire.groups(group("rg-one", properties={"provisioningState": state}))
        assert found.provisioning_state == state

    @pytest.mark.parametrize("fields", [{}, {"provisioningState": None}, {"provisioningState": ""}], ids=str)
    def test_none_is_unknown(self, wire: Wire, fields: Json) -> None:
        assert wire.resources(resource("rg-one/A.B/c/d", **fields))[0].provisioning_state is None
        assert wire.groups(group("rg-one", properties=fields))[0].provisioning_state is None

    @pytest.mark.parametrize(
        "odd", [None, "Succeeded", [], {"provisioningState": 4}, {"provisioningState": ["a"]}], ids=str
    )
    def test_odd_properties_break_nothing(self, wire: Wire, odd: object) -> None:
        assert wire.groups(group("rg-one", properties=odd))[0].provisioning_state is None

    def test_what_has_failed_or_is_being_deleted_counts(self, wire: Wire) -> None:
        states = ["Failed", "Deleting", "Creating", None]
        resources = [resource(f"rg-one/A.B/c/{n}", provisioningState=state) for n, state in enumerate(states)]
        wire.lists([group("rg-one", properties={"provisioningState": "Deleting"})], resources)
        _, groups = wire.whole()

        assert groups["rg-one"].resources == len(states)

    @pytest.mark.parametrize("name", ["list-publicips__cli-43", "list-vnets__cli-many"])
    def test_recorded(self, wire: Wire, recordings: Recordings, name: str) -> None:
        (recording,) = recordings.named(name)
        states = {item["properties"]["provisioningState"] for item in recording.items}

        assert len(wire.replay(recording, into="resources")) == len(recording.items)
        assert "Failed" in states


class TestManagedIdentity:
    """62: expires_on is a text of epoch seconds; where it is a date, as of an older endpoint, nobody is signed in."""

    TOKEN = "not-a-real-token-0dd17"

    def signing_in(self, simulator: tuple[Simulator, Script], wire: Wire, **fields: object) -> list[Subscription]:
        """Read the subscriptions with the identity endpoint answering so."""
        body = {"access_token": self.TOKEN, "resource": "https://management.azure.com", "token_type": "Bearer"} | fields
        simulator[0].faults.add(Fault(route="identity", status=200, body=body, times=None))
        return wire.subscriptions({"subscriptionId": "0dd17"})

    @pytest.mark.parametrize(
        "fields", [{"expires_on": "4102444800"}, {"expires_on": 4102444800, "expires_in": "86399"}], ids=str
    )
    def test_epoch_seconds(self, simulator: tuple[Simulator, Script], wire: Wire, fields: Json) -> None:
        assert len(self.signing_in(simulator, wire, **fields)) == 1
        assert wire.credential.tokens == [self.TOKEN]

    @pytest.mark.parametrize("fields", [{"expires_on": "11/23/2026 17:14:33 +00:00"}, {}, {"expires_on": ""}], ids=str)
    def test_anything_else_is_one_sentence_without_the_token(
        self, simulator: tuple[Simulator, Script], wire: Wire, fields: Json
    ) -> None:
        with pytest.raises(Unauthenticated, match=r"^cannot read the list of subscriptions: no token, ") as raised:
            self.signing_in(simulator, wire, **fields)
        assert self.TOKEN not in str(raised.value)
        assert wire.asked == []

    def test_recorded(self, simulator: tuple[Simulator, Script], wire: Wire, recordings: Recordings) -> None:
        """A token that was good for a day when it was recorded is old now, and tried nevertheless."""
        (recording,) = recordings.named("managed-identity__imds-system__02")
        fields = {name: recording.body[name] for name in ("expires_on", "expires_in")}

        assert len(self.signing_in(simulator, wire, **fields)) == 1

    def test_recorded_date(self, simulator: tuple[Simulator, Script], wire: Wire, recordings: Recordings) -> None:
        (recording,) = recordings.named("managed-identity__appservice-system")

        with pytest.raises(Unauthenticated):
            self.signing_in(simulator, wire, expires_on=recording.body["expires_on"])


class TestSubscriptions:
    """65: the list holds disabled ones, and fields that only describe are absent, null or odd."""

    IDS = tuple(f"0dd17000-0000-4000-8000-00000000001{number}" for number in range(8))

    def test_states_decide_what_is_read(self, wire: Wire) -> None:
        """A word nobody knows is no working state."""
        states = ["Enabled", "enabled", "Warned", "PastDue", "Disabled", "Deleted", "Expired", "Suspended"]
        found = wire.subscriptions(
            *(
                {"subscriptionId": id_, "displayName": state, "state": state}
                for id_, state in zip(self.IDS, states, strict=True)
            )
        )
        selection = select(found, Scope(), None)

        assert [each.state for each in found] == states
        assert [each.state for each in selection.to_read] == states[:4]
        assert [(each.reading, each.reason) for each in selection.not_read] == [
            (Reading.SKIPPED, f"the subscription's state is {state}") for state in states[4:]
        ]

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"displayName": None, "state": None, "subscriptionPolicies": None, "tenantId": None},
            {"displayName": "", "authorizationSource": None, "managedByTenants": None, "tags": None},
            {"displayName": 5, "subscriptionPolicies": [], "spendingLimit": 0, "promotions": [{}]},
        ],
        ids=["absent", "null", "blank", "odd"],
    )
    def test_what_only_describes_breaks_nothing(self, wire: Wire, fields: Json) -> None:
        """Without a state it is read; that is the safe side, since what cannot be read says so."""
        assert wire.subscriptions({"subscriptionId": self.IDS[0]} | fields) == [
            Subscription(self.IDS[0], "", "Enabled")
        ]

    def test_one_listed_twice_in_another_case_is_one(self, wire: Wire) -> None:
        given = [{"subscriptionId": each, "displayName": "x"} for each in ("ABC-1", "abc-1", "abc-2")]

        assert len(wire.subscriptions(*given)) == 2

    @pytest.mark.parametrize("state", [7, True, ["Enabled"]], ids=str)
    def test_a_state_that_is_no_word_is_refused(self, wire: Wire, state: object) -> None:
        with pytest.raises(UnreadableAnswer, match=r" - at `\$\.value\[0\]\.state`$"):
            wire.subscriptions({"subscriptionId": self.IDS[0], "state": state})

    def test_an_id_that_a_recorder_put_in_is_an_id(self, wire: Wire) -> None:
        assert [each.id for each in wire.subscriptions({"subscriptionId": "SOME_SUBSCRIPTION"})] == [
            "SOME_SUBSCRIPTION"
        ]

    def test_recorded(self, wire: Wire, recordings: Recordings) -> None:
        (recording,) = recordings.named("subscriptions-list__python-free-trial")
        (found,) = wire.replay(recording, into="subscriptions")
        (item,) = recording.items

        assert (found.id, found.name, found.state) == (item["subscriptionId"], item["displayName"], item["state"])
        assert {"tenantId", "managedByTenants"}.isdisjoint(item)
