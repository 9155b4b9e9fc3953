"""The findings of a run, a page at a time."""

from collections.abc import Mapping

import msgspec

from shared_code.errors import Refused, Unknown
from shared_code.model import Finding
from shared_code.outputs import FINDINGS
from shared_code.run_records import folder
from shared_code.runs import Run
from shared_code.store import Store

FILTERS = ("rule", "kind", "severity", "subscription_id")
"""Fields of a finding by which a page can be narrowed; compared without case."""


class FindingPage(msgspec.Struct, frozen=True):
    """Some findings in the order of the file, and how many lines of it to skip for the next page; None at the end."""

    findings: list[Finding]
    after: int | None


def finding_page(store: Store, run: Run, limit: int, after: int, wanted: Mapping[str, str]) -> FindingPage:
    """Read a page.

    Args:
        store: where runs are.
        run: whose findings.
        limit: findings of a page at most.
        after: lines to skip, as the page before says; 0 for the first page.
        wanted: by names of FILTERS, what a finding must have.

    Raises:
        Refused: the run has not ended.
        Unknown: it left no findings.
        StoreError: the store cannot be read.
    """
    if not run.status.ended:
        raise Refused(f"Run '{run.id}' is {run.status}; its findings are there when it has ended.")
    if FINDINGS not in run.outputs:
        raise Unknown(f"Run '{run.id}' ({run.job}, {run.status}) left no findings.")
    decode = msgspec.json.Decoder(Finding).decode
    folded = {name: value.casefold() for name, value in wanted.items()}
    found: list[Finding] = []
    for place, line in enumerate(store.lines(f"{folder(run.id)}/{FINDINGS}")):
        if place < after:
            continue
        finding = decode(line)
        if any(str(getattr(finding, name) or "").casefold() != value for name, value in folded.items()):
            continue
        if len(found) == limit:
            return FindingPage(found, place)
        found.append(finding)
    return FindingPage(found, None)
