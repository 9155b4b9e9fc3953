"""The API says what it is.

The document has no data of the estate, and takes the reader's key all the same: whoever has none learns nothing of
what there is to call, and who wants to read it without one finds it in docs/openapi.json.
"""

import azure.functions as func

from __app__.responses import answered, json_answer

blueprint = func.Blueprint()


@blueprint.route("openapi.json", methods=["GET"])
@answered
def describe_api(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  # the worker gives it
    """Answer the document of the API (OpenAPI 3.1)."""
    from __app__.openapi import document  # here, since indexing the app needs none of it

    return json_answer(document())
