"""Whether another function app uses the same storage, and so takes our messages and locks."""

from shared_code.apps import LONGEST_HOST_ID, Apps
from shared_code.doctor.checks import Check, failed, not_checked, ok, warning
from shared_code.times import text_of

WHAT = "other apps"
_ADVICE = "give each app a storage account and a container of its own"


def neighbour_check(apps: Apps, *, is_app: bool) -> Check:
    """Say which other apps were seen in the store lately.

    Args:
        apps: who left word.
        is_app: whether this process is one; a terminal is none, and one app is then as it should be.

    Raises:
        StoreError: the store cannot be read.
    """
    seen = apps.recent()
    others = [each for each in seen if each.name != apps.name] if is_app else seen
    same = [each for each in others if is_app and each.host_id and each.host_id == apps.host_id]
    if same:
        told = f"'{same[0].name}' has the host id '{apps.host_id}' too, so only one of them fires each timer"
        advice = f"{_ADVICE}, and shorten one name to {LONGEST_HOST_ID} characters or set AzureFunctionsWebHost__hostid"
        return failed(WHAT, told, advice)
    if len(others) > (0 if is_app else 1):
        told = ", ".join(f"'{each.name}' (seen {text_of(each.seen)})" for each in others)
        whose = f"this is '{apps.name}', and {told} uses the same store" if is_app else f"{told} use one store"
        return warning(WHAT, whose, f"{_ADVICE}; one that is gone is forgotten after three days")
    if others:
        return ok(WHAT, f"'{others[0].name}' alone uses the store")
    if not is_app:
        return not_checked(WHAT, "no app has left word in the store yet; one does with its first run")
    if len(apps.name) > LONGEST_HOST_ID and apps.host_id == apps.name.lower()[:LONGEST_HOST_ID].rstrip("-"):
        told = f"none; but the host cuts the name '{apps.name}' to '{apps.host_id}'"
        advice = f"keep names to {LONGEST_HOST_ID} characters, or set AzureFunctionsWebHost__hostid"
        return warning(WHAT, told, advice)
    return ok(WHAT, "none was seen in the store lately")
