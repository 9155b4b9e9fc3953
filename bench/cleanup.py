"""What a plan of cleanup costs: `python -m bench.cleanup`; a line for each figure, 1 if one is missed.

`steward run cleanup` with all its rules over 100,000 resources in 20 subscriptions, against `steward run
list-resource-groups` over the same, whole processes. Every candidate that Resource Graph proposes is looked at.
"""

import json
import statistics
import sys
import tempfile
from pathlib import Path

from bench.azure import generated, measured
from bench.figures import told
from shared_code.cleanup_settings import CleanupRules

PAIRS = 3


def config(folder: Path) -> dict[str, str]:
    """Write a steward.toml with every rule on; return the setting that points there."""
    names = [name.replace("_", "-") for name in CleanupRules.__struct_fields__]
    file = folder / "steward.toml"
    file.write_text("\n".join(f"[jobs.cleanup.rules.{name}]" for name in names))
    return {"STEWARD_CONFIG": str(file)}


def run(job: str, azure: dict[str, str]) -> tuple[dict[str, int], float, float]:
    """Run a job on an empty store; return its counts, CPU seconds and MB."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {"STEWARD_STORE": (Path(folder) / "store").as_uri(), **config(Path(folder))}
        printed, _, cpu, memory = measured(["shared_code", "run", job, "--json"], azure | settings)
    counts: dict[str, int] = json.loads(printed)["counts"]
    return counts, cpu, memory


def main() -> int:
    """Measure, and print each figure with its aim."""
    with generated(20, 400, 100_000) as served:
        azure = {name: value for name, value in served.items() if not name.startswith("STEWARD_LOGS_")}
        run("list-resource-groups", azure)
        run("cleanup", azure)  # the simulator loads its Resource Graph on first use
        pairs = [(run("cleanup", azure), run("list-resource-groups", azure)) for _ in range(PAIRS)]
    ratio = statistics.median(ours[1] / listing[1] for ours, listing in pairs)
    counts = pairs[0][0][0]
    also = {
        "cpu_s": statistics.median(ours[1] for ours, _ in pairs),
        "listing_cpu_s": statistics.median(listing[1] for _, listing in pairs),
        "mb": statistics.median(ours[2] for ours, _ in pairs),
        "looked_at": counts["looked_at"],
    }
    return int(not told("cleanup of 100,000 resources / listing them: CPU", ratio, 4.0, least=False, **also))


if __name__ == "__main__":
    sys.exit(main())
