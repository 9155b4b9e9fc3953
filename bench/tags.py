"""How much auditing tags costs: `python -m bench.tags`; a line for each figure, 1 if one is missed.

100,000 resources in 20 subscriptions: `steward run tag-audit` from start to report, with rules that a fifth of them
break, as in an estate that somebody looks after, and with rules that nearly nine in ten break, some of them several.
Listing and auditing in one process against bare urllib3 and msgspec. Then 1,000,000 resources in 200, for the memory.
"""

import json
import statistics
import sys
import tempfile
from pathlib import Path

from bench.azure import generated, measured
from bench.figures import told

ORDINARY = [
    """name = "owner"
tag = "owner"
required = true
format = "email"
applies_to.types = ["Microsoft.Compute/virtualMachines", "Microsoft.Sql/*", "Microsoft.Storage/*", "Microsoft.Web/*"]
applies_to.exclude_resource_groups = ["MC_*"]""",
    """name = "environment"
tag = "environment"
allowed = ["production", "test", "development"]
aliases = ["env"]
applies_to.types = ["Microsoft.Compute/virtualMachines", "Microsoft.Web/sites"]""",
    'name = "cost-center"\ntag = "cost-center"\npattern = "CC-[1-8][0-9]{3}"',
    'name = "limit"\nmax_tags = 11',
    """name = "on-its-way-out"
tag = "delete-after"
forbidden = true
applies_to.types = ["Microsoft.Compute/*", "Microsoft.Sql/*"]
applies_to.tags = { environment = "production" }""",
]
"""Rules that about a fifth of the resources break, one of them each: missing, blank, wrong, an alias, too many."""
RULES = [
    'name = "owner"\ntag = "owner"\nrequired = true\nformat = "email"',
    'name = "environment"\ntag = "environment"\nallowed = ["production", "test", "development"]\naliases = ["env"]',
    'name = "cost-center"\ntag = "cost-center"\nrequired = true\npattern = "CC-[0-9]{4}"\nspelling = true',
    'name = "limit"\nmax_tags = 40',
    'name = "forbidden"\ntag = "DoNotDelete"\nforbidden = true',
]
"""Rules that nearly nine in ten resources break, and some break three."""
PAIRS = 3


def twenty() -> list[str]:
    """Return the five of `RULES`, and fifteen like them about other tags."""
    more = [
        RULES[number % 5].replace('name = "', f'name = "r{number}-', 1).replace('tag = "', f'tag = "t{number}-', 1)
        for number in range(5, 20)
    ]
    return RULES + more


def config(folder: Path, rules: list[str]) -> dict[str, str]:
    """Write a steward.toml with these rules; return the setting that points there."""
    file = folder / "steward.toml"
    file.write_text("\n\n".join(f"[[jobs.tag-audit.rules]]\n{rule}" for rule in rules))
    return {"STEWARD_CONFIG": str(file)}


def audit(azure: dict[str, str], rules: list[str]) -> tuple[dict[str, int], float, float, float]:
    """Run the job on an empty store; return its counts, wall seconds, CPU seconds and MB."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {"STEWARD_STORE": (Path(folder) / "store").as_uri(), **config(Path(folder), rules)}
        printed, *took = measured(["shared_code", "run", "tag-audit", "--json"], azure | settings)
    counts: dict[str, int] = json.loads(printed)["counts"]
    wall, cpu, memory = took
    return counts, wall, cpu, memory


def median(azure: dict[str, str], rules: list[str]) -> tuple[int, float, float]:
    """Run the job a few times; return its findings, CPU seconds and MB."""
    runs = [audit(azure, rules) for _ in range(PAIRS)]
    return runs[0][0]["findings"], statistics.median(run[2] for run in runs), statistics.median(run[3] for run in runs)


def without_activity(azure: dict[str, str]) -> dict[str, str]:
    """Leave the activity log out: rivals do not ask it either, and here it is the simulator that works for it."""
    return {name: value for name, value in azure.items() if not name.startswith("STEWARD_LOGS_")}


def main() -> int:
    """Measure, and print each figure with its aim."""
    kept = []
    with generated(20, 400, 100_000) as served:
        azure = without_activity(served)
        measured(["bench.listing", "floor"], azure)
        few, cpu, memory = median(azure, ORDINARY)
        kept.append(told("tag-audit, 100,000 resources, 5 rules: CPU s", cpu, 2.0, findings=few))
        kept.append(told("the same: MB", memory, 120))
        many, busy, held = median(azure, RULES)
        kept.append(told("the same with many findings: CPU s", busy, None, findings=many, mb=held))
        kept.append(told("each finding more: CPU microseconds", (busy - cpu) / (many - few) * 1e6, None))
        most, busiest, _ = median(azure, twenty())
        kept.append(told("20 rules / 5 rules, many findings: CPU", busiest / busy, None, cpu_s=busiest, findings=most))
        pairs = [
            [json.loads(measured(["bench.listing", who], azure)[0])["cpu"] for who in ("audit", "floor")]
            for _ in range(PAIRS + 1)
        ]
        ratio = statistics.median(ours / bare for ours, bare in pairs[1:])
        kept.append(told("listing and auditing, 5 rules / bare urllib3 + msgspec: CPU", ratio, 4.0))
    with generated(20, 400, 100_000, 50) as served:
        azure = without_activity(served)
        measured(["bench.listing", "floor"], azure)
        kept.append(told("tag-audit, 100,000 resources, 50 ms: wall s", audit(azure, ORDINARY)[1], 3.0))
    with generated(200, 4_000, 1_000_000) as served:
        azure = without_activity(served)
        measured(["bench.listing", "floor"], azure)
        large = audit(azure, ORDINARY)
        kept.append(told("memory of 1,000,000 resources / of 100,000", large[3] / memory, 1.2, mb=large[3]))
    return int(not all(kept))


if __name__ == "__main__":
    sys.exit(main())
