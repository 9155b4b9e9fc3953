"""The table of the HTTP functions: who may call each, with what, and what it answers.

Requests are checked against it before a function sees them, and the document of the API is printed from it.
"""

from http import HTTPStatus
from typing import Any, NamedTuple

import azure.functions as func

from __app__ import bodies, parameters
from __app__.bodies import Body
from __app__.parameters import Parameter, check_query
from shared_code.roles import Role

JSON, HTML, CSV = "application/json", "text/html", "text/csv"
_OK, _ACCEPTED = HTTPStatus.OK, HTTPStatus.ACCEPTED
_NOT_FOUND, _CONFLICT = HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT
_OUTDATED, _KEY_REUSED = HTTPStatus.PRECONDITION_FAILED, HTTPStatus.UNPROCESSABLE_ENTITY


class Answer(NamedTuple):
    """One answer that is no error."""

    status: HTTPStatus
    meaning: str
    shape: str | None = None
    """The name of what it is as JSON, in the document."""
    others: tuple[str, ...] = ()
    """The other content types that it may have."""
    headers: tuple[str, ...] = ()


class Operation(NamedTuple):
    """One HTTP function."""

    method: str
    route: str
    role: Role | None
    """Whose key and whose app role open it; None for anybody."""
    summary: str
    answers: tuple[Answer, ...]
    query: tuple[Parameter[Any], ...] = ()
    headers: tuple[Parameter[Any], ...] = ()
    body: Body[Any] | None = None
    errors: tuple[HTTPStatus, ...] = ()
    """Besides those that any function of its kind may answer."""
    tagged: bool = False
    """Whether its answer has an ETag."""
    reads_store: bool = True

    def check(self, req: func.HttpRequest) -> None:
        """Refuse a request that is not as the document says; the body is left to whoever reads it.

        Raises:
            InvalidRequest: a parameter is unknown, or is none that is allowed.
        """
        if self.role is None:
            return  # a page for anybody: links to it may carry anything
        check_query(req, self.query)
        for parameter in (*self.query, *self.headers):
            parameter.of(req)


_BY_TAG = (parameters.IF_NONE_MATCH,)
_STARTS = (parameters.REQUESTED_BY, parameters.IDEMPOTENCY_KEY)
_STARTED = Answer(_ACCEPTED, "The run that was recorded.", "RunView", headers=("Location", "Retry-After"))
_PAGE = (parameters.LIMIT, parameters.BEFORE)

OPERATIONS: dict[str, Operation] = {
    "live": Operation("GET", "live", None, "Tell that the app is up.", (Answer(_OK, "It is."),), reads_store=False),
    "health": Operation(
        "GET",
        "health",
        Role.READER,
        "Tell whether the configuration is whole, and on request whether all else is: the checks of steward doctor.",
        (
            Answer(_OK, "It is, whatever the checks say.", "Health"),
            Answer(HTTPStatus.SERVICE_UNAVAILABLE, "It is not; every problem is listed.", "Health"),
        ),
        query=(parameters.DEEP,),
        reads_store=False,
    ),
    "describe_api": Operation(
        "GET",
        "openapi.json",
        Role.READER,
        "Show this document.",
        (Answer(_OK, "The document.", "Document"),),
        headers=_BY_TAG,
        tagged=True,
        reads_store=False,
    ),
    "list_jobs": Operation(
        "GET",
        "jobs",
        Role.READER,
        "List every job, by name.",
        (Answer(_OK, "The jobs.", "JobList"),),
        headers=_BY_TAG,
        tagged=True,
    ),
    "show_job": Operation(
        "GET",
        "jobs/{job}",
        Role.READER,
        "Show a job: its schedule, next runs, last run and problems.",
        (Answer(_OK, "The job.", "JobView"),),
        headers=_BY_TAG,
        errors=(_NOT_FOUND,),
        tagged=True,
    ),
    "start_run": Operation(
        "POST",
        "jobs/{job}/runs",
        Role.OPERATOR,
        "Start a run, which plans and changes nothing.",
        (_STARTED,),
        headers=_STARTS,
        body=bodies.RUN,
        errors=(_NOT_FOUND, _CONFLICT, _KEY_REUSED),
    ),
    "list_runs": Operation(
        "GET",
        "runs",
        Role.READER,
        "List runs, newest first and without their verdicts.",
        (Answer(_OK, "A page of runs.", "RunList"),),
        query=(parameters.JOB, parameters.STATUS, *_PAGE),
        errors=(_NOT_FOUND,),
    ),
    "show_run": Operation(
        "GET",
        "runs/{run}",
        Role.READER,
        "Show the record of a run.",
        (Answer(_OK, "The run; with Retry-After until it has ended.", "RunView", headers=("Retry-After?",)),),
        headers=_BY_TAG,
        errors=(_NOT_FOUND,),
        tagged=True,
    ),
    "cancel_run": Operation(
        "POST",
        "runs/{run}/cancel",
        Role.OPERATOR,
        "Cancel a run.",
        (
            Answer(_OK, "It had not begun, and is cancelled.", "RunView"),
            Answer(_ACCEPTED, "It stops at its next checkpoint.", "RunView"),
        ),
        errors=(_NOT_FOUND, _CONFLICT),
    ),
    "undo_run": Operation(
        "POST",
        "runs/{run}/undo",
        Role.OPERATOR,
        "Start a run that plans to give back what another one changed.",
        (_STARTED,),
        headers=_STARTS,
        errors=(_NOT_FOUND, _CONFLICT, _KEY_REUSED),
    ),
    "list_findings": Operation(
        "GET",
        "runs/{run}/findings",
        Role.READER,
        "List the findings of a run, in the order of their resources.",
        (Answer(_OK, "A page of findings.", "FindingList"),),
        query=(*parameters.FINDING_FILTERS, parameters.LIMIT, parameters.AFTER),
        errors=(_NOT_FOUND, _CONFLICT),
    ),
    "read_report": Operation(
        "GET",
        "runs/{run}/report",
        Role.READER,
        "Read the report of a run as HTML, CSV or JSON.",
        (Answer(_OK, "The report.", "Report", others=(HTML, CSV), headers=("Content-Disposition?",)),),
        query=(parameters.REPORT_FORMAT,),
        errors=(_NOT_FOUND, _CONFLICT),
    ),
    "list_plans": Operation(
        "GET",
        "plans",
        Role.READER,
        "List the ids of plans, newest first.",
        (Answer(_OK, "A page of plans.", "PlanList"),),
        query=(parameters.JOB, *_PAGE),
        errors=(_NOT_FOUND,),
    ),
    "show_plan": Operation(
        "GET",
        "plans/{plan}",
        Role.READER,
        "Show a plan, as JSON or as a page: every item with its reason, and the digest by which it is applied.",
        (Answer(_OK, "The plan.", "PlanView", others=(HTML,)),),
        query=(parameters.PLAN_FORMAT,),
        headers=_BY_TAG,
        errors=(_NOT_FOUND,),
        tagged=True,
    ),
    "apply_plan": Operation(
        "POST",
        "plans/{plan}/apply",
        Role.APPROVER,
        "Start a run that applies a plan; this function alone changes Azure.",
        (_STARTED,),
        headers=_STARTS,
        body=bodies.APPROVAL,
        errors=(_NOT_FOUND, _CONFLICT, _KEY_REUSED),
    ),
    "list_snoozes": Operation(
        "GET",
        "snoozes",
        Role.READER,
        "List the snoozes by their ids, and whether each is in force.",
        (Answer(_OK, "A page of snoozes.", "SnoozeList"),),
        query=(parameters.SNOOZE_LIMIT, parameters.AFTER_SNOOZE),
    ),
    "show_snooze": Operation(
        "GET",
        "snoozes/{id}",
        Role.READER,
        "Show a snooze: of what, until when, by whom and why.",
        (Answer(_OK, "The snooze.", "SnoozeView"),),
        headers=_BY_TAG,
        errors=(_NOT_FOUND,),
        tagged=True,
    ),
    "set_snooze": Operation(
        "PUT",
        "snoozes/{id}",
        Role.OPERATOR,
        "Let a rule of cleanup leave something alone until a time; its address is that of the two.",
        (Answer(_OK, "The snooze, as a GET shows it.", "SnoozeView"),),
        headers=(parameters.REQUESTED_BY, parameters.IF_MATCH, parameters.IF_NEW),
        body=bodies.SNOOZE,
        errors=(_OUTDATED,),
        tagged=True,
    ),
    "remove_snooze": Operation(
        "DELETE",
        "snoozes/{id}",
        Role.OPERATOR,
        "End a snooze, one that cannot be read too.",
        (Answer(_OK, "It has ended.", "SnoozeEnd"),),
        headers=(parameters.IF_MATCH,),
        errors=(_NOT_FOUND, _OUTDATED),
    ),
    "show_stop": Operation(
        "GET",
        "stop",
        Role.READER,
        "Show whether changes in Azure are stopped, by whom, why and since when.",
        (Answer(_OK, "Whether they are.", "StopView"),),
        headers=_BY_TAG,
        tagged=True,
    ),
    "set_stop": Operation(
        "PUT",
        "stop",
        Role.OPERATOR,
        "Stop every change in Azure, of runs under way too.",
        (Answer(_OK, "They are stopped, as a GET shows it.", "StopView"),),
        headers=(parameters.REQUESTED_BY, parameters.IF_MATCH),
        body=bodies.STOP,
        errors=(_OUTDATED,),
        tagged=True,
    ),
    "clear_stop": Operation(
        "DELETE",
        "stop",
        Role.OPERATOR,
        "Allow changes in Azure again, unless STEWARD_READ_ONLY forbids them.",
        (Answer(_OK, "As a GET shows it.", "StopView"),),
        headers=(parameters.IF_MATCH,),
        errors=(_OUTDATED,),
        tagged=True,
    ),
    "dashboard": Operation(
        "GET",
        "dashboard",
        None,
        "Show the page that asks for a key; it has no data of the estate.",
        (Answer(_OK, "The page.", others=(HTML,)),),
        reads_store=False,
    ),
    "dashboard_content": Operation(
        "GET",
        "dashboard/content",
        Role.READER,
        "Give the page what it shows: everything at one look, or one run, or one plan.",
        (Answer(_OK, "A part of the page.", others=(HTML,)),),
        query=(parameters.SHOWN_RUN, parameters.SHOWN_PLAN),
        errors=(_NOT_FOUND,),
    ),
}
"""By the name of the function."""
