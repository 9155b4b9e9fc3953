"""Where a link leads."""

import re

# Stricter than urlsplit, which finds another host in "https://a\\@b/" than the HTTP library connects to.
_AUTHORITY = re.compile(r"(https)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?(?=[/?]|$)", re.IGNORECASE | re.ASCII)


def host_of(link: str) -> tuple[str, int] | None:
    """Return host and port, with the port that https means by itself filled in; None for any other kind of link."""
    found = _AUTHORITY.match(link)
    return (found[2].lower(), int(found[3] or 443)) if found else None
