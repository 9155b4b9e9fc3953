"""A small app that uses everything the local host plays; it writes what it sees to the file named by SAMPLE_JOURNAL."""

import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any, List  # noqa: UP035 - the worker library does not accept Out[list[str]]

import azure.functions as func

app = func.FunctionApp()
logger = logging.getLogger("sample")


def note(what: str, **values: object) -> None:
    """Add a line to the journal."""
    with Path(os.environ["SAMPLE_JOURNAL"]).open("a") as journal:
        journal.write(json.dumps({"what": what, "at": time.time(), **values}) + "\n")


def note_timer(what: str, timer: Any) -> None:
    """Add a call of a timer with what the host passed."""
    note(what, past_due=timer.past_due, status=timer.schedule_status, schedule=timer.schedule)


# Timers


@app.timer_trigger(arg_name="timer", schedule="%SAMPLE_TICK%")
def tick(timer: func.TimerRequest) -> None:
    note_timer("tick", timer)
    time.sleep(float(os.environ.get("SAMPLE_TICK_TAKES", "0")))


@app.timer_trigger(arg_name="timer", schedule="0 0 5 * * *")
def failing_timer(timer: func.TimerRequest) -> None:
    note_timer("failing_timer", timer)
    raise ValueError("the timer failed\non purpose")


@app.timer_trigger(arg_name="timer", schedule="0 0 6 * * *")
def watchdog(timer: func.TimerRequest) -> None:
    note_timer("watchdog", timer)


@app.timer_trigger(arg_name="timer", schedule="0 0 25 * * *")
def bad_schedule(timer: func.TimerRequest) -> None:
    note_timer("bad_schedule", timer)


@app.timer_trigger(arg_name="timer", schedule="%SAMPLE_NOT_SET%")
def unresolved_schedule(timer: func.TimerRequest) -> None:
    note_timer("unresolved_schedule", timer)


# Queues


@app.queue_trigger(arg_name="message", queue_name="jobs", connection="AzureWebJobsStorage")
def work(message: func.QueueMessage) -> None:
    body = message.get_body().decode()
    note(
        "work",
        body=body,
        id=message.id,
        dequeue_count=message.dequeue_count,
        inserted=str(message.insertion_time),
        expires=str(message.expiration_time),
        next_visible=str(message.time_next_visible),
        receipt=message.pop_receipt,
    )
    if body.startswith("fail"):
        raise ValueError(f"{body}: as told")
    if body.startswith("sleep"):
        time.sleep(float(body.split()[1]))
    note("worked", body=body)


@app.queue_trigger(arg_name="message", queue_name="jobs-poison", connection="AzureWebJobsStorage")
def bury(message: func.QueueMessage) -> None:
    body = message.get_body().decode()
    note("bury", body=body, dequeue_count=message.dequeue_count)
    if "twice" in body:
        raise ValueError("cannot bury")


# HTTP


@app.route(route="jobs/{job}", methods=["GET"])
def read_job(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(f"job {req.route_params['job']}")


@app.route(route="jobs", methods=["POST"])
@app.queue_output(arg_name="messages", queue_name="jobs", connection="AzureWebJobsStorage")
def send(req: func.HttpRequest, messages: func.Out[List[str]]) -> func.HttpResponse:  # noqa: UP006
    bodies = req.get_json()
    messages.set(bodies)
    return func.HttpResponse(json.dumps({"sent": len(bodies)}), status_code=202, mimetype="application/json")


@app.route(route="jobs/one", methods=["PUT"])
@app.queue_output(arg_name="message", queue_name="jobs", connection="AzureWebJobsStorage")
@app.queue_output(arg_name="wrapped", queue_name="JOBS", connection="AzureWebJobsStorage")
def send_one(req: func.HttpRequest, message: func.Out[str], wrapped: func.Out[func.QueueMessage]) -> func.HttpResponse:
    kind = req.params["kind"]
    values: dict[str, Any] = {
        "text": "plain text",
        "array": '["first", "second"]',
        "list": ["one", "two"],
        "not-json": "[first, second]",
        "too-large": "x" * 50_000,
    }
    if kind in values:
        message.set(values[kind])
    if kind == "wrapped":
        wrapped.set(func.QueueMessage(id="7", body="inside"))
    if kind == "failing":
        message.set("never sent")
        raise ValueError("after setting its output")
    return func.HttpResponse(status_code=202)


@app.route(route="plans/{plan}/apply", methods=["POST"])
def apply_plan(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(f"applied {req.route_params['plan']}")


@app.route(route="echo/{*rest}", auth_level=func.AuthLevel.ANONYMOUS)
async def echo(req: func.HttpRequest) -> func.HttpResponse:
    seen = {
        "method": req.method,
        "url": req.url,
        "headers": dict(req.headers),
        "query": dict(req.params),
        "params": dict(req.route_params),
        "body": list(req.get_body()),
    }
    response = func.HttpResponse(json.dumps(seen), mimetype="application/json", headers={"X-Sample": "yes"})
    response.headers.add("Set-Cookie", "a=1; Path=/; HttpOnly")
    response.headers.add("Set-Cookie", "b=2; Secure")
    return response


@app.route(route="runs/{run:alpha}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def run_by_name(req: func.HttpRequest) -> str:
    return f"by name {req.route_params['run']}"


@app.route(route="runs/{run:int}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def run_by_number(req: func.HttpRequest) -> str:
    return f"by number {req.route_params['run']}"


@app.route(route="secret", methods=["GET"], auth_level=func.AuthLevel.ADMIN)
def secret(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(f"{req.method} for the master")


@app.route(route="broken", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def broken(req: func.HttpRequest) -> func.HttpResponse:
    logger.info("about to break\nin two lines")
    if req.params.get("how") == "exit":
        sys.exit(4)
    if req.params.get("how") == "header":
        return func.HttpResponse("x", headers={"X-Bad": "a\r\nb"})
    raise LookupError("broken on purpose")


@app.route(route="slow", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def slow(req: func.HttpRequest) -> func.HttpResponse:
    time.sleep(float(req.params["seconds"]))
    return func.HttpResponse("done")
