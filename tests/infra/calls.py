"""Every call that the app makes to Azure, noted while its own clients make it, and the action that each needs."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from devkit.simulator.actions import action_of, table_action
from shared_code.azure_api.activity import LogAnalytics
from shared_code.azure_api.estate import AzureEstate
from shared_code.azure_api.graph import ResourceGraph
from shared_code.azure_api.permissions import AzurePermissions
from shared_code.azure_api.removals import AzureRemover
from shared_code.azure_api.request_log import WorkspaceRequestLog
from shared_code.azure_api.tags import AzureTags
from shared_code.azure_api.workspace import Workspace
from shared_code.cleanup_rules import RULES
from shared_code.errors import AzureError
from shared_code.model import Kind
from tests.azure_api.canned import GROUP, KNOWN, ROOT, definition, said
from tests.azure_api.conftest import Answer, Script

CLIENTS = (AzureEstate, AzurePermissions, AzureRemover, AzureTags, LogAnalytics, ResourceGraph, WorkspaceRequestLog)
OPERATIONS = (
    f"{ROOT}/providers/Microsoft.Compute/locations/westeurope/DiskOperations/1",
    f"{ROOT}/operationresults/1",
)
"""Where Azure tells how far the deletion of a disk or of a group is; other providers have places of their own."""
_TABLE = re.compile(rb'"query": ?"(\w+)')


def _resource(type_: str) -> str:
    namespace, *kinds = type_.split("/")
    return "/".join([GROUP, "providers", namespace, *(part for kind in kinds for part in (kind, "one"))])


def targets() -> list[str]:
    """An id of each type that a rule of cleanup is about; a rule about any type is looked at with the others'."""
    found = {_resource(type_) for rule in RULES.values() for type_ in rule.types}
    return sorted(found) + ([GROUP] if any(Kind.RESOURCE_GROUP in rule.kinds for rule in RULES.values()) else [])


def lists() -> list[str]:
    """The paths of all lists that a rule reads besides its target."""
    return sorted(
        place + path
        for rule in RULES.values()
        for path in rule.lists.values()
        for place in ([_resource(type_) for type_ in rule.types] or [GROUP])
    )


class Azure:
    """Answers whatever is asked, so that the next question comes."""

    def __init__(self, script: Script) -> None:
        self._script = script
        script.sent.clear()
        script.answers = self._answer
        self.methods: dict[str, Callable[[], object]] = {}
        arm = script.arm
        estate, remover, tags, graph = AzureEstate(arm), AzureRemover(arm), AzureTags(arm), ResourceGraph(arm)
        workspace = Workspace(
            script.url, "https://api.loganalytics.io", KNOWN.id, lambda: script.credential, script.time.sleep
        )
        logs, requests = LogAnalytics(workspace), WorkspaceRequestLog(workspace, "func")
        now = datetime(2026, 11, 22, tzinfo=UTC)
        self.methods = {
            "AzureEstate.subscriptions": estate.subscriptions,
            "AzureEstate.subscriptions_under": lambda: estate.subscriptions_under("mg-one"),
            "AzureEstate.resource_groups": lambda: list(estate.resource_groups(KNOWN)),
            "AzureEstate.resources": lambda: list(estate.resources(KNOWN)),
            "AzureEstate.types_without_tags": lambda: estate.types_without_tags(KNOWN),
            "AzureEstate.locks": lambda: list(estate.locks(KNOWN)),
            "AzureRemover.target": lambda: [remover.target(each, KNOWN) for each in targets()],
            "AzureRemover.group": lambda: remover.group(GROUP, KNOWN),
            "AzureRemover.members": lambda: remover.members(GROUP),
            "AzureRemover.locks": lambda: remover.locks(KNOWN),
            "AzureRemover.denials": lambda: remover.denials(KNOWN),
            "AzureRemover.items": lambda: [remover.items(each) for each in lists()],
            "AzureRemover.template": lambda: remover.template(GROUP),
            "AzureRemover.delete": lambda: [remover.delete(each) for each in targets()],
            "AzureRemover.follow": lambda: [remover.follow(script.url + each) for each in OPERATIONS],
            "AzurePermissions.held": lambda: AzurePermissions(arm).held(KNOWN),
            "AzureTags.tags": lambda: tags.tags(GROUP),
            "AzureTags.merge": lambda: tags.merge(GROUP, {"owner": "team"}),
            "AzureTags.delete": lambda: tags.delete(GROUP, {"owner": "team"}),
            "ResourceGraph.candidates": lambda: graph.candidates("resources | project id", [KNOWN.id]),
            "LogAnalytics.writers": lambda: logs.writers([KNOWN.id], now - timedelta(days=1), now),
            "WorkspaceRequestLog.calls": lambda: requests.calls({"tag_audit": now}, now),
        }

    def needed(self) -> Iterator[tuple[str, str]]:
        """Each action, and the method of a client that needs it."""
        for name, method in self.methods.items():
            self._script.sent.clear()
            with suppress(AzureError):  # what is asked counts, not what is made of the answer
                method()
            assert self._script.sent, f"{name} has asked nothing"
            for verb, path, content in self._script.sent:
                action = action_of(verb, path)
                yield action, name
                if table := _TABLE.search(content) if path.startswith("/v1/") else None:
                    yield table_action(action, table[1].decode()), name

    def _answer(self, path: str) -> Answer:
        verb = self._script.sent[-1][0]
        place = path.partition("?")[0]
        if place.endswith("/permissions"):
            return said({"value": [{"actions": ["*/read"], "notActions": []}]})
        namespace = re.fullmatch(rf"(?i){ROOT}/providers/([^/]+)", place)
        if namespace:
            return said({"namespace": namespace[1], "resourceTypes": _types(namespace[1])})
        if verb == "DELETE":
            return said({}, 200)
        if place.endswith("/exportTemplate"):
            return said({"template": {}})
        if verb == "GET" and place in {*targets(), GROUP}:
            return said(definition(place))
        return said({"value": []})


def _types(namespace: str) -> list[dict[str, Any]]:
    known = {type_ for rule in RULES.values() for type_ in rule.types}
    known |= {"microsoft.resources/resourcegroups", "microsoft.resources/deployments"}
    known |= {"microsoft.resources/deploymentstacks", "microsoft.web/serverfarms/sites"}
    known |= {"microsoft.sql/servers/elasticpools/databases"}
    return [
        {"resourceType": each.partition("/")[2], "apiVersions": ["2024-03-02"]}
        for each in sorted(known)
        if each.partition("/")[0] == namespace.casefold()
    ]
