"""Where notices go: URLs that hold secrets, names for them that hold none, and the mail addresses of owners."""

import re
from collections.abc import Collection, Iterable, Mapping
from urllib.parse import SplitResult, parse_qsl, urlsplit

from shared_code.notices.secret import Secret

HOSTED = frozenset(
    {"form", "forms", "http", "https", "json", "jsons", "mailto", "mailtos", "workflow", "workflows", "xml", "xmls"}
)
"""Schemes whose URL has a host where one is expected; of all others the same place may hold a token."""
MAIL = frozenset({"mailto", "mailtos"})
_PLAIN = frozenset({"form", "forms", "json", "jsons", "mailto", "mailtos", "xml", "xmls"})
_MAIL_KEYS = frozenset({"from", "mode", "name", "to"})
_NAME = re.compile(r"%([A-Za-z_][A-Za-z0-9_]{0,120})%")
_URL = re.compile(r"[a-z][a-z0-9+.-]{0,30}://[!-~]{1,4000}", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|[0-9a-f:.]{2,45}", re.IGNORECASE | re.ASCII)
_CHANNEL = re.compile(r"[a-z0-9_-]{1,80}", re.ASCII)
_DOMAIN = re.compile(r"(?=.{3,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
# Far less than mail allows, since strangers write it: no quotes, no comments, no address that is two.
_ADDRESS = re.compile(r"([a-z0-9_]([a-z0-9._+-]{0,62}[a-z0-9_])?)@([a-z0-9.-]{3,253})", re.IGNORECASE | re.ASCII)
_EXAMPLE = '"%STEWARD_NOTICE_URL%"'


def resolve(text: str, environ: Mapping[str, str]) -> Secret | str:
    """Return the URL that a text of steward.toml stands for, or a sentence why there is none; it never shows the URL.

    Args:
        text: `%NAME%` alone, or a URL in which nothing can be secret.
        environ: the app settings, compared without case.
    """
    if named := _NAME.fullmatch(text.strip()):
        folded = {name.casefold(): value for name, value in environ.items()}
        value = folded.get(named[1].casefold(), "").strip()
        if not value:
            return f"'%{named[1]}%' names no app setting, or an empty one; set {named[1]} to a URL that apprise takes"
        if _URL.fullmatch(value) is None:
            return f"the app setting {named[1]} is no URL that apprise takes, such as mailtos://…, workflows://… or https://…"
        return Secret(value)
    if _URL.fullmatch(text) is None:
        return f"is no URL that apprise takes; put one into an app setting, and write {_EXAMPLE}"
    if not _is_plain(text):
        return (
            f"may hold a secret (a user, a path, a token); put the whole URL into an app setting, and write {_EXAMPLE}"
        )
    return Secret(text)


def _is_plain(url: str) -> bool:
    """Tell whether a URL may stand in a file that many read: a host, and of mail from whom and to whom."""
    parts = _split(url)
    if parts is None or parts.scheme not in _PLAIN or "@" in parts.netloc or parts.fragment or parts.path.strip("/"):
        return False
    if _host(parts) is None:
        return False
    keys = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    return not parts.query or (parts.scheme in MAIL and bool(keys) and keys <= _MAIL_KEYS)


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _host(parts: SplitResult) -> str | None:
    """Return the host that is there for certain; whatever else stands in its place may be a secret."""
    host = parts.hostname or ""
    return host if _HOST.fullmatch(host) and host in parts.netloc.lower() else None


def scheme_of(url: Secret) -> str:
    """Return its scheme, in lower case."""
    return url.reveal().partition(":")[0].lower()


def label_of(url: Secret) -> str:
    """Name a receiver without any secret: scheme and host, or of Slack the channel; else the scheme alone."""
    scheme, parts = scheme_of(url), _split(url.reveal())
    if parts is not None and scheme in HOSTED and (host := _host(parts)):
        shown = f"[{host}]" if ":" in host else host
        return f"{scheme}://{shown}:{parts.port}" if parts.port else f"{scheme}://{shown}"
    if parts is not None and scheme == "slack" and _CHANNEL.fullmatch(parts.fragment):
        return f"slack://#{parts.fragment}"
    return f"{scheme}://"


def labels_of(urls: Iterable[Secret]) -> dict[str, Secret]:
    """Name several, each by a label of its own: the second of the same is `… (2)`.

    By these it is remembered who was told, so that a new token in a URL tells nobody anything twice.
    """
    named: dict[str, Secret] = {}
    for url in urls:
        label, number = label_of(url), 2
        while label in named:
            label, number = f"{label_of(url)} ({number})", number + 1
        named[label] = url
    return named


def is_domain(text: str) -> bool:
    """Tell whether it is a mail domain as `owner_domains` names them: no address, no pattern."""
    return _DOMAIN.fullmatch(text.lower()) is not None


def owner_address(value: str | None, domains: Collection[str]) -> str | None:
    """Return the mail address that the value of a tag is, in lower case; None where it is not exactly one.

    Args:
        value: as somebody wrote it.
        domains: that may receive a digest; a domain below one of them is another one.
    """
    match = _ADDRESS.fullmatch((value or "").strip())
    if match is None or ".." in match[1] or match[3].lower() not in {domain.lower() for domain in domains}:
        return None
    return match[0].lower()
