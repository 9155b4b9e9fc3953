"""The worker of the queue, and what becomes of messages it could not handle."""

import logging
from functools import cache
from typing import TYPE_CHECKING

import azure.functions as func
import msgspec

from __app__.queue import CONNECTION, NAME, POISON, Work, read, send, sends_runs
from shared_code.foreign_text import one_line
from shared_code.wiring import TIME_LIMIT, steward

if TYPE_CHECKING:
    from shared_code.worker import Worker

log = logging.getLogger("steward")

blueprint = func.Blueprint()


@cache
def _worker() -> "Worker":
    return steward().worker(TIME_LIMIT)


@blueprint.queue_trigger(arg_name="message", queue_name=NAME, connection=CONNECTION)
@sends_runs(blueprint)
def run_worker(message: func.QueueMessage, work: Work, context: func.Context) -> None:
    """Perform the run that the message names."""
    steward().apps.leave_word()
    send(work, _worker().perform(read(message), context.invocation_id))


@blueprint.queue_trigger(arg_name="message", queue_name=POISON, connection=CONNECTION)
@sends_runs(blueprint)
def run_worker_poison(message: func.QueueMessage, work: Work) -> None:
    """Mark the run as failed whose message was delivered too often."""
    try:
        run = read(message)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        text = one_line(str(error))
        log.error("queue=%s message=%s is not ours and is dropped: %s", POISON, one_line(message.id or "", 80), text)
        return
    reason = (
        "Its message was delivered as often as host.json allows, without success; the log says why under this run's id."
    )
    log.error("run=%s %s", one_line(run, 80), reason)
    send(work, _worker().give_up(run, reason))
