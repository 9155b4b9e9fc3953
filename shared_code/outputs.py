"""The names of what runs leave in their folder; others script against them."""

RESOURCE_GROUPS = "resource-groups.ndjson"
RESOURCE_GROUPS_CSV = "resource-groups.csv"
CHANGES = "changes.ndjson"
FINDINGS = "findings.ndjson"
FINDINGS_CSV = "findings.csv"
COMPLIANCE = "compliance.json"
REPORT = "report.html"
