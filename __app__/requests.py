"""What callers send: bodies, and who they say they are."""

import azure.functions as func
import msgspec

from shared_code.errors import InvalidRequest

LARGEST_BODY = 64 * 1024


def body_of[Body](req: func.HttpRequest, kind: type[Body], advice: str) -> Body:
    """Read the JSON body; no body is one without any of its keys.

    Args:
        req: the request.
        kind: what the body has to be.
        advice: what to send instead of one that cannot be read.

    Raises:
        InvalidRequest: it is too large, no JSON, or not of that kind.
    """
    body = req.get_body()
    if len(body) > LARGEST_BODY:
        raise InvalidRequest(f"The body has {len(body):,} bytes; at most {LARGEST_BODY:,} are read.")
    try:
        return msgspec.json.decode(body if body.strip() else b"{}", type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"The body cannot be read: {error}; {advice}.") from error


def requested_by(req: func.HttpRequest) -> str | None:
    """Return who the caller says they are, which nobody has verified; None if they do not say.

    Raises:
        InvalidRequest: it is no name that could be shown.
    """
    name = req.headers.get("X-Requested-By", "").strip()
    if len(name) > 256 or not name.isprintable():
        raise InvalidRequest("X-Requested-By must be at most 256 printable characters.")
    return name or None
