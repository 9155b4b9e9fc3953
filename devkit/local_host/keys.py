"""Function keys: who may call what.

In Azure keys are made for each function and handed out by the operator (docs: "Function access keys"). Here too each
function has a key, which opens it alone, and one rule stands for the handing out: readers may read, operators may start
and stop, and applying a plan takes a key of its own.
"""

import hashlib
import hmac
import secrets
from pathlib import Path

import msgspec

from devkit.local_host.errors import LocalHostError
from devkit.local_host.functions import Function, HttpTrigger
from devkit.local_host.private_file import write_private

_APPROVED_FUNCTION = "apply_plan"
_READING = frozenset({"GET", "HEAD"})


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key for each role, and the master key that opens everything."""

    reader: str
    operator: str
    approver: str
    master: str

    def opens(self, function: Function, given: str | None) -> bool:
        """Whether a request with the key `given` may call this HTTP function."""
        trigger = function.trigger
        if not isinstance(trigger, HttpTrigger):
            return False
        return trigger.level == "anonymous" or _is_one_of(given, self._accepted(function.name, trigger))

    def of_function(self, name: str) -> str:
        """Give the key that opens one function alone; the same as long as the master key is."""
        return hmac.new(self.master.encode(), name.casefold().encode(), hashlib.sha256).hexdigest()

    def is_master(self, given: str | None) -> bool:
        """Whether `given` is the master key, which the admin endpoints ask for."""
        return _is_one_of(given, [self.master])

    def _accepted(self, name: str, trigger: HttpTrigger) -> list[str]:
        if trigger.level == "admin":
            return [self.master]
        alone = [self.of_function(name), self.master]
        if name == _APPROVED_FUNCTION:
            return [self.approver, *alone]
        if trigger.methods is not None and trigger.methods <= _READING:
            return [self.reader, self.operator, *alone]
        return [self.operator, *alone]


def keep_keys(path: Path) -> Keys:
    """Read the keys file, or make new keys and write it.

    Raises:
        LocalHostError: the file is there and is not a keys file.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Keys)
    except FileNotFoundError:
        keys = Keys(*(secrets.token_urlsafe(32) for _ in Keys.__struct_fields__))
        write_private(path, msgspec.json.format(msgspec.json.encode(keys)) + b"\n")
        return keys
    except (OSError, msgspec.DecodeError) as error:
        raise LocalHostError(f"'{path}' cannot be read as keys: {error}; delete it to have new keys made") from None


def _is_one_of(given: str | None, accepted: list[str]) -> bool:
    # All are compared, each in constant time: how long it takes tells nothing about them.
    offered = (given or "").encode(errors="surrogateescape")  # a header is bytes, and may be no text
    return sum(hmac.compare_digest(offered, key.encode()) for key in accepted) > 0
