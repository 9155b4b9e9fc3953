"""The seam to Microsoft's worker library: load an app, list its functions, call one.

`azure-functions-runtime` is what runs Python 3.13 apps in Azure. Its indexing and its conversions are used as they
are; a stub stands in for the protobuf types, and `native_invocation` takes plain values. That is no public API, so the
version is pinned. The library keeps its state in modules: one app for each process.
"""

import json
import logging
import os
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime
from azure_functions_runtime.native_invocation import invocation_request_native
from azure_functions_runtime.utils.executor import invocation_id_cv

from devkit.local_host.datums import Datum
from devkit.local_host.errors import IndexingFailed, LocalHostError
from devkit.local_host.tracebacks import path_of, place_of

Binding = dict[str, Any]

_FAILURE, _SUCCESS = 0, 1
# The library appends a paragraph with sys.path to every ImportError.
_IMPORT_HELP = ". Cannot find module. Please check"


class _Message(SimpleNamespace):
    """Stands in for a protobuf message."""


class _StatusResult(_Message):
    Failure, Success, Cancelled = _FAILURE, _SUCCESS, 2


class _BindingInfo(_Message):
    undefined, in_, out, inout = 0, 0, 1, 2


_PROTOS = SimpleNamespace(
    StatusResult=_StatusResult,
    BindingInfo=_BindingInfo,
    WorkerInitResponse=_Message,
    WorkerMetadata=_Message,
    RpcException=_Message,
    FunctionMetadataResponse=_Message,
    RpcFunctionMetadata=_Message,
    RpcRetryOptions=_Message,
)


@dataclass(frozen=True, slots=True)
class Indexed:
    """A function as the worker library reports it."""

    name: str
    function_id: str
    bindings: tuple[Binding, ...]
    has_retry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one invocation ended."""

    invocation_id: str
    seconds: float
    error: str | None = None
    """What was raised and where, in one line; None if the function returned."""
    returned: Datum | None = None
    outputs: Sequence[tuple[str, Datum]] = field(default=())


def current_invocation() -> str | None:
    """Give the id of the invocation this code runs in, on the threads the worker library knows of."""
    invocation_id: str | None = invocation_id_cv.get()
    return invocation_id


@contextmanager
def invocation_scope(invocation_id: str) -> Iterator[None]:
    """Make this code part of an invocation, for `current_invocation`."""
    token = invocation_id_cv.set(invocation_id)
    try:
        yield
    finally:
        invocation_id_cv.reset(token)


class Worker:
    """The loaded app."""

    def __init__(self, app: Path, functions: tuple[Indexed, ...]) -> None:
        self.app = app
        self.functions = functions
        self._ids = {function.name: function.function_id for function in functions}

    @classmethod
    async def load(cls, app: Path) -> "Worker":
        """Load and index the app; changes the working directory and sys.path of this process as Azure does.

        Args:
            app: the folder with function_app.py, absolute.

        Raises:
            IndexingFailed: an exception left the app while it was imported or indexed.
        """
        # In Azure the app's root comes first on sys.path.
        sys.path.insert(0, str(app))
        os.chdir(app)
        # It would say each thing a second time, with a traceback.
        logging.getLogger("azure.functions").setLevel(logging.CRITICAL)
        runtime.start_threadpool_executor()
        try:
            answer = await runtime.worker_init_request(
                _request(worker_init_request=_Message(capabilities={}, function_app_directory=str(app)))
            )
        except SystemExit as error:
            raise IndexingFailed(
                f"The app cannot be indexed: sys.exit({error.code!r}) was called while it was imported; "
                f"in Azure the worker process would end and all functions be lost"
            ) from None
        if answer.result.status != _SUCCESS:
            raise IndexingFailed(_indexing_sentence(answer.result.exception, app))
        metadata = await runtime.functions_metadata_request(_request())
        return cls(app, tuple(map(_indexed, metadata.function_metadata_results or ())))

    async def invoke(
        self, name: str, inputs: Mapping[str, Datum], metadata: Mapping[str, Datum], invocation_id: str
    ) -> Outcome:
        """Call a function and wait for it; whatever it raises is in the outcome.

        Args:
            name: the function's name.
            inputs: the value of each input binding, by parameter name.
            metadata: the trigger's metadata, as the host would pass them.
            invocation_id: see `new_invocation_id`.
        """
        started = time.monotonic()
        try:
            ok, returned, outputs, error, traceback = await invocation_request_native(
                invocation_id, self._ids[name], list(inputs.items()), dict(metadata)
            )
        except SystemExit as stopped:
            ok, returned, outputs, traceback = False, None, [], ""
            error = f"sys.exit({stopped.code!r}) was called; in Azure the worker process would end here"
        seconds = time.monotonic() - started
        if ok:
            return Outcome(invocation_id=invocation_id, seconds=seconds, returned=returned, outputs=outputs)
        path = path_of(traceback or "", self.app)
        reason = " ".join((error or "no reason given").split())
        return Outcome(invocation_id=invocation_id, seconds=seconds, error=f"{reason} ({path})" if path else reason)

    def close(self) -> None:
        """Let the worker's threads end; waits for functions that still run."""
        runtime.stop_threadpool_executor()


def check_app(app: Path) -> None:
    """Look whether the folder holds an app of the Python v2 programming model.

    Raises:
        LocalHostError: there is no function_app.py.
    """
    if not (app / "function_app.py").is_file():
        raise LocalHostError(f"'{app}' has no function_app.py; name the app's folder with --app")


def new_invocation_id() -> str:
    """Give a fresh invocation id in the host's form."""
    return str(uuid.uuid4())


def _request(**parts: object) -> _Message:
    return _Message(request=_Message(**parts), properties={"protos": _PROTOS, "host": "127.0.0.1"})


def _indexed(metadata: Any) -> Indexed:
    bindings = tuple(json.loads(binding) for binding in metadata.raw_bindings)
    return Indexed(metadata.name, metadata.function_id, bindings, metadata.retry_options is not None)


def _indexing_sentence(exception: Any, app: Path) -> str:
    reason = " ".join(exception.message.partition(_IMPORT_HELP)[0].split())
    place = place_of(exception.stack_trace, app)
    return (
        f"The app cannot be indexed: {reason}"
        + (f" (at {place})" if place else "")
        + "; in Azure all its functions would be lost"
    )
