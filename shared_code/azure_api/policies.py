"""What every try of a request passes through; imported on first use, since it loads azure-core."""

import logging
import re
from collections.abc import Callable
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import (
    DistributedTracingPolicy,
    HTTPPolicy,
    RequestIdPolicy,
    RetryPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy

from shared_code.azure_api.budgets import LONGEST_WAIT, Budgets, kind_of, quota_left, quota_reset, remaining, told_wait
from shared_code.ports import Figures

log = logging.getLogger(__name__)

_SUBSCRIPTION = re.compile(r"(?i)/subscriptions/([0-9a-f-]{1,36})(?![0-9a-z-])")
_CLOSED = "steward-budget-waits"
READY = "steward_ready"
"""The option of a request with what is asked when its turn has come; where that raises, nothing is sent."""
# Deflate packs at most 1:1032, so a refusal of this size stays under 64 MiB.
_SMALL = 64 * 1024


def policies(
    credential: TokenCredential,
    audience: str,
    sleep: Callable[[float], None],
    clock: Callable[[], float],
    figures: Figures | None = None,
) -> list[Any]:
    """Return the pipeline: what ResourceManagementClient would use, without what logs, redirects or registers.

    Left out is ARMAutoResourceProviderRegistrationPolicy too, which would change a subscription unasked.

    Args:
        credential: who asks.
        audience: what tokens are asked for.
        sleep: waits that many seconds.
        clock: monotonic seconds.
        figures: told of every answer and every wait; None for nobody.
    """

    def wait(seconds: float) -> None:
        if figures is not None:
            figures.waited(seconds)
        sleep(seconds)

    retry = CappedRetry(wait, retry_total=6, retry_status=4, retry_connect=2, retry_read=3)
    return [
        RequestIdPolicy(),
        UserAgentPolicy(user_agent="steward"),
        retry,
        ARMChallengeAuthenticationPolicy(credential, f"{audience}/.default"),
        # Innermost, so that it also sees the second request after a claims challenge.
        Paced(Budgets(clock), retry.get_retry_after, wait, figures),
        DistributedTracingPolicy[Any, Any](),
    ]


class CappedRetry(RetryPolicy[Any, Any]):
    """azure-core's retry, which waits as long as an answer asks for, up to our longest wait."""

    def __init__(self, sleep: Callable[[float], None], **options: int) -> None:
        super().__init__(**options)
        self._sleep = sleep

    def get_retry_after(self, response: PipelineResponse[Any, Any]) -> float | None:
        """Return the seconds an answer asks to wait, wherever it says so."""
        try:
            asked = super().get_retry_after(response)
        except (TypeError, ValueError, OverflowError):
            asked = None  # neither seconds nor a date
        if asked is None and response.http_response.status_code == 429:
            asked = quota_reset(response.http_response.headers) or _told(response.http_response)
        return None if asked is None else min(asked, LONGEST_WAIT)

    def sleep(self, settings: dict[str, Any], transport: Any, response: Any = None) -> None:  # noqa: ARG002
        """Wait before the next try, unless the budget does so for all requests of the subscription."""
        if response and response.context.get(_CLOSED):
            return
        asked = self.get_retry_after(response) if response else None
        self._sleep(asked or min(self.get_backoff_time(settings), LONGEST_WAIT))


def _told(response: HttpResponse) -> float | None:
    """Look into a refusal's text; it is read only where its size is announced."""
    length = response.headers.get("Content-Length", "")
    return told_wait(response.read()) if length.isdecimal() and int(length) <= _SMALL else None


class ShortWaits(RequestsTransport):  # type: ignore[misc]  # azure-core imports it in a way that hides its type
    """azure-core's transport, by which its retry waits: as long as an answer asks for, up to our longest wait."""

    def __init__(self, sleep: Callable[[float], None], **options: float) -> None:
        super().__init__(**options)
        self._sleep = sleep

    def sleep(self, duration: float) -> None:
        """Wait."""
        self._sleep(min(duration, LONGEST_WAIT))


class Paced(HTTPPolicy[HttpRequest, HttpResponse]):
    """Sends each try when its subscription's budget allows, and tells the budget what the answer says."""

    def __init__(
        self,
        budgets: Budgets,
        asked: Callable[[PipelineResponse[Any, Any]], float | None],
        sleep: Callable[[float], None],
        figures: Figures | None = None,
    ) -> None:
        self._figures = figures
        self._budgets = budgets
        self._asked = asked
        self._sleep = sleep

    def send(self, request: PipelineRequest[HttpRequest]) -> PipelineResponse[HttpRequest, HttpResponse]:
        """Send one try."""
        kind = kind_of(request.http_request.method, request.http_request.url)
        ready: Callable[[], None] | None = request.context.options.pop(READY, None) or request.context.get(READY)
        request.context[READY] = ready
        budget = self._budgets.of(kind, request.http_request.url)
        budget.wait_for_turn(self._sleep)
        try:
            if ready is not None:
                ready()
            response = self.next.send(request)
            refused = response.http_response.status_code == 429
            wait = (self._asked(response) or 0.0) if refused else 0.0
        except BaseException:
            budget.lost()
            raise
        if refused:
            where = _SUBSCRIPTION.search(request.http_request.url)
            log.warning("subscription=%s throttled kind=%s wait=%.1f", where[1] if where else "none", kind, wait)
        if self._figures is not None:
            self._figures.asked(kind, response.http_response.status_code)
        request.context[_CLOSED] = wait > 0
        headers = response.http_response.headers
        budget.answered(remaining(headers, kind), refused, wait)
        if kind == "queries":
            budget.quota(quota_left(headers), quota_reset(headers))
        return response
