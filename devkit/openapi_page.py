"""The document of the API, for who has no key: `python -m devkit.openapi_page > docs/openapi.json`."""

import json

from __app__.openapi import document


def page() -> str:
    """Return the whole file."""
    return json.dumps(document(), indent=2) + "\n"


if __name__ == "__main__":
    print(page(), end="")
