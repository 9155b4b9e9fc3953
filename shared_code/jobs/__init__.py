"""The jobs: each reads, decides, acts and records, in one module."""

from collections.abc import Mapping

from shared_code.jobs.apply_plan import apply_plan
from shared_code.jobs.cleanup import cleanup
from shared_code.jobs.list_resource_groups import list_resource_groups
from shared_code.jobs.tag_audit import tag_audit
from shared_code.jobs.undo_run import undo_run
from shared_code.jobs.watchdog import watchdog
from shared_code.runs import APPLY_PLAN, UNDO_RUN
from shared_code.work import Job

JOBS: Mapping[str, Job] = {
    "list-resource-groups": list_resource_groups,
    "tag-audit": tag_audit,
    "cleanup": cleanup,
    "watchdog": watchdog,
}
"""What performs each job of `shared_code.settings.JOBS`."""

TASKS: Mapping[str, Job] = {**JOBS, APPLY_PLAN: apply_plan, UNDO_RUN: undo_run}
"""What performs each task that a run may be."""
