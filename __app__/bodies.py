"""Bodies of requests: each is a type that reads what is sent, and that the document describes."""

from dataclasses import dataclass
from typing import Annotated

import azure.functions as func
import msgspec

from shared_code.errors import InvalidRequest
from shared_code.foreign_text import one_line
from shared_code.run_requests import Wanted
from shared_code.snoozes import LONGEST_ID, LONGEST_REASON

LARGEST = 64 * 1024
LONGEST_PROBLEM = 300


@dataclass(frozen=True)
class Body[Kind]:
    """A JSON body; none at all is one without any of its keys."""

    kind: type[Kind]
    advice: str
    """What to send instead of one that cannot be read."""
    required: bool

    def of(self, req: func.HttpRequest) -> Kind:
        """Read the body of a request.

        Raises:
            InvalidRequest: it is too large, no JSON, or not of that kind.
        """
        body = req.get_body()
        if len(body) > LARGEST:
            raise InvalidRequest(f"The body has {len(body):,} bytes; at most {LARGEST:,} are read.")
        try:
            return msgspec.json.decode(body if body.strip() else b"{}", type=self.kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            reason = one_line(str(error), LONGEST_PROBLEM)  # it may quote what was sent
            raise InvalidRequest(f"The body cannot be read: {reason}; {self.advice}.") from error


def _told(**schema: object) -> msgspec.Meta:
    """Say in the document what a value is; who sends something else is told in words."""
    return msgspec.Meta(extra_json_schema=schema)


class Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The digest of the plan that was looked at, and the only resources meant, if not all."""

    digest: Annotated[str, _told(description="Of the plan, as GET plans/{plan} shows it.")]
    only: Annotated[tuple[str, ...], _told(description="Exact resource ids of items of the plan.")] | None = None


class SnoozeWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to leave alone, for which rule, until when, and why."""

    resource_id: Annotated[
        str, _told(description="The id of a resource or a resource group.", minLength=1, maxLength=LONGEST_ID)
    ]
    rule: Annotated[str, _told(description="A rule of cleanup.", examples=["empty-resource-group"])]
    until: Annotated[
        str,
        _told(
            description="A day, which is included, or a time with its zone; a year ahead at most.",
            examples=["2026-12-31", "2026-12-31T18:00:00Z"],
        ),
    ]
    reason: Annotated[str, _told(description="Why, for whoever wonders later.", minLength=1, maxLength=LONGEST_REASON)]


class StopWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why everything is to stop."""

    reason: str = ""


RUN = Body(Wanted, 'send nothing, or JSON such as {"mode": "plan", "scope": {"subscriptions": ["…"]}}', required=False)
APPROVAL = Body(Approval, 'send JSON such as {"digest": "…"}', required=True)
SNOOZE = Body(
    SnoozeWish,
    'send JSON such as {"resource_id": "…", "rule": "…", "until": "2026-12-31", "reason": "…"}',
    required=True,
)
STOP = Body(StopWish, 'send nothing, or JSON such as {"reason": "…"}', required=False)
