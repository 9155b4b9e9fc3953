"""Azure Resource Manager over HTTP: azure-core's sign-in, retry and telemetry, and our own typed decoding.

The SDK's models cost about thirty times the CPU of decoding the bytes into typed values, so requests go through the
client's public `send_request(stream=True)`.
"""

import logging
import re
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from shared_code.azure_api.errors import failure, translated
from shared_code.errors import Unreachable, UnreadableAnswer
from shared_code.foreign_text import one_line

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.core.pipeline.policies import RetryPolicy
    from azure.mgmt.resource.resources import ResourceManagementClient

LONGEST_WAIT = 30.0
"""Seconds waited at most for one retry, whatever Retry-After says; azure-core would obey 20 minutes without a word."""
TIME_LIMIT = 30
"""Seconds a connection may take, and an answer may pause."""
# It writes several lines for each request at INFO, and every line costs money in Application Insights.
_TALKATIVE = "azure.core.pipeline.policies.http_logging_policy"
_BODY_TRIES = 3
_BLOCK = 1024 * 1024


class Page[Item](msgspec.Struct):
    """One page of an ARM list."""

    value: list[Item] | msgspec.UnsetType = msgspec.UNSET
    nextLink: str | msgspec.UnsetType | None = msgspec.UNSET  # noqa: N815  # Azure's spelling

    def items(self, what: str) -> list[Item]:
        """Return the items; raises UnreadableAnswer where the answer is not a list."""
        if self.value is not msgspec.UNSET:
            return self.value
        if self.nextLink == "":
            return []  # Some network providers write an empty list as {"nextLink": ""}, and nothing else.
        raise UnreadableAnswer(f"cannot read {what}: the answer has no 'value', so it is no list")


class BrokenOff(UnreadableAnswer):
    """An answer began and did not end."""


class Arm:
    """Reads lists from one Azure Resource Manager, with one connection pool for all subscriptions."""

    def __init__(
        self,
        endpoint: str,
        audience: str,
        credential: Callable[[], "TokenCredential"],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare; nothing is imported or connected before the first read.

        Args:
            endpoint: https address of Azure Resource Manager.
            audience: what tokens are asked for.
            credential: gives the credential, on first use.
            sleep: waits that many seconds.
        """
        self._endpoint = endpoint
        self._host = _host(endpoint)
        self._audience = audience
        self._credential = credential
        self._sleep = sleep
        self._client: ResourceManagementClient | None = None

    def connect(self) -> None:
        """Import the SDK and build the client; called before threads share it."""
        if self._client is not None:
            return
        from azure.mgmt.resource.resources import ResourceManagementClient

        logging.getLogger(_TALKATIVE).setLevel(logging.WARNING)
        with translated("Azure Resource Manager"):
            self._client = ResourceManagementClient(
                self._credential(),
                subscription_id="",
                base_url=self._endpoint,
                credential_scopes=[f"{self._audience}/.default"],
                retry_policy=_retry_policy()(self._sleep, retry_total=6, retry_status=4, retry_connect=2, retry_read=3),
                permit_redirects=False,
                user_agent="steward",
                connection_timeout=TIME_LIMIT,
                read_timeout=TIME_LIMIT,
                connection_data_block_size=_BLOCK,
            )

    def pages[Item](self, path: str, item: type[Item], what: str) -> Iterator[list[Item]]:
        """Read a list, page after page, to its end.

        Args:
            path: path and query of the first page, with api-version.
            item: the type of one item.
            what: what is read, for the error text, such as "resource groups of subscription 'x'".

        Raises:
            AzureError: a page could not be read; pages given before it stay valid, and the list is incomplete.
        """
        self.connect()
        decoder = msgspec.json.Decoder(Page[item])  # type: ignore[valid-type]  # a type parameter at run time
        link, seen = self._endpoint + path, set[str]()
        while link:
            if link in seen:
                raise UnreadableAnswer(f"cannot read {what}: page {len(seen) + 1} leads back to one already read")
            seen.add(link)
            where = what if len(seen) == 1 else f"{what}, page {len(seen)}"
            page = self._page(link, decoder, where)
            yield page.items(where)
            link = page.nextLink or ""
            if link and (self._host is None or _host(link) != self._host):
                # Following it would hand our token to whoever wrote the link.
                raise UnreadableAnswer(f"cannot read {what}: the next page is on another host, which is not followed")

    def _page[Item](self, link: str, decoder: msgspec.json.Decoder[Page[Item]], what: str) -> Page[Item]:
        """Read one page; a body that breaks off is read again, since azure-core retries only up to the headers."""
        for attempt in range(1, _BODY_TRIES):
            try:
                return self._page_once(link, decoder, what)
            except BrokenOff:
                self._sleep(0.2 * attempt)
        return self._page_once(link, decoder, what)

    def _page_once[Item](self, link: str, decoder: msgspec.json.Decoder[Page[Item]], what: str) -> Page[Item]:
        from azure.core.rest import HttpRequest

        if self._client is None:
            raise AssertionError("connect() comes first")
        # azure-core treats {} in a URL as a template and would cut the segment out.
        request = HttpRequest("GET", link.replace("{", "{{").replace("}", "}}"))
        with translated(what):
            response = self._client.send_request(request, stream=True)
        try:
            with translated(what):
                body: bytes = response.read()
        except (UnreadableAnswer, Unreachable) as error:
            raise BrokenOff(str(error)) from error
        finally:
            response.close()
        content_type = response.headers.get("Content-Type", "")
        if response.status_code != 200:
            raise failure(what, response.status_code, content_type, body)
        if not _is_json(content_type):
            kind = one_line(content_type) or "of no type"
            raise UnreadableAnswer(f"cannot read {what}: the answer is {kind}, not JSON in UTF-8")
        try:
            return decoder.decode(body)
        except msgspec.ValidationError as error:
            raise UnreadableAnswer(f"cannot read {what}: an item has another shape than Azure's: {error}") from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BrokenOff(f"cannot read {what}: the answer is no whole JSON: {one_line(str(error))}") from error


# Stricter than urlsplit, which finds another host in "https://a\\@b/" than the HTTP library connects to.
_AUTHORITY = re.compile(r"(https)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?(?=[/?]|$)", re.IGNORECASE | re.ASCII)


def _host(link: str) -> tuple[str, int] | None:
    """Return host and port, with the port that https means by itself filled in; None for any other kind of link."""
    found = _AUTHORITY.match(link)
    return (found[2].lower(), int(found[3] or 443)) if found else None


def _is_json(content_type: str) -> bool:
    kind, *parameters = (part.strip() for part in content_type.lower().split(";"))
    charsets = {part.partition("=")[2].strip(' "') for part in parameters if part.startswith("charset=")}
    return kind in ("application/json", "text/json") and charsets <= {"utf-8", "utf8"}


@cache
def _retry_policy() -> "Callable[..., RetryPolicy[Any, Any]]":
    from azure.core.pipeline.policies import RetryPolicy

    class CappedRetry(RetryPolicy[Any, Any]):
        """azure-core's retry, which obeys Retry-After up to our longest wait."""

        def __init__(self, wait: Callable[[float], None], **options: int) -> None:
            super().__init__(**options)
            self._wait = wait

        def get_retry_after(self, response: Any) -> float | None:  # azure-core gives no type here
            try:
                asked = super().get_retry_after(response)
            except (TypeError, ValueError):
                return None  # neither seconds nor a date
            return None if asked is None else min(asked, LONGEST_WAIT)

        def sleep(self, settings: dict[str, Any], transport: Any, response: Any = None) -> None:  # noqa: ARG002
            asked = self.get_retry_after(response) if response else None
            self._wait(asked or min(self.get_backoff_time(settings), LONGEST_WAIT))

    return CappedRetry
