"""The jobs: each reads, decides, acts and records, in one module."""

from collections.abc import Mapping

from shared_code.jobs.list_resource_groups import list_resource_groups
from shared_code.jobs.tag_audit import tag_audit
from shared_code.jobs.watchdog import watchdog
from shared_code.work import Job

JOBS: Mapping[str, Job] = {
    "list-resource-groups": list_resource_groups,
    "tag-audit": tag_audit,
    "watchdog": watchdog,
}
"""What performs each job of `shared_code.settings.JOBS`."""
