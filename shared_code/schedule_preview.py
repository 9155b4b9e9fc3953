"""A preview of a schedule before it is deployed: both verdicts, in words, what may surprise, and when it fires next."""

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from shared_code.errors import InvalidRequest
from shared_code.foreign_text import one_line
from shared_code.local_times import LocalTimes
from shared_code.ncrontab import Cron
from shared_code.schedules import AzureVerdict, StewardVerdict, judge, upcoming

_SHOWN = 60


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What `steward schedule` tells; `next_runs` are Azure's, also of fields that Steward refuses.

    With a time zone they are those by its clocks, and `local` says so in its times; it is None where there is no such
    zone, or the schedule is refused.
    """

    schedule: str
    azure: AzureVerdict
    steward: StewardVerdict
    words: str | None
    warnings: tuple[str, ...]
    next_runs: tuple[datetime, ...]
    timezone: str | None = None
    local: LocalTimes | None = None


def preview(text: str, environ: Mapping[str, str], after: datetime, count: int, timezone: str | None = None) -> Preview:
    """Tell what a schedule text would do; never raises.

    Args:
        text: any text; `%NAME%` reads `environ`.
        environ: what stands for the app settings.
        after: the moment, aware UTC, strictly after which the runs come.
        count: how many of them.
        timezone: the zone by whose clocks it is meant; None for UTC.
    """
    judgement = judge(text, environ, timezone)
    schedule = judgement.schedule
    found: list[datetime] = []
    if schedule is not None:
        found = schedule.upcoming(after, count)
    elif isinstance(judgement.meaning, Cron) and timezone is None:
        found = upcoming(judgement.meaning, after, count)
    return Preview(
        # A terminal may hand over bytes that are no UTF-8, as halves of surrogate pairs, which JSON cannot hold.
        schedule=text.encode(errors="replace").decode(),
        azure=judgement.azure,
        steward=judgement.steward,
        words=judgement.words,
        warnings=(*judgement.warnings, *(schedule.local_warnings if schedule else ())),
        next_runs=tuple(found),
        timezone=judgement.timezone,
        local=schedule.local_times(after, found) if schedule else None,
    )


def moment_of(text: str) -> datetime:
    """Read a moment as people write it, in ISO 8601; one without a zone is UTC.

    Raises:
        InvalidRequest: it is none.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        sentence = f"'{one_line(text, _SHOWN)}' is no time; write it as in 2026-11-22, 2026-11-22T06:00:00Z or …+01:00."
        raise InvalidRequest(sentence) from None
