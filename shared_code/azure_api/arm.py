"""Azure Resource Manager over HTTP: azure-core's sign-in, retry and telemetry, and our own typed decoding.

The SDK's models cost about thirty times the CPU of decoding the bytes into typed values, so requests go through the
client's public `send_request(stream=True)`.
"""

import logging
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from shared_code.azure_api.ahead import Ahead
from shared_code.azure_api.bodies import LARGEST_OF_ONE, Answer, Failed, Reply, answer_of, body_of
from shared_code.azure_api.errors import AGAIN, failure, translated
from shared_code.azure_api.links import host_of
from shared_code.azure_api.pages import BrokenOff, Page, PageDecoder
from shared_code.errors import UnreadableAnswer
from shared_code.ports import Figures

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.mgmt.resource.resources import ResourceManagementClient

TIME_LIMIT = 30
"""Seconds a connection may take, and an answer may pause."""
ANSWER_LIMIT = 120
"""Seconds that an answer may take from its headers to its end; a page of 1,000 resources has under 1 MiB."""
LONGEST_LINK = 16 * 1024
"""Characters of a link to the next page; recorded ones have up to 2,000."""
MOST_EMPTY_PAGES = 1_000
"""Empty pages in a row before a list counts as endless.

A filter that nothing matches gives one for each page it looked through; those of a million resources are 1,000.
"""
# Writes several lines for each request for a token at INFO, and every line costs money in Application Insights.
_TALKATIVE = "azure.core.pipeline.policies.http_logging_policy"
_BODY_TRIES = 3
_REPEATED = frozenset({"GET", "HEAD", "POST"})
_BLOCK = 1024 * 1024
# More than there are readers: requests keeps ten, and each one more would be a new TLS connection for every page.
_CONNECTIONS = 64


class Arm:
    """Reads lists from one Azure Resource Manager, with one connection pool for all subscriptions."""

    def __init__(
        self,
        endpoint: str,
        audience: str,
        credential: Callable[[], "TokenCredential"],
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        time_limit: float = TIME_LIMIT,
        answer_limit: float = ANSWER_LIMIT,
        figures: Figures | None = None,
    ) -> None:
        """Prepare; nothing is imported or connected before the first read.

        Args:
            endpoint: https address of Azure Resource Manager.
            audience: what tokens are asked for.
            credential: gives the credential, on first use.
            sleep: waits that many seconds; called from several threads.
            clock: seconds that only move forward, `sleep` included.
            time_limit: seconds a connection may take, and an answer may pause.
            answer_limit: seconds an answer may take from its headers to its end.
            figures: told of every answer and every wait; None for nobody.
        """
        self._figures = figures
        self._endpoint = endpoint
        self._host = host_of(endpoint)
        self._audience = audience
        self._credential = credential
        self._sleep = sleep
        self._clock = clock
        self._time_limit = time_limit
        self._answer_limit = answer_limit
        self._client: ResourceManagementClient | None = None

    def connect(self) -> None:
        """Import the SDK and build the client; called before threads share it."""
        if self._client is not None:
            return
        from azure.core.pipeline.transport import RequestsTransport
        from azure.mgmt.resource.resources import ResourceManagementClient
        from requests import Session

        from shared_code.azure_api.patience import Patient
        from shared_code.azure_api.policies import policies

        logging.getLogger(_TALKATIVE).setLevel(logging.WARNING)
        session = Session()
        session.mount("https://", Patient(self._answer_limit, _CONNECTIONS))
        with translated("Azure Resource Manager"):
            credential = self._credential()
            self._client = ResourceManagementClient(
                credential,
                subscription_id="",
                base_url=self._endpoint,
                policies=policies(credential, self._audience, self._sleep, self._clock, self._figures),
                transport=RequestsTransport(
                    session=session,
                    connection_timeout=self._time_limit,
                    read_timeout=self._time_limit,
                    connection_data_block_size=_BLOCK,
                ),
            )

    def pages[Item](self, path: str, item: type[Item], what: str, failed: Failed = failure) -> Iterator[list[Item]]:
        """Read a list, page after page, to its end; the next page is on its way while the caller has the present one.

        Args:
            path: path and query of the first page, with api-version.
            item: the type of one item; a field `id` may not be empty.
            what: what is read, for the error text, such as "resource groups of subscription 'x'".
            failed: makes the error of an answer that is no page.

        Raises:
            AzureError: a page could not be read; pages given before it stay valid, and the list is incomplete.
        """
        self.connect()
        decoder = PageDecoder(item)
        link, where, seen, empty = self._endpoint + path, what, set[str](), 0
        known = set[int]()
        page = self._page(link, decoder, where, failed)
        while True:
            seen.add(link)
            items = page.items(where)
            if decoder.is_known(items, known):
                # What should have come instead of it is missing, and counts would be wrong.
                raise UnreadableAnswer(f"cannot read {what}: page {len(seen)} has what an earlier one had; {AGAIN}")
            empty = 0 if items else empty + 1
            link = page.nextLink or ""
            if not link:
                yield items
                return
            if refusal := self._refusal(link, seen, empty):
                yield items
                raise UnreadableAnswer(f"cannot read {what}: {refusal}")
            where = f"{what}, page {len(seen) + 1}"
            ahead = Ahead(partial(self._page, link, decoder, where, failed))
            yield items
            page = ahead.result()

    def send(
        self,
        method: str,
        path: str,
        what: str,
        body: bytes | None = None,
        ready: Callable[[], None] | None = None,
    ) -> Answer:
        """Send one request, and return the answer whatever its status.

        A GET is repeated as pages are. Anything else is sent exactly once, and paced: whoever writes must look again
        before the next try, and may have lost the right to it while waiting.

        Args:
            method: GET or PATCH.
            path: path and query, encoded, with api-version.
            what: what is asked for, for the error text.
            body: JSON; None for none.
            ready: asked when its turn has come, just before it is sent; what it raises passes through.

        Raises:
            AzureError: there was no answer, or not all of it; a write may have taken effect.
        """
        return self.exchange(method, path, what, body, once=method != "GET", ready=ready).answer

    def exchange(
        self,
        method: str,
        address: str,
        what: str,
        body: bytes | None = None,
        *,
        once: bool,
        ready: Callable[[], None] | None = None,
        largest: int = LARGEST_OF_ONE,
    ) -> Reply:
        """Send one request, and return the answer with its headers, whatever its status.

        Args:
            method: any.
            address: a path with its query, encoded, or a link that Azure gave, byte for byte; see `follows`.
            what: what is asked for, for the error text; the address is in no text.
            body: JSON; None for none.
            once: whether it is sent exactly once; else it is repeated as pages are, as befits what only reads.
            ready: asked when its turn has come, just before it is sent; what it raises passes through.
            largest: bytes of the answer at most.

        Raises:
            AzureError: there was no answer, or not all of it; a write may have taken effect.
        """
        from azure.core.rest import HttpRequest

        from shared_code.azure_api.policies import READY

        if not self.follows(address):
            raise UnreadableAnswer(f"cannot read {what}: its address is on another host, which is not asked")
        self.connect()
        if self._client is None:
            raise AssertionError("connect() comes first")
        url = (self._endpoint + address if address.startswith("/") else address).replace("{", "{{").replace("}", "}}")
        headers = {} if body is None else {"Content-Type": "application/json"}
        # azure-core alone would not repeat a POST that was refused with 429.
        options: dict[str, Any] = {"retry_total": 0} if once else {"retry_on_methods": _REPEATED}
        left = 1 if once else _BODY_TRIES
        while True:
            left -= 1
            request = HttpRequest(method, url, headers=headers, content=body)
            with translated(what):
                response = self._client.send_request(request, stream=True, **options, **{READY: ready})
            try:
                return Reply(answer_of(response, what, largest), response.headers)
            except BrokenOff:
                if left == 0:
                    raise
                self._sleep(0.2 * (_BODY_TRIES - left))

    def follows(self, link: str) -> bool:
        """Tell whether a link leads to where our token belongs; one that begins with a `/` does."""
        here = self._host is not None and host_of(link) == self._host
        return len(link) <= LONGEST_LINK and (here or (link.startswith("/") and not link.startswith("//")))

    def pause(self, seconds: float) -> None:
        """Wait, as between two questions about something that is under way."""
        self._sleep(seconds)

    def _refusal(self, link: str, seen: set[str], empty: int) -> str:
        """Say why the link to the next page is not followed; nothing if it is."""
        if len(link) > LONGEST_LINK:
            return f"the link to the next page has {len(link):,} characters, and {LONGEST_LINK:,} is the most we follow"
        if self._host is None or host_of(link) != self._host:
            # Following it would hand our token to whoever wrote the link.
            return "the next page is on another host, which is not followed"
        if link in seen:
            return f"page {len(seen) + 1} leads back to one already read"
        if empty >= MOST_EMPTY_PAGES:
            return f"{empty:,} pages in a row are empty and there is always one more; try again later"
        return ""

    def _page[Item](self, link: str, decoder: PageDecoder[Item], what: str, failed: Failed) -> Page[Item]:
        """Read one page; a body that breaks off is read again, since azure-core retries only up to the headers."""
        for attempt in range(1, _BODY_TRIES):
            try:
                return self._page_once(link, decoder, what, failed)
            except BrokenOff:
                self._sleep(0.2 * attempt)
        return self._page_once(link, decoder, what, failed)

    def _page_once[Item](self, link: str, decoder: PageDecoder[Item], what: str, failed: Failed) -> Page[Item]:
        from azure.core.rest import HttpRequest

        if self._client is None:
            raise AssertionError("connect() comes first")
        # azure-core treats {} in a URL as a template and would cut the segment out.
        request = HttpRequest("GET", link.replace("{", "{{").replace("}", "}}"))
        with translated(what):
            response = self._client.send_request(request, stream=True)
        return decoder.decode(body_of(response, what, failed), what)
