"""A small Azure whose tags are audited, changed and given back by the product's own parts, over real TLS."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from devkit.simulator import Estate, Resource, ResourceGroup, Simulator, Subscription
from devkit.simulator.estates.drafting import group
from shared_code.audits import TagRules
from shared_code.azure_api.tags import AzureTags
from shared_code.exemptions import Exemptions
from shared_code.model import Finding, Kind, Reading, TagChange, Tags
from shared_code.outcomes import Marks, Outcome, Result
from shared_code.plan import Plan, PlanItem, Plans, make_plan
from shared_code.resource_ids import key
from shared_code.runs import Mode, Run, TriggeredBy
from shared_code.scope import Scope
from shared_code.subscription_audit import SubscriptionAudit, TagAuditor
from shared_code.tag_rules import TagRule
from shared_code.undo import Undo, undo
from tests import applying
from tests.azure_api.conftest import KNOWN, Azure, Clock
from tests.fakes import NOW
from tests.memory_store import MemoryStore

ROOT = f"/subscriptions/{KNOWN.id}"
UNDOING = "20261122T090000Z-tag-audit-00000004"


class Sent(NamedTuple):
    """A request of the product that is no reading."""

    method: str
    path: str
    body: Any


class Desk:
    """Where tags are read, changed and given back; `time` is the simulator's clock, and passes while an item waits."""

    def __init__(self, simulator: Simulator, time: Clock, patch: pytest.MonkeyPatch) -> None:
        self.azure = Azure(simulator)
        self.time = time
        self.writer = AzureTags(self.azure.arm)
        self.store = MemoryStore()
        self.sent: list[Sent] = []
        send = self.azure.arm.send

        def noted(
            method: str, path: str, what: str, body: bytes | None = None, ready: Callable[[], None] | None = None
        ) -> Any:
            if method != "GET":
                self.before_write()
                self.sent.append(Sent(method, path, json.loads(body or b"null")))
            return send(method, path, what, body, ready)

        patch.setattr(self.azure.arm, "send", noted)
        self._send = send

    def before_write(self) -> None:
        """What happens in Azure just before the product writes; a test may say."""

    @property
    def present(self) -> dict[str, Tags]:
        """All tags as they are in Azure, by the key of the id; not asked for by the product's means."""
        (subscription,) = self.azure.simulator.estate.subscriptions
        found: dict[str, Any] = {f"/subscriptions/{subscription.id}": subscription.tags}
        for each in subscription.resource_groups:
            found |= {each.id: each.tags} | {one.id: one.tags for one in each.resources}
        return {key(scope): dict(tags) if isinstance(tags, dict) else {} for scope, tags in found.items()}

    def raw(self, method: str, path: str, body: object) -> Any:
        """Somebody else's request to Azure; gives the answer's JSON."""
        answer = self._send(method, f"{path}?api-version=2022-09-01", "it", json.dumps(body).encode())
        assert answer.status == 200, answer
        return json.loads(answer.body)

    def audited(self, *rules: TagRule) -> list[PlanItem]:
        """What a plan of these rules would hold, after everything was read as the job reads it."""
        found: list[Finding] = []
        auditor = TagAuditor(TagRules(rules), Exemptions((), NOW), "owner", Scope(), lambda *_: None)
        audit = SubscriptionAudit(auditor, KNOWN, found.append)
        assert audit.run(self.azure.estate, lambda: None).reading is Reading.COMPLETE
        return audit.items

    def plan(self, items: Iterable[PlanItem], run: str = applying.PLANNED) -> Plan:
        """The plan of these items, in the store."""
        record = Run(id=run, job="tag-audit", mode=Mode.PLAN, trigger=TriggeredBy.CLI, requested=NOW)
        read = {KNOWN.id: dict.fromkeys(Kind, 1000)}
        return Plans(self.store).save(make_plan(record, items, read, NOW))

    def apply(self, plan: Plan, run: str = applying.APPLYING) -> tuple[Outcome, ...]:
        """Apply a plan as it was approved."""
        means = applying.means(self.store, run, sleep=self.time.sleep)
        return applying.perform(plan, self.writer, means).outcomes

    def change(self, *items: PlanItem) -> tuple[Outcome, ...]:
        """Plan and apply these, all of which must be changed."""
        outcomes = self.apply(self.plan(items))
        assert [each.reason for each in outcomes if each.outcome is not Result.CHANGED] == []
        assert len(outcomes) == len(items)
        return outcomes

    def proposed(self) -> Undo:
        """Say what would take back what was applied."""
        plan = Plans(self.store).get(applying.PLANNED)
        marks = [(number, marked.mark) for number, marked in Marks(self.store, plan.id).all().items()]
        return undo(plan, marks, self.writer, lambda: None)

    def undone(self) -> Undo:
        """Take back what was applied, and say what was proposed for it."""
        found = self.proposed()
        back = self.apply(self.plan(found.items, applying.AGAIN), UNDOING) if found.items else ()
        assert [each.reason for each in back if each.outcome is not Result.CHANGED] == []
        return found


@contextmanager
def desk(*groups: ResourceGroup, **options: Any) -> Iterator[Desk]:
    """Serve one subscription with these groups; options are those of the simulator."""
    time = Clock()
    subscription = Subscription(id=KNOWN.id, name=KNOWN.name, resource_groups=groups)
    with (
        Simulator(Estate(name="desk", subscriptions=(subscription,)), clock=time.now, **options) as simulator,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in simulator.environment.items():
            patch.setenv(name, value)
        yield Desk(simulator, time, patch)


def tagged(name: str, tags: Mapping[str, str | None] | None, *resources: Resource, **fields: Any) -> ResourceGroup:
    """A group with these tags; a value that is null in a recording is an empty one to whoever writes."""
    return group(name, *resources, tags={each: value or "" for each, value in (tags or {}).items()}, **fields)


def item(scope: str, seen: Mapping[str, str | None], *remove: str, **tags: str) -> PlanItem:
    """What a plan says about a group: set these tags, remove those keys."""
    return planned(scope, seen, TagChange(set=tags, remove=remove))


def planned(scope: str, seen: Mapping[str, str | None], change: TagChange) -> PlanItem:
    """What a plan says about a group."""
    return applying.planned(scope, change, {name: value or "" for name, value in seen.items()})


def in_group(name: str) -> str:
    """The id of a group."""
    return f"{ROOT}/resourceGroups/{name}"


def kinds(items: Iterable[PlanItem]) -> list[tuple[Kind, str]]:
    """What a plan is about, in short."""
    return [(each.kind, each.resource_id.rpartition("/")[2]) for each in items]
