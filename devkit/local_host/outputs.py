"""What a function set on its queue outputs, as the messages the host makes of it.

azure-functions-host, FunctionBinding.cs (ReadAsEnumerable, BindAsyncCollectorAsync): a text that looks like JSON *is*
JSON to the host. A text that is a JSON array becomes one message for each element; an object is printed anew, indented.
"""

import json

from devkit.local_host.datums import Datum
from devkit.local_host.functions import Function
from devkit.local_host.worker import Outcome

_RETURN = "$return"


class BadOutput(ValueError):
    """The host cannot make messages of this value; the invocation fails."""


def messages_of(function: Function, outcome: Outcome) -> list[tuple[str, bytes]]:
    """Give the (queue, body) pairs of a finished invocation, in order.

    Raises:
        BadOutput: a value looks like JSON and is not.
    """
    values = list(outcome.outputs)
    if outcome.returned is not None and _RETURN in function.queues:
        values.append((_RETURN, outcome.returned))
    return [
        (function.queues[name], body) for name, datum in values if name in function.queues for body in spread(datum)
    ]


def spread(datum: Datum) -> list[bytes]:
    """Give the bodies of the messages one output value stands for."""
    match datum.type:
        case "bytes":
            return [bytes(datum.value)]
        case "string" if not _looks_like_json(datum.value):
            return [str(datum.value).encode()]
        case "string" | "json":
            value = _parsed(datum.value)
        case _:
            # What a function sets on Out[str] is not checked: a list arrives as a list, and goes out as JSON.
            value = datum.value
    elements = value if isinstance(value, list) else [value]
    return [_printed(element).encode() for element in elements]


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise BadOutput(f"the output looks like JSON and is not: {error}") from None


def _looks_like_json(value: str) -> bool:
    stripped = value.strip()
    return (stripped[:1], stripped[-1:]) in {("{", "}"), ("[", "]")}


def _printed(element: object) -> str:
    """JToken.ToString(): texts bare, null empty, booleans as .NET writes them, the rest as indented JSON."""
    match element:
        case str():
            return element
        case None:
            return ""
        case bool():
            return str(element)
        case _:
            return json.dumps(element, indent=2, ensure_ascii=False)
