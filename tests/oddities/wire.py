"""A server that answers as Azure did, behind TLS on loopback, and the real reader of it."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from shared_code.azure_api.arm import Arm
from shared_code.azure_api.estate import AzureEstate
from shared_code.model import Lock, Resource, ResourceGroup, Subscription, Verdict
from shared_code.resource_groups import read_subscription
from shared_code.scope import Scope
from tests.azure_api.conftest import JSON, Answer, Clock, Remembering, Script
from tests.oddities.recorded import Json, Recording, elsewhere, target, value

KNOWN = Subscription("0dd17000-0000-4000-8000-000000000001", "Oddities", "Enabled")
ROOT = f"/subscriptions/{KNOWN.id}"
LOCKS = "/providers/Microsoft.Authorization/locks"
PERMISSIONS = f"{ROOT}/providers/Microsoft.Authorization/permissions"
"""What is asked once a list of resources is read, and answered so that nothing is hidden, whatever else is said."""

LISTS: dict[str, Callable[[AzureEstate], list[Any]]] = {
    "subscriptions": lambda estate: estate.subscriptions(),
    "groups": lambda estate: [each for page in estate.resource_groups(KNOWN) for each in page],
    "resources": lambda estate: [each for page in estate.resources(KNOWN) for each in page],
    "locks": lambda estate: [each for page in estate.locks(KNOWN) for each in page],
}
"""How each list is read to its end."""


class Wire:
    """Answers what a test says, and reads it through the product's own client."""

    def __init__(self, script: Script) -> None:
        self.script = script
        script.seen.clear()
        self.credential = Remembering()
        self._time = Clock()
        audience = "https://management.azure.com"
        self.estate = AzureEstate(Arm(script.url, audience, lambda: self.credential, self._time.sleep, self._time.now))
        self.answer(404)

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.script.url

    @property
    def waits(self) -> list[float]:
        """The seconds the reader slept, one after the other."""
        return self._time.waits

    @property
    def asked(self) -> list[str]:
        """Path and query of every request for a list, as received."""
        return [path for _, path in self.script.seen if not path.startswith(PERMISSIONS)]

    def answer(self, status: int, body: object = b"", **headers: str) -> None:
        """Answer every request so; what is no bytes is sent as JSON."""
        named = {name.replace("_", "-"): content for name, content in headers.items()}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._serve(lambda _: (status, ({} if isinstance(body, bytes) else JSON) | named, content))

    def answers(self, *answers: Answer) -> None:
        """Answer one request after the other so, and every later one like the last."""
        left = list(answers)
        self._serve(lambda _: left.pop(0) if len(left) > 1 else left[0])

    def pages(self, *bodies: Json) -> None:
        """Answer the first request with the first body, and so on; a nextLink in them leads here."""
        self.answers(*((200, JSON, json.dumps(elsewhere(body, self.url)).encode()) for body in bodies))

    def chain(self, *pages: Iterable[object]) -> None:
        """Answer with these pages, each but the last one with a link to the next."""
        whole = [list(page) for page in pages]
        links = [f"{self.url}{ROOT}/next?page={number}" for number in range(2, len(whole) + 1)]
        self.pages(*(value(page, nextLink=link) for page, link in zip(whole, links, strict=False)), value(whole[-1]))

    def lists(self, groups: Iterable[Json] = (), resources: Iterable[Json] = (), locks: Iterable[Json] = ()) -> None:
        """Serve the three lists of a subscription, one page each."""
        of = {"/resourcegroups?": list(groups), "/resources?": list(resources), f"{LOCKS}?": list(locks)}
        self._serve(
            lambda path: next(
                (200, JSON, json.dumps(value(items)).encode()) for part, items in of.items() if part in path
            )
        )

    def _serve(self, answers: Callable[[str], Answer]) -> None:
        role = 200, JSON, json.dumps(value([{"actions": ["*/read"], "notActions": []}])).encode()
        self.script.answers = lambda path: role if path.startswith(PERMISSIONS) else answers(path)

    def read(self, name: str) -> list[Any]:
        """Read one list to its end, by its name in LISTS."""
        return LISTS[name](self.estate)

    def subscriptions(self, *items: Json) -> list[Subscription]:
        """Read a list of these subscriptions."""
        self.pages(value(items))
        return self.read("subscriptions")

    def groups(self, *items: Json) -> list[ResourceGroup]:
        """Read a list of these resource groups."""
        self.pages(value(items))
        return self.read("groups")

    def resources(self, *items: Json) -> list[Resource]:
        """Read a list of these resources."""
        self.pages(value(items))
        return self.read("resources")

    def locks(self, *items: Json) -> list[Lock]:
        """Read a list of these locks."""
        self.pages(value(items))
        return self.read("locks")

    def whole(self) -> tuple[Verdict, dict[str, ResourceGroup]]:
        """Read the subscription as list-resource-groups does; the groups by name."""
        verdict, groups = read_subscription(self.estate, KNOWN, Scope())
        return verdict, {group.name: group for group in groups}

    def replay(self, *recordings: Recording, into: str) -> list[Any]:
        """Read recorded pages; after them comes an empty one, where the last has a link.

        The links keep path and query byte for byte, and lead to this server; each must be asked for as it is.
        """
        pages = [elsewhere(value(each.items) if _single(each.body) else each.body, self.url) for each in recordings]
        answers = [
            (200, each.sent, json.dumps(page, ensure_ascii=False).encode())
            for each, page in zip(recordings, pages, strict=True)
        ]
        self.answers(*answers, (200, JSON, b'{"value": []}'))
        before = len(self.asked)
        found = self.read(into)
        links = [page["nextLink"] for page in pages if page.get("nextLink")]
        assert [plain(path) for path in self.asked[before + 1 :]] == [plain(target(link)) for link in links]
        return found


def plain(link: str) -> str:
    """Undo what an HTTP library may do to a link: percent-encode what may not stand in a URL, and hex in capitals."""
    parts = link.replace(" ", "%20").replace('"', "%22").split("%")
    return "%".join([parts[0], *(part[:2].upper() + part[2:] for part in parts[1:])])


def _single(body: Any) -> bool:
    return "value" not in body and "nextLink" not in body


def group(name: str, **fields: object) -> Json:
    """A resource group as Azure lists it; a field of None is null."""
    return {
        "id": f"{ROOT}/resourceGroups/{name}",
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": "westeurope",
        "properties": {"provisioningState": "Succeeded"},
    } | fields


def resource(path: str, **fields: object) -> Json:
    """A resource as Azure lists it: `rg-one/Microsoft.Web/sites/app`; name and type are those of the path."""
    within, namespace, *pairs = path.split("/")
    return {
        "id": f"{ROOT}/resourceGroups/{within}/providers/{namespace}/{'/'.join(pairs)}",
        "name": "/".join(pairs[1::2]),
        "type": "/".join([namespace, *pairs[::2]]),
        "location": "westeurope",
    } | fields


def lock(scope: str, name: str = "keep", level: str = "CanNotDelete", **properties: object) -> Json:
    """A lock as Azure lists it."""
    return {
        "id": f"{scope}{LOCKS}/{name}",
        "name": name,
        "type": "Microsoft.Authorization/locks",
        "properties": {"level": level} | properties,
    }
