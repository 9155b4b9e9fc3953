"""Snoozes over HTTP: list and show them, leave a resource alone until a time, take that back."""

import azure.functions as func
import msgspec

from __app__.requests import body_of, requested_by
from __app__.responses import answered, json_answer
from shared_code.errors import InvalidRequest
from shared_code.snoozes import Snoozes, check_names, snooze_id, view_of
from shared_code.wiring import steward, utc_now

blueprint = func.Blueprint()


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `PUT snoozes/{id}`; `until` is a day or a time."""

    resource_id: str
    rule: str
    until: str
    reason: str


@blueprint.route("snoozes", methods=["GET"])
@answered
def list_snoozes(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  # the worker gives it
    """Answer every snooze, and whether it is in force; one that cannot be read counts and is listed too."""
    now = utc_now()
    return json_answer({"snoozes": [view_of(name, snooze, now) for name, snooze in _snoozes().all().items()]})


@blueprint.route("snoozes/{id}", methods=["GET"])
@answered
def show_snooze(req: func.HttpRequest) -> func.HttpResponse:
    """Answer a snooze: of what, until when, by whom and why."""
    name = req.route_params["id"]
    return json_answer(view_of(name, _snoozes().get(name), utc_now()))


@blueprint.route("snoozes/{id}", methods=["PUT"])
@answered
def set_snooze(req: func.HttpRequest) -> func.HttpResponse:
    """Leave a resource alone until a time, over any earlier snooze of the same rule and resource."""
    advice = 'send JSON such as {"resource_id": "…", "rule": "…", "until": "2026-12-31", "reason": "…"}'
    wish, name, now = body_of(req, Wish, advice), req.route_params["id"], utc_now()
    check_names(wish.rule, wish.resource_id)
    right = snooze_id(wish.rule, wish.resource_id)
    if name != right:
        raise InvalidRequest(f"That rule and resource have another address: PUT /api/snoozes/{right}.")
    by = requested_by(req) or "somebody over HTTP"
    snooze = _snoozes().set(wish.rule, wish.resource_id, until=wish.until, by=by, reason=wish.reason, now=now)
    return json_answer(view_of(name, snooze, now))


@blueprint.route("snoozes/{id}", methods=["DELETE"])
@answered
def remove_snooze(req: func.HttpRequest) -> func.HttpResponse:
    """End a snooze, also one that cannot be read."""
    name = req.route_params["id"]
    _snoozes().remove(name)
    return json_answer({"id": name, "active": False})


def _snoozes() -> Snoozes:
    return Snoozes(steward().store)
