"""Roles: who may do what over HTTP, as keys and as app roles of Microsoft Entra."""

from enum import StrEnum


class Role(StrEnum):
    """An app role; each includes the one before it, and the keys of functions are called after them."""

    READER = "Steward.Reader"
    """Reads what there is."""
    OPERATOR = "Steward.Operator"
    """Starts, cancels, undoes, snoozes and stops."""
    APPROVER = "Steward.Approver"
    """Has a plan applied."""

    @property
    def key(self) -> str:
        """The name of the key that opens its functions."""
        return self.removeprefix("Steward.").lower()

    def is_among(self, held: frozenset[str]) -> bool:
        """Tell whether somebody who holds these app roles has it, by itself or within a higher one."""
        order = list(Role)
        return any(role in held for role in order[order.index(self) :])
