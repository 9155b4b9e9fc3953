"""Runs over HTTP: start, list, show, cancel, report, findings."""

from http import HTTPStatus
from urllib.parse import urlencode

import azure.functions as func
import msgspec

from __app__.bodies import RUN
from __app__.parameters import AFTER, BEFORE, FINDING_FILTERS, IDEMPOTENCY_KEY, JOB, LIMIT, REPORT_FORMAT, STATUS
from __app__.queue import Work, send, sends_runs
from __app__.requests import caller_of, change_requests, run_requests
from __app__.responses import POLICY, answer, answered, json_answer
from shared_code.finding_pages import finding_page
from shared_code.reports.formats import TYPES, choose, report
from shared_code.run_pages import run_page
from shared_code.runs import Run, RunStatus, TriggeredBy
from shared_code.wiring import steward

blueprint = func.Blueprint()

RETRY_AFTER = {"Retry-After": "2"}


@blueprint.route("jobs/{job}/runs", methods=["POST"])
@sends_runs(blueprint)
@answered
def start_run(req: func.HttpRequest, work: Work) -> func.HttpResponse:
    """Record a run in plan mode and answer 202 with its address."""
    caller = caller_of(req)
    run = run_requests(caller).by_hand(
        req.route_params["job"],
        RUN.of(req),
        TriggeredBy.HTTP,
        requested_by=caller.name,
        idempotency_key=IDEMPOTENCY_KEY.of(req),
    )
    return accepted(run, work)


@blueprint.route("runs", methods=["GET"])
@answered
def list_runs(req: func.HttpRequest) -> func.HttpResponse:
    """Answer runs, newest first and without their verdicts; parameters narrow it, `next` leads on."""
    job, status, limit = JOB.of(req), STATUS.of(req), LIMIT.of(req)
    if job is not None:
        steward().requests.known(job)
    page = run_page(steward().records, limit, job=job, status=status, before=BEFORE.of(req))
    narrowed = {"limit": limit, "job": job, "status": status, "before": page.before}
    following_page = following("/api/runs", **narrowed) if page.before else None
    return json_answer({"runs": [_shown(run) for run in page.runs], "next": following_page})


@blueprint.route("runs/{run}", methods=["GET"])
@answered
def show_run(req: func.HttpRequest) -> func.HttpResponse:
    """Answer the record of a run."""
    run = steward().records.get(req.route_params["run"]).run
    return json_answer(_shown(run), headers=None if run.status.ended else RETRY_AFTER)


@blueprint.route("runs/{run}/cancel", methods=["POST"])
@answered
def cancel_run(req: func.HttpRequest) -> func.HttpResponse:
    """Cancel a run: 200 if it had not begun, 202 if it stops at its next checkpoint."""
    run = steward().requests.cancel(req.route_params["run"])
    return json_answer(_shown(run), HTTPStatus.OK if run.status.ended else HTTPStatus.ACCEPTED)


@blueprint.route("runs/{run}/undo", methods=["POST"])
@sends_runs(blueprint)
@answered
def undo_run(req: func.HttpRequest, work: Work) -> func.HttpResponse:
    """Record a run that plans to give back what another run changed, and answer 202 with its address."""
    caller = caller_of(req)
    run = change_requests(caller).undo(
        req.route_params["run"],
        TriggeredBy.HTTP,
        requested_by=caller.name,
        idempotency_key=IDEMPOTENCY_KEY.of(req),
    )
    return accepted(run, work)


@blueprint.route("runs/{run}/report", methods=["GET"])
@answered
def read_report(req: func.HttpRequest) -> func.HttpResponse:
    """Answer the report of a run as HTML, CSV or JSON, by `?format=` or the Accept header."""
    from shared_code.reports.page import inline  # here, since indexing the app needs none of it

    own = steward()
    run = own.records.get(req.route_params["run"]).run
    form = choose(REPORT_FORMAT.of(req), req.headers.get("Accept", ""), run.outputs)
    extra = {
        "csv": {"Content-Disposition": f'attachment; filename="{run.id}.csv"'},
        # The one script that sorts and filters tables, and no other.
        "html": {"Content-Security-Policy": f"{POLICY}; script-src {inline('tables.js').source}"},
    }
    return answer(b"".join(report(own.store, run, form)), TYPES[form], headers=extra.get(form))


@blueprint.route("runs/{run}/findings", methods=["GET"])
@answered
def list_findings(req: func.HttpRequest) -> func.HttpResponse:
    """Answer the findings of a run in the order of their resources: `limit`, `after` and filters; `next` leads on."""
    own = steward()
    run = own.records.get(req.route_params["run"]).run
    limit = LIMIT.of(req)
    wanted = {each.name: value for each in FINDING_FILTERS if (value := each.of(req)) is not None}
    page = finding_page(own.store, run, limit, AFTER.of(req), wanted)
    following_page = None
    if page.after is not None:
        following_page = following(f"/api/runs/{run.id}/findings", limit=limit, **wanted, after=page.after)
    return json_answer({"findings": msgspec.to_builtins(page.findings), "next": following_page})


def accepted(run: Run, work: Work) -> func.HttpResponse:
    """Put the run's message on the queue, and answer 202 with its address."""
    if run.status is RunStatus.QUEUED:
        send(work, [run.id])
    return json_answer(_shown(run), HTTPStatus.ACCEPTED, {"Location": run.links["self"], **RETRY_AFTER})


def _shown(run: Run) -> dict[str, object]:
    return {**msgspec.to_builtins(run), "links": run.links}


def following(path: str, **query: object) -> str:
    """Return the address of the next page."""
    return f"{path}?{urlencode({name: value for name, value in query.items() if value is not None})}"
