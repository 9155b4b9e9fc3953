"""What the identity sees and may do: each subscription against what the jobs need there, and what nobody needs."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from shared_code.azure_permissions import Permission, allows, sees_all
from shared_code.azure_roles import DELETER, EVERYTHING_READ, READER, READS, TAGGER, RoleDefinition, deletions_of
from shared_code.doctor.checks import Check, failed, not_checked, ok, warning
from shared_code.doctor.ports import Permissions
from shared_code.doctor.side_by_side import answers
from shared_code.errors import AccessDenied, AzureError, EmptyScope, StewardError, Unauthenticated
from shared_code.foreign_text import one_line
from shared_code.model import Subscription
from shared_code.ports import Estate
from shared_code.scope import select
from shared_code.settings import Cleanup, Configuration, TagAudit

MOST = 200
"""Subscriptions whose permissions are read; of more a sample is."""
ASKERS = 8
"""Questions that are under way at the same time."""
TIME_LIMIT = 12.0
"""Seconds for all permissions together."""
SUBSCRIPTIONS, WIDE = "subscriptions", "roles too wide"
_PAGE = "runbooks/give-access-to-a-subscription.md"
_SCOPE_PAGE = "runbooks/add-a-subscription.md"
_SHOWN = 3
_GIVES_ROLES = "Microsoft.Authorization/roleAssignments/write"
_BUILT_IN = frozenset(
    {
        "microsoft.insights/alertrules/*",
        "microsoft.resources/deployments/*",
        "microsoft.resources/tags/*",
        "microsoft.support/*",
    }
)
"""Patterns of the built-in role Tag Contributor, which README names in place of the custom one."""
_NEEDED = frozenset(each.casefold() for each in (*TAGGER.actions, *DELETER.actions))


class Need(NamedTuple):
    """A role, the actions of it that some jobs need at a subscription, and which jobs."""

    role: RoleDefinition
    job: str
    actions: tuple[str, ...]


class Held(NamedTuple):
    """What was read of a subscription: permissions, or why not."""

    permissions: tuple[Permission, ...] = ()
    error: AzureError | None = None


def needs_at(configuration: Configuration, subscription: Subscription) -> Iterator[Need]:
    """Give what the jobs need at a subscription, as steward.toml has them."""
    yield Need(READER, "list-resource-groups", READS["list-resource-groups"])
    tags, cleanup = configuration.jobs.get("tag-audit"), configuration.jobs.get("cleanup")
    if isinstance(tags, TagAudit) and tags.rules:
        yield Need(READER, "tag-audit", READS["tag-audit"])
        if _among(subscription.id, tags.armed_subscriptions):
            yield Need(TAGGER, "tag-audit", TAGGER.actions)
    if isinstance(cleanup, Cleanup) and cleanup.rules.on:
        yield Need(READER, "cleanup", READS["cleanup"])
        if _among(subscription.id, cleanup.armed_subscriptions):
            yield Need(DELETER, "cleanup", deletions_of(cleanup.rules.on))


def too_wide(permissions: Iterable[Permission]) -> tuple[str, ...]:
    """Return the patterns that allow what Steward never does, each as Azure tells it."""
    found: list[str] = []
    for each in permissions:
        for pattern in each.actions:
            folded = pattern.casefold()
            if folded.endswith("/read") or folded in _NEEDED or folded in _BUILT_IN:
                continue
            if "*" in pattern or folded.startswith("microsoft.authorization/"):
                owner = pattern == "*" and each.allows(_GIVES_ROLES)
                found.append(f"{pattern}, also roles for others" if owner else pattern)
    return tuple(dict.fromkeys(found))


def sample(
    subscriptions: Collection[Subscription], armed: Collection[str], most: int = MOST
) -> tuple[Subscription, ...]:
    """Return all, or of many those that are armed and others at equal distances, in their order."""
    if len(subscriptions) <= most:
        return tuple(subscriptions)
    named = [each for each in subscriptions if _among(each.id, armed)][:most]
    others = [each for each in subscriptions if not _among(each.id, armed)]
    room = most - len(named)
    chosen = {each.id for each in named} | {others[place * len(others) // room].id for place in range(room)}
    return tuple(each for each in subscriptions if each.id in chosen)


@dataclass(frozen=True)
class Access:
    """Everything that is needed to look at what the identity may do."""

    configuration: Configuration
    estate: Estate
    permissions: Permissions
    principal: Callable[[], str | None]
    """Gives the object id of the identity, None where nobody tells."""
    monotonic: Callable[[], float]

    def checks(self) -> Iterator[Check]:
        """Give the checks.

        Raises:
            AzureError: the list of subscriptions, or what lies under a management group, could not be read.
        """
        scope = self.configuration.scope
        visible = self.estate.subscriptions()
        if not visible:
            advice = f"give the identity the role {READER.name} or Reader on what it is to look after"
            yield failed(SUBSCRIPTIONS, "the identity sees none at all", advice, _PAGE)
            return
        under = None
        if scope.management_groups:
            under = frozenset().union(*map(self.estate.subscriptions_under, scope.management_groups))
        try:
            selection = select(visible, scope, None, under=under)
        except EmptyScope as error:
            yield failed(SUBSCRIPTIONS, str(error).removesuffix("."), "correct [scope]", _SCOPE_PAGE)
            return
        yield self._seen(visible, selection.to_read)
        chosen = sample(selection.to_read, self._armed())
        began = self.monotonic()
        held = answers(self._held, chosen, ASKERS, lambda: TIME_LIMIT - (self.monotonic() - began))
        if len(held) < len(chosen):
            told = f"the permissions in {len(chosen) - len(held)} subscriptions did not come within {TIME_LIMIT:g} s"
            yield not_checked("roles", told, "try again later")
        yield from _unread(held)
        known = [(each, got.permissions) for each, got in held if got.error is None]
        if not known:
            return
        of = f"{len(known):,} of {_number(len(selection.to_read))}"
        for role in (READER, TAGGER, DELETER):
            yield from self._role(role, known, of)
        yield _width(known, of)

    def _armed(self) -> tuple[str, ...]:
        jobs = self.configuration.jobs.values()
        return tuple(one for each in jobs if isinstance(each, TagAudit | Cleanup) for one in each.armed_subscriptions)

    def _seen(self, visible: Collection[Subscription], to_read: Collection[Subscription]) -> Check:
        told = f"{len(visible)} visible, {len(to_read)} in scope"
        lost = [each for each in dict.fromkeys(self._armed()) if not _among(each, [one.id for one in to_read])]
        if not lost:
            return ok(SUBSCRIPTIONS, told)
        shown = ", ".join(f"'{one_line(each, 60)}'" for each in lost[:_SHOWN])
        told += f"; armed, and not in scope or not visible: {shown}{_more(len(lost))}"
        return warning(SUBSCRIPTIONS, told, "give access, or take it out of armed_subscriptions", _PAGE)

    def _held(self, subscription: Subscription) -> Held:
        try:
            return Held(self.permissions.held(subscription))
        except AzureError as error:
            return Held(error=error)
        except StewardError as error:
            return Held(error=AzureError(str(error)))

    def _role(
        self, role: RoleDefinition, known: list[tuple[Subscription, tuple[Permission, ...]]], of: str
    ) -> Iterator[Check]:
        """Give one check for all that lack the same."""
        lacking: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Subscription]] = {}
        needed_at: list[tuple[Subscription, tuple[Permission, ...]]] = []
        for subscription, permissions in known:
            needs = [each for each in needs_at(self.configuration, subscription) if each.role is role and each.actions]
            if not needs:
                continue
            needed_at.append((subscription, permissions))
            lacks = {each.job: [action for action in each.actions if not allows(permissions, action)] for each in needs}
            if any(lacks.values()):
                actions = tuple(dict.fromkeys(action for each in lacks.values() for action in each))
                jobs = tuple(job for job, each in lacks.items() if each)
                lacking.setdefault((actions, jobs), []).append(subscription)
        what = f"role {role.name}"
        for (actions, jobs), where in lacking.items():
            yield self._lacks(what, role, actions, jobs, where)
        if lacking:
            return
        if not needed_at:
            yield ok(what, "not needed: no subscription that was looked at is armed")
            return
        if role is READER and (part := [each for each, got in needed_at if not sees_all(got)]):
            yield self._hidden(what, part)
            return
        places = of if role is READER else _number(len(needed_at))
        yield ok(what, f"held in {places}")

    def _hidden(self, what: str, where: list[Subscription]) -> Check:
        told = (
            f"enough to read lists in {_listed(where)}, and not {EVERYTHING_READ} without an exception: lists leave out"
        )
        told += " what may not be read, and say nothing"
        cleanup = self.configuration.jobs.get("cleanup")
        if isinstance(cleanup, Cleanup) and cleanup.rules.on:
            return failed(what, f"{told}, so cleanup keeps everything there", self._remedy(READER, where), _PAGE)
        return warning(what, told, self._remedy(READER, where), _PAGE)

    def _lacks(
        self,
        what: str,
        role: RoleDefinition,
        actions: tuple[str, ...],
        jobs: tuple[str, ...],
        where: list[Subscription],
    ) -> Check:
        shown = ", ".join(actions[:_SHOWN]) + _more(len(actions))
        lack = "lacks" if len(where) == 1 else "lack"
        told = f"{_listed(where)} {lack} {shown} at the subscription, for {', '.join(jobs)}"
        return failed(what, told, self._remedy(role, where), _PAGE)

    def _remedy(self, role: RoleDefinition, where: list[Subscription]) -> str:
        job = {READER.name: "list-resource-groups", TAGGER.name: "tag-audit", DELETER.name: "cleanup"}[role.name]
        scope = f"/subscriptions/{where[0].id}"
        each = "" if len(where) == 1 else ", for each of them"
        return (
            f"az role assignment create --role '{role.name}' --assignee-object-id {self.principal() or 'PRINCIPAL_ID'} "
            f"--assignee-principal-type ServicePrincipal --scope {scope}{each}; 'steward doctor --role-for {job} "
            f"--scope {scope}' prints the role"
        )


def _unread(held: Iterable[tuple[Subscription, Held]]) -> Iterator[Check]:
    """Give one check for all subscriptions whose permissions could not be read for the same reason."""
    refused = [each for each, got in held if isinstance(got.error, AccessDenied)]
    others = [(each, got.error) for each, got in held if got.error is not None and each not in refused]
    if refused:
        told = f"{_listed(refused)}: what the identity may do there cannot be read, as with no role at all"
        yield failed("roles", told, f"give it the role {READER.name} or Reader there", _PAGE)
    if others and all(isinstance(error, Unauthenticated) for _, error in others):
        yield not_checked("roles", "there is no token for it; see the identity above")
    elif others:
        told = f"{_listed([each for each, _ in others])}: {others[0][1]}"
        advice = "try again; cleanup deletes nothing where this cannot be read"
        yield not_checked("roles", told.removesuffix("."), advice)


def _width(known: Iterable[tuple[Subscription, tuple[Permission, ...]]], of: str) -> Check:
    wide: dict[tuple[str, ...], list[Subscription]] = {}
    for subscription, permissions in known:
        if found := too_wide(permissions):
            wide.setdefault(found, []).append(subscription)
    if not wide:
        return ok(WIDE, f"none in {of}")
    told = "; ".join(
        f"{_listed(where)}: {', '.join(one_line(each, 120) for each in patterns[:_SHOWN])}{_more(len(patterns))}"
        for patterns, where in list(wide.items())[:_SHOWN]
    )
    advice = f"{READER.name}, {TAGGER.name} and {DELETER.name} are enough: take away Owner, Contributor and the like"
    return warning(WIDE, told + _more(len(wide)), advice, _PAGE)


def _listed(subscriptions: Collection[Subscription]) -> str:
    names = [f"'{one_line(each.name or each.id, 60)}'" for each in subscriptions]
    if len(names) == 1:
        return f"subscription {names[0]}"
    return f"{len(names)} subscriptions ({', '.join(names[:_SHOWN])}{_more(len(names))})"


def _number(count: int) -> str:
    return f"{count:,} subscription{'' if count == 1 else 's'}"


def _more(count: int) -> str:
    return f" and {count - _SHOWN} more" if count > _SHOWN else ""


def _among(subscription_id: str, ids: Iterable[str]) -> bool:
    return subscription_id.casefold() in {each.casefold() for each in ids}
