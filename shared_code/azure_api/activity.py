"""The activity log in a Log Analytics workspace: who created a resource and who wrote to it last."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from shared_code.activity import Evidence, no_evidence, span_of
from shared_code.azure_api.activity_reading import USUAL, Limits, Reading
from shared_code.azure_api.workspace import Log, Workspace

_NO_WORKSPACE = "no workspace is configured; set STEWARD_LOGS_WORKSPACE_ID to the id of the one with the activity log"
_LOG = Log(
    "the activity log",
    "AzureActivity",
    "send the activity log there with a diagnostic setting of each subscription",
)


class LogAnalytics:
    """Reads the activity log from one workspace; the port Activity."""

    def __init__(self, workspace: Workspace | None, limits: Limits = USUAL) -> None:
        """Prepare.

        Args:
            workspace: to be asked; None where none is configured.
            limits: what one reading may take.
        """
        self._workspace = workspace
        self._limits = limits

    def writers(self, subscriptions: Collection[str], since: datetime, until: datetime) -> Evidence:
        """Return who wrote first and last to what is in these subscriptions; whatever goes wrong is in the evidence.

        Events arrive 3 to 20 minutes late, so the last ones before now may be missing.

        Args:
            subscriptions: their ids.
            since: from when on, aware; at most 90 days before `until`, else the span is cut.
            until: before when, aware.

        Raises:
            ValueError: the span is empty or naive; a programming error.
        """
        span = span_of(since, until)
        workspace = self._workspace
        if workspace is None:
            return no_evidence(span, _NO_WORKSPACE)

        def rows(query: str, columns: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
            return workspace.rows(_LOG, query, columns, self._limits.most_rows)

        return Reading(rows, subscriptions, span, self._limits).evidence()
