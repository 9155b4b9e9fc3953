"""Lists every resource of every subscription, and nothing else: `python -m bench.listing ours|audit|floor`.

`floor` is the least that can be done: urllib3 on threads, msgspec decoding the few fields that are looked at,
and the next page. Prints the CPU seconds from the first request on, and the resources, as JSON.
"""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import msgspec

THREADS = 16
SUBSCRIPTIONS = "/subscriptions?api-version=2022-12-01"
RESOURCES = "/resources?api-version=2025-04-01&$expand=createdTime%2CchangedTime%2CprovisioningState"


class Item(msgspec.Struct):
    """What is looked at."""

    id: str
    name: str
    type: str
    location: str = ""
    tags: dict[str, str] | None = None


class Page(msgspec.Struct):
    """A page of a list."""

    value: list[Item]
    nextLink: str | None = None  # noqa: N815  # Azure's spelling


def floor() -> tuple[float, int]:
    """Return CPU seconds and resources."""
    import urllib3

    token_url = (
        f"{os.environ['IDENTITY_ENDPOINT']}?api-version=2019-08-01&resource={os.environ['STEWARD_ARM_AUDIENCE']}"
    )
    pool = urllib3.PoolManager(maxsize=THREADS, ca_certs=os.environ["REQUESTS_CA_BUNDLE"])
    answer = pool.request("GET", token_url, headers={"X-IDENTITY-HEADER": os.environ["IDENTITY_HEADER"]})
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}", "Accept-Encoding": "gzip"}
    endpoint, decode = os.environ["STEWARD_ARM_ENDPOINT"], msgspec.json.Decoder(Page).decode
    found = pool.request("GET", endpoint + SUBSCRIPTIONS, headers=headers).json()["value"]

    def read(subscription: str) -> int:
        count, link = 0, f"{endpoint}/subscriptions/{subscription}{RESOURCES}"
        while link:
            page = decode(pool.request("GET", link, headers=headers).data)
            count, link = count + len(page.value), page.nextLink or ""
        return count

    begun = time.process_time()
    with ThreadPoolExecutor(THREADS) as threads:
        resources = sum(threads.map(read, [each["subscriptionId"] for each in found]))
    return time.process_time() - begun, resources


def ours() -> tuple[float, int]:
    """Return CPU seconds and resources."""
    from shared_code.azure_api.arm import Arm
    from shared_code.azure_api.credential import credential
    from shared_code.azure_api.estate import AzureEstate
    from shared_code.model import Subscription

    sign_in = partial(credential, None, managed_identity=True)
    estate = AzureEstate(Arm(os.environ["STEWARD_ARM_ENDPOINT"], os.environ["STEWARD_ARM_AUDIENCE"], sign_in))
    found = estate.subscriptions()

    def read(subscription: Subscription) -> int:
        return sum(map(len, estate.resources(subscription)))

    begun = time.process_time()
    with ThreadPoolExecutor(THREADS) as threads:
        resources = sum(threads.map(read, found))
    return time.process_time() - begun, resources


def audit() -> tuple[float, int]:
    """Return CPU seconds and resources of listing them and auditing each by the five rules of `bench.tags`."""
    import tomllib

    from bench.tags import RULES
    from shared_code.audits import TagRules
    from shared_code.azure_api.arm import Arm
    from shared_code.azure_api.credential import credential
    from shared_code.azure_api.estate import AzureEstate
    from shared_code.model import Kind, Subject, Subscription
    from shared_code.tag_rules import TagRule

    sign_in = partial(credential, None, managed_identity=True)
    estate = AzureEstate(Arm(os.environ["STEWARD_ARM_ENDPOINT"], os.environ["STEWARD_ARM_AUDIENCE"], sign_in))
    rules = TagRules([msgspec.convert(tomllib.loads(rule), TagRule) for rule in RULES])
    found = estate.subscriptions()

    def read(subscription: Subscription) -> int:
        count = 0
        for page in estate.resources(subscription):
            for one in page:
                rules.audit(
                    Subject(
                        kind=Kind.RESOURCE,
                        id=one.id,
                        name=one.name,
                        type=one.type,
                        location=one.location,
                        tags=one.tags or {},
                        managed_by=one.owner,
                        subscription_id=subscription.id,
                        subscription_name=subscription.name,
                        resource_group=one.id.split("/", 5)[4],
                    )
                )
            count += len(page)
        return count

    begun = time.process_time()
    with ThreadPoolExecutor(THREADS) as threads:
        resources = sum(threads.map(read, found))
    return time.process_time() - begun, resources


if __name__ == "__main__":
    cpu, count = {"ours": ours, "floor": floor, "audit": audit}[sys.argv[1]]()
    print(json.dumps({"cpu": cpu, "resources": count}))
