"""host.json: the few settings of it that matter here, checked."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from devkit.local_host.errors import LocalHostError
from shared_code.timespan import TICKS_PER_SECOND, parse_timespan

_DEFAULT_TIMEOUT = 30 * 60.0
_SHORTEST_TIMEOUT = 1.0


class _Http(Struct, rename="camel"):
    route_prefix: str = "api"


class _Queues(Struct, rename="camel"):
    # azure-sdk-for-net, QueuesOptions.cs: 32 is the most one request can fetch.
    batch_size: Annotated[int, Meta(ge=1, le=32)] = 16
    new_batch_threshold: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    max_dequeue_count: Annotated[int, Meta(ge=1)] = 5
    visibility_timeout: str = "00:00:00"


class _Extensions(Struct, rename="camel"):
    http: _Http = msgspec.field(default_factory=_Http)
    queues: _Queues = msgspec.field(default_factory=_Queues)


class _File(Struct, rename="camel"):
    version: str
    function_timeout: str | None = None
    extensions: _Extensions = msgspec.field(default_factory=_Extensions)


class QueueSettings(Struct, frozen=True, kw_only=True):
    """How the host takes messages off a queue."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout: float = 0.0
    """Seconds a message stays hidden after its function failed."""


class HostJson(Struct, frozen=True, kw_only=True):
    """What host.json says; unknown keys are ignored, as the host ignores them."""

    route_prefix: str = "api"
    queues: QueueSettings = msgspec.field(default_factory=QueueSettings)
    function_timeout: float | None = _DEFAULT_TIMEOUT
    """Seconds, or None for no limit."""


def read_host_json(app: Path) -> HostJson:
    """Read host.json of the app folder.

    Raises:
        LocalHostError: it is missing or wrong; the sentence names the place in the file.
    """
    path = app / "host.json"
    try:
        file = msgspec.json.decode(path.read_bytes(), type=_File)
    except FileNotFoundError:
        raise LocalHostError(
            f'\'{app}\' has no host.json; every function app needs one, with "version": "2.0"'
        ) from None
    except msgspec.ValidationError as error:
        raise LocalHostError(f"'{path}' is wrong: {_place(str(error))}") from None
    except (OSError, msgspec.DecodeError) as error:
        raise LocalHostError(f"'{path}' cannot be read: {error}") from None
    if file.version != "2.0":
        raise LocalHostError(f"'{path}' is wrong: version is '{file.version}'; write \"2.0\"")
    queues = file.extensions.queues
    threshold = queues.new_batch_threshold
    return HostJson(
        route_prefix=file.extensions.http.route_prefix.strip("/"),
        queues=QueueSettings(
            batch_size=queues.batch_size,
            new_batch_threshold=queues.batch_size // 2 if threshold is UNSET else threshold,
            max_dequeue_count=queues.max_dequeue_count,
            visibility_timeout=_seconds(
                path, "extensions.queues.visibilityTimeout", queues.visibility_timeout, least=0.0
            ),
        ),
        function_timeout=_timeout(path, file.function_timeout),
    )


def _timeout(path: Path, text: str | None) -> float | None:
    if text is None:
        return _DEFAULT_TIMEOUT
    # azure-functions-host, ScriptJobHostOptionsSetup.cs: "-1" is no limit on every plan but Consumption.
    if text.strip() == "-1":
        return None
    return _seconds(path, "functionTimeout", text, least=_SHORTEST_TIMEOUT)


def _seconds(path: Path, place: str, text: str, *, least: float) -> float:
    ticks = parse_timespan(text)
    if ticks is None:
        raise LocalHostError(
            f"'{path}' is wrong: {place} is '{text}'; write hours, minutes and seconds, as in \"00:05:00\""
        )
    seconds = ticks / TICKS_PER_SECOND
    if seconds < least:
        raise LocalHostError(f"'{path}' is wrong: {place} is '{text}'; it must be at least {least:g} s")
    return seconds


def _place(message: str) -> str:
    """Msgspec writes `Expected `int` >= 1 - at `$.extensions.queues.batchSize``; put the place first."""
    sentence, _, place = message.partition(" - at ")
    place = place.strip("`").removeprefix("$.")
    sentence = sentence[:1].lower() + sentence[1:]
    return (f"{place}: {sentence}" if place else sentence).replace("`", "'")
