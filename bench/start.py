"""How long the app takes to be indexed, and a command to answer, against the floor of each: `python -m bench.start`.

Whole processes, in turn, so that a machine that gets slower or faster meanwhile does not favour one of them.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNS = 15

INDEX = "import function_app; function_app.app.get_functions()"
LIBRARY = "import azure.functions"
UNCOMPILED = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": "/nonexistent"}
"""As it is where a package comes without .pyc files: its folder in Azure is read-only, so none are ever written."""
COMMAND = "import sys; sys.argv = ['steward', 'jobs']; from shared_code.cli import main; main()"

FLOORS = {"import and index the app / import azure.functions": (INDEX, LIBRARY, 1.6)}
SECONDS = {"steward jobs, start to end": (COMMAND, 0.9)}


def cpu(code: str, store: str, **more: str) -> float:
    """Return the CPU seconds of a fresh Python that runs `code`, with `more` in its environment."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {"STEWARD_STORE": store, "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", **more}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # our own code
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Print each figure with its aim; 1 if one is missed."""
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder).as_uri()
        for name, (code, floor, aim) in FLOORS.items():
            pairs = [(cpu(code, store), cpu(floor, store)) for _ in range(RUNS + 1)][1:]
            ratio = statistics.median(ours / theirs for ours, theirs in pairs)
            ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
            missed = missed or ratio > aim
            figures = {"ratio": round(ratio, 2), "aim": aim, "cpu_s": round(ours, 3), "floor_cpu_s": round(theirs, 3)}
            print(f"{name}: {json.dumps(figures)}")
        pairs = [(cpu(INDEX, store, **UNCOMPILED), cpu(INDEX, store)) for _ in range(5)]
        bare, usual = (statistics.median(column) for column in zip(*pairs, strict=True))
        figures = {"ratio": round(bare / usual, 2), "cpu_s": round(bare, 3), "with_pyc_cpu_s": round(usual, 3)}
        print(f"the same without .pyc files / with them: {json.dumps(figures)}")
        for name, (code, aim) in SECONDS.items():
            took = statistics.median([cpu(code, store) for _ in range(RUNS + 1)][1:])
            missed = missed or took > aim
            print(f"{name}: {json.dumps({'cpu_s': round(took, 3), 'aim': aim})}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
