"""Resource Manager's error answers: codes, sentences and envelopes as recorded."""

import re
import uuid

from devkit.simulator.exchange import Reply, json_reply

# Azure marks the errors its front door decides; the recorded 401, 403 and 404 all carry it.
_GATEWAY = {"x-ms-failure-cause": "gateway"}


def error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Reply:
    """The usual envelope: {"error": {"code", "message"}}."""
    return json_reply({"error": {"code": code, "message": message}}, status, _GATEWAY | (headers or {}))


def unauthenticated(code: str, message: str, description: str) -> Reply:
    """401 with the challenge that names Entra ID."""
    challenge = (
        'Bearer authorization_uri="https://login.microsoftonline.com/", error="invalid_token", '
        f'error_description="{description}"'
    )
    return error(401, code, message, {"WWW-Authenticate": challenge})


def missing_api_version() -> Reply:
    """Every request needs an api-version."""
    return error(
        400,
        "MissingApiVersionParameter",
        "The api-version query parameter (?api-version=) is required for all requests.",
    )


def invalid_subscription_id(subscription: str) -> Reply:
    """The segment after /subscriptions/ is not a GUID."""
    return error(
        400,
        "InvalidSubscriptionId",
        f"The provided subscription identifier '{subscription}' is malformed or invalid.",
    )


def subscription_not_found(subscription: str) -> Reply:
    """The subscription does not exist, or the caller cannot see it: Azure does not tell (oddity 52)."""
    return error(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")


def group_not_found(group: str) -> Reply:
    """There is no such resource group in a subscription the caller may read."""
    return error(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def invalid_resource_type(path: str, api_version: str) -> Reply:
    """The path names an operation that is not simulated."""
    named = re.search(r"/providers/([^/]+)/([^/]+)", path)
    namespace, resource_type = named.groups() if named else ("Microsoft.Resources", path.rpartition("/")[2])
    return error(
        404,
        "InvalidResourceType",
        f"Resource type '{resource_type}' of provider namespace '{namespace}' was not found in global location "
        f"for api version '{api_version}'.",
    )


def invalid_filter(text: str) -> Reply:
    """The $filter cannot be understood."""
    return error(400, "InvalidFilterInQueryString", f"Invalid $filter '{text}' specified in the query string.")


def invalid_parameter(name: str, value: str) -> Reply:
    """Another query parameter cannot be understood. The code is ours; no recording shows one."""
    return error(400, "InvalidQueryParameterValue", f"The value '{value}' of the query parameter '{name}' is invalid.")


def method_not_allowed(method: str) -> Reply:
    """The path is known and the method is not."""
    return error(405, "MethodNotAllowed", f"The HTTP method '{method}' is not supported at scope.")


def forbidden(action: str, scope: str, principal: str) -> Reply:
    """The identity has no role for this; Azure answers the same for a scope that does not exist (oddity 54)."""
    return error(
        403,
        "AuthorizationFailed",
        f"The client '{principal}' with object id '{principal}' does not have authorization to perform action "
        f"'{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please "
        "refresh your credentials.",
    )


def management_group_not_found(scope: str) -> Reply:
    """The tenant has no management groups at all; without rights on one, the answer is `forbidden`."""
    return error(404, "NotFound", f"'{scope}' not found")


def lock_not_found(name: str) -> Reply:
    """There is no lock of that name at that scope."""
    return error(404, "LockNotFound", f"The lock '{name}' could not be found.")


def resource_not_found(scope: str, group: str) -> Reply:
    """The resource group exists and the resource does not."""
    named = re.sub("(?i)^.*?/providers/", "", scope)
    return error(
        404,
        "ResourceNotFound",
        f"The Resource '{named}' under resource group '{group}' was not found. For more details please go to "
        "https://aka.ms/ARMResourceNotFoundFix",
    )


def scope_locked(scope: str, operation: str, locked: list[str]) -> Reply:
    """A lock forbids the operation; which one is only in the sentence (oddity 35)."""
    return error(
        409,
        "ScopeLocked",
        f"The scope '{scope}' cannot perform {operation} operation because following scope(s) are locked: "
        f"'{','.join(locked)}'. Please remove the lock and try again.",
    )


def invalid_content(reason: str) -> Reply:
    """The body cannot be understood."""
    return error(
        400, "InvalidRequestContent", f"The request content was invalid and could not be deserialized: '{reason}'."
    )


def tags_not_changed(scope: str) -> Reply:
    """A write of tags that was accepted has come to nothing. The code is ours; no recording shows one."""
    return error(409, "TagsUpdateFailed", f"The tags of '{scope}' could not be updated.")


def operation_not_found(name: str) -> Reply:
    """There is no operation of that name, in that subscription. The code is ours; no recording shows one."""
    return error(404, "OperationNotFound", f"The operation '{name}' could not be found.")


def invalid_tag_names(names: list[str]) -> Reply:
    """Names have characters that Azure keeps for itself."""
    return error(
        400,
        "InvalidTagNameCharacters",
        f"The tag names '{','.join(names)}' have reserved characters '<,>,%,&,\\,?,/' or control characters.",
    )


def tag_length(part: str, name: str, most: int) -> Reply:
    """A tag's name or value is too long, or the name empty. The code is ours; no recording shows one."""
    return error(
        400,
        f"InvalidTag{part.capitalize()}Length",
        f"The {part} of tag '{name[:100]}' must have 1 to {most} characters.",
    )


def too_many_tags(count: int, most: int) -> Reply:
    """The scope would have more tags than Azure keeps. The code is ours; no recording shows one."""
    return error(400, "InvalidTagsCount", f"There would be {count} tags; a resource has {most} at most.")


def in_use(code: str, message: str) -> Reply:
    """Something uses the thing; that is 400 and not 409 with the network's provider (oddity 44)."""
    return json_reply({"error": {"code": code, "message": message, "details": []}}, 400)


def nested_first() -> Reply:
    """What is nested in the thing has to go before it."""
    return json_reply(
        {
            "error": {
                "code": "CannotDeleteResource",
                "message": "Can not delete resource before nested resources are deleted.",
            }
        },
        409,
    )


def busy(address: str) -> Reply:
    """Something else is being done with the thing, or with what it belongs to."""
    message = (
        "Another operation on this or dependent resource is in progress. To retrieve status of the operation use "
        f"uri: {address}."
    )
    return json_reply({"error": {"code": "AnotherOperationInProgress", "message": message, "details": []}}, 409)


def being_deleted(group: str) -> Reply:
    """The resource group is on its way out."""
    return error(
        409,
        "ResourceGroupBeingDeleted",
        f"The resource group '{group}' is in deprovisioning state and cannot perform this operation.",
    )


def denied(action: str, scope: str, principal: str, *assignment: str) -> Reply:
    """A deny assignment forbids what a role allows; `assignment` is its name, its id and its scope."""
    name, identity, at = assignment
    return error(
        403,
        "DenyAssignmentAuthorizationFailed",
        f"The client '{principal}' with object id '{principal}' has permission to perform action '{action}' on scope "
        f"'{scope}'; however, the access is denied because of the deny assignment with name '{name}' and Id "
        f"'{identity}' at scope '{at}'.",
    )


def not_deleted(group: str, left: list[tuple[str, Reply]], *, late: bool = False) -> Reply:
    """A resource group's delete has come to an end before the group has; with capitals (oddity 37).

    Args:
        group: its name.
        left: the ids that could not be deleted, and why.
        late: whether time ran out.
    """
    names = ",".join(re.sub("(?i)^.*?/providers/", "", each) for each, _ in left)
    took = "did not finish within the time allowed" if late else "failed"
    message = (
        f"Deletion of resource group '{group}' {took} as resources with identifiers '{names}' could not be deleted. "
        f"The provisioning state of the resource group will be rolled back. The tracking Id is '{uuid.uuid4()}'. "
        "Please check audit logs for more details."
    )
    details = [
        {"Code": None, "Target": each, "Message": why.body.decode(), "Details": None, "AdditionalInfo": None}
        for each, why in left
    ]
    code = "ResourceGroupDeletionTimeout" if late else "ResourceGroupDeletionBlocked"
    content = {"Code": code, "Target": None, "Message": message, "Details": details, "AdditionalInfo": None}
    return json_reply({"Error": content}, 409)


def changed_meanwhile(name: str) -> Reply:
    """The thing was changed while it was being deleted."""
    return json_reply(
        {"error": {"code": "PreconditionFailed", "message": f"'{name}' has been modified (etag mismatch)."}}, 412
    )


def invalid_signature() -> Reply:
    """The address to poll is not as it was handed out. The code is ours; no recording shows one."""
    return error(403, "InvalidOperationSignature", "The signature of the address is missing, or is not for it.")


def deleted_vault_not_found(name: str) -> Reply:
    """No key vault of that name was deleted there, or it cannot be recovered any more."""
    return error(404, "DeletedVaultNotFound", f"The specified deleted vault '{name}' does not exist.")
