"""What the doctor needs of the world, besides the ports that the jobs have."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

from shared_code.azure_permissions import Permission
from shared_code.model import Subscription


class Token(NamedTuple):
    """What is known of a token; never the token itself."""

    expires: datetime
    kind: str
    """Who has signed in, in words."""
    principal_id: str | None
    """The object id that roles are assigned to; None where the token does not tell."""


class Answered(NamedTuple):
    """What came back, whatever its status: `text` says what an error is, on one line."""

    status: int
    text: str
    headers: Mapping[str, str]
    date: datetime | None
    """When it was sent, by the clock of who answered; None where that is not said."""


class Prober(Protocol):
    """Asks once, waits a few seconds, and repeats nothing; raises AzureError where no answer comes."""

    def token(self, audience: str) -> Token:
        """Return what is known of a token for that audience; raises Unauthenticated."""
        ...

    def ask(
        self,
        address: str,
        what: str,
        *,
        audience: str | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] = ...,
    ) -> Answered:
        """Return what is answered: to a GET, or to a POST of JSON; signed in where an audience is given."""
        ...


class Permissions(Protocol):
    """Tells what the identity may do."""

    def held(self, subscription: Subscription) -> tuple[Permission, ...]:
        """Return what it may do at a subscription, by all its roles there and above; raises AzureError."""
        ...
