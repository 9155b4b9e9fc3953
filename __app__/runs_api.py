"""Runs over HTTP: start, list, show, cancel, report, findings."""

from http import HTTPStatus
from urllib.parse import urlencode

import azure.functions as func
import msgspec

from __app__.queue import Work, send, sends_runs
from __app__.requests import body_of, requested_by
from __app__.responses import POLICY, answer, answered, json_answer
from shared_code.errors import InvalidRequest
from shared_code.finding_pages import FILTERS, finding_page
from shared_code.reports.formats import TYPES, choose, report
from shared_code.reports.page import inline
from shared_code.run_requests import Wanted
from shared_code.runs import Run, RunStatus, TriggeredBy, job_of
from shared_code.wiring import steward

blueprint = func.Blueprint()

RETRY_AFTER = {"Retry-After": "2"}
PAGE, LARGEST_PAGE = 50, 200


@blueprint.route("jobs/{job}/runs", methods=["POST"])
@sends_runs(blueprint)
@answered
def start_run(req: func.HttpRequest, work: Work) -> func.HttpResponse:
    """Record a run in plan mode and answer 202 with its address."""
    run = steward().requests.by_hand(
        req.route_params["job"],
        body_of(req, Wanted, 'send nothing, or JSON such as {"mode": "plan", "scope": {"subscriptions": ["…"]}}'),
        TriggeredBy.HTTP,
        requested_by=requested_by(req),
        idempotency_key=req.headers.get("Idempotency-Key"),
    )
    return accepted(run, work)


@blueprint.route("runs", methods=["GET"])
@answered
def list_runs(req: func.HttpRequest) -> func.HttpResponse:
    """Answer runs, newest first and without their verdicts: `job`, `limit` and `before` narrow it, `next` leads on."""
    records = steward().records
    job, limit = req.params.get("job"), _limit(req.params.get("limit"))
    if job is not None:
        steward().requests.known(job)
    found = records.newest_readable(job, _before(req.params.get("before")))
    runs = [_shown(run.brief) for _, run in zip(range(limit), found, strict=False)]
    more = next(found, None) is not None
    narrowed = f"&job={job}" if job else ""
    following = f"/api/runs?limit={limit}{narrowed}&before={runs[-1]['id']}" if more else None
    return json_answer({"runs": runs, "next": following})


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
    run = steward().change_requests.undo(
        req.route_params["run"],
        TriggeredBy.HTTP,
        requested_by=requested_by(req),
        idempotency_key=req.headers.get("Idempotency-Key"),
    )
    return accepted(run, work)


@blueprint.route("runs/{run}/report", methods=["GET"])
@answered
def read_report(req: func.HttpRequest) -> func.HttpResponse:
    """Answer the report of a run as HTML, CSV or JSON, by `?format=` or the Accept header."""
    own = steward()
    run = own.records.get(req.route_params["run"]).run
    form = choose(req.params.get("format"), req.headers.get("Accept", ""), run.outputs)
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
    limit, wanted = _limit(req.params.get("limit")), {name: req.params[name] for name in FILTERS if name in req.params}
    page = finding_page(own.store, run, limit, _after(req.params.get("after")), wanted)
    following = None
    if page.after is not None:
        following = f"/api/runs/{run.id}/findings?" + urlencode({"limit": limit, **wanted, "after": page.after})
    return json_answer({"findings": msgspec.to_builtins(page.findings), "next": following})


def accepted(run: Run, work: Work) -> func.HttpResponse:
    """Put the run's message on the queue, and answer 202 with its address."""
    if run.status is RunStatus.QUEUED:
        send(work, [run.id])
    return json_answer(_shown(run), HTTPStatus.ACCEPTED, {"Location": run.links["self"], **RETRY_AFTER})


def _shown(run: Run) -> dict[str, object]:
    return {**msgspec.to_builtins(run), "links": run.links}


def _before(text: str | None) -> str | None:
    if text is not None and job_of(text) is None:
        raise InvalidRequest(f"before is '{text[:80]}'; it must be the id of a run.")
    return text


def _after(text: str | None) -> int:
    if text is not None and not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidRequest(f"after is '{text[:40]}'; take it from 'next' of the page before.")
    return int(text or 0)


def _limit(text: str | None) -> int:
    if text is None:
        return PAGE
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= LARGEST_PAGE):
        raise InvalidRequest(f"limit is '{text[:40]}'; it must be a whole number from 1 to {LARGEST_PAGE}.")
    return int(text)
