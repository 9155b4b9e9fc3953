"""The heartbeat: tells a monitor outside that the watchdog is alive, since nothing inside can tell that it is not."""

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)

TIME_LIMIT = 10.0
"""Seconds; a monitor that is slow must not hold the watchdog up."""


def heartbeat(url: str | None) -> Callable[[], bool]:
    """Return what calls the monitor at `url`, or does nothing without one.

    The call says True if the monitor answered, or there is none. It never raises: a monitor that cannot be reached
    notices that by itself. The address is a secret and is not logged.

    Args:
        url: https, checked when the app settings were read.
    """

    def beat() -> bool:
        if url is None:
            return True
        import urllib.error
        import urllib.request
        from http.client import HTTPException

        try:
            request = urllib.request.Request(url, headers={"User-Agent": "steward"})  # noqa: S310  # its scheme is checked
            with urllib.request.urlopen(request, timeout=TIME_LIMIT) as answer:  # noqa: S310
                answer.read(1024)
        except (OSError, ValueError, HTTPException) as error:
            status = error.code if isinstance(error, urllib.error.HTTPError) else type(error).__name__
            log.warning(
                "job=watchdog the monitor at STEWARD_HEARTBEAT_URL could not be told that all is well: %s", status
            )
            return False
        return True

    return beat
