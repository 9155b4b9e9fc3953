"""Stop over HTTP: whether changes in Azure are stopped, say stop, take it back."""

import azure.functions as func
import msgspec

from __app__.requests import body_of, requested_by
from __app__.responses import answered, json_answer
from shared_code.stop import StopOrder
from shared_code.wiring import steward

blueprint = func.Blueprint()


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `PUT stop`; it may be left out."""

    reason: str = ""


@blueprint.route("stop", methods=["GET"])
@answered
def show_stop(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  # the worker gives it
    """Answer whether changes are stopped, and by whom, why and since when."""
    return json_answer(_shown(steward().stop.read()))


@blueprint.route("stop", methods=["PUT"])
@answered
def set_stop(req: func.HttpRequest) -> func.HttpResponse:
    """Stop all changes in Azure, of runs under way too."""
    wish = body_of(req, Wish, 'send nothing, or JSON such as {"reason": "…"}')
    return json_answer(_shown(steward().stop.set(requested_by(req) or "somebody over HTTP", wish.reason)))


@blueprint.route("stop", methods=["DELETE"])
@answered
def clear_stop(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  # the worker gives it
    """Allow changes in Azure again; STEWARD_READ_ONLY still forbids them where it is set."""
    steward().stop.clear()
    return json_answer(_shown(None))


def _shown(order: StopOrder | None) -> dict[str, object]:
    read_only = steward().environment.read_only
    return {
        "stopped": order is not None or read_only,
        "read_only": read_only,
        "order": msgspec.to_builtins(order) if order else None,
    }
