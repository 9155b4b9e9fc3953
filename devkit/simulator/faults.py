"""Trouble by script: which call of which route goes wrong, and how."""

import threading
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct

RouteName = Literal[
    "subscriptions",
    "subscription",
    "resource-groups",
    "resource-group",
    "resources",
    "group-resources",
    "resource",
    "locks",
    "lock",
    "tags",
    "operation",
    "operation-result",
    "deny-assignments",
    "permissions",
    "deployment-stacks",
    "deleted-vaults",
    "deleted-vault",
    "export-template",
    "children",
    "resource-graph",
    "providers",
    "provider",
    "deployments",
    "management-group-descendants",
    "identity",
    "logs",
    "unknown",
]
Kind = Literal[
    "status",
    "forbidden",
    "not-found",
    "throttled",
    "expired-token",
    "flat",
    "capitals",
    "error-in-200",
    "html",
    "not-json",
    "empty",
    "cut",
    "cut-json",
    "reset",
    "partial",
    "delay",
    "late-tags",
    "no-tags",
    "quick-delete",
    "slow-delete",
    "endless-delete",
    "failed-delete",
    "timeout-delete",
    "locked-delete",
    "kept-delete",
    "lost-delete",
    "odd-delete",
    "signed-delete",
    "busy-delete",
    "nested-delete",
]
LATE = ("late-tags", "no-tags")
"""Kinds that are no answer of their own: they say when a write of tags is done."""
DELETING = tuple(kind for kind in get_args(Kind) if kind.endswith("-delete"))
"""Kinds that are no answer of their own: they say how a delete ends."""


class Fault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of trouble on some calls of one route.

    `route` is a route's name (see RouteName), `*` for every call to Resource Manager (not to the identity
    endpoint, nor to Log Analytics), or a pattern for the path
    that begins with `/` and is compared without case. `subscription` limits it to one id, `page` to one page of a
    list, `method` to GET, PATCH and so on. Of the matching calls the `nth` (from 1) and the following are hit, `times`
    in all; None is for ever.

    `kind` is what arrives instead of the answer:

    - `status`: the error of that `status` (500 when none is given); `flat`, `capitals`: in another envelope
    - `forbidden`, `not-found`, `throttled`, `expired-token`: 403, 404 of the subscription, 429, 401
    - `error-in-200`: 200 whose body is an error; `empty`: no body; `not-json`: 200 whose body is no JSON
    - `html`: a page for people, with 503
    - `cut`: the connection ends in the middle of the body; `cut-json`: only the JSON does
    - `partial`: half of the rows, on route `logs` with an error beside them, on `resource-graph` without a word; half
      of a template with an error beside it on `export-template`
    - `reset`: the connection ends without an answer
    - `delay`: the usual answer, after `delay`
    - `late-tags`: a write of tags is accepted at once (202, or 200 from the thing itself), and done `delay` seconds
      later
    - `no-tags`: a write of tags is accepted and never done; its operation ends Failed, `delay` seconds later

    These are for DELETE of a resource or a resource group, which are otherwise deleted as their providers do it:

    - `quick-delete`: done at once, with `status` (200 or 204)
    - `slow-delete`: accepted, and done `delay` seconds later; `endless-delete`: accepted, and never done
    - `failed-delete`: accepted, and failed `delay` seconds later with the error `body`; nothing is gone, but of a
      group the first half of its resources, and its error is 409 ResourceGroupDeletionBlocked with capitals
    - `timeout-delete`: the same with ResourceGroupDeletionTimeout; `locked-delete`: with ScopeLocked, and all is there
    - `kept-delete`: accepted and succeeded, and the thing is there for `delay` seconds more (0: for ever)
    - `lost-delete`: accepted and done, and its addresses to poll answer 404 then
    - `odd-delete`: accepted and done, told in odd words; `signed-delete`: polled at addresses that change
    - `busy-delete`, `nested-delete`: 409 AnotherOperationInProgress, 409 CannotDeleteResource

    Where another kind hits a DELETE and makes a 4xx of it, nothing is deleted; with any other answer, or none, it is.

    `status`, `body` (text, or JSON), `content_type` and `retry_after` (seconds) replace what the kind would send.
    `delay` seconds pass before any other kind. On route `identity`, `expired-token` issues a token that Resource
    Manager then takes for expired.
    """

    route: str = "*"
    subscription: str = ""
    method: str = ""
    page: int = 0
    nth: int = 1
    times: int | None = 1
    kind: Kind = "status"
    status: int = 0
    retry_after: int | str | None = None
    body: Any = None
    content_type: str = ""
    delay: float = 0

    def __post_init__(self) -> None:
        """Refuse what would never match.

        Raises:
            ValueError: naming the field, its value and what it may be.
        """
        if self.route != "*" and not self.route.startswith("/") and self.route not in get_args(RouteName):
            names = ", ".join(get_args(RouteName))
            raise ValueError(
                f"route '{self.route}' is none of {names}, '*' or a path pattern such as '/subscriptions/*'"
            )
        if self.kind not in get_args(Kind):
            raise ValueError(f"kind '{self.kind}' is none of {', '.join(get_args(Kind))}")
        if self.nth < 1 or (self.times is not None and self.times < 1):
            raise ValueError(f"nth {self.nth} and times {self.times} count from 1")

    def matches(self, route: str, subscription: str, path: str, page: int, method: str = "GET") -> bool:
        """Whether a call of that route, subscription id, decoded path, page number and method is meant."""
        if self.method and self.method.upper() != method:
            return False
        if self.route.startswith("/"):
            if not fnmatchcase(path.casefold(), self.route.casefold()):
                return False
        elif self.route == "*":
            if route in ("identity", "logs"):
                return False
        elif self.route != route:
            return False
        if self.subscription and self.subscription.casefold() != subscription.casefold():
            return False
        return self.page in (0, page)


class Faults:
    """The faults in force and how often each was matched; safe to change while requests are served."""

    def __init__(self, faults: tuple[Fault, ...] = ()) -> None:
        self._lock = threading.Lock()
        self._faults = list(faults)
        self._seen = [0] * len(faults)

    def add(self, fault: Fault) -> None:
        """Put one more fault in force; its calls are counted from now on."""
        with self._lock:
            self._faults.append(fault)
            self._seen.append(0)

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()
            self._seen.clear()

    def take(self, route: str, subscription: str, path: str, page: int, method: str = "GET") -> Fault | None:
        """Count the call with every fault it matches, and return the first fault that hits it."""
        hit: Fault | None = None
        with self._lock:
            for place, fault in enumerate(self._faults):
                if not fault.matches(route, subscription, path, page, method):
                    continue
                self._seen[place] += 1
                late = fault.times is not None and self._seen[place] >= fault.nth + fault.times
                if hit is None and self._seen[place] >= fault.nth and not late:
                    hit = fault
        return hit


def load_faults(file: Path) -> list[Fault]:
    """Read a JSON file that holds a list of faults.

    Raises:
        ValueError: when it cannot be read or is not such a list; one sentence with the file's name.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[Fault])
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise ValueError(f"{file}: {error}") from error
