"""A plain client for the simulator: what a careful program does, in few lines, apart from any SDK."""

from types import TracebackType
from typing import Any, Self

import requests

from devkit.simulator import Simulator

GROUPS = "2022-09-01"


class Client:
    """Asks one simulator, with a token from its identity endpoint."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.session = requests.Session()
        self.session.verify = simulator.environment["REQUESTS_CA_BUNDLE"]
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {self.token()}"

    def token(self, **parameters: str) -> str:
        """A token for Resource Manager."""
        return str(self.identity(**parameters).json()["access_token"])

    def identity(self, **parameters: str) -> requests.Response:
        """The answer of the identity endpoint."""
        environment = self.simulator.environment
        return self.session.get(
            environment["IDENTITY_ENDPOINT"],
            params={"api-version": "2019-08-01", "resource": environment["STEWARD_ARM_AUDIENCE"]} | parameters,
            headers={"X-IDENTITY-HEADER": environment["IDENTITY_HEADER"]},
            timeout=10,
        )

    def get(self, target: str, *, method: str = "GET", **headers: str) -> requests.Response:
        """The answer for a path with its query, or for a nextLink; a missing api-version is added to a bare path."""
        if "?" not in target:
            target += f"?api-version={GROUPS}"
        url = target if target.startswith("https://") else self.simulator.url + target
        return self.session.request(method, url, headers=headers, timeout=10)

    def pages(self, target: str) -> list[dict[str, Any]]:
        """All pages behind a path, following nextLinks as they are; fails on anything but 200."""
        pages: list[dict[str, Any]] = []
        while target:
            answer = self.get(target)
            assert answer.status_code == 200, answer.text
            pages.append(answer.json())
            target = pages[-1].get("nextLink") or ""
            assert len(pages) < 1000, "the pages do not end"
        return pages

    def items(self, target: str) -> list[Any]:
        """The items of all pages."""
        return [item for page in self.pages(target) for item in page.get("value", [])]

    def close(self) -> None:
        """Close the connections."""
        self.session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
