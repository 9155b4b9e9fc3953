"""`odd`: one of every irregularity of real Resource Manager traffic that a listing or its errors can meet.

The numbers beside the items are those of the list of oddities this estate was written from; each group says in words
what is odd about it. The subscriptions of the second half cannot be read completely, each for another reason, which is
its `trouble`; what they hold must never be taken for all there is.
"""

from msgspec import UNSET

from devkit.simulator.estates.drafting import group, resource
from devkit.simulator.faults import Fault, Kind
from devkit.simulator.model import Estate, Lock, ManagementGroup, Pages, Resource, ResourceGroup, Subscription

TEAM = "platform-team@example.com"


def _id(number: int) -> str:
    return f"0dd00000-0000-4000-8000-{number:012}"


casing = Subscription(
    id=_id(1),
    name="Casing and names",
    resource_groups=(
        group(
            "rg-Casing",
            # 10: compute lists the group in UPPER CASE, network and the group's own list as it was written.
            resource(
                "Microsoft.Compute/disks",
                "vm-one_OsDisk",
                id="/subscriptions/{subscription}/resourceGroups/RG-CASING/providers/Microsoft.Compute/disks/vm-one_OsDisk",
                managed_by="/subscriptions/{subscription}/resourceGroups/rg-casing/providers"
                "/Microsoft.Compute/virtualMachines/vm-one",
            ),
            resource(
                "Microsoft.Compute/virtualMachines",
                "vm-one",
                id="/subscriptions/{subscription}/resourceGroups/RG-CASING/providers"
                "/Microsoft.Compute/virtualMachines/vm-one",
            ),
            resource("Microsoft.Network/networkInterfaces", "vm-one-nic"),
            # 11: resourcegroups in lower case, /Subscriptions with a capital, the provider in lower case.
            resource(
                "Microsoft.ManagedIdentity/userAssignedIdentities",
                "id-lower",
                id="/subscriptions/{subscription}/resourcegroups/rg-casing/providers"
                "/Microsoft.ManagedIdentity/userAssignedIdentities/id-lower",
            ),
            resource(
                "Microsoft.Storage/storageAccounts",
                "stcapital",
                id="/Subscriptions/{subscription}/resourceGroups/rg-Casing/providers"
                "/microsoft.storage/storageaccounts/stcapital",
            ),
            # 12: the type is spelled differently from the id, and from one provider to the next.
            resource(
                "Microsoft.Web/serverfarms",
                "plan-lower",
                id="/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Web/serverFarms/plan-lower",
            ),
            resource(
                "Microsoft.EventHub/Namespaces",
                "evh-capital",
                id="/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.EventHub/namespaces/evh-capital",
            ),
            resource(
                "microsoft.insights/components",
                "appi-lower",
                id="/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Insights/components/appi-lower",
            ),
            tags={"owner": TEAM},
        ),
        # 10: a group whose own name is in capitals, and one that differs from another subscription's in case only.
        group("RG-UPPER-NAME", tags={"OWNER": TEAM}),
        group(
            "rg (names) with_odd.characters-",
            # 13: the disk is managed by a machine in another group.
            resource(
                "Microsoft.Compute/disks",
                "disk-of-another-group",
                managed_by="/subscriptions/{subscription}/resourceGroups/rg-Casing/providers"
                "/Microsoft.Compute/virtualMachines/vm-one",
            ),
            # 14: nested type and nested name; an extension with a second /providers/ in its id.
            resource("Microsoft.Sql/servers", "sql-odd", kind="v12.0"),
            resource("Microsoft.Sql/servers/databases", "sql-odd/orders", kind="v12.0,user"),
            resource(
                "Microsoft.Insights/diagnosticSettings",
                "to-workspace",
                id="/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Sql/servers/sql-odd"
                "/providers/Microsoft.Insights/diagnosticSettings/to-workspace",
            ),
            # 15: name and last segment of the id differ in case or in encoding; spaces, parentheses and @ occur.
            resource(
                "Microsoft.DevTestLab/labs/schedules",
                "lab-one/LabVmAutoStart",
                id="/subscriptions/{subscription}/resourceGroups/{group}/providers/microsoft.devtestlab/labs/lab-one"
                "/schedules/labvmautostart",
            ),
            resource(
                "microsoft.insights/metricalerts",
                "Critical performance alert",
                id="/subscriptions/{subscription}/resourceGroups/{group}/providers/microsoft.insights/metricalerts"
                "/Critical%20performance%20alert",
                location="global",
            ),
            resource("Microsoft.OperationsManagement/solutions", "Updates(log-odd)"),
            resource("Microsoft.Web/certificates", "shop@example"),
        ),
        # 17: locations in display case, camel case, global, and absent.
        group(
            "rg-locations",
            resource("Microsoft.Web/sites", "in-display-case", location="West Europe"),
            resource("Microsoft.Web/sites", "in-canary", location="Central US EUAP"),
            resource("Microsoft.EventHub/Namespaces", "in-camel-case", location="EastUs"),
            resource("Microsoft.Network/dnsZones", "zone.example.com", location="global"),
            location="West Europe",
        ),
        # 32: children the system made are listed like any other.
        group(
            "rg-system-children",
            resource("Microsoft.Sql/servers", "sql-system", kind="v12.0"),
            resource("Microsoft.Sql/servers/databases", "sql-system/master", kind="v12.0,system"),
        ),
        # 17: nothing says where this resource is. Built by hand, since drafting would fill the location in.
        ResourceGroup(
            name="rg-nowhere", resources=(Resource(name="without-location", type="Microsoft.Portal/dashboards"),)
        ),
    ),
    budget="title-case",  # 58
    group_pages=Pages(sizes=(0, 0, 2), spelling="lower-hex"),  # 1: the first items are on the third page
    resource_pages=Pages(sizes=(3, 0, 7, 1), spelling="unescaped", token_length=300),  # 4, 5
)

tags = Subscription(
    id=_id(2),
    name="Tags written by strangers",
    resource_groups=(
        # 19: missing, empty and null, mixed in one list.
        group("rg-tags-missing", resource("Microsoft.Web/sites", "tags-missing")),
        group("rg-tags-empty", resource("Microsoft.Web/sites", "tags-empty", {}), tags={}),
        group("rg-tags-null", resource("Microsoft.Web/sites", "tags-null", None), tags=None),
        # 20: the value that protects is empty, so is the owner.
        group(
            "rg-empty-protection",
            resource("Microsoft.Storage/storageAccounts", "stprotected", {"DoNotDelete": "", "Owners": ""}),
            tags={"DoNotDelete": "", "BuildId": ""},
        ),
        group(
            "rg-hidden-links",
            # 21: keys that the portal uses, over a hundred characters long, with slashes and colons.
            resource(
                "microsoft.insights/alertrules",
                "Failure Anomalies - func-odd",
                {
                    "hidden-link:/subscriptions/{subscription}/resourceGroups/{group}/providers"
                    "/microsoft.insights/components/func-odd": "Resource",
                },
            ),
            resource(
                "Microsoft.Web/sites",
                "app-hidden",
                {
                    "hidden-related:/subscriptions/{subscription}/resourcegroups/{group}/providers"
                    "/Microsoft.Web/serverfarms/plan-hidden": "empty",
                    "hidden-title": "Shop",
                },
            ),
        ),
        group(
            "rg-odd-keys",
            resource(
                "Microsoft.Web/sites",
                "odd-keys",
                {
                    # 22: spaces, dots, braces and commas in keys.
                    "What Is Cleanup Service": "https://example.com/cleanup",
                    "created.utc": "2026-05-05T00:35:39Z",
                    "{tag1: value1,": "tag2: value2}",
                    " leading space": " leading space",
                    # Keys compare without case: Azure keeps one of them, and keeps its spelling.
                    "COST-Center": "cc-4100",
                    # A key as long as Azure allows.
                    "k" * 512: "v" * 256,
                },
            ),
            tags={"What Is Cleanup Service": "https://example.com/cleanup"},
        ),
        group(
            "rg-odd-values",
            resource(
                "Microsoft.Web/sites",
                "odd-values",
                {
                    # 22: JSON, the text of a Python dict, a US date, a schedule.
                    "policy": '{"retain": true, "days": [1, 2]}',
                    "meta": "{'team': 'platform', 'ticket': None}",
                    "since": "10/19/2019 1:59:57 PM",
                    "schedule": "on=(M-U,8);off=(M-U,18);tz=pt",
                    "delete-after": "tomorow",
                },
            ),
            resource(
                "Microsoft.Web/sites",
                "odd-languages",
                {"projet": "déjà-vu", "事業部": "開発", "команда": "платформа", "🚧": "🏗️", "rtl": "\u202egpj.exe"},
            ),
            # What strangers write is shown in reports, spreadsheets, logs and terminals.
            resource(
                "Microsoft.Web/sites",
                "odd-markup",
                {
                    "note": "<script>alert(1)</script>",
                    "image": '"><img src=x onerror=alert(1)>',
                    "formula": "=cmd|' /C calc'!A0",
                    "sum": '=HYPERLINK("http://example.com","owner")',
                    "at": "@SUM(1+1)",
                    "plus": "+1-555-0100",
                    "minus": "-2+3",
                    "lines": "one\r\ntwo\tthree",
                    "escape": "\x1b[31mred\x1b[0m",
                    "template": "{{ 7 * 7 }} ${PATH} %APP_SETTING% $(id)",
                },
            ),
            tags={"owner": "<b>nobody</b>", "formula": "=1+1"},
        ),
    ),
    # 4: long tokens with + / = in them, spelled %2B %2F %3D.
    group_pages=Pages(sizes=(3,), size=2, spelling="escaped", token_length=1400),
    resource_pages=Pages(sizes=(4, 0), size=3, ends="empty-page", spelling="lower-hex", token_length=600),  # 2, 4
)

owners = Subscription(
    id=_id(3),
    name="Owners, times and states",
    state="Warned",  # 65: neither enabled nor disabled
    authorization_source=UNSET,
    tenant_id=UNSET,
    managed_by_tenants=UNSET,
    policies={"locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01"},
    resource_groups=(
        # 26: managedBy is an id, or whatever somebody wrote; system groups have none.
        group("rg-managed-by-text", managed_by="test_admin", tags={"owner": TEAM}),
        group(
            "ai_appi-odd_8d1c_managed",
            resource("Microsoft.OperationalInsights/workspaces", "managed-appi-odd-ws", {"azd-env-name": "odd"}),
            managed_by="/subscriptions/{subscription}/resourceGroups/rg-times/providers/microsoft.insights/components/appi-odd",
            tags={"azd-env-name": "odd"},  # 25: copied from the owner
        ),
        group("DefaultResourceGroup-WEU"),
        # 27: an empty managedBy means not managed.
        group(
            "rg-managed-by-blank",
            resource("Microsoft.Compute/disks", "disk-blank-owner", managed_by=""),
            managed_by="",
        ),
        group(
            "rg-times",
            # 60: seven, six, three and no digits; offsets, no zone at all, and the US form.
            resource("Microsoft.Web/sites", "seven-digits", created_time="2026-05-12T15:46:05.1234567Z"),
            resource("Microsoft.Web/sites", "six-digits", created_time="2026-05-12T15:46:05.123456+00:00"),
            resource("Microsoft.Web/sites", "three-digits", created_time="2026-05-12T08:46:05.123-07:00"),
            resource("Microsoft.Web/sites", "no-digits", created_time="2026-05-12T15:46:05Z"),
            resource("Microsoft.Web/sites", "no-zone", created_time="2026-05-12T15:46:05.1234567"),
            resource("Microsoft.Web/sites", "us-form", created_time="10/19/2019 1:59:57 PM"),
            resource("Microsoft.Web/sites", "no-times", created_time=UNSET, changed_time=UNSET),
            created_time="2026-05-12T15:46:05.517Z",
        ),
        group(
            "rg-states",
            # 61: the same word in three spellings, none, null, and two that are not Succeeded.
            resource("Microsoft.Web/sites", "state-lower", provisioning_state="succeeded"),
            resource("Microsoft.Web/sites", "state-upper", provisioning_state="SUCCEEDED"),
            resource("Microsoft.Web/sites", "state-null", provisioning_state=None),
            resource("Microsoft.Web/sites", "state-absent", provisioning_state=UNSET),
            resource("Microsoft.Network/publicIPAddresses", "state-failed", provisioning_state="Failed"),
            resource("Microsoft.Network/natGateways", "state-updating", provisioning_state="Updating"),
        ),
        group("rg-being-deleted", provisioning_state="Deleting"),  # 38: still listed
        group(
            "rg-null-fields",
            resource("Microsoft.Web/sites", "null-fields", None, sku=None, kind=None, managed_by=None),
        ),
    ),
    budget="hourly",  # 58
    group_pages=Pages(size=3, ends="null"),  # 3: nextLink null after the last page
    resource_pages=Pages(sizes=(5,), ends="blank", spelling="unescaped"),  # 3: nextLink ""
)

empty = Subscription(
    id=_id(4),
    name="Nothing in it",
    group_pages=Pages(ends="no-value"),  # 3: {"nextLink": ""} and no value
    resource_pages=Pages(sizes=(0, 0), ends="no-value", spelling="escaped"),  # 1, 3
)

disabled = Subscription(
    id=_id(5),
    name="Disabled <script>alert('name')</script>",
    state="Disabled",  # 65
    authorization_source="Legacy",
    policies=UNSET,
    managed_by_tenants=[{"tenantId": "7e4a0000-0000-4000-8000-000000000002"}],
    resource_groups=(
        group("rg-upper-name", resource("Microsoft.Storage/storageAccounts", "stdisabled"), tags={"owner": TEAM}),
    ),
    group_pages=Pages(ends="empty-page"),  # 2: a nextLink although nothing follows
)

hiccups = Subscription(
    id=_id(6),
    name="Hiccups that pass",
    resource_groups=(
        group("rg-hiccup-one", resource("Microsoft.Web/sites", "hiccup-one"), tags={"owner": TEAM}),
        group("rg-hiccup-two", resource("Microsoft.Web/sites", "hiccup-two"), tags={"owner": TEAM}),
    ),
    group_pages=Pages(size=1),
    resource_pages=Pages(size=1),
    faults=(
        Fault(route="resource-groups", subscription=_id(6), kind="throttled", retry_after=0),  # 57: once, then fine
        Fault(route="resources", subscription=_id(6), page=2, kind="status", status=502),  # 46
    ),
)


guarded = Subscription(
    id=_id(7),
    name="Locks of every kind",
    resource_groups=(
        group(
            "rg-Locked",
            resource("Microsoft.Network/virtualNetworks", "vnet-locked"),
            resource("Microsoft.Storage/storageAccounts", "stlocked"),
            resource("Microsoft.DocumentDB/databaseAccounts", "cosmos-locked", kind="MongoDB"),
            tags={"owner": TEAM},
        ),
        # A name that only begins like the locked group's.
        group("rg-Locked-not", resource("Microsoft.Web/sites", "app-not-locked"), tags={"owner": TEAM}),
        group("rg-read-only", resource("Microsoft.Web/sites", "app-read-only"), tags={"owner": TEAM}),
    ),
    locks=(
        Lock(name="subscription lock", notes=None, scope="/Subscriptions/{subscription}"),  # 33: inherited by all
        # 11: resourcegroups in lower case, the group in capitals, the provider in lower case.
        Lock(name="group-lower", scope="/subscriptions/{subscription}/resourcegroups/rg-locked", notes=""),
        Lock(
            name="AzureBackupProtectionLock",
            scope="/subscriptions/{subscription}/resourcegroups/RG-LOCKED/providers"
            "/microsoft.storage/storageaccounts/stlocked",
            notes="Written by a backup.",
        ),
        # 34: locks on children, one and two levels down, that no list of resources shows.
        Lock(
            name="subnet",
            scope="/subscriptions/{subscription}/resourcegroups/rg-Locked/providers"
            "/Microsoft.Network/virtualNetworks/vnet-locked/subnets/default",
        ),
        Lock(
            name="collection",
            level="ReadOnly",
            scope="/subscriptions/{subscription}/resourcegroups/rg-Locked/providers/Microsoft.DocumentDB"
            "/databaseAccounts/cosmos-locked/mongodbDatabases/orders/collections/2026",
            owners=[{"applicationId": "0dd00000-0000-4000-8000-0000000000cc"}],
        ),
        Lock(
            name="read only",
            level="ReadOnly",
            scope="/subscriptions/{subscription}/resourceGroups/rg-read-only",
        ),
    ),
    lock_pages=Pages(sizes=(0, 2), size=3, ends="empty-page", spelling="lower-hex", token_length=300),  # 1, 2
)


def _unreadable(number: int, name: str, trouble: str, *faults: Fault, pages: Pages | None = None) -> Subscription:
    """Two groups and two resources of which a client sees a part at most."""
    pages = pages or Pages(size=1)
    return Subscription(
        id=_id(number),
        name=name,
        trouble=trouble,
        resource_groups=(
            group(f"rg-{number}-first", resource("Microsoft.Web/sites", f"app-{number}-first"), tags={"owner": TEAM}),
            group(f"rg-{number}-second", resource("Microsoft.Web/sites", f"app-{number}-second")),
        ),
        locks=(Lock(name="unseen", scope=f"/subscriptions/{{subscription}}/resourceGroups/rg-{number}-first"),),
        group_pages=pages,
        resource_pages=pages,
        faults=tuple(faults),
    )


def _always(number: int, kind: Kind, *, status: int = 0, page: int = 0, retry_after: int | None = None) -> Fault:
    """The same trouble on every list of the subscription, for ever."""
    return Fault(
        route=f"/subscriptions/{_id(number)}/*",
        kind=kind,
        status=status,
        page=page,
        retry_after=retry_after,
        times=None,
    )


unreadable = (
    # 54: what is locked cannot be told either.
    _unreadable(11, "No role", "403 AuthorizationFailed", _always(11, "forbidden")),
    _unreadable(12, "Not visible", "404 SubscriptionNotFound", _always(12, "not-found")),  # 52
    _unreadable(
        13,
        "HTML on the second page",
        "503 HTML on page 2",
        _always(13, "html", page=2, retry_after=1),  # 46
    ),
    _unreadable(14, "Cut off", "the connection ends in the middle of the body", _always(14, "cut")),
    _unreadable(15, "Cut off, politely", "the JSON ends in the middle", _always(15, "cut-json", page=2)),
    _unreadable(16, "Flat error", "400 with a flat error", _always(16, "flat", status=400)),  # 55
    _unreadable(17, "Error in capitals", '400 with {"Error": {"Code"}}', _always(17, "capitals", status=400)),  # 37
    _unreadable(18, "Throttled for ever", "429 that never ends", _always(18, "throttled", retry_after=1)),  # 57
    _unreadable(19, "Next page elsewhere", "nextLink to another host", pages=Pages(size=2, ends="elsewhere")),  # 47
    _unreadable(20, "Pages in a circle", "nextLink back to the first page", pages=Pages(size=1, ends="loop")),
    _unreadable(21, "Sign-in page", "200 with HTML", _always(21, "html", status=200)),  # 59
    _unreadable(22, "Error in a 200", "200 with an error and no list", _always(22, "error-in-200", page=2)),  # 41
    _unreadable(23, "Hangs up", "the connection is reset", _always(23, "reset")),
    _unreadable(24, "Empty answer", "200 without a body", _always(24, "empty", status=200)),  # 55
)

ODD = Estate(
    name="odd",
    subscriptions=(casing, tags, owners, empty, disabled, hiccups, guarded, *unreadable),
    subscription_pages=Pages(sizes=(4, 0, 9), spelling="escaped"),
    management_groups=(
        ManagementGroup(id="Odd-Root", name="Odd / root"),
        # The parent is spelled in another case than its own id.
        ManagementGroup(id="odd_(names).1", name="Names", parent="ODD-root", subscriptions=(_id(1), _id(2))),
        # One of these belongs to somebody else: it is listed here and nowhere else.
        ManagementGroup(id="odd-guests", name="Guests", parent="Odd-Root", subscriptions=(_id(99), _id(11))),
        ManagementGroup(id="odd-empty", name="Empty", parent="odd-guests"),
    ),
    descendant_pages=Pages(sizes=(0, 2), size=3, ends="null", spelling="unescaped"),
)
