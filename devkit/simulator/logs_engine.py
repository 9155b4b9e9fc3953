"""Evaluates KQL over the tables of a workspace, with duckdb-kql, which is imported when the first query comes."""

import json
import re
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from devkit.simulator.logs_tables import NAMES, Source

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

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


def named_tables(query: str) -> list[str]:
    """The tables that a query names."""
    return [name for name in NAMES if re.search(rf"\b{name}\b", query)]


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
    """One database with the tables; its calls wait for each other, and come from any thread."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = tuple(sources)
        self._lock = threading.Lock()
        self._connection: DuckDBPyConnection | None = None
        self._loaded: dict[str, int] = {}

    def query(self, text: str, since: datetime, until: datetime, scope: str = "") -> Table:
        """Evaluate a query over the rows from `since` on and before `until`, at or below `scope`.

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
            for source in self._sources:
                rows = f'SELECT * FROM "all {source.name}" WHERE {" AND ".join(shown)}'  # noqa: S608  # all of it is ours
                connection.execute(f'CREATE OR REPLACE VIEW "{source.name}" AS {rows}')
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
        """The connection, with the rows of now in it."""
        import duckdb_kql

        if self._connection is None:
            self._connection = duckdb_kql.connect(config={"threads": 1})
            for source in self._sources:
                types = (f'"{name}" {kind}' for name, (kind, _) in source.columns.items())
                self._connection.execute(f'CREATE TABLE "all {source.name}" ({", ".join(types)})')
            self._loaded = {}
        for source in self._sources:
            version, rows = source.snapshot()
            if version != self._loaded.get(source.name):
                self._load(self._connection, source, rows)
                self._loaded[source.name] = version
        return self._connection

    @staticmethod
    def _load(connection: "DuckDBPyConnection", source: Source, rows: list[Any]) -> None:
        connection.execute(f'DELETE FROM "all {source.name}"')  # noqa: S608  # all of it is ours
        if rows:
            marks = ", ".join(f"unnest(?::{kind}[])" for kind, _ in source.columns.values())
            values = [[of(row) for row in rows] for _, of in source.columns.values()]
            connection.execute(f'INSERT INTO "all {source.name}" SELECT {marks}', values)


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
