"""The queue between those who ask for runs and the worker."""

from collections.abc import Callable, Iterable
from typing import List  # noqa: UP035  # the worker library refuses list[str] in an output's annotation

import azure.functions as func
import msgspec

NAME = "steward-runs"
POISON = "steward-runs-poison"
CONNECTION = "AzureWebJobsStorage"

Work = func.Out[List[str]]  # noqa: UP006
"""The output binding of a function that asks for runs."""


class Message(msgspec.Struct, frozen=True):
    """One message: the run that is to be performed."""

    run: str


def sends_runs[**P, R](blueprint: func.Blueprint) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Give a function the output `work`, which takes messages for the worker."""
    return blueprint.queue_output(arg_name="work", queue_name=NAME, connection=CONNECTION)


def send(work: Work, runs: Iterable[str]) -> None:
    """Put a message for each run on the queue; it leaves when the function returns."""
    if messages := [msgspec.json.encode(Message(run)).decode() for run in runs]:
        work.set(messages)


def read(message: func.QueueMessage) -> str:
    """Return the run a message names; raises msgspec.MsgspecError for a message that is not ours."""
    return msgspec.json.decode(message.get_body(), type=Message).run
