"""Evaluates KQL over the table AzureActivity, with duckdb-kql; both are imported when the first query comes."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from devkit.simulator.logs_events import ActivityLog, Event

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TABLE = "AzureActivity"
# https://learn.microsoft.com/azure/azure-monitor/reference/tables/azureactivity; the columns that are always empty
# and those of dynamic type are left out.
COLUMNS: dict[str, Callable[[Event], object]] = {
    "TimeGenerated": lambda event: event.time.astimezone(UTC).replace(tzinfo=None),
    "ActivityStatusValue": lambda event: event.status,
    "ActivitySubstatusValue": lambda _: "",
    "Caller": lambda event: event.caller,
    "CallerIpAddress": lambda _: "203.0.113.7",
    "CategoryValue": lambda event: event.category,
    "CorrelationId": lambda event: event.correlation,
    "Level": lambda event: "Error" if event.status.startswith("Fail") else "Information",
    "OperationNameValue": lambda event: event.operation,
    "ResourceGroup": lambda event: event.group,
    "ResourceProviderValue": lambda event: event.operation.partition("/")[0],
    "SubscriptionId": lambda event: event.subscription_id,
    "Type": lambda _: TABLE,
    "_ResourceId": lambda event: event.resource_id,
    "_SubscriptionId": lambda event: event.subscription_id.lower(),
}
_TYPES = {
    "BIGINT": "long",
    "BOOLEAN": "bool",
    "DOUBLE": "real",
    "INTEGER": "int",
    "INTERVAL": "timespan",
    "JSON": "dynamic",
    "TIMESTAMP": "datetime",
    "TIMESTAMP WITH TIME ZONE": "datetime",
    "UUID": "guid",
}


class Refused(Exception):
    """The query cannot be evaluated: what kind of error it is, its code and its message, as the service says it."""

    def __init__(self, kind: str, code: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.code = code


class Table(NamedTuple):
    """An answer: names and types of the columns, and the rows as JSON can say them."""

    columns: list[tuple[str, str]]
    rows: list[list[Any]]


class Engine:
    """One database with the events; its calls wait for each other, and come from any thread."""

    def __init__(self, log: ActivityLog) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._connection: DuckDBPyConnection | None = None
        self._loaded = -1

    def query(self, text: str, since: datetime, until: datetime, scope: str = "") -> Table:
        """Evaluate a query over the events from `since` on and before `until`, at or below `scope`.

        Raises:
            Refused: the text is no query, or names what is not there.
        """
        import duckdb
        import duckdb_kql

        with self._lock:
            connection = self._ready()
            shown = [
                f'"TimeGenerated" >= {_literal(since)}',
                f'"TimeGenerated" < {_literal(until)}',
                f'starts_with(lower("_ResourceId"), {_quoted(scope.lower())})',
            ]
            view = f'SELECT * FROM "events" WHERE {" AND ".join(shown)}'  # noqa: S608  # all of it is written here
            connection.execute(f'CREATE OR REPLACE VIEW "{TABLE}" AS {view}')
            try:
                found = duckdb_kql.kql(connection, text, allow_write=False)
                columns = [
                    (name, _TYPES.get(str(kind), "string"))
                    for name, kind in zip(found.columns, found.types, strict=True)
                ]
                return Table(columns, [[_spelled(value) for value in row] for row in found.fetchall()])
            except duckdb_kql.KqlSyntaxError as error:
                raise Refused("SyntaxError", "SYN0002", f"Query could not be parsed: {error}") from error
            except duckdb_kql.KqlError as error:
                raise Refused("SemanticError", "SEM0001", f"The simulator cannot evaluate this: {error}") from error
            except duckdb.CatalogException as error:
                raise Refused("SemanticError", "SEM0100", _unresolved("table or column", error)) from error
            except duckdb.BinderException as error:
                raise Refused("SemanticError", "SEM0100", _unresolved("column or scalar", error)) from error
            except duckdb.Error as error:
                raise Refused("SemanticError", "SEM0001", str(error)) from error

    def close(self) -> None:
        """Forget the database."""
        with self._lock:
            if self._connection:
                self._connection.close()
                self._connection = None

    def _ready(self) -> "DuckDBPyConnection":
        """The connection, with the events of now in it."""
        import duckdb_kql

        version, events = self._log.snapshot()
        if self._connection is None:
            self._connection = duckdb_kql.connect(config={"threads": 1})
            types = (f'"{name}" {"TIMESTAMP" if name == "TimeGenerated" else "VARCHAR"}' for name in COLUMNS)
            self._connection.execute(f'CREATE TABLE "events" ({", ".join(types)})')
            self._loaded = -1
        if version != self._loaded:
            self._connection.execute('DELETE FROM "events"')
            if events:
                marks = ", ".join("unnest(?)" for _ in COLUMNS)
                values = [[of(event) for event in events] for of in COLUMNS.values()]
                self._connection.execute(f'INSERT INTO "events" SELECT {marks}', values)
            self._loaded = version
        return self._connection


def _literal(moment: datetime) -> str:
    return f"TIMESTAMP '{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _spelled(value: object) -> Any:
    """A value as the service writes it: times with seven digits and Z."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S.%f}0Z"
    if value is None or isinstance(value, str | int | float):
        return value
    return json.dumps(value, default=str) if isinstance(value, list | dict) else str(value)


def _unresolved(what: str, error: Exception) -> str:
    name = str(error).partition("\n")[0]
    named = name.split('"')[1] if '"' in name else next(iter(name.partition("name ")[2].split()), "")
    return f"'where' operator: Failed to resolve {what} expression named '{named}'"
