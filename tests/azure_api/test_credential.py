"""Who Steward is: the platform's identity where there is one, else the usual sign-ins."""

import logging
import time

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

from devkit.simulator.identity import CLIENT
from shared_code.azure_api.budgets import LONGEST_WAIT
from shared_code.azure_api.credential import credential, platform_identity
from shared_code.errors import Unauthenticated
from tests.azure_api.conftest import Azure


def test_with_a_managed_identity_nothing_else_is_tried() -> None:
    """A broken identity must say so at once, and not sign in as somebody else."""
    assert isinstance(credential(None, managed_identity=True)._own, ManagedIdentityCredential)


def test_on_a_developers_machine_the_usual_sign_ins_are_tried() -> None:
    assert isinstance(credential(None, managed_identity=False)._own, DefaultAzureCredential)


def test_there_is_one_for_each_process() -> None:
    """It keeps the tokens."""
    assert credential(None, managed_identity=True) is credential(None, managed_identity=True)
    assert credential("a", managed_identity=True) is not credential(None, managed_identity=True)


def test_its_library_writes_no_warnings() -> None:
    """They quote answers that could not be read, token and all."""
    credential(None, managed_identity=True)

    assert not logging.getLogger("azure.identity._internal.decorators").isEnabledFor(logging.WARNING)


def test_a_token_is_had_both_ways(azure: Azure) -> None:
    scope = "https://management.azure.com/.default"

    assert azure.credential.get_token(scope).token
    assert azure.credential.get_token_info(scope).token


def test_the_named_identity_is_asked_for(azure: Azure) -> None:
    azure.credential._own = ManagedIdentityCredential(client_id=CLIENT)

    assert len(azure.estate.subscriptions()) == 1


def test_an_identity_that_is_not_assigned_is_an_error_and_no_other_is_used(azure: Azure) -> None:
    azure.credential._own = ManagedIdentityCredential(client_id="00000000-0000-4000-8000-00000000ffff")

    with pytest.raises(Unauthenticated, match=r"^cannot read the list of subscriptions: no token, "):
        azure.estate.subscriptions()
    assert azure.calls("subscriptions") == 0


def test_nobody_waits_as_long_as_the_identity_endpoint_asks_for(azure: Azure) -> None:
    """Every run would stand still meanwhile."""
    azure.fault(route="identity", kind="throttled", retry_after=1200)
    identity = platform_identity(None, sleep=azure.sleep)

    with pytest.raises(ClientAuthenticationError):
        identity.get_token("https://management.azure.com/.default")

    assert azure.waits
    assert max(azure.waits) <= LONGEST_WAIT


def test_an_identity_endpoint_that_says_nothing_is_given_up(azure: Azure) -> None:
    azure.fault(route="identity", kind="delay", delay=3)
    identity = platform_identity(None, 0.1, azure.sleep)
    begun = time.monotonic()

    with pytest.raises(ClientAuthenticationError, match="no answer in time"):
        identity.get_token("https://management.azure.com/.default")

    assert time.monotonic() - begun < 2.5
