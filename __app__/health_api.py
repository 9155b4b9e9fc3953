"""Is the app up, and is its configuration whole?"""

from http import HTTPStatus

import azure.functions as func

from __app__.responses import answered, json_answer
from shared_code.runbooks import CONFIGURATION
from shared_code.wiring import steward

blueprint = func.Blueprint()


@blueprint.route("live", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def live(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  # the binding needs it
    """Answer 200 and nothing else."""
    return func.HttpResponse(status_code=HTTPStatus.OK.value)


@blueprint.route("health", methods=["GET"])
@answered
def health(req: func.HttpRequest) -> func.HttpResponse:
    """Answer 200, or 503 with every configuration problem and the runbook that helps; on request with all checks."""
    from __app__.parameters import DEEP  # here, since indexing the app needs none of it

    problems = steward().configuration.problems
    status = HTTPStatus.SERVICE_UNAVAILABLE if problems else HTTPStatus.OK
    told = {"status": "unhealthy", "problems": problems, "runbook": CONFIGURATION}
    answer = told if problems else {"status": "healthy", "problems": ()}
    return json_answer(answer | ({"checks": steward().checkup.checks()} if DEEP.of(req) else {}), status)
