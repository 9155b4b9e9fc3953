"""Parameters: each takes what the document says, and refuses anything else with its rule."""

from typing import Any

import azure.functions as func
import pytest

from __app__ import parameters
from __app__.operations import OPERATIONS
from __app__.parameters import Parameter, check_query
from shared_code.errors import InvalidRequest
from shared_code.runs import RunStatus
from shared_code.settings import JOBS

RUN = "20261122T060000Z-tag-audit-9c01f2ab"


def request(query: dict[str, str] | None = None, headers: dict[str, str] | None = None) -> func.HttpRequest:
    return func.HttpRequest("GET", "/api/runs", params=query or {}, headers=headers or {}, body=b"")


def given(parameter: Parameter[Any], text: str) -> func.HttpRequest:
    pair = {parameter.name: text}
    return request(headers=pair) if parameter.in_header else request(pair)


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        (parameters.LIMIT, "1", 1),
        (parameters.LIMIT, "0200", 200),
        (parameters.AFTER, "0", 0),
        (parameters.AFTER, "999999999", 999_999_999),
        (parameters.STATUS, "Failed", RunStatus.FAILED),
        (parameters.BEFORE, RUN, RUN),
        (parameters.AFTER_SNOOZE, "0" * 64, "0" * 64),
        (parameters.REPORT_FORMAT, "CSV", "csv"),
        (parameters.FINDING_FILTERS[0], "Owner ü", "Owner ü"),
        (parameters.REQUESTED_BY, "", ""),
        (parameters.IDEMPOTENCY_KEY, "x" * 255, "x" * 255),
    ],
)
def test_what_is_taken(parameter: Parameter[Any], text: str, value: object) -> None:
    assert parameter.of(given(parameter, text)) == value


@pytest.mark.parametrize("parameter", [each for one in OPERATIONS.values() for each in (*one.query, *one.headers)])
def test_what_is_not_there_has_its_default(parameter: Parameter[Any]) -> None:
    """That which the document says, or none."""
    assert parameter.of(request()) == parameter.default == parameter.schema.get("default", parameter.default)


@pytest.mark.parametrize(
    ("parameter", "text", "sentence"),
    [
        (parameters.LIMIT, "0", "limit is '0'; it must be a whole number from 1 to 200."),
        (parameters.LIMIT, "9" * 400, f"limit is '{'9' * 59}…'; it must be a whole number from 1 to 200."),
        (parameters.LIMIT, "1,2", "limit is '1,2'; it must be a whole number from 1 to 200."),
        (parameters.LIMIT, "\u0661", "limit is '\u0661'; it must be a whole number from 1 to 200."),
        (parameters.AFTER, "-1", "after is '-1'; take it from 'next' of the page before."),
        (parameters.AFTER_SNOOZE, "0" * 63, f"after is '{'0' * 59}…'; take it from 'next' of the page before."),
        (parameters.BEFORE, "now\n", "before is 'now'; it must be the id of a run."),
        (
            parameters.STATUS,
            "done",
            "status is 'done'; it must be one of queued, running, succeeded, partial, failed, cancelled, refused.",
        ),
        (parameters.FINDING_FILTERS[2], "urgent", "severity is 'urgent'; it must be one of low, medium, high."),
        (parameters.FINDING_FILTERS[0], "", "rule is ''; it must be 1 to 256 printable characters."),
        (parameters.FINDING_FILTERS[1], "a\0", "kind is 'a'; it must be 1 to 256 printable characters."),
        (parameters.REPORT_FORMAT, "pdf", "format is 'pdf'; it must be one of html, csv, json."),
        (parameters.PLAN_FORMAT, "csv", "format is 'csv'; it must be html or json."),
        (parameters.REQUESTED_BY, "a\tb", "X-Requested-By must be at most 256 printable characters."),
        (parameters.IDEMPOTENCY_KEY, " ", "Idempotency-Key must be 1 to 255 printable characters."),
        (parameters.IDEMPOTENCY_KEY, "x" * 256, "Idempotency-Key must be 1 to 255 printable characters."),
    ],
)
def test_what_is_refused(parameter: Parameter[Any], text: str, sentence: str) -> None:
    """The thing, the value, the rule; what came in a header is not said again."""
    with pytest.raises(InvalidRequest) as raised:
        parameter.of(given(parameter, text))

    assert str(raised.value) == sentence


def test_the_hosts_own_parameters_are_not_looked_at() -> None:
    """The key may come in the query, in any case, as the host takes it."""
    check_query(request({"code": "k", "clientId": "default", "CODE": "k", "limit": "1"}), OPERATIONS["list_runs"].query)


@pytest.mark.parametrize(
    ("function", "name", "sentence"),
    [
        ("list_runs", "limt", "'limt' is no query parameter here; did you mean 'limit'."),
        ("list_runs", "state", "'state' is no query parameter here; did you mean 'status'."),
        ("list_runs", "Limit", "'Limit' is no query parameter here; did you mean 'limit'."),
        ("list_plans", "x", "'x' is no query parameter here; there are job, limit, before."),
        ("list_jobs", "limit", "'limit' is no query parameter here; leave it out, there is none."),
        ("show_run", "", "'' is no query parameter here; leave it out, there is none."),
        (
            "list_plans",
            "a\nb" * 99,
            f"'{('a b' * 99)[:59]}…' is no query parameter here; there are job, limit, before.",
        ),
    ],
)
def test_an_unknown_parameter(function: str, name: str, sentence: str) -> None:
    """A slip of the pen is told, with the nearest that there is: it would otherwise widen what is asked for."""
    with pytest.raises(InvalidRequest) as raised:
        check_query(request({name: "1"}), OPERATIONS[function].query)

    assert str(raised.value) == sentence


def test_a_page_for_anybody_takes_anything() -> None:
    """A link to it may carry what its sender adds."""
    for name in ("live", "dashboard"):
        OPERATIONS[name].check(request({"utm_source": "mail"}))


def test_jobs_are_those_of_the_configuration() -> None:
    assert parameters.JOB.schema["enum"] == sorted(JOBS)
