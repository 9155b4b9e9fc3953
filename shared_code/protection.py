"""Protection: every reason why something is never to be deleted, whatever a rule finds.

What protects a thing protects what is in it, and a protected thing protects the group and the parent it is in, since
whatever is deleted takes along what lies below. Where two things disagree, the one that protects counts.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any
from urllib.parse import unquote

import msgspec

from shared_code.foreign_text import one_line
from shared_code.management_locks import ManagementLocks
from shared_code.model import Kind, Lock, Resource, Tags
from shared_code.plan import is_in
from shared_code.resource_ids import group_key, group_name, key, scopes_of, type_and_name
from shared_code.scope import matches
from shared_code.tag_keys import fold
from shared_code.targets import Around, Target

SYSTEM_GROUPS = {
    "NetworkWatcherRG*": "Azure keeps its Network Watchers there",
    "DefaultResourceGroup-*": "Azure Monitor and Defender keep their default workspaces there",
    "LogAnalyticsDefaultResources": "Log Analytics keeps its default workspaces there",
    "Default-*": "services put there what was created without a group",
    "cloud-shell-storage-*": "Cloud Shell keeps the files of people there",
    "VisualStudioOnline-*": "Azure DevOps keeps its billing there",
    "AzureBackupRG_*": "Azure Backup keeps restore points there",
    "*-asr": "Site Recovery keeps replicas there",
    "ResourceMoverRG-*": "Resource Mover keeps its work there",
    "MC_*": "the nodes of an AKS cluster are there",
    "FL_*": "the hub of an AKS fleet is there",
    "ME_*": "the environment of Container Apps is there",
    "ai_*_managed": "the workspace of an Application Insights is there",
    "MA_*_managed": "what an Azure Monitor workspace collects with is there",
    "IT_*": "Image Builder works there",
    "databricks-rg-*": "a Databricks workspace keeps its resources there",
    "synapseworkspace-managedrg-*": "a Synapse workspace keeps its resources there",
    "managed-rg-*": "a Purview account keeps its resources there",
}
"""Groups that services make for themselves, and why they stay; not all of them say who manages them."""

MARKS = {
    "kubernetes.io*": "Kubernetes",
    "kubernetes-*": "Kubernetes",
    "*.k8s.io*": "Kubernetes",
    "kubernetes.azure.com*": "Kubernetes",
    "k8s-*": "Kubernetes",
    "aks-managed-*": "Kubernetes",
    "pvc-*": "Kubernetes",
    "RSVaultBackup*": "Azure Backup",
    "AzureBackup*": "Azure Backup",
    "ASR-ReplicaDisk*": "Site Recovery",
    "asrseeddisk*": "Site Recovery",
    "ms-asr-*": "Site Recovery",
    "*-ASRReplica": "Site Recovery",
    "*-asr": "Site Recovery",
    "ms-resource-usage": "an Azure service",
}
"""What services write into keys of tags and into names: such a thing may look unused and is not."""

MOST = 10
"""Reasons of one sort that are told; a group may have thousands of locks and tags in it."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator wants kept: globs of names, keys of tags, and the id of the group Steward itself is in."""

    protected_resource_groups: tuple[str, ...] = ()
    protected_names: tuple[str, ...] = ()
    protected_tags: tuple[str, ...] = ()
    own_resource_group: str | None = None


def protections(target: Target, around: Around, policy: Policy) -> tuple[str, ...]:
    """Return every reason why the target must be kept, the most telling first; () only if nothing protects it."""
    sorts = (
        _misplaced(target, around),
        _own(target, policy),
        _named(target, around, policy),
        _tagged(target, around, policy),
        _locked(target, around),
        _managed(target, around),
        _denied(around),
        _of_the_system(target, around),
        _marked(target, around),
        _busy(target, around),
    )
    return tuple(dict.fromkeys(chain.from_iterable(map(_first, sorts))))


def _first(reasons: Iterable[str]) -> Iterator[str]:
    distinct = list(dict.fromkeys(reasons))
    yield from distinct[:MOST]
    if len(distinct) > MOST:
        yield f"… and {len(distinct) - MOST:,} more like '{distinct[0]}'"


def _shown(text: str, limit: int = 120) -> str:
    return f"'{one_line(text, limit)}'"


def _where(resource_id: str) -> str:
    return _shown(resource_id, 400)


def _misplaced(target: Target, around: Around) -> Iterator[str]:
    """Tell where the id, which is all that a delete would name, is not that of the thing that was judged."""
    subscription = target.subscription_id
    if not is_in(target.id, subscription) or around.subscription.id.casefold() != subscription.casefold():
        yield f"its id {_where(target.id)} does not lead into subscription {_shown(around.subscription.id)}"
    if not _is_what_it_says(target):
        yield f"its id {_where(target.id)} is not that of a {target.kind} of type {_shown(target.type)}"
    group = around.group
    if group_key(target.id) != (key(group.id) if group else None):
        yield f"it is not in {_where(group.id) if group else 'no resource group'}, which was read as its group"


def _is_what_it_says(target: Target) -> bool:
    if target.kind is Kind.RESOURCE_GROUP:
        return group_key(target.id) == target.key and target.type.lower().endswith("/resourcegroups")
    named = type_and_name(target.key)
    return target.kind is Kind.RESOURCE and named is not None and named[0] == key(target.type)


def _own(target: Target, policy: Policy) -> Iterator[str]:
    if policy.own_resource_group is None:
        return
    own = group_key(policy.own_resource_group)
    if own is None or own != key(policy.own_resource_group):
        given = _where(policy.own_resource_group)
        yield f"Steward's own resource group is said to be {given}, which is the id of none, so this may be in it"
    elif group_key(target.id) == own:
        where = "is" if target.kind is Kind.RESOURCE_GROUP else "is in"
        yield f"it {where} Steward's own resource group {_shown(group_name(target.id) or '')}"


def _named(target: Target, around: Around, policy: Policy) -> Iterator[str]:
    for name in _group_names(target, around):
        for pattern in policy.protected_resource_groups:
            if matches(name, [pattern]):
                yield f"its resource group {_shown(name)} is protected by {_shown(pattern)}"
    for name in [*_names(target.id, target.name), *_group_names(target, around)]:
        for pattern in policy.protected_names:
            if matches(name, [pattern]):
                yield f"the name {_shown(name)} is protected by {_shown(pattern)}"
    for member in _members(around):
        for name in _names(member.id, member.name):
            for pattern in policy.protected_names:
                if matches(name, [pattern]):
                    yield f"{_shown(name)}, which is in it, is protected by {_shown(pattern)}"


def _tagged(target: Target, around: Around, policy: Policy) -> Iterator[str]:
    keys = {fold(each.strip()) for each in policy.protected_tags}
    for place, tags in _tags(target, around):
        for name, value in tags.items():
            if fold(name.strip()) in keys and not _says_no(value):
                said = f"= {_shown(value)}" if value else "(without a value)"
                yield f"tag {_shown(name)} {said} is {place}; any value but 'false' protects"


def _says_no(value: str | None) -> bool:
    # Not casefold, which makes 'false' of other texts too.
    return value is not None and value.strip().lower() == "false"


def _tags(target: Target, around: Around) -> Iterator[tuple[str, Tags]]:
    yield "on it", target.tags
    if around.group:
        is_it = target.kind is Kind.RESOURCE_GROUP
        yield "on it" if is_it else f"on its resource group {_shown(around.group.name)}", around.group.tags
    yield f"on its subscription {_shown(around.subscription.name)}", around.subscription.tags
    yield from _tags_within(around)


def _tags_within(around: Around) -> Iterator[tuple[str, Tags]]:
    for member in _members(around):
        if member.tags:
            yield f"on {_where(member.id)}, which is in it", member.tags


def _locked(target: Target, around: Around) -> Iterator[str]:
    above = scopes_of(target.id)
    of_group = ManagementLocks(around.group.locks or ()).on(target.id) if around.group else ()
    found: dict[str, Lock] = {key(lock.id): lock for lock in (*of_group, *around.locks)}
    for own in sorted(found):
        lock = found[own]
        scope = key(lock.scope)
        on = "it" if scope == target.key else _where(lock.scope)
        relation = "" if scope == target.key else ", which is above it" if scope in above else ""
        below = ", which is in it" if target.key in scopes_of(lock.scope)[:-1] else relation
        yield f"lock {_shown(lock.name)} ({one_line(lock.level, 40)}) is on {on}{below}"


def _managed(target: Target, around: Around) -> Iterator[str]:
    for owner in (target.managed_by, *_owners_in(target.definition), *_owners_in(target.properties)):
        if owner:
            yield f"it is managed by {_where(str(owner))}"
    if around.group and around.group.managed_by:
        what = "it" if target.kind is Kind.RESOURCE_GROUP else f"its resource group {_shown(around.group.name)}"
        yield f"{what} is managed by {_where(around.group.managed_by)}"
    for member in _members(around):
        # A machine may manage a disk in another group, and would lose it.
        if member.owner and target.key not in scopes_of(member.owner):
            yield f"{_where(member.id)}, which is in it, is managed by {_where(member.owner)}, which is not"


def _owners_in(said: dict[str, Any]) -> list[object]:
    """Return the owners that an answer names; a disk that machines share has several."""
    extended = said.get("managedByExtended")
    return [said.get("managedBy"), *(extended if isinstance(extended, list) else [extended])]


def _denied(around: Around) -> Iterator[str]:
    for denial in sorted(around.denials, key=lambda each: (key(each.scope), key(each.id))):
        yield f"deny assignment {_shown(denial.name)} is on {_where(denial.scope)}"


def _of_the_system(target: Target, around: Around) -> Iterator[str]:
    for name in _group_names(target, around):
        for pattern, reason in SYSTEM_GROUPS.items():
            if matches(name, [pattern]):
                yield f"resource group {_shown(name)} is one that Azure makes ({pattern}): {reason}"
    # A database 'master' is 'v12.0,system', and need not say who manages it.
    kind = target.definition.get("kind")
    if isinstance(kind, str) and "system" in {part.strip().casefold() for part in kind.split(",")}:
        yield f"Azure made it for itself: its kind is {_shown(kind)}"


def _marked(target: Target, around: Around) -> Iterator[str]:
    places: list[tuple[str, Tags]] = [("on it", target.tags)]
    if around.group:
        places.append((f"on resource group {_shown(around.group.name)}", around.group.tags))
    for place, tags in chain(places, _tags_within(around)):
        for name in tags:
            for owner in _marks_of(name.strip()):
                yield f"tag {_shown(name)}, with which {owner} marks what it uses, is {place}"
    # A group is named by people, who may well call it 'k8s-demo'; those of services are in SYSTEM_GROUPS.
    own = _names(target.id, target.name) if target.kind is not Kind.RESOURCE_GROUP else ()
    for name in own:
        for owner in _marks_of(name):
            yield f"its name {_shown(name)} is one that {owner} gives to what it uses"
    for member in _members(around):
        for name in _names(member.id, member.name):
            for owner in _marks_of(name):
                yield f"{_where(member.id)}, which is in it, has a name that {owner} gives to what it uses"


def _marks_of(text: str) -> Iterator[str]:
    if matches(text, MARKS):
        yield from (owner for pattern, owner in MARKS.items() if matches(text, [pattern]))


def _busy(target: Target, around: Around) -> Iterator[str]:
    given = target.properties.get("provisioningState")
    for state in (target.state, given):
        if _folded(state) not in ("", "succeeded"):
            yield f"its provisioning state is {_shown(str(state))}, not Succeeded"
    if around.group and _folded(around.group.provisioning_state) not in ("", "succeeded"):
        state = str(around.group.provisioning_state)
        yield f"the provisioning state of resource group {_shown(around.group.name)} is {_shown(state)}, not Succeeded"
    for member in _members(around):
        # What failed in it is a reason to clean it up; what is being made or changed is somebody's work.
        if _folded(member.given_state) not in ("", "succeeded", "failed", "canceled"):
            state = str(member.given_state)
            yield f"{_where(member.id)}, which is in it, is being changed: its provisioning state is {_shown(state)}"


def _folded(state: object) -> str:
    """Return a state to be compared; of another shape it is none that is settled."""
    return "" if state is None else str(state).strip().lower()


def _members(around: Around) -> list[Resource]:
    return sorted(around.members, key=lambda member: key(member.id))


def _group_names(target: Target, around: Around) -> tuple[str, ...]:
    """Return every spelling of the name of the group that the target is in, or is."""
    names = [around.group.name if around.group else None, group_name(target.id)]
    if target.kind is Kind.RESOURCE_GROUP:
        names.append(target.name)
    return tuple(dict.fromkeys(name for name in names if name))


def _names(resource_id: str, name: str) -> tuple[str, ...]:
    """Return every spelling of a name, and of those of its parents that it contains; lists and ids differ in them."""
    _, by_id = type_and_name(resource_id) or ("", resource_id.rstrip("/").rpartition("/")[2])
    whole = [name, by_id]
    names = [*whole, *(segment for each in whole for segment in each.split("/"))]
    return tuple(dict.fromkeys(each for given in names for each in (given, unquote(given)) if each))
