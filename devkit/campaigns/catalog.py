"""The campaigns there are: each is a module here with a function `perform`, named after it."""

from importlib import import_module

from devkit.campaigns.session import Session

CAMPAIGNS = {
    "hostile": "secrets wherever there may be one, errors that quote more, a look at all that is left; damaged objects",
    "faults": "every call to Azure of every job meets every kind of fault, at the first, a middle and the last call",
    "crashes": "processes are killed at each of their writes, at random and while paused; disks fill, stores vanish",
    "load": "ten thousand runs, a hundred wishes at once, a million findings, a thousand subscriptions in trouble",
    "mutants": "the code that decides about changes is broken, one place at a time; the tests must notice",
}


def perform(session: Session) -> None:
    """Perform the campaign that the session is of, until it is through or its time is over."""
    import_module(f"devkit.campaigns.{session.campaign}").perform(session)
