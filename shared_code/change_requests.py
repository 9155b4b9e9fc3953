"""Requests to change Azure, and to take changes back: refused at once where they must be, else recorded as runs."""

from dataclasses import dataclass

import msgspec

from shared_code.apply import check
from shared_code.errors import Damaged, Refused, Unknown
from shared_code.outcomes import Marks, Result
from shared_code.permission import check_window, terms_of
from shared_code.plan import Action, Plan, Plans
from shared_code.run_requests import RunRequests
from shared_code.runs import Mode, Order, Run, TriggeredBy
from shared_code.stop import Stop


@dataclass(frozen=True)
class ChangeRequests:
    """Makes run records out of approvals and of wishes to undo."""

    requests: RunRequests
    stop: Stop

    def apply(
        self,
        order: Order,
        trigger: TriggeredBy,
        requested_by: str | None = None,
        idempotency_key: str | None = None,
    ) -> Run:
        """Record the run that applies a plan.

        Args:
            order: what a person has approved.
            trigger: HTTP or CLI.
            requested_by: who the caller says they are; not verified.
            idempotency_key: the same key with the same order gives the same run again, for 24 hours.

        Raises:
            Unknown, Damaged: there is no such plan, or it is not what was written.
            Refused: it would change nothing: expired, another digest, not armed, over a limit, applied, stopped.
            KeyReused: the key came before with another order.
            StoreError: the store cannot be read or written.
        """
        plan = Plans(self.requests.store).get(order.plan)
        self.requests.check(plan.job)
        if not self.requests.remembers(plan.job, idempotency_key):  # else the plan may well be applied by now
            self._check(order, plan.job)
        run = self.requests.new(plan.job, trigger, requested_by)
        applying = msgspec.structs.replace(run, mode=Mode.APPLY, scope=plan.scope, plan=plan.id, order=order)
        return self.requests.record(applying, idempotency_key)

    def refusal(self, plan: Plan) -> str | None:
        """Say why the plan would be refused if all of it were to be applied now; None if it would not be.

        Raises:
            StoreError: the store cannot be read.
        """
        try:
            self.requests.check(plan.job)
            self._check(Order(plan=plan.id, digest=plan.digest), plan.job)
        except (Refused, Unknown, Damaged) as error:
            return str(error)
        return None

    def _check(self, order: Order, job: str) -> None:
        """Raise what `apply` raises if the order would be refused."""
        configuration, clock = self.requests.configuration, self.requests.clock
        check(order, terms_of(configuration, job), self.requests.store, clock())
        self.stop.check()
        check_window(configuration, job, clock())

    def undo(
        self, run_id: str, trigger: TriggeredBy, requested_by: str | None = None, idempotency_key: str | None = None
    ) -> Run:
        """Record the run that plans to give back what another run changed; it writes nothing to Azure.

        Args:
            run_id: of the run whose changes are to be undone.
            trigger: HTTP or CLI.
            requested_by: who the caller says they are; not verified.
            idempotency_key: the same key with the same wish gives the same run again, for 24 hours.

        Raises:
            Unknown: there is no such run.
            Refused: it has not ended, or has changed nothing.
            KeyReused: the key came before with another wish.
            StoreError: the store cannot be read or written.
        """
        undone = self.requests.records.get(run_id).run
        self.requests.check(undone.job)
        if not undone.status.ended:
            raise Refused(f"Run '{run_id}' is {undone.status}; undo it when it has ended.")
        plan_id = undone.plan or undone.id
        marks = Marks(self.requests.store, plan_id).all().values()
        if not any(each.mark.run == run_id for each in marks):
            known = (
                "what it changed is kept no longer" if undone.counts.get(Result.CHANGED) else "it has changed nothing"
            )
            raise Refused(f"Run '{run_id}' cannot be undone: {known}.")
        if not Plans(self.requests.store).get(plan_id).has(Action.CHANGE_TAGS):
            raise Refused(
                f"Run '{run_id}' applied deletions, and Steward makes nothing anew; what each thing was is under "
                f"tombstones/{plan_id}/ in the store: see the runbook recover-after-a-wrong-deletion."
            )
        run = self.requests.new(undone.job, trigger, requested_by)
        return self.requests.record(msgspec.structs.replace(run, scope=undone.scope, undoes=run_id), idempotency_key)
