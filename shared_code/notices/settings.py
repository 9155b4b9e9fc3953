"""`[notices]` of steward.toml: who is told, of what, and what is wrong with that."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec

from shared_code.foreign_text import one_line
from shared_code.meaning import says
from shared_code.notices.secret import Secret
from shared_code.tag_keys import problem_of

TABLE = "[notices]"
"""Stands for a job in problems of this table: they cost no job anything."""


class NoticeKind(StrEnum):
    """What a notice is about."""

    SUMMARY = "summary"
    """What an audit or a cleanup has found or planned that is new, for operators."""
    FAILURE = "failure"
    """A run that ended failed, partial or refused, for operators."""
    MISSED_RUN = "missed-run"
    """A run that did not happen, and the end of that, for operators."""
    DIGEST = "digest"
    """What is new about the things of one owner."""


type Url = Annotated[str, msgspec.Meta(title='`"%NAME%"` of an app setting, which holds an apprise URL')]


class Notices(msgspec.Struct, frozen=True):
    """`[notices]`: who is told what happened; without a URL nobody is.

    A URL that holds a secret is in an app setting, and stands here as %NAME%. Digests need all of `owner_url`,
    `owner_domains` and `fallback`, since strangers write the tags that name owners.
    """

    LITERAL: ClassVar = ("urls",)  # a URL has % of its own, and belongs in no message

    urls: Annotated[
        tuple[Url, ...],
        says("Where operators are told. A URL holds a secret, so it is in an app setting.", "no operator is told"),
    ] = ()
    on: Annotated[
        tuple[NoticeKind, ...],
        says(
            "Of what somebody is told: operators by `summary` what an audit or a cleanup has found or planned that is "
            "new, by `failure` which runs went wrong, by `missed-run` which did not happen; owners by `digest` what is "
            "new about their own things.",
            "of everything",
        ),
    ] = tuple(NoticeKind)
    owner_url: Annotated[
        Url | None, says("The mail server for digests of owners; the recipient is the owner.", "no owner is told")
    ] = None
    owner_tag: Annotated[
        str, says("The tag whose value is the mail address of an owner, on a thing or on its resource group.")
    ] = "owner"
    owner_domains: Annotated[
        tuple[str, ...],
        says(
            "The mail domains that may receive a digest, each whole, since strangers write tags; any other "
            "owner's goes to the `fallback`.",
            "none, which `owner_url` does not allow",
        ),
    ] = ()
    fallback: Annotated[
        Url | None,
        says(
            "Where digests go of what has no owner who may be told.",
            "nowhere, which `owner_url` does not allow",
        ),
    ] = None
    dry_run: Annotated[bool, says("Writes what would be sent to `notices.ndjson` of the run, and sends nothing.")] = (
        False
    )


class Receivers(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told, as the app settings say it; by label, which shows no secret."""

    operators: dict[str, Secret] = {}
    owner: Secret | None = None
    fallback: Secret | None = None

    def __bool__(self) -> bool:
        return bool(self.operators) or self.owner is not None


def receivers_of(notices: Notices, environ: Mapping[str, str]) -> tuple[Receivers, list[tuple[str, str]]]:
    """Return who is told, and what is wrong, each with its key; with a problem nobody is told.

    Args:
        notices: as it was read.
        environ: the app settings.
    """
    if notices == Notices():
        return Receivers(), []
    from shared_code.notices.addresses import MAIL, labels_of, resolve, scheme_of  # here: indexing the app stays fast

    problems: list[tuple[str, str]] = []

    def url(key: str, text: str | None) -> Secret | None:
        found = resolve(text, environ) if text is not None else None
        if isinstance(found, str):
            problems.append((key, found))
            return None
        return found

    urls = [url(f"urls[{place}]", text) for place, text in enumerate(notices.urls)]
    owner, fallback = url("owner_url", notices.owner_url), url("fallback", notices.fallback)
    if owner is not None and scheme_of(owner) not in MAIL:
        problems.append(("owner_url", "is no mail server; owners are told by mailto:// or mailtos:// alone"))
    problems += _owner_problems(notices)
    receivers = Receivers(
        operators=labels_of(each for each in urls if each is not None), owner=owner, fallback=fallback
    )
    return Receivers() if problems else receivers, problems


def _owner_problems(notices: Notices) -> Iterator[tuple[str, str]]:
    from shared_code.notices.addresses import is_domain

    if wrong := problem_of(notices.owner_tag):
        yield "owner_tag", f"'{one_line(notices.owner_tag, 80)}' {wrong}"
    for place, domain in enumerate(notices.owner_domains):
        if not is_domain(domain):
            text = f"'{one_line(domain, 80)}' is no mail domain; write each whole, such as 'example.com'"
            yield f"owner_domains[{place}]", text
    if notices.owner_url is None:
        return
    if not notices.owner_domains:
        text = "is empty, and strangers write tags; name the mail domains that may receive a digest"
        yield "owner_domains", f'{text}, such as ["example.com"]'
    if notices.fallback is None:
        yield "fallback", "is not set, and not every thing has an owner who may be told; say where those digests go"


def cautions_of(notices: Notices) -> Iterator[tuple[str, str]]:
    """Say what has no effect, each with its key."""
    if notices.owner_url is None:
        for key in ("owner_domains", "fallback"):
            if getattr(notices, key):
                yield key, "has no effect without owner_url, by which owners are told"
    if (notices.urls or notices.owner_url) and not notices.on:
        yield "on", "is empty, so nobody is told anything"
    if not notices.urls and notices.owner_url is not None:
        yield "urls", "is empty, so no operator is told of failures and missed runs"
