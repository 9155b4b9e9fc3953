"""The JSON Schema of steward.toml, for editors: `python -m devkit.schema_page > docs/steward.schema.json`."""

import json

from shared_code.settings_schema import schema


def page() -> str:
    """Return the whole file."""
    return json.dumps(schema(), indent=2) + "\n"


if __name__ == "__main__":
    print(page(), end="")
