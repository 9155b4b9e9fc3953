"""What Resource Graph finds, in as many queries as it takes: the port Inventory.

https://learn.microsoft.com/rest/api/azureresourcegraph/resourcegraph/resources/resources. It is a copy, behind the
times by minutes or more, and it says in several ways that an answer is not whole; none of them is an error.
"""

from collections.abc import Collection, Iterator
from itertools import batched
from typing import Any

import msgspec

from shared_code.azure_api.arm import Arm
from shared_code.azure_api.errors import failure
from shared_code.errors import AzureError, Throttled, Unauthenticated, Unreachable, UnreadableAnswer
from shared_code.foreign_text import one_line
from shared_code.ports import Candidates
from shared_code.resource_ids import group_key, key, type_and_name

_PATH = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
_WHAT = "Resource Graph"
MOST_SUBSCRIPTIONS = 1_000
"""Subscriptions asked about at once."""
PAGE = 1_000
"""Rows of an answer at most."""
MOST_PAGES = 1_000
"""Answers to one query at most; a batch with a million candidates is not looked after by deleting."""
_LARGEST = 32 * 1024 * 1024
_LONGEST_TOKEN = 64 * 1024
# It answers for what it can see, and says nothing about the rest.
_SEEN = "resourcecontainers | where type =~ 'microsoft.resources/subscriptions' | project id | order by id asc"
_UNSEEN = "Resource Graph does not show this subscription"


class _Answer(msgspec.Struct):
    data: list[Any]
    count: int
    totalRecords: int  # noqa: N815  # Azure's spelling
    resultTruncated: str  # noqa: N815  # a text, "true" or "false"
    skipToken: str | None = msgspec.field(default=None, name="$skipToken")  # noqa: N815
    error: Any = None


_decode = msgspec.json.Decoder(_Answer).decode


class ResourceGraph:
    """Asks Resource Graph about subscriptions, and vouches for each of them or for nothing."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    def candidates(self, query: str, subscriptions: Collection[str]) -> Candidates:
        """Return the ids that a query finds; what cannot be read is in the answer, and no AzureError is raised.

        Args:
            query: KQL that projects `id` and orders by it.
            subscriptions: ids.
        """
        asked = {key(each): each for each in subscriptions}
        ids: dict[str, list[str]] = {}
        unread: dict[str, str] = {}
        # Without any subscription it would answer for all of the tenant.
        for batch in batched(asked.items(), MOST_SUBSCRIPTIONS, strict=False):
            self._read(query, dict(batch), ids, unread, may_split=True)
        return Candidates(ids={each: ids[each] for each in asked if each in ids}, unread=unread)

    def _read(
        self, query: str, asked: dict[str, str], ids: dict[str, list[str]], unread: dict[str, str], *, may_split: bool
    ) -> None:
        """Read one batch into `ids` and `unread`; one that cannot be read is asked about by halves, once."""
        try:
            seen = {own for row in self._rows(_SEEN, asked) if (own := _subscription_of(row)) in asked}
            found: dict[str, list[str]] = {own: [] for own in asked if own in seen}
            odd: dict[str, str] = {}
            for row in self._rows(query, asked):
                own = _owner(row, asked)
                if own not in found or not _is_candidate(row):
                    odd[own] = f"cannot read {_WHAT}: '{one_line(row)}' is no id of a resource or a resource group"
                else:
                    found[own].append(row)
        except AzureError as error:
            if may_split and len(asked) > 1 and not isinstance(error, Throttled | Unauthenticated | Unreachable):
                for half in batched(asked.items(), (len(asked) + 1) // 2, strict=False):
                    self._read(query, dict(half), ids, unread, may_split=False)
            else:
                unread.update(dict.fromkeys(asked, str(error)))
            return
        unread.update({own: _UNSEEN for own in asked if own not in seen} | odd)
        ids.update({own: rows for own, rows in found.items() if own not in unread})

    def _rows(self, query: str, asked: dict[str, str]) -> Iterator[str]:
        """Give the ids of all rows; raises AzureError where they are not all, or not what they should be."""
        options: dict[str, Any] = {"resultFormat": "objectArray", "$top": PAGE}
        body = {"subscriptions": list(asked.values()), "query": query, "options": options}
        tokens: set[str] = set()
        ids: set[str] = set()
        rows = 0
        while True:
            answer = self._answer(msgspec.json.encode(body))
            rows += len(answer.data)
            for row in answer.data:
                found = _id_of(row)
                if key(found) in ids:
                    raise _trouble(f"'{one_line(found)}' comes twice, so something else may be missing")
                ids.add(key(found))
                yield found
            token = answer.skipToken
            if not token:
                if answer.resultTruncated == "true":
                    raise _trouble("the answer is cut off, and there is no next page")
                if rows != answer.totalRecords:
                    raise _trouble(f"there are {answer.totalRecords:,} records, and the pages have {rows:,}")
                return
            if token in tokens or len(token) > _LONGEST_TOKEN or len(tokens) == MOST_PAGES:
                raise _trouble(f"there is always one more page after {len(tokens) + 1:,}")
            tokens.add(token)
            options["$skipToken"] = token

    def _answer(self, body: bytes) -> _Answer:
        reply = self._arm.exchange("POST", _PATH, _WHAT, body, once=False, largest=_LARGEST)
        if reply.answer.status != 200:
            raise failure(_WHAT, *reply.answer)
        try:
            answer = _decode(reply.answer.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise _trouble(f"the answer has another shape than Azure's: {one_line(str(error))}") from error
        if reply.headers.get("x-ms-tenant-subscription-limit-hit", "").strip().lower() == "true":
            raise _trouble("it has left out subscriptions, since there are too many")
        if answer.error is not None:
            raise _trouble("there is an error beside the rows")
        if answer.resultTruncated not in ("true", "false"):
            raise _trouble(f"whether the answer is cut off is '{one_line(answer.resultTruncated, 40)}'")
        if answer.count != len(answer.data):
            raise _trouble(f"the answer counts {answer.count:,} rows, and has {len(answer.data):,}")
        return answer


def _trouble(text: str) -> UnreadableAnswer:
    return UnreadableAnswer(f"cannot read {_WHAT}: {text}")


def _id_of(row: object) -> str:
    found = row.get("id") if isinstance(row, dict) else None
    if not isinstance(found, str) or not found:
        raise _trouble("a row has no id, so nobody knows what it is about")
    return found


def _subscription_of(row: str) -> str:
    parts = key(row).split("/", 3)
    return parts[2] if parts[:2] == ["", "subscriptions"] and len(parts) > 2 else ""


def _owner(row: str, asked: dict[str, str]) -> str:
    own = _subscription_of(row)
    if own not in asked:
        raise _trouble(f"'{one_line(row)}' is in no subscription that was asked about")
    return own


def _is_candidate(row: str) -> bool:
    return group_key(row) == key(row) or type_and_name(row) is not None
