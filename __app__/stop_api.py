"""Stop over HTTP: whether changes in Azure are stopped, say stop, take it back."""

import azure.functions as func
import msgspec

from __app__.bodies import STOP
from __app__.conditions import Seen, expected, unless_outdated
from __app__.requests import caller_of
from __app__.responses import answered, json_answer
from shared_code.stop import StopOrder
from shared_code.wiring import steward

blueprint = func.Blueprint()


@blueprint.route("stop", methods=["GET"])
@answered
def show_stop(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  # the worker gives it
    """Answer whether changes are stopped, and by whom, why and since when."""
    return json_answer(_shown(steward().stop.read()))


@blueprint.route("stop", methods=["PUT"])
@answered
def set_stop(req: func.HttpRequest) -> func.HttpResponse:
    """Stop all changes in Azure, of runs under way too."""
    wish, stop, by = STOP.of(req), steward().stop, caller_of(req).name or "somebody over HTTP"
    over = expected(req, _seen)
    return json_answer(_shown(unless_outdated(lambda: stop.set(by, wish.reason, over))))


@blueprint.route("stop", methods=["DELETE"])
@answered
def clear_stop(req: func.HttpRequest) -> func.HttpResponse:
    """Allow changes in Azure again; STEWARD_READ_ONLY still forbids them where it is set.

    Stores delete whatever is there, so an order given in the instant after If-Match was compared goes too.
    """
    expected(req, _seen)
    steward().stop.clear()
    return json_answer(_shown(None))


def _seen() -> Seen:
    found = steward().stop.find()
    return Seen(_shown(found.order if found else None), found.etag if found else None)


def _shown(order: StopOrder | None) -> dict[str, object]:
    read_only = steward().environment.read_only
    return {
        "stopped": order is not None or read_only,
        "read_only": read_only,
        "order": msgspec.to_builtins(order) if order else None,
    }
