"""A simulated Azure behind real TLS, and readers of it that note their waits instead of waiting."""

from collections.abc import Iterator

import pytest
from azure.core.credentials import AccessTokenInfo, TokenRequestOptions
from azure.identity import ManagedIdentityCredential

from devkit.simulator import Estate, Fault, Simulator, Subscription
from devkit.simulator.estates.drafting import group, resource
from devkit.simulator.model import Pages
from shared_code.azure_api.arm import Arm
from shared_code.azure_api.credential import Credential
from shared_code.azure_api.estate import AzureEstate
from shared_code.model import Subscription as Known

KNOWN = Known("5e000000-0000-4000-8000-000000000001", "Shop", "Enabled")
SHOP = Subscription(
    id=KNOWN.id,
    name=KNOWN.name,
    resource_groups=tuple(
        group(f"rg-{number}", resource("Microsoft.Web/sites", f"app-{number}")) for number in range(5)
    ),
    group_pages=Pages(size=2),
    resource_pages=Pages(size=2, spelling="lower-hex", token_length=300),
)


class Remembering(Credential):
    """Signs in as the app does, and keeps the tokens, which no text may contain."""

    def __init__(self) -> None:
        super().__init__(ManagedIdentityCredential())
        self.tokens: list[str] = []

    def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        token = super().get_token_info(*scopes, options=options)
        self.tokens.append(token.token)
        return token


class Azure:
    """The simulator, and one reader of it as the app would have after a fresh start."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.waits: list[float] = []
        self.credential = Remembering()
        self.arm = Arm(
            simulator.url, simulator.environment["STEWARD_ARM_AUDIENCE"], lambda: self.credential, self.waits.append
        )
        self.estate = AzureEstate(self.arm)
        self._before = len(simulator.requests)

    def fault(self, **fields: object) -> None:
        """Put a fault in force: for ever, unless `times` says otherwise."""
        self.simulator.faults.add(Fault(**({"times": None} | fields)))  # type: ignore[arg-type]

    def calls(self, route: str) -> int:
        """How often the simulator was asked for a route since this reader began."""
        return sum(request.route == route for request in self.simulator.requests[self._before :])

    def groups(self) -> list[str]:
        """The names of the resource groups, all pages."""
        return [found.name for page in self.estate.resource_groups(KNOWN) for found in page]


@pytest.fixture(scope="module", name="simulator")
def _simulator() -> Iterator[Simulator]:
    """One simulator for a module; the environment points there, as the platform's would."""
    with Simulator(Estate(name="shop", subscriptions=(SHOP,))) as simulator, pytest.MonkeyPatch.context() as environ:
        for name, value in simulator.environment.items():
            environ.setenv(name, value)
        yield simulator


@pytest.fixture(name="azure")
def _azure(simulator: Simulator) -> Azure:
    """A fresh reader, and no faults."""
    simulator.faults.clear()
    return Azure(simulator)
