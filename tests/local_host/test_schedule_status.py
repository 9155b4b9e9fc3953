from datetime import UTC, datetime
from pathlib import Path

import pytest

from devkit.local_host.schedule_status import ScheduleStatus, ScheduleStatuses

MOMENT = datetime(2026, 11, 22, 6, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "status",
    [
        ScheduleStatus(last=MOMENT, next=MOMENT, last_updated=MOMENT),
        ScheduleStatus(last=None, next=None, last_updated=None),
    ],
    ids=["known", "unknown"],
)
def test_a_status_is_kept_exactly(tmp_path: Path, status: ScheduleStatus) -> None:
    """To the microsecond: a difference would look like a changed schedule."""
    ScheduleStatuses(tmp_path).save("tag_audit", status)

    assert ScheduleStatuses(tmp_path).load("tag_audit") == status
    assert ScheduleStatuses(tmp_path).load("cleanup") is None


@pytest.mark.parametrize("text", ["", "{}", '{"Last": "a", "Next": "b", "LastUpdated": "c"}', "[]"])
def test_an_unreadable_status_is_none(tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str) -> None:
    """The timer starts anew, and the log says so."""
    (tmp_path / "tag_audit.json").write_text(text)

    assert ScheduleStatuses(tmp_path).load("tag_audit") is None
    assert "is not a schedule status and is ignored" in caplog.text
