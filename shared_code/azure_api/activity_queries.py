"""The questions to the table AzureActivity, as KQL.

Its texts vary in case, so every comparison ignores it: https://learn.microsoft.com/azure/azure-monitor/reference/tables/azureactivity.
Live rows say Success where the documentation says Succeeded; one operation makes several rows, and two diagnostic
settings make each of them twice, which neither the earliest nor the latest minds.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

SUBSCRIPTION = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
"""What may stand between quotation marks in a query; nothing else of what is asked for is text."""
SHORTEST = timedelta(hours=1)
"""A part of the span is not split into shorter ones."""
# Longer than any sign-in name, so that a longer text that begins like one is still not taken for it.
_LONGEST_CALLER = 400

_WRITE = 'OperationNameValue endswith "/write" and ActivityStatusValue in~ ("Success", "Succeeded")'


class Part(NamedTuple):
    """What one query asks about: subscriptions, from `since` on and before `until`."""

    subscriptions: tuple[str, ...]
    since: datetime
    until: datetime

    def halves(self) -> "tuple[Part, Part] | None":
        """Return two parts that make this one, by subscription and then by time; None where it is too small."""
        if len(self.subscriptions) > 1:
            half = len(self.subscriptions) // 2
            return self._replace(subscriptions=self.subscriptions[:half]), self._replace(
                subscriptions=self.subscriptions[half:]
            )
        length = self.until - self.since
        if length < 2 * SHORTEST:
            return None
        middle = self.since + length / 2
        return self._replace(until=middle), self._replace(since=middle)


def recorded(part: Part) -> str:
    """Ask since when there are events of each subscription, and about how many things were written to.

    Columns: `Subscription`, `Since`, `Resources`.
    """
    return f"""{_rows(part)}
| summarize Since = min(TimeGenerated), Resources = dcountif(tolower(_ResourceId), {_WRITE})
    by Subscription = tolower(SubscriptionId)"""


def writers(part: Part) -> str:
    """Ask who wrote first and last to each thing.

    Columns: `Resource`, `First`, `FirstCaller`, `Last`, `LastCaller`; times are microseconds since 1970, which the SDK
    reads four times faster than dates. The names are given before `summarize`, since those that arg_min() gives itself
    have changed over time.
    """
    caller = f"substring(Caller, 0, {_LONGEST_CALLER})"
    return f"""{_rows(part)}
| where {_WRITE} and isnotempty(_ResourceId)
| project Resource = tolower(_ResourceId), First = TimeGenerated, FirstCaller = {caller},
    Last = TimeGenerated, LastCaller = {caller}
| summarize arg_min(First, FirstCaller), arg_max(Last, LastCaller) by Resource
| project Resource, First = {_microseconds("First")}, FirstCaller, Last = {_microseconds("Last")}, LastCaller"""


def _rows(part: Part) -> str:
    known = ", ".join(f'"{each}"' for each in part.subscriptions if SUBSCRIPTION.fullmatch(each))
    return f"""AzureActivity
| where TimeGenerated >= {literal(part.since)} and TimeGenerated < {literal(part.until)}
| where SubscriptionId in~ ({known}) and CategoryValue =~ "Administrative\""""


def _microseconds(column: str) -> str:
    return f'datetime_diff("microsecond", {column}, datetime(1970-01-01))'


def literal(moment: datetime) -> str:
    """Write a moment, aware, as KQL does."""
    return f"datetime({moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z)"
