"""How much reading costs: `python -m bench.reading [floor|estate|one]`; a line for each figure, 1 if one is missed.

floor    100,000 resources in 20 subscriptions: our listing against bare urllib3 and msgspec, CPU
estate   `steward run list-resource-groups`: 1,000,000 resources in 1,000 subscriptions, 50 ms latency; its memory
         against that of 100,000 in 100
one      one subscription with 1,000,000 resources, 50 ms latency: against the bare chain of its pages
"""

import json
import statistics
import sys
import tempfile
from pathlib import Path

from bench.azure import generated, measured
from bench.figures import choose, told

PAIRS = 5


def floor() -> bool:
    """Compare CPU in turn, and take the median of the ratios."""
    size = 100_000
    with generated(20, 400, size) as azure:
        pairs: list[tuple[float, float]] = []
        for _ in range(PAIRS + 1):
            found = [json.loads(measured(["bench.listing", who], azure)[0]) for who in ("ours", "floor")]
            if any(each["resources"] != size for each in found):
                raise SystemExit(f"not every resource was read: {found}")
            pairs.append((found[0]["cpu"], found[1]["cpu"]))
    ratio = statistics.median(ours / bare for ours, bare in pairs[1:])
    ours, bare = (round(statistics.median(column), 2) for column in zip(*pairs[1:], strict=True))
    return told("listing 100,000 resources / bare urllib3 + msgspec", ratio, 2.5, cpu_s=ours, floor_cpu_s=bare)


def estate() -> bool:
    """Run the whole job on two sizes of the same shape."""
    small = _run(100, 100_000)
    large = _run(1_000, 1_000_000)
    flat = told("memory of 1,000,000 resources / of 100,000", large[2] / small[2], 1.2, mb=large[2], small_mb=small[2])
    wall = told("1,000,000 resources in 1,000 subscriptions, 50 ms: wall s", large[0], 60, cpu_s=large[1])
    peak = told("the same: peak MB", large[2], 200)
    return flat and wall and peak


def one() -> bool:
    """Run the job, and the bare chain of pages, on one subscription."""
    with generated(1, 900, 1_000_000, 50) as azure:
        measured(["bench.listing", "floor"], azure)  # the simulator encodes each page once
        ours = _job(azure, 1_000_000)
        _, bare, _, _ = measured(["bench.listing", "floor"], azure)
    shown = {"wall_s": ours[0], "floor_wall_s": bare, "cpu_s": ours[1], "mb": ours[2]}
    return told(
        "one subscription with 1,000,000 resources, 50 ms / bare chain: wall", ours[0] / bare, 1.2, least=False, **shown
    )


def _run(subscriptions: int, resources: int) -> tuple[float, float, float]:
    with generated(subscriptions, subscriptions * 10, resources, 50) as azure:
        measured(["bench.listing", "floor"], azure)  # the simulator encodes each page once
        return _job(azure, resources)


def _job(azure: dict[str, str], resources: int) -> tuple[float, float, float]:
    with tempfile.TemporaryDirectory() as folder:
        store = {"STEWARD_STORE": Path(folder).as_uri()}
        command = ["shared_code", "run", "list-resource-groups", "--json"]
        printed, wall, cpu, memory = measured(command, azure | store)
    if json.loads(printed)["counts"]["resources"] != resources:
        raise SystemExit(f"not every resource was counted: {json.loads(printed)['counts']}")
    return wall, cpu, memory


def main() -> int:
    """Measure what is asked for."""
    return choose("bench.reading", __doc__, {"floor": floor, "estate": estate, "one": one})


if __name__ == "__main__":
    sys.exit(main())
