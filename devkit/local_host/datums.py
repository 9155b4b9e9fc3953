"""Datum, the worker library's typed value: what goes into a function and what comes out of it."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from azure_functions_runtime.bindings.datumdef import Datum as _Datum


class Datum(Protocol):
    """A value with the name of its kind: string, bytes, int, json, http."""

    value: Any
    type: str | None


def text(value: str) -> Datum:
    """Give a string."""
    return _datum(value, "string")


def raw(value: bytes) -> Datum:
    """Give bytes."""
    return _datum(value, "bytes")


def whole(value: int) -> Datum:
    """Give a whole number."""
    return _datum(value, "int")


def as_json(value: object) -> Datum:
    """Give a value as JSON."""
    return _datum(json.dumps(value), "json")


def moment(value: datetime) -> Datum:
    """Give a time, which the host passes as JSON (azure-functions-host, RpcMessageConversionExtensions.cs)."""
    return as_json(value.strftime("%Y-%m-%dT%H:%M:%S+00:00"))


def http(
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    params: Mapping[str, str],
    body: bytes,
) -> Datum:
    """Give an HTTP request."""
    parts = {
        name: {k: text(v) for k, v in values.items()}
        for name, values in (("headers", headers), ("query", query), ("params", params))
    }
    return _datum({"method": text(method), "url": text(url), **parts, "body": raw(body)}, "http")


def _datum(value: object, kind: str) -> Datum:
    datum: Datum = _Datum(value, kind)
    return datum
