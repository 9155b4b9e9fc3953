"""Who calls us: one module for each function or family of functions; the only package that imports azure.functions."""

import logging

import azure.functions as func

from __app__ import (
    catalog_api,
    cleanup,
    dashboard,
    document_api,
    health_api,
    list_resource_groups,
    plans_api,
    run_worker,
    runs_api,
    snoozes_api,
    stop_api,
    tag_audit,
    watchdog,
)
from shared_code.foreign_text import one_line
from shared_code.wiring import steward

log = logging.getLogger("steward")

MODULES = (
    catalog_api,
    cleanup,
    dashboard,
    document_api,
    health_api,
    list_resource_groups,
    plans_api,
    run_worker,
    runs_api,
    snoozes_api,
    stop_api,
    tag_audit,
    watchdog,
)


def register(app: func.FunctionApp) -> None:
    """Register every function whose configuration allows it, and log one ERROR line for each problem."""
    for module in MODULES:
        app.register_functions(module.blueprint)
    for problem in steward().configuration.problems:
        text = str(problem).partition("\n")[0]  # without the lines that point at the place
        log.error("configuration: %s", one_line(text, 2000))
