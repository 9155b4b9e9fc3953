"""Sends notices through apprise, which knows the services; imported when there is something to send.

apprise writes URLs and bodies into its logs, and urllib3 the path of each request: nothing of that is let through, and
what failed is told in our own words.
"""

import logging
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING

from shared_code.notices.notice import Letter
from shared_code.notices.secret import Secret

if TYPE_CHECKING:
    from apprise import AppriseAsset
    from apprise.plugins import NotifyBase

_THREAD = "notice"
_LOGGERS = ("apprise", "urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry", "requests_oauthlib")
_STATUS = re.compile(r"\berror=([1-5][0-9]{2})\b")
_NO_SERVICE = "apprise cannot use its URL: a service it does not know, or something that is missing in it"
_FAILED = "the service could not be reached, or did not take it"
_SLOW = "there was no answer in time"
_NO_TIME = "there was no time left for it"


class _Quiet(logging.Filter):
    """Lets nothing through that is logged while a letter is sent, and keeps the status of an answer."""

    def filter(self, record: logging.LogRecord) -> bool:
        current = threading.current_thread()
        if not isinstance(current, _Sending):
            return record.name != "apprise"  # what it loads and drops is not for our log either
        if record.levelno >= logging.WARNING and (status := _STATUS.search(record.getMessage())):
            current.status = status[1]
        return False


_QUIET = _Quiet()


class _Sending(threading.Thread):
    """Sends one letter; a daemon, since a service may keep it for ever."""

    def __init__(self, letter: Letter, asset: "AppriseAsset") -> None:
        super().__init__(name=_THREAD, daemon=True)
        self._letter, self._asset = letter, asset
        self.status: str | None = None
        self.error: str | None = _SLOW

    def run(self) -> None:
        from apprise import NotifyFormat, OverflowMode

        try:
            service = _service(self._letter.url, self._letter.to, self._asset)
            if service is None:
                self.error = _NO_SERVICE
                return
            text = self._letter.text
            # Plain text, which apprise escapes where a service knows nothing but HTML or Markdown.
            sent = service.notify(
                body=text.body, title=text.subject, body_format=NotifyFormat.TEXT, overflow=OverflowMode.TRUNCATE
            )
        except Exception as error:  # noqa: BLE001  # a service's own code; its text may hold the URL
            self.error = f"{_FAILED} ({type(error).__name__})"
            return
        failed = f"the service answered {self.status}" if self.status else _FAILED
        self.error = None if sent else failed


def _service(url: Secret, to: str | None, asset: "AppriseAsset") -> "NotifyBase | None":
    """Return the service that a URL names, with one recipient if there is one to set."""
    from apprise import Apprise

    service = Apprise.instantiate(url.reveal(), asset=asset)
    if to is None or service is None:
        return service
    from apprise.plugins.email.base import NotifyEmail

    if not isinstance(service, NotifyEmail):
        return None
    service.targets, service.cc, service.bcc = [(False, to)], set(), set()
    return service


@dataclass(frozen=True)
class AppriseSender:
    """The port Sender, by apprise: `at_once` letters at the same time, with seconds `for_one` and `for_all`."""

    at_once: int = 8
    for_one: float = 20.0
    for_all: float = 60.0

    def send(self, letters: Sequence[Letter], /) -> list[str | None]:
        """Send some at a time; see the port."""
        if not letters:
            return []
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(_QUIET)  # once more does no harm
        from apprise import AppriseAsset

        asset = AppriseAsset(
            app_id="Steward", app_desc="Steward", app_url="", async_mode=False, storage_mode="memory", service_timeout=0
        )
        until = time.monotonic() + self.for_all
        errors: list[str | None] = []
        for some in batched(letters, self.at_once, strict=False):
            if until <= time.monotonic():
                errors += [_NO_TIME] * len(some)
                continue
            threads = [_Sending(each, asset) for each in some]
            for thread in threads:
                thread.start()
            latest = min(until, time.monotonic() + self.for_one)
            for thread in threads:
                thread.join(max(0.0, latest - time.monotonic()))
                errors.append(thread.error)
        return errors
