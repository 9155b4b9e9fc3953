"""Every error Steward raises on purpose, one class for each reaction a caller may have.

StewardError                    anything below; the text is one sentence fit for an operator
├── SettingsError               steward.toml or an app setting is wrong: mend it, nothing was started
├── InvalidRequest              what the caller sent is malformed: mend the request
│   └── KeyReused               the Idempotency-Key was used before with another body
├── Unknown                     no such job, run or report: check the name
├── Refused                     well-formed, and not allowed now: locked, unavailable, already ended
│   ├── Stopped                 nothing may be written to Azure at present: somebody said stop, or nobody can tell
│   └── Unavailable             the job's configuration is wrong: mend it
├── EmptyScope                  nothing is in scope: mend [scope] or the identity's roles
├── Fenced                      another process has taken this run over: stop at once, write nothing
├── StoreError                  the store cannot be read or written
│   ├── AlreadyExists           create() found the object there
│   ├── Changed                 replace() found another version there
│   └── Damaged                 an object is there and cannot be understood: mend or remove it
└── AzureError                  Azure could not be read or written
    ├── Unauthenticated         no token, or the token was not accepted
    ├── AccessDenied            the identity lacks a role at that scope
    ├── NotFound                Azure says the thing is not there, or not visible
    ├── Conflict                Azure says the state does not allow it
    ├── Rejected                Azure will not do it however often it is asked: lock, policy, limit, type
    ├── Throttled               Azure keeps answering 429
    ├── Unreachable             no answer: name, connection, TLS or time-out
    └── UnreadableAnswer        an answer came and is not what it should be: HTML, cut off, wrong shape
"""

import msgspec

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding an object raises whose bytes are not what they should be."""


class StewardError(Exception):
    """Base of all; `str()` says thing, value, rule and what to do, in one sentence."""


class SettingsError(StewardError):
    """The configuration is wrong; holds every problem found, not only the first."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class InvalidRequest(StewardError):
    """What the caller sent cannot be read."""


class KeyReused(InvalidRequest):
    """An Idempotency-Key came again with another body."""


class Unknown(StewardError):
    """There is no job, run or report of that name."""


class Refused(StewardError):
    """The request is well-formed and cannot be done now."""


class Stopped(Refused):
    """Nothing may be written to Azure at present."""


class Unavailable(Refused):
    """The configuration of a job does not allow its runs."""


class EmptyScope(StewardError):
    """Nothing is in scope, so a run would do nothing and look well."""


class Fenced(StewardError):
    """Another process owns this run by now."""


class StoreError(StewardError):
    """The store cannot be read or written."""


class AlreadyExists(StoreError):
    """An object of that key is already there."""


class Changed(StoreError):
    """The object is no longer the version that was read."""


class Damaged(StoreError):
    """An object is there, and is not what its key promises."""


class AzureError(StewardError):
    """Azure could not be read or written."""


class Unauthenticated(AzureError):
    """No token could be had, or Azure did not accept it."""


class AccessDenied(AzureError):
    """The identity has no role for this at that scope."""


class NotFound(AzureError):
    """Azure says it is not there, or not visible to this identity."""


class Conflict(AzureError):
    """Azure says the present state does not allow it."""


class Rejected(AzureError):
    """Azure will not do it however often it is asked: a lock, a policy, a limit or the type forbids it."""


class Throttled(AzureError):
    """Azure kept answering 429 for longer than Steward waits."""


class Unreachable(AzureError):
    """No answer came: name, connection, TLS or time-out."""


class UnreadableAnswer(AzureError):
    """An answer came and is not what it should be."""
