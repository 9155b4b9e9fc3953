"""What can be told without asking anybody: Python, packages, settings, schedules, and the host's own storage."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from shared_code.doctor.checks import Check, failed, not_checked, ok, warning
from shared_code.environment import Environment, is_in_azure
from shared_code.runbooks import CONFIGURATION
from shared_code.settings import Configuration, Costs
from shared_code.times import text_of

OLDEST = (3, 13)
"""The oldest Python with which the functions are found: an older worker owns the name `__app__`."""
NEEDED = (
    "azure.functions",
    "azure.core.pipeline.transport",
    "azure.identity",
    "azure.mgmt.resource.resources",
    "azure.monitor.query",
    "obstore",
)
"""Modules without which nothing works, and which are loaded only when they are needed."""
_SHOWN = 5
_HOST_STORAGE = "AzureWebJobsStorage"


def python_check(version: Sequence[int]) -> Check:
    """Judge the version of Python."""
    shown = ".".join(map(str, version[:3]))
    if tuple(version[:2]) >= OLDEST:
        return ok("python", shown)
    return failed(
        "python",
        f"{shown}, and Steward needs {'.'.join(map(str, OLDEST))} or later",
        "set the function app's runtime to 3.13",
    )


def package_check(
    pinned: Iterable[str] | None, version_of: Callable[[str], str | None], imports: Callable[[str], str | None]
) -> Check:
    """Compare what is installed with requirements.txt, and load what matters.

    Args:
        pinned: its lines, `NAME==VERSION` and hashes; None where it is not there.
        version_of: gives the version of a package; None where there is none.
        imports: loads a module and gives None, or why that is not possible.
    """
    broken = {name: reason for name in NEEDED if (reason := imports(name)) is not None}
    if broken:
        told = "; ".join(f"{name} cannot be loaded: {reason}" for name, reason in broken.items())
        return failed("packages", told, "install what requirements.txt names, for this Python and this system")
    if pinned is None:
        return not_checked("packages", "those that matter can be loaded; requirements.txt is not there to compare with")
    pins = [line.split(";")[0].strip(" \\") for line in pinned if "==" in line.split("#")[0]]
    wanted = dict(pin.split("==", 1) for pin in pins)
    found = {name: version_of(name) for name in wanted}
    odd = [
        f"{name} is {'not there' if found[name] is None else found[name]}, not {version}"
        for name, version in wanted.items()
        if found[name] != version
    ]
    if not odd:
        return ok("packages", f"all {len(wanted)} of requirements.txt, in the versions it pins")
    more = f"; and {len(odd) - _SHOWN} more" if len(odd) > _SHOWN else ""
    return warning(
        "packages", "; ".join(odd[:_SHOWN]) + more, "install what requirements.txt pins, since that was tested"
    )


def settings_checks(configuration: Configuration, environment: Environment) -> list[Check]:
    """Judge the app settings and steward.toml; `steward check` says each problem with its place."""
    ours = [each for each in configuration.problems if each.place == "app settings"]
    theirs = [each for each in configuration.problems if each.place != "app settings"]
    checks: list[Check] = []
    for what, problems in (("app settings", ours), (environment.config.name or "steward.toml", theirs)):
        cautions = len(configuration.warnings) if problems is theirs else 0
        if problems:
            first = str(problems[0]).partition("\n")[0]
            more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
            checks.append(failed(what, f"{first}{more}", "'steward check' shows each with its place", CONFIGURATION))
        elif cautions:
            told = f"valid, with {cautions} warning{'s' if cautions > 1 else ''}"
            checks.append(warning(what, told, "'steward check' shows each"))
        else:
            checks.append(ok(what, "valid"))
    return checks


def schedule_check(configuration: Configuration, now: datetime) -> Check:
    """Say which jobs have a timer, and when the next one is."""
    timers = {
        name: schedule
        for name, schedule in sorted(configuration.schedules.items())
        if not configuration.problems_of(name, Costs.RUNS)
    }
    without = [name for name in sorted(configuration.jobs) if name not in timers]
    coming = [(when, name) for name, each in timers.items() for when in each.upcoming(now, 1)]
    told = f"{len(timers)} of {len(configuration.jobs)} jobs have a timer"
    if coming:
        when, name = min(coming)
        told += f"; the next run is {name}'s at {text_of(when)}"
    refused = [name for name in without if configuration.jobs[name].schedule is not None]
    if refused:
        advice = "'steward check' says what is wrong with it"
        return failed("schedules", f"{told}; {', '.join(refused)} has lost its own", advice, CONFIGURATION)
    if "watchdog" in without:
        advice = 'write schedule = "0 */30 * * * *" under [jobs.watchdog] in steward.toml'
        return warning("schedules", f"{told}; without the watchdog's nobody notices runs that are missed", advice)
    return ok("schedules", told + (f"; by hand only: {', '.join(without)}" if without else ""))


def heartbeat_check(environment: Environment) -> Check:
    """Say whether something outside would notice that the app is dead; its address is a secret, and is not called."""
    if environment.watchdog_problems:
        return failed("heartbeat", environment.watchdog_problems[0], None, CONFIGURATION)
    if environment.heartbeat_url is None:
        advice = "set it to an address of a monitor that expects a call each half hour"
        return not_checked(
            "heartbeat", "STEWARD_HEARTBEAT_URL is not set, so nothing outside notices a dead app", advice
        )
    return ok("heartbeat", "STEWARD_HEARTBEAT_URL is a well-formed address; the watchdog calls it at each success")


def host_storage_check(environ: Mapping[str, str]) -> Check:
    """Judge how the Functions host signs in at its own storage: by an identity, or by a key that anybody could copy."""
    what = "host storage"
    text = environ.get(_HOST_STORAGE, "").strip()
    parts = [name for name in environ if name.startswith(f"{_HOST_STORAGE}__") and environ[name].strip()]
    in_azure = is_in_azure(environ)
    if text and "usedevelopmentstorage" not in text.casefold():
        advice = (
            f"set {_HOST_STORAGE}__accountName, __credential and __clientId in its place, give the identity"
            " Storage Blob Data Owner and Storage Queue Data Contributor there, and switch the account's keys off"
        )
        return warning(what, f"{_HOST_STORAGE} is a connection string, with a key in it", advice)
    if text:
        told = f"{_HOST_STORAGE} is the emulator's"
        return failed(what, told, f"set {_HOST_STORAGE}__accountName") if in_azure else ok(what, told)
    if not parts:
        if in_azure:
            told = f"neither {_HOST_STORAGE} nor {_HOST_STORAGE}__accountName is set, so no timer fires"
            return failed(what, told, f"set {_HOST_STORAGE}__accountName, __credential and __clientId")
        return not_checked(what, f"{_HOST_STORAGE} is set only where the Functions host runs")
    named = [name for name in ("accountName", "blobServiceUri") if f"{_HOST_STORAGE}__{name}" in parts]
    if not named:
        told = f"{', '.join(sorted(parts))} name no account"
        return failed(what, told, f"set {_HOST_STORAGE}__accountName, or __blobServiceUri and __queueServiceUri")
    if "blobServiceUri" in named and f"{_HOST_STORAGE}__queueServiceUri" not in parts and len(named) == 1:
        told = f"{_HOST_STORAGE}__blobServiceUri is set and __queueServiceUri is not, so no message is taken"
        return failed(what, told, f"set {_HOST_STORAGE}__queueServiceUri")
    return ok(what, f"identity-based, by {_HOST_STORAGE}__{named[0]}; no key")
