"""When a timer last ran and when it is to run next, kept over restarts as the host keeps it in a blob.

azure-webjobs-sdk-extensions, ScheduleMonitor.cs and StorageScheduleMonitor.cs. The file has the blob's form.
"""

import logging
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from devkit.local_host.private_file import write_private

logger = logging.getLogger(__name__)

_NEVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_DEFAULT = datetime(1, 1, 1, tzinfo=UTC)


class ScheduleStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What the host remembers of a timer; aware times in UTC."""

    last: datetime | None
    """When it last ran; None before the first run and after a change of schedule."""
    next: datetime | None
    """None if the schedule never comes again."""
    last_updated: datetime | None

    def to_json(self) -> dict[str, str]:
        """Give the host's JSON: default(DateTime) for what is not known, DateTime.MaxValue for never."""
        return {
            "Last": _text(self.last or _DEFAULT),
            "Next": _text(self.next or _NEVER),
            "LastUpdated": _text(self.last_updated or _DEFAULT),
        }

    @classmethod
    def from_json(cls, values: dict[str, str]) -> "ScheduleStatus":
        """Read what `to_json` gave.

        Raises:
            ValueError: a value is missing or is no time.
        """
        try:
            last, following, updated = (datetime.fromisoformat(values[n]) for n in ("Last", "Next", "LastUpdated"))
        except (KeyError, TypeError) as error:
            raise ValueError(f"no schedule status: {error}") from None
        return cls(
            last=None if last == _DEFAULT else last,
            next=None if following >= _NEVER else following,
            last_updated=None if updated == _DEFAULT else updated,
        )


class ScheduleStatuses:
    """The status files of all timers, one for each function."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, function: str) -> ScheduleStatus | None:
        """Give the stored status, or None if there is none; an unreadable one is none, and logged."""
        path = self._path(function)
        try:
            return ScheduleStatus.from_json(msgspec.json.decode(path.read_bytes(), type=dict[str, str]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            logger.warning("'%s' is not a schedule status and is ignored: %s", path, error)
            return None

    def save(self, function: str, status: ScheduleStatus) -> None:
        """Store a status; as in Azure the timer goes on if that fails."""
        try:
            write_private(self._path(function), msgspec.json.encode(status.to_json()))
        except OSError as error:
            logger.warning("The schedule status of %s cannot be stored: %s", function, error)

    def _path(self, function: str) -> Path:
        return self._folder / f"{function}.json"


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
