"""Snoozes over HTTP: list and show them, leave a resource alone until a time, take that back."""

import azure.functions as func

from __app__.bodies import SNOOZE
from __app__.conditions import Seen, expected, unless_outdated
from __app__.parameters import AFTER_SNOOZE, SNOOZE_LIMIT
from __app__.requests import caller_of
from __app__.responses import answered, json_answer
from shared_code.errors import InvalidRequest
from shared_code.snoozes import Snoozes, check_names, snooze_id, view_of
from shared_code.wiring import steward, utc_now

blueprint = func.Blueprint()


@blueprint.route("snoozes", methods=["GET"])
@answered
def list_snoozes(req: func.HttpRequest) -> func.HttpResponse:
    """Answer snoozes by their ids, and whether each is in force; one that cannot be read counts and is listed too."""
    now, limit = utc_now(), SNOOZE_LIMIT.of(req)
    found, after = _snoozes().page(limit, AFTER_SNOOZE.of(req))
    following = f"/api/snoozes?limit={limit}&after={after}" if after else None
    return json_answer({"snoozes": [view_of(name, snooze, now) for name, snooze in found.items()], "next": following})


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
    wish, name, now = SNOOZE.of(req), req.route_params["id"], utc_now()
    check_names(wish.rule, wish.resource_id)
    right = snooze_id(wish.rule, wish.resource_id)
    if name != right:
        raise InvalidRequest(f"That rule and resource have another address: PUT /api/snoozes/{right}.")
    by, over = caller_of(req).name or "somebody over HTTP", expected(req, lambda: _seen(name))
    snooze = unless_outdated(
        lambda: _snoozes().set(
            wish.rule, wish.resource_id, until=wish.until, by=by, reason=wish.reason, now=now, expected=over
        )
    )
    return json_answer(view_of(name, snooze, now))


@blueprint.route("snoozes/{id}", methods=["DELETE"])
@answered
def remove_snooze(req: func.HttpRequest) -> func.HttpResponse:
    """End a snooze, also one that cannot be read.

    Stores delete whatever is there, so a snooze put there in the instant after If-Match was compared goes too.
    """
    name = req.route_params["id"]
    expected(req, lambda: _seen(name))
    _snoozes().remove(name)
    return json_answer({"id": name, "active": False})


def _snoozes() -> Snoozes:
    return Snoozes(steward().store)


def _seen(name: str) -> Seen | None:
    found = _snoozes().find(name)
    return Seen(view_of(name, found.snooze, utc_now()), found.etag) if found else None
