"""How much auditing tags costs: `python -m bench.tags`; a line for each figure, 1 if one is missed.

100,000 resources in 20 subscriptions: `steward run tag-audit` from start to report, and listing and auditing in one
process against bare urllib3 and msgspec. Then 1,000,000 resources in 200, for the memory, and 20 rules against 5.
"""

import json
import statistics
import sys
import tempfile
from pathlib import Path

from bench.azure import generated, measured

RULES = [
    'name = "owner"\ntag = "owner"\nrequired = true\nformat = "email"',
    'name = "environment"\ntag = "environment"\nallowed = ["production", "test", "development"]\naliases = ["env"]',
    'name = "cost-center"\ntag = "cost-center"\nrequired = true\npattern = "CC-[0-9]{4}"\nspelling = true',
    'name = "limit"\nmax_tags = 40',
    'name = "forbidden"\ntag = "DoNotDelete"\nforbidden = true',
]
PAIRS = 3


def config(folder: Path, count: int) -> dict[str, str]:
    """Write a steward.toml with so many rules; return the settings that point there and to a store."""
    rules = [RULES[number % 5].replace('name = "', f'name = "r{number}-', 1) for number in range(count)]
    tables = [
        f"[[jobs.tag-audit.rules]]\n{rule.replace('tag = "', f'tag = "t{number}-', 1) if number >= 5 else rule}"
        for number, rule in enumerate(rules)
    ]
    file = folder / f"steward-{count}.toml"
    file.write_text("\n\n".join(tables))
    return {"STEWARD_CONFIG": str(file)}


def audit(azure: dict[str, str], rules: int) -> tuple[dict[str, int], float, float, float]:
    """Run the job on an empty store; return its counts, wall seconds, CPU seconds and MB."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {"STEWARD_STORE": (Path(folder) / "store").as_uri(), **config(Path(folder), rules)}
        printed, *took = measured(["shared_code", "run", "tag-audit", "--json"], azure | settings)
    counts: dict[str, int] = json.loads(printed)["counts"]
    wall, cpu, memory = took
    return counts, wall, cpu, memory


def without_activity(azure: dict[str, str]) -> dict[str, str]:
    """Leave the activity log out: rivals do not ask it either, and here it is the simulator that works for it."""
    return {name: value for name, value in azure.items() if not name.startswith("STEWARD_LOGS_")}


def told(name: str, value: float, aim: float | None, **also: float) -> bool:
    """Print a figure; return whether it is within its aim."""
    shown = {"value": round(value, 2), "aim": aim, **{key: round(number, 2) for key, number in also.items()}}
    print(f"{name}: {json.dumps(shown)}", flush=True)
    return aim is None or value <= aim


def main() -> int:
    """Measure, and print each figure with its aim."""
    kept = []
    with generated(20, 400, 100_000) as served:
        azure = without_activity(served)
        measured(["bench.listing", "floor"], azure)
        runs = [audit(azure, 5) for _ in range(PAIRS)]
        cpu, memory = statistics.median(run[2] for run in runs), statistics.median(run[3] for run in runs)
        kept.append(told("tag-audit, 100,000 resources, 5 rules: CPU s", cpu, 2.0, findings=runs[0][0]["findings"]))
        kept.append(told("the same: MB", memory, 120))
        many = statistics.median(audit(azure, 20)[2] for _ in range(PAIRS))
        kept.append(told("20 rules / 5 rules: CPU", many / cpu, None, cpu_s=many))
        pairs = [
            [json.loads(measured(["bench.listing", who], azure)[0])["cpu"] for who in ("audit", "floor")]
            for _ in range(PAIRS + 1)
        ]
        ratio = statistics.median(ours / bare for ours, bare in pairs[1:])
        kept.append(told("listing and auditing, 5 rules / bare urllib3 + msgspec: CPU", ratio, 4.0))
    with generated(20, 400, 100_000, 50) as served:
        azure = without_activity(served)
        measured(["bench.listing", "floor"], azure)
        kept.append(told("tag-audit, 100,000 resources, 50 ms: wall s", audit(azure, 5)[1], 3.0))
    with generated(200, 4_000, 1_000_000) as served:
        azure = without_activity(served)
        measured(["bench.listing", "floor"], azure)
        large = audit(azure, 5)
        kept.append(told("memory of 1,000,000 resources / of 100,000", large[3] / memory, 1.2, mb=large[3]))
    return int(not all(kept))


if __name__ == "__main__":
    sys.exit(main())
