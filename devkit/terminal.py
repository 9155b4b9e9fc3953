"""`./dev steward`: the steward command, pointed at what `./dev up` is running."""

import json
import os
import sys

from devkit.up import ENVIRONMENT, STATE


def main() -> None:
    """Take the settings that `./dev up` left, and become the steward command."""
    try:
        environment = json.loads((STATE / ENVIRONMENT).read_text())
    except FileNotFoundError:
        sys.exit("dev steward: nothing is running; start './dev up' in another terminal first")
    os.execve(  # noqa: S606  # there is no shell to go through
        sys.executable, [sys.executable, "-m", "shared_code", *sys.argv[1:]], {**os.environ, **environment}
    )


if __name__ == "__main__":
    main()
