"""App settings as the host sees them: the environment, and `Values` of local.settings.json under it."""

import re
from collections.abc import Mapping, MutableMapping
from pathlib import Path

import msgspec

from devkit.local_host.errors import LocalHostError

_FILE = "local.settings.json"
_TRUE = frozenset({"true", "1"})


class UnresolvedSetting(ValueError):
    """A `%NAME%` cannot be replaced; the host then puts the one function in error."""


class _LocalSettings(msgspec.Struct):
    encrypted: bool = msgspec.field(name="IsEncrypted", default=False)
    values: dict[str, str] = msgspec.field(name="Values", default_factory=dict)


def add_local_settings(app: Path, environ: MutableMapping[str, str]) -> int:
    """Put the values of the app folder's local.settings.json into `environ`; what is there already wins.

    Returns:
        How many values were added.

    Raises:
        LocalHostError: the file cannot be read as settings.
    """
    path = app / _FILE
    try:
        settings = msgspec.json.decode(path.read_bytes(), type=_LocalSettings)
    except FileNotFoundError:
        return 0
    except (OSError, msgspec.DecodeError) as error:
        raise LocalHostError(f"'{path}' cannot be read: {error}; correct it or move it away") from None
    if settings.encrypted:
        raise LocalHostError(
            f"'{path}' is encrypted; run `func settings decrypt`, or set the values in the environment"
        )
    added = {name: value for name, value in settings.values.items() if name not in environ}
    environ.update(added)
    return len(added)


def prepare_environment(environ: MutableMapping[str, str]) -> None:
    """Set what Azure sets where it does no harm here, and remove what would mislead the worker library."""
    environ.setdefault("AZURE_FUNCTIONS_ENVIRONMENT", "Development")
    environ.setdefault("FUNCTIONS_WORKER_RUNTIME", "python")
    # The worker library takes this one, which build containers set too, for Linux Consumption.
    environ.pop("CONTAINER_NAME", None)


class AppSettings:
    """Looks settings up as .NET's configuration does: without case, `__` and `:` being the same."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._values = {_folded(name): value for name, value in environ.items()}

    def get(self, name: str) -> str | None:
        """Give the setting's value, or None if it is not set."""
        return self._values.get(_folded(name))

    def resolve(self, text: str) -> str:
        """Replace every `%NAME%` in `text`, once (azure-webjobs-sdk, NameResolverExtensions.cs).

        Raises:
            UnresolvedSetting: a name is not set, or a `%` has no closing one.
        """
        parts = text.split("%")
        if len(parts) % 2 == 0:
            raise UnresolvedSetting(f"the '%' at position {text.rindex('%')} does not have a closing '%'")
        for index in range(1, len(parts), 2):
            value = self.get(parts[index])
            if value is None:
                raise UnresolvedSetting(f"'%{parts[index]}%' does not resolve to a value; set it as an app setting")
            parts[index] = value
        return "".join(parts)

    def disables(self, function: str) -> bool:
        """Whether a setting switches the function off.

        Both spellings count, the second being what Linux allows
        (https://learn.microsoft.com/azure/azure-functions/disable-function).
        """
        names = (f"AzureWebJobs.{function}.Disabled", f"AzureWebJobs_{function}_Disabled")
        return any((self.get(name) or "").strip().lower() in _TRUE for name in names)


def _folded(name: str) -> str:
    return re.sub("__", ":", name).casefold()
