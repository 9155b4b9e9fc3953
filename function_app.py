"""What the Functions host loads: the app, with the functions of __app__."""

import sys

if sys.version_info < (3, 13):  # noqa: UP036  # an older worker would lose every function without saying why
    running = ".".join(map(str, sys.version_info[:2]))
    raise RuntimeError(f"Steward needs Python 3.13 or later, not {running}; set the function app's runtime to 3.13.")

import azure.functions as func

from __app__ import register

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
register(app)
