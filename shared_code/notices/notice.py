"""A notice: what is said to one receiver, and what came of that."""

import msgspec

from shared_code.notices.secret import Secret
from shared_code.notices.settings import NoticeKind


class Text(msgspec.Struct, frozen=True):
    """A subject of our own words alone, and a body of plain text."""

    subject: str
    body: str


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What a sender is given: `to` is the one mail address it goes to, None where the URL says everything."""

    url: Secret
    to: str | None = None
    text: Text


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A letter, what it is about, a name of its receiver without any secret, and how many things it tells of."""

    kind: NoticeKind
    receiver: str
    things: int
    letter: Letter


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of `notices.ndjson`: who was told how many things, or why that failed.

    In a dry run `would_send` is what would have been sent, and nobody was told.
    """

    kind: NoticeKind
    receiver: str
    things: int
    ok: bool
    error: str | None = None
    would_send: Text | None = None
