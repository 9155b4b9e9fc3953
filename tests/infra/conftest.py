"""What the code says of itself, in a process of its own, and a server that notes what Azure is asked."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.azure_api.conftest import _script, _simulator

ROOT = Path(__file__).resolve().parents[2]
script, simulator = _script, _simulator

_REGISTERED = """
import json, function_app
print(json.dumps({each.get_function_name(): each.get_trigger().get_dict_repr()
    for each in function_app.app.get_functions()}, default=str))
"""


@pytest.fixture(scope="session", name="registered")
def _registered() -> dict[str, dict[str, Any]]:
    """The trigger of every function that the code registers, by the function's name."""
    told = subprocess.run(
        [sys.executable, "-c", _REGISTERED], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    found: dict[str, dict[str, Any]] = json.loads(told)
    return found
