"""Parameters of requests: each says what it takes, for the document and for who sends something else."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import azure.functions as func

from shared_code.errors import InvalidRequest
from shared_code.finding_pages import FILTERS
from shared_code.foreign_text import one_line
from shared_code.model import Severity
from shared_code.runs import RUN_ID, RunStatus, job_of
from shared_code.settings import JOBS
from shared_code.snoozes import SNOOZE_ID

PAGE, LARGEST_PAGE = 50, 200
LONGEST_NAME = 256
LONGEST_KEY = 255
_RUN = {"type": "string", "pattern": f"^{RUN_ID}$"}
_SNOOZE = {"type": "string", "pattern": f"^{SNOOZE_ID}$"}
HOSTS_OWN = ("code", "clientid")
"""What the Functions host reads itself, the key and which one it is; compared without case, as the host does."""


@dataclass(frozen=True)
class Parameter[Value]:
    """One parameter in the query, or in a header."""

    name: str
    meaning: str
    schema: Mapping[str, Any]
    read: Callable[[str], Value | None]
    """Gives the value, or None for what is none."""
    rule: str
    """What it must be, and what to do, for whoever sends something else."""
    default: Value
    in_header: bool = False

    def of(self, req: func.HttpRequest) -> Value:
        """Return the value of a request, or the default.

        Raises:
            InvalidRequest: it is none that is allowed.
        """
        text = req.headers.get(self.name) if self.in_header else req.params.get(self.name)
        if text is None:
            return self.default
        value = self.read(text)
        if value is None:
            is_ = "" if self.in_header else f" is '{one_line(text, 60)}';"  # a header may be a secret of somebody
            raise InvalidRequest(f"{self.name}{is_} {self.rule}.")
        return value


def check_query(req: func.HttpRequest, query: Iterable[Parameter[Any]]) -> None:
    """Refuse a parameter that the function does not have, so that a slip of the pen never widens what is asked for.

    Raises:
        InvalidRequest: one is unknown.
    """
    known = [each.name for each in query]
    for name in req.params:
        if name not in known and name.lower() not in HOSTS_OWN:
            nearest = difflib.get_close_matches(name, known, 1, 0.5)
            hint = (
                f"did you mean '{nearest[0]}'"
                if nearest
                else f"there are {', '.join(known)}"
                if known
                else "leave it out, there is none"
            )
            raise InvalidRequest(f"'{one_line(name, 60)}' is no query parameter here; {hint}.")


def _whole(name: str, meaning: str, least: int, most: int, default: int, rule: str) -> Parameter[int]:
    def read(text: str) -> int | None:
        if not (text.isascii() and text.isdigit()):
            return None
        number = int(text[:12])
        return number if least <= number <= most and len(text) <= 12 else None

    schema = {"type": "integer", "minimum": least, "maximum": most, "default": default}
    return Parameter(name, meaning, schema, read, rule, default)


def _words(name: str, meaning: str, words: Iterable[str], rule: str = "") -> Parameter[str | None]:
    """Take one of a few words, in any case."""
    known = [str(word) for word in words]

    def read(text: str) -> str | None:
        return text.lower() if text.lower() in known else None

    rule = rule or f"it must be one of {', '.join(known)}"
    return Parameter(name, meaning, {"type": "string", "enum": known}, read, rule, None)


def _text(name: str, meaning: str) -> Parameter[str | None]:
    """Take any text that people could have written, compared without case."""

    def read(text: str) -> str | None:
        return text if 0 < len(text) <= LONGEST_NAME and text.isprintable() else None

    schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME, "pattern": "^[ -~]+$"}
    return Parameter(name, meaning, schema, read, f"it must be 1 to {LONGEST_NAME} printable characters", None)


def _header(name: str, meaning: str, least: int, most: int) -> Parameter[str | None]:
    """Take a text in a header."""

    def read(text: str) -> str | None:
        return text if least <= len(text.strip()) and len(text) <= most and text.isprintable() else None

    amount = f"{least} to {most}" if least else f"at most {most}"
    pattern = "^[!-~]([ -~]*[!-~])?$" if least else "^[ -~]*$"
    schema = {"type": "string", "minLength": least, "maxLength": most, "pattern": pattern}
    return Parameter(name, meaning, schema, read, f"must be {amount} printable characters", None, in_header=True)


def _etags(name: str, meaning: str) -> Parameter[str | None]:
    """Take one or more ETags, or `*`; what is none fits nothing."""
    return Parameter(name, meaning, {"type": "string"}, str, "", None, in_header=True)


JOB: Parameter[str | None] = Parameter(
    "job",
    "Only those of this job.",
    {"type": "string", "enum": sorted(JOBS)},
    str,  # one that is unknown is told as on its own address, with 404
    "",
    None,
)
STATUS: Parameter[RunStatus | None] = Parameter(
    "status",
    "Only runs of this status. A page may then be short, or empty, and `next` lead on.",
    {"type": "string", "enum": [str(each) for each in RunStatus]},
    lambda text: RunStatus(text.lower()) if text.lower() in list(RunStatus) else None,
    f"it must be one of {', '.join(RunStatus)}",
    None,
)
LIMIT = _whole(
    "limit",
    "How many a page has at most.",
    1,
    LARGEST_PAGE,
    PAGE,
    f"it must be a whole number from 1 to {LARGEST_PAGE}",
)
SNOOZE_LIMIT = _whole(
    "limit",
    "How many a page has at most.",
    1,
    LARGEST_PAGE,
    LARGEST_PAGE,
    f"it must be a whole number from 1 to {LARGEST_PAGE}",
)
BEFORE: Parameter[str | None] = Parameter(
    "before",
    "Only those that are older than the one of this id; take it from `next`.",
    _RUN,
    lambda text: text if job_of(text) else None,
    "it must be the id of a run",
    None,
)
AFTER = _whole(
    "after",
    "How many lines to pass over; take it from `next`.",
    0,
    999_999_999,
    0,
    "take it from 'next' of the page before",
)
AFTER_SNOOZE: Parameter[str | None] = Parameter(
    "after",
    "Only those after the one of this id; take it from `next`.",
    _SNOOZE,
    lambda text: text if re.fullmatch(SNOOZE_ID, text) else None,
    "take it from 'next' of the page before",
    None,
)
_FILTERS: dict[str, Parameter[str | None]] = {
    "rule": _text("rule", "Only findings of this rule."),
    "kind": _text("kind", "Only findings of this kind."),
    "severity": _words("severity", "Only findings of this severity.", Severity),
    "subscription_id": _text("subscription_id", "Only findings in this subscription."),
}
FINDING_FILTERS = tuple(_FILTERS[name] for name in FILTERS)
REPORT_FORMAT = _words("format", "The format; without it the Accept header decides.", ("html", "csv", "json"))
PLAN_FORMAT = _words(
    "format", "The format; without it the Accept header decides.", ("html", "json"), "it must be html or json"
)
DEEP = _words("deep", "`1`: look at everything, which takes up to 20 seconds.", ("1",), "it must be 1")
SHOWN_RUN: Parameter[str | None] = Parameter("run", "Show this run.", _RUN, str, "", None)
SHOWN_PLAN: Parameter[str | None] = Parameter("plan", "Show this plan.", _RUN, str, "", None)

REQUESTED_BY = _header(
    "X-Requested-By",
    "Who asks, for the record, where nobody is signed in; it is not verified.",
    0,
    LONGEST_NAME,
)
IDEMPOTENCY_KEY = _header(
    "Idempotency-Key",
    "The same request with the same key gives the same run for 24 hours.",
    1,
    LONGEST_KEY,
)
IF_NONE_MATCH = _etags("If-None-Match", "The ETag of an answer you have: 304 if it is still the same.")
IF_MATCH = _etags("If-Match", "The ETag of what you have seen: 412 if something else is there by now.")
IF_NEW = _etags("If-None-Match", "`*`: 412 if anything is there.")

PATHS: dict[str, tuple[str, Mapping[str, Any]]] = {
    "job": ("The name of a job.", {"type": "string", "enum": sorted(JOBS)}),
    "run": ("The id of a run.", _RUN),
    "plan": ("The id of a plan, which is that of the run that made it.", _RUN),
    "id": ("The id of a snooze.", _SNOOZE),
}
"""What stands in addresses: one that is unknown, or no such thing, is 404."""
