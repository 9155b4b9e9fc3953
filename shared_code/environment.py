"""The app settings Steward reads, typed; every problem is reported at once."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

PUBLIC_ARM = "https://management.azure.com"
PUBLIC_LOGS = "https://api.loganalytics.io"
# No user, query or fragment: these would be secrets, and belong nowhere near a log.
_PLAIN_HTTPS = re.compile(
    r"https://([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:\d{1,5})?(/[\w.~/-]*)?", re.IGNORECASE | re.ASCII
)


# The address is a secret: whoever knows it can tell the monitor that all is well. Plain http only within the machine.
_HEARTBEAT_FORM = re.compile(r"(https://|http://(127\.0\.0\.1|localhost)(?=[:/]))[!-?A-Z^-~]+", re.ASCII)
_GUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_WORKSPACE_FORM = re.compile(_GUID, re.IGNORECASE | re.ASCII)
_WORKSPACE = (
    "STEWARD_LOGS_WORKSPACE_ID is not the id of a Log Analytics workspace, such as"
    " '00000000-0000-0000-0000-000000000000' (its overview in the portal has it); correct the app setting"
)
# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftresources
_GROUP_FORM = re.compile(rf"(?ai:/subscriptions/{_GUID}/resourceGroups/)[-\w.()]{{0,89}}[-\w()]")
_OWNER_FORM = re.compile(rf"({_GUID})\+.+", re.IGNORECASE | re.ASCII)
_EXAMPLE_GROUP = "'/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-steward'"
_GROUP = f"STEWARD_RESOURCE_GROUP is not the id of a resource group, such as {_EXAMPLE_GROUP}; correct the app setting"
_NO_GROUP = (
    "STEWARD_RESOURCE_GROUP is not set, and Azure does not tell which resource group the app is in, so cleanup could"
    f" not leave it alone; set it to the id of that group, such as {_EXAMPLE_GROUP}"
)
_HEARTBEAT = "STEWARD_HEARTBEAT_URL is not an https address, such as https://monitor.example.com/ping; correct it"


# An empty app setting is as good as none: https://learn.microsoft.com/azure/azure-functions/functions-app-settings
_SWITCH = {"": False, "false": False, "0": False, "no": False, "true": True, "1": True, "yes": True}


class Setting(NamedTuple):
    """One app setting: its name, what it is for, and what holds without it; docs/configuration.md has these."""

    name: str
    meaning: str
    default: str


SETTINGS = (
    Setting("STEWARD_CONFIG", "The operator's file.", "`steward.toml` beside `host.json`"),
    Setting(
        "STEWARD_STORE",
        "Where runs and reports are kept: `file:///FOLDER` or `https://ACCOUNT.blob.core.windows.net/CONTAINER`.",
        "in Azure the container `steward` of the app's own storage account, else the folder `.steward/store`",
    ),
    Setting("STEWARD_ARM_ENDPOINT", "Azure Resource Manager, for sovereign clouds.", f"`{PUBLIC_ARM}`"),
    Setting("STEWARD_ARM_AUDIENCE", "What tokens are asked for.", "the value of `STEWARD_ARM_ENDPOINT`"),
    Setting("STEWARD_LOGS_ENDPOINT", "The query API of Log Analytics, for sovereign clouds.", f"`{PUBLIC_LOGS}`"),
    Setting("STEWARD_LOGS_AUDIENCE", "What tokens for it are asked for.", "the value of `STEWARD_LOGS_ENDPOINT`"),
    Setting(
        "STEWARD_LOGS_WORKSPACE_ID",
        "The id of the Log Analytics workspace that the activity log is sent to, for suggested owners; if the app's own"
        " Application Insights keeps its data there too, the watchdog asks which timers were called.",
        "nobody is suggested, nothing is concluded from the activity log, and the watchdog knows the records alone",
    ),
    Setting("STEWARD_READ_ONLY", "`true` forbids every write to Azure, whatever `steward.toml` says.", "`false`"),
    Setting(
        "STEWARD_RESOURCE_GROUP",
        "The id of the resource group that the app itself is in, which cleanup leaves alone.",
        "what Azure tells the app; where it tells nothing, as on Flex Consumption, cleanup does not run",
    ),
    Setting(
        "STEWARD_HEARTBEAT_URL",
        "An https address the watchdog calls at each success, for a monitor outside that notices when the app is dead.",
        "nobody is called",
    ),
    Setting(
        "STEWARD_NOTICE_URL",
        "An apprise URL for operators, where `[notices]` of `steward.toml` names it.",
        "nobody is told",
    ),
    Setting(
        "STEWARD_OWNER_URL",
        "A mail server for digests of owners, where `[notices]` names it.",
        "no owner is told",
    ),
    Setting(
        "STEWARD_FALLBACK_URL",
        "An apprise URL for what has no owner who may be told, where `[notices]` names it.",
        "no owner is told",
    ),
    Setting(
        "AZURE_CLIENT_ID",
        "The user-assigned managed identity to use.",
        "the system-assigned one, or your sign-in",
    ),
)
"""Every setting the product reads by name, or its documents name; `%NAME%` in steward.toml may read any other."""


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """What the app settings say."""

    config: Path
    store: str
    arm_endpoint: str
    arm_audience: str
    client_id: str | None
    managed_identity: bool
    """Whether the platform offers a managed identity; if so no other sign-in is tried."""
    problems: tuple[str, ...]
    """What is wrong with the settings, each as one sentence; a value with a problem is replaced by its default."""
    sign_in: bool = False
    """Whether App Service authentication stands in front, so that what it says of callers may be believed."""
    read_only: bool = False
    """Whether nothing may be written to Azure; so it is where the setting cannot be understood."""
    heartbeat_url: str | None = None
    watchdog_problems: tuple[str, ...] = ()
    """What is wrong with settings that only the watchdog uses."""
    logs_endpoint: str = PUBLIC_LOGS
    logs_audience: str = PUBLIC_LOGS
    logs_workspace_id: str | None = None
    """None where none is configured, or what is configured is no id of one."""
    activity_problems: tuple[str, ...] = ()
    """What is wrong with settings that only the reader of the activity log uses."""
    role_name: str = ""
    """Under which name the host notes the app's calls in Application Insights; "" where nobody tells."""
    own_resource_group: str | None = None
    """The id of the resource group the app itself is in; None where it runs outside Azure, or nobody tells."""
    cleanup_problems: tuple[str, ...] = ()
    """What is wrong with settings that only cleanup uses."""


def read_environment(environ: Mapping[str, str], app_folder: Path) -> Environment:
    """Read the app settings; never raises.

    Args:
        environ: the process environment, in which Azure puts the app settings.
        app_folder: the folder of host.json, absolute.
    """
    problems: list[str] = []

    activity_problems: list[str] = []

    def https(name: str, default: str, problems: list[str] = problems) -> str:
        value = environ.get(name, "").strip()
        if not value:
            return default
        if _PLAIN_HTTPS.fullmatch(value):
            return value.rstrip("/")
        problems.append(f"{name} is not an https address without query, such as '{default}'; correct the app setting")
        return default

    endpoint = https("STEWARD_ARM_ENDPOINT", PUBLIC_ARM)
    logs_endpoint = https("STEWARD_LOGS_ENDPOINT", PUBLIC_LOGS, activity_problems)
    logs_audience = https("STEWARD_LOGS_AUDIENCE", logs_endpoint, activity_problems)
    workspace = environ.get("STEWARD_LOGS_WORKSPACE_ID", "").strip() or None
    if workspace is not None and not _WORKSPACE_FORM.fullmatch(workspace):
        activity_problems.append(_WORKSPACE)
        workspace = None
    read_only = environ.get("STEWARD_READ_ONLY", "").strip()
    if read_only.lower() not in _SWITCH:
        problems.append("STEWARD_READ_ONLY is neither 'true' nor 'false', so it counts as 'true'; correct it")
    heartbeat_url = environ.get("STEWARD_HEARTBEAT_URL", "").strip() or None
    heartbeat_is_right = heartbeat_url is None or bool(_HEARTBEAT_FORM.fullmatch(heartbeat_url))
    own_resource_group, group_problem = _own_resource_group(environ)
    return Environment(
        config=app_folder / (environ.get("STEWARD_CONFIG", "").strip() or "steward.toml"),
        store=_store_url(environ, app_folder, problems),
        arm_endpoint=endpoint,
        arm_audience=https("STEWARD_ARM_AUDIENCE", endpoint),
        client_id=environ.get("AZURE_CLIENT_ID", "").strip() or None,
        managed_identity=bool(environ.get("IDENTITY_ENDPOINT")),
        problems=tuple(problems),
        # As the host reads it: any other value leaves sign-in off, and its header is then what anybody may send.
        sign_in=environ.get("WEBSITE_AUTH_ENABLED", "").strip().lower() == "true",
        read_only=_SWITCH.get(read_only.lower(), True),
        heartbeat_url=heartbeat_url if heartbeat_is_right else None,
        watchdog_problems=() if heartbeat_is_right else (_HEARTBEAT,),
        logs_endpoint=logs_endpoint,
        logs_audience=logs_audience,
        logs_workspace_id=workspace,
        activity_problems=tuple(activity_problems),
        role_name=_role_name(environ),
        own_resource_group=own_resource_group,
        cleanup_problems=() if group_problem is None else (group_problem,),
    )


def is_in_azure(environ: Mapping[str, str]) -> bool:
    """Tell whether the process runs in a function app in Azure."""
    # Flex Consumption sets no WEBSITE_INSTANCE_ID, and the host itself goes by the others there:
    # https://github.com/Azure/azure-functions-host/blob/dev/src/WebJobs.Script/Environment/EnvironmentExtensions.cs
    return any(environ.get(name) for name in ("WEBSITE_INSTANCE_ID", "WEBSITE_POD_NAME", "WEBSITE_OWNER_NAME"))


def _role_name(environ: Mapping[str, str]) -> str:
    # https://github.com/Azure/azure-webjobs-sdk (WebJobsRoleEnvironmentTelemetryInitializer)
    given = environ.get("WEBSITE_CLOUD_ROLENAME", "").strip()
    site = environ.get("WEBSITE_SITE_NAME", "").strip()
    slot = environ.get("WEBSITE_SLOT_NAME", "").strip()
    named = f"{site}-{slot}" if slot and slot.lower() != "production" else site
    return given or (named.lower() if site else "")


def _own_resource_group(environ: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return the id of the app's own resource group, and what is wrong where nobody knows it."""
    configured = environ.get("STEWARD_RESOURCE_GROUP", "").strip()
    if configured:
        return (configured, None) if _GROUP_FORM.fullmatch(configured) else (None, _GROUP)
    if not is_in_azure(environ):
        # A terminal that works on an app's store may delete what the app's own plans never hold.
        shares = environ.get("STEWARD_STORE", "").strip().lower().startswith("https:")
        return None, _NO_GROUP if shares else None
    # https://learn.microsoft.com/azure/app-service/reference-app-settings#app-environment
    # Of WEBSITE_OWNER_NAME only the subscription counts: the rest is a webspace, which may name the group of the plan
    # and names none on Flex Consumption: https://github.com/Azure/azure-functions-host/issues/10441
    owner = _OWNER_FORM.fullmatch(environ.get("WEBSITE_OWNER_NAME", "").strip())
    name = environ.get("WEBSITE_RESOURCE_GROUP", "").strip()
    told = f"/subscriptions/{owner[1]}/resourceGroups/{name}" if owner else ""
    return (told, None) if _GROUP_FORM.fullmatch(told) else (None, _NO_GROUP)


def _store_url(environ: Mapping[str, str], app_folder: Path, problems: list[str]) -> str:
    configured = environ.get("STEWARD_STORE", "").strip()
    if configured:
        return configured
    # https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity
    service = environ.get("AzureWebJobsStorage__blobServiceUri", "").strip()
    account = environ.get("AzureWebJobsStorage__accountName", "").strip()
    if service or account:
        return f"{service.rstrip('/') or f'https://{account}.blob.core.windows.net'}/steward"
    if is_in_azure(environ):
        problems.append(
            "STEWARD_STORE is not set and the app's storage account is not identity-based, so runs would be kept on"
            " this instance's disk and lost; set STEWARD_STORE to https://ACCOUNT.blob.core.windows.net/CONTAINER"
        )
    return (app_folder / ".steward" / "store").as_uri()
