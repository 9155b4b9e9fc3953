"""The tables of Resource Graph, made from what subscriptions hold, and KQL evaluated over them with duckdb-kql."""

import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import UNSET

from devkit.simulator.holdings import Holdings
from devkit.simulator.model import TENANT, Json, Resource, ResourceGroup, Subscription, spelled_in_group

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_OBJECTS = ("sku", "plan", "tags", "properties", "identity", "zones", "managedByExtended")
_COLUMNS = (
    "id",
    "name",
    "type",
    "tenantId",
    "kind",
    "location",
    "resourceGroup",
    "subscriptionId",
    "managedBy",
    *_OBJECTS,
)
_TABLES = ("resources", "resourcecontainers")
_TEXTS = re.compile(r"""('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|//[^\n]*)""")
_TABLE_NAMES = re.compile(rf"(?i)\b({'|'.join(_TABLES)})\b(?=\s*(?:[|;)]|$))")
_PLACE = re.compile(r"at (\d+):(\d+): (.*)", re.DOTALL)


class Refused(Exception):
    """The query cannot be evaluated: the details of the error, as the service gives them."""

    def __init__(self, *details: Json) -> None:
        super().__init__(str(details))
        self.details = details


class Found(NamedTuple):
    """An answer: names and types of the columns, and the rows as JSON can say them."""

    columns: list[tuple[str, str]]
    rows: list[list[Any]]


class Tables:
    """One database with what was asked about; its calls wait for each other, and come from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: DuckDBPyConnection | None = None
        self._loaded: dict[str, int] = {}

    def query(self, text: str, asked: Iterable[Holdings]) -> Found:
        """Evaluate a query over these subscriptions.

        Raises:
            Refused: the text is no query, or names what is not there.
        """
        import duckdb
        import duckdb_kql

        with self._lock:
            connection = self._ready(list(asked))
            try:
                found = duckdb_kql.kql(connection, _with_known_tables(text), allow_write=False)
                columns = [(name, str(kind)) for name, kind in zip(found.columns, found.types, strict=True)]
                rows = [
                    [_said(each, kind) for each, (_, kind) in zip(row, columns, strict=True)]
                    for row in found.fetchall()
                ]
            except duckdb_kql.KqlSyntaxError as error:
                raise Refused(_parser_failure(str(error))) from error
            except duckdb_kql.KqlSchemaError as error:
                raise Refused(_no_table(str(error))) from error
            except duckdb_kql.KqlError as error:
                raise Refused(
                    {"code": "NotSimulated", "message": f"The simulator cannot evaluate this: {error}"}
                ) from error
            except duckdb.CatalogException as error:
                raise Refused(_no_table(str(error))) from error
            except duckdb.Error as error:
                raise Refused(_no_column(str(error))) from error
            return Found([(name, "object" if kind == "JSON" else _type(kind)) for name, kind in columns], rows)

    def close(self) -> None:
        """Forget the database."""
        with self._lock:
            if self._connection:
                self._connection.close()
                self._connection = None
                self._loaded.clear()

    def _ready(self, asked: list[Holdings]) -> "DuckDBPyConnection":
        """The connection, in which the tables show these subscriptions as they are."""
        import duckdb_kql

        if self._connection is None:
            self._connection = duckdb_kql.connect(config={"threads": 1})
            types = ", ".join(f'"{name}" {"JSON" if name in _OBJECTS else "VARCHAR"}' for name in _COLUMNS)
            for table in _TABLES:
                self._connection.execute(f'CREATE TABLE "all_{table}" ({types})')
            self._connection.execute('CREATE TABLE "asked" ("id" VARCHAR)')
            for table in _TABLES:
                chosen = f'SELECT * FROM "all_{table}" WHERE "subscriptionId" IN (SELECT "id" FROM "asked")'  # noqa: S608
                self._connection.execute(f'CREATE VIEW "{table}" AS {chosen}')
        for holdings in asked:
            self._load(self._connection, holdings)
        self._connection.execute('DELETE FROM "asked"')
        self._connection.execute('INSERT INTO "asked" SELECT unnest(?)', [[each.subscription.id for each in asked]])
        return self._connection

    def _load(self, connection: "DuckDBPyConnection", holdings: Holdings) -> None:
        subscription = holdings.subscription
        if self._loaded.get(subscription.id) == holdings.serial:
            return
        makers: tuple[Callable[[], Iterator[Json]], ...] = (
            lambda: _resources(holdings),
            lambda: _containers(subscription),
        )
        for table, rows in zip(_TABLES, makers, strict=True):
            connection.execute(f'DELETE FROM "all_{table}" WHERE "subscriptionId" = ?', [subscription.id])  # noqa: S608
            columns: list[list[str | None]] = [[] for _ in _COLUMNS]
            for row in rows():
                for values, name in zip(columns, _COLUMNS, strict=True):
                    values.append(row.get(name))
            if columns[0]:
                marks = ", ".join("unnest(?)" for _ in _COLUMNS)
                connection.execute(f'INSERT INTO "all_{table}" SELECT {marks}', columns)
        self._loaded[subscription.id] = holdings.serial


def _resources(holdings: Holdings) -> Iterator[Json]:
    for group in holdings.subscription.resource_groups:
        for resource in group.resources:
            yield _row(resource, group, holdings)


def _row(resource: Resource, group: ResourceGroup, holdings: Holdings) -> Json:
    return {
        "id": spelled_in_group(resource, group).id,
        "name": resource.name.rpartition("/")[2] if resource.type.count("/") > 1 else resource.name,
        # Types and locations are in lower case, and what is absent is an empty text (oddity 9).
        "type": resource.type.lower(),
        "tenantId": TENANT,
        "kind": resource.kind or "",
        "location": re.sub(r"\s", "", resource.location.lower()) if isinstance(resource.location, str) else "",
        "resourceGroup": group.name.lower(),
        "subscriptionId": holdings.subscription.id,
        "managedBy": resource.managed_by or "",
        "sku": _json(resource.sku),
        "plan": _json(resource.plan),
        "tags": _json(resource.tags),
        "identity": _json(resource.identity),
        "zones": _json(resource.zones),
        "managedByExtended": _json(resource.managed_by_extended),
        "properties": _json(holdings.definitions.properties(resource, group)),
    }


def _containers(subscription: Subscription) -> Iterator[Json]:
    yield _container(
        subscription,
        id=f"/subscriptions/{subscription.id}",
        name=subscription.name,
        type="microsoft.resources/subscriptions",
        tags=_json(subscription.tags),
        properties=_json({"state": subscription.state, "managedByTenants": []}),
    )
    for group in subscription.resource_groups:
        yield _container(
            subscription,
            id=group.id,
            name=group.name,
            type="microsoft.resources/subscriptions/resourcegroups",
            location=re.sub(r"\s", "", group.location.lower()),
            resourceGroup=group.name.lower(),
            managedBy=group.managed_by or "",
            tags=_json(group.tags),
            properties=_json({"provisioningState": group.provisioning_state}),
        )


def _container(subscription: Subscription, **more: str | None) -> Json:
    none = dict.fromkeys(("kind", "location", "resourceGroup", "managedBy"), "")
    return none | {"tenantId": TENANT, "subscriptionId": subscription.id} | more


def _json(value: object) -> str | None:
    return None if value is None or value is UNSET else msgspec.json.encode(value).decode()


def _with_known_tables(text: str) -> str:
    """The query with its tables in lower case: Resource Graph knows them in any, the parser in one."""
    parts = _TEXTS.split(text)
    parts[::2] = [_TABLE_NAMES.sub(lambda found: found[1].lower(), part) for part in parts[::2]]
    return "".join(parts)


def _said(value: object, kind: str) -> Any:
    """A value as the service writes it."""
    if value is None:
        return None
    if kind == "JSON":
        return json.loads(str(value))
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S.%f}0Z"
    if isinstance(value, str | int | float | list | dict):
        return value
    return str(value)


def _type(kind: str) -> str:
    if kind in ("BIGINT", "INTEGER", "HUGEINT"):
        return "integer"
    return {"BOOLEAN": "boolean", "DOUBLE": "number", "TIMESTAMP": "datetime"}.get(kind, "string")


def _parser_failure(message: str) -> Json:
    found = _PLACE.search(message)
    line, column, said = (int(found[1]), int(found[2]), found[3]) if found else (1, 0, message)
    token = said.split("'")[1] if said.count("'") > 1 else "<EOF>"
    return {
        "code": "ParserFailure",
        "message": "ParserFailure",
        "line": line,
        "characterPositionInLine": column,
        "token": token,
        "expectedToken": "|",
    }


def _no_table(message: str) -> Json:
    named = re.search(r"'([^']+)'|name (\S+)", message)
    name = (named[1] or named[2]) if named else ""
    return {"code": "DisallowedLogicalTableName", "message": f"Table {name} is invalid, unsupported or disallowed."}


def _no_column(message: str) -> Json:
    named = message.split('"')
    name = named[1] if len(named) > 1 else ""
    if not name:
        return {"code": "InvalidExpression", "message": message.partition("\n")[0]}
    return {"code": "UnresolvedColumn", "message": f"Failed to resolve scalar expression named '{name}'"}
