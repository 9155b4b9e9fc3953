"""Campaign `hostile`: made-up secrets, which must turn up nowhere but where they belong, and damaged objects."""

import os
import random
import re
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from __app__.operations import OPERATIONS
from devkit.campaigns.canaries import Canaries
from devkit.campaigns.damage import damages
from devkit.campaigns.estate import ESTATE, TOML
from devkit.campaigns.listener import Outside, listening
from devkit.campaigns.scenes import SCENES
from devkit.campaigns.session import Session
from devkit.local_host.keys import Keys
from devkit.local_host.process import HostProcess, Reply, running
from devkit.simulator import Fault, Simulator
from devkit.simulator.faults import Kind, RouteName

ROOT = Path(__file__).resolve().parents[2]
JOBS = ("list-resource-groups", "tag-audit", "cleanup")
ROUTES: tuple[RouteName | Literal["*"], ...] = (
    "subscriptions", "resource-groups", "resources", "locks", "resource-graph", "resource-group", "resource",
    "permissions", "tags", "identity", "logs", "export-template", "deny-assignments", "*",
)  # fmt: skip
NOTICES = """
[notices]
urls = ["%STEWARD_NOTICE_URL%"]
"""
COMMANDS = (
    ("--verbose", "doctor", "--json"),
    ("--verbose", "run", "list-resource-groups", "--json"),
    ("check", "--json"),
    ("--verbose", "run", "tag-audit"),
    ("jobs",),
    ("doctor", "--role-for", "cleanup"),
)
SURE = ("resource-groups", "locks", "permissions", "resource-graph", "deny-assignments")
"""What every round asks for, and more than once."""
KINDS: tuple[Kind, ...] = ("status", "flat", "capitals", "not-json", "error-in-200")
SPARED = 0.5
QUOTATIONS = (
    "Unable to download 'https://st.blob.core.windows.net/c/t.json?sv=2024&sig=SECRET%3D'.",
    "The token 'Bearer SECRET' has expired.",
    "DefaultEndpointsProtocol=https;AccountName=st;AccountKey=SECRET==;EndpointSuffix=x is wrong.",
    "Cannot sign in at Endpoint=sb://x/;SharedAccessKeyName=k;SharedAccessKey=SECRET=",
    'Bad body {"client_secret": "SECRET", "grant_type": "x"}',
    "Cannot reach https://user:SECRET@proxy.example:8080/",
    "Server=x;User Id=sa;Password=SECRET;",
    "Refused: x-functions-key: SECRET",
    "SharedAccessSignature=sv=2024&ss=b&sig=SECRET&se=2030",
    "GET /subscriptions?api-version=1&code=SECRET failed",
)
"""What services say in errors, with the secret that they were sent."""
BETWEEN = 300
"""Trials with damaged objects between two rounds."""
PATIENCE = 60.0
KEPT_KEYS = "keys.json"
"""The one file of the local host that has the keys, for nobody else to read."""


def perform(session: Session) -> None:
    """Go on until the time is over: a round with secrets and trouble of its own, and some damaged objects, in turn."""
    rounds = 0
    with damages(session.seed) as trials:
        cases = [case for scene in SCENES for case in trials.cases(scene)]
        if session.only:
            cases = [case for case in cases if case.place == session.only]
        random.Random(session.seed).shuffle(cases)  # noqa: S311  # an order is no secret
        if not session.only or session.only.isdecimal():
            round_of(session, int(session.only or session.seed))
        for done, case in enumerate(cases):
            if not session.goes_on:
                break
            session.progress(done, "damaged objects", len(cases))
            session.figures["damaged_objects"] += 1
            for each in trials.broken(case):
                session.violated(f"{case.place}: {each}", case.place)
            if done % BETWEEN == BETWEEN - 1:
                rounds += 1
                round_of(session, session.seed + rounds)


def round_of(session: Session, seed: int, commands: int = 3, *, hurried: bool = False) -> None:
    """Perform everything once with secrets in every place that has one, and look for them everywhere else.

    Args:
        session: takes what is found.
        seed: what the secrets and the trouble follow from.
        commands: how many of the commands are tried.
        hurried: whether nothing goes wrong that is tried again after a while.
    """
    with tempfile.TemporaryDirectory(prefix="campaign-") as name, listening() as outside:
        one = _Round(session, seed, Path(name), outside)
        with one.simulator(hurried=hurried):
            one.through_the_host()
            one.through_the_terminal(commands)
        one.look_around()
    session.figures["rounds"] += 1


class _Round:
    def __init__(self, session: Session, seed: int, folder: Path, outside: Outside) -> None:
        self._session, self._seed, self._folder, self._outside = session, seed, folder, outside
        self._random = random.Random(seed)  # noqa: S311  # the same again for the same seed
        self._canaries = Canaries(seed)
        self._environment: dict[str, str] = {}
        self._seen: list[tuple[str, bytes]] = []
        make = self._canaries.make
        self._wrong = make("a wrong key")
        self._strange = {
            "Authorization": f"Bearer {make('a header Authorization')}",
            "Cookie": f"AppServiceAuthSession={make('a cookie')}",
            "X-MS-TOKEN-AAD-ACCESS-TOKEN": make("a forwarded token"),
            "X-MS-CLIENT-PRINCIPAL": b64encode(f'{{"claims": ["{make("a claim")}"]}}'.encode()).decode(),
        }
        (folder / "steward.toml").write_bytes(TOML + NOTICES.encode())
        (folder / "state").mkdir()

    @contextmanager
    def simulator(self, *, hurried: bool) -> Iterator[None]:
        """Serve the estate; what it signs, and what its errors say, has secrets in it."""
        make = self._canaries.make
        with Simulator(ESTATE, self._trouble(hurried=hurried)) as simulator:
            simulator._identity.secret = make("IDENTITY_HEADER")  # noqa: SLF001  # nobody else may set it
            at = f"127.0.0.1:{self._outside.port}"
            self._environment = {
                **simulator.environment,
                "IDENTITY_HEADER": simulator._identity.secret,  # noqa: SLF001
                "APPLICATIONINSIGHTS_CONNECTION_STRING": f"InstrumentationKey={make('instrumentation key')}",
                "AzureWebJobsStorage": f"DefaultEndpointsProtocol=https;AccountName=st;AccountKey={make('account')}==",
                "AZURE_CLIENT_SECRET": make("AZURE_CLIENT_SECRET"),
                "STEWARD_CONFIG": str(self._folder / "steward.toml"),
                "STEWARD_HEARTBEAT_URL": f"http://{at}/{make('heartbeat')}?token={make('token of heartbeat')}",
                "STEWARD_NOTICE_URL": f"json://user:{make('password of notices')}@{at}/{make('notices')}/",
                "STEWARD_STORE": (self._folder / "store").as_uri(),
                "WEBSITE_AUTH_ENCRYPTION_KEY": make("WEBSITE_AUTH_ENCRYPTION_KEY"),
            }
            yield
            for token in list(simulator._identity._issued):  # noqa: SLF001
                self._canaries.add("access token", token)
            self._session.figures["tokens"] += len(simulator._identity._issued)  # noqa: SLF001

    def _trouble(self, *, hurried: bool) -> Iterator[Fault]:
        """Errors that quote what opens doors, and a list that goes on elsewhere.

        In a hurry each quotation comes once, at calls that every round makes, and nothing is tried again after a while.
        """
        make = self._canaries.make
        for place, quotation in enumerate(QUOTATIONS):
            if not hurried and self._random.random() < SPARED:
                continue
            route = SURE[place % len(SURE)] if hurried else self._random.choice(ROUTES)
            text = quotation.replace("SECRET", make(f"what an error of {route} quotes: {quotation}"))
            yield Fault(
                route=route,
                nth=place // len(SURE) + 1 if hurried else self._random.randint(1, 6),
                times=1 if hurried else self._random.randint(1, 4),
                status=403 if hurried else self._random.choice((400, 401, 403, 404, 409, 500, 503)),
                kind="status" if hurried else self._random.choice(KINDS),
                body={"error": {"code": "Odd", "message": text}},
            )
        signed = f"https://elsewhere.example/list?sv=1&sig={make('signature of a nextLink')}"
        yield Fault(
            route="resources", nth=self._random.randint(1, 3), status=200, body={"value": [], "nextLink": signed}
        )

    def through_the_host(self) -> None:
        """Let every job run, and call every function, with the right key and with wrong ones."""
        make = self._canaries.make
        keys = Keys(*(make(f"{name} key") for name in Keys.__struct_fields__))
        path = self._folder / "state" / KEPT_KEYS
        path.write_text("{" + ",".join(f'"{name}":"{getattr(keys, name)}"' for name in Keys.__struct_fields__) + "}")
        path.chmod(0o600)
        log = self._folder / "host.log"
        with running(
            ROOT, state=self._folder / "state", environment=self._environment, arguments=("--no-timers",), log=log
        ) as host:
            known = self._runs(host)
            for name, each in OPERATIONS.items():
                for place in known.get(each.route.split("/")[0], ["nothing"]):
                    self._call(host, name, "/api/" + re.sub("{[a-z]+}", place, each.route))
            for job in (*JOBS, "watchdog"):
                host.trigger(job.replace("-", "_"))
            self._settle(host)

    def _runs(self, host: HostProcess) -> dict[str, list[str]]:
        runs = []
        for job in JOBS:
            sent = {"Idempotency-Key": job, "X-Requested-By": "operator@example.com"}
            runs.append(self._asked(host.call("POST", f"/api/jobs/{job}/runs", {}, headers=sent)).json()["id"])
        self._settle(host)
        plans = [run for run in runs if self._asked(host.call("GET", f"/api/plans/{run}")).status == 200]
        for plan in plans:
            digest = host.call("GET", f"/api/plans/{plan}").json()["digest"]
            self._asked(host.call("POST", f"/api/plans/{plan}/apply", {"digest": digest}, key="approver"))
        self._settle(host)
        return {"runs": runs, "plans": plans or runs, "jobs": ["cleanup"]}

    def _call(self, host: HostProcess, name: str, path: str) -> None:
        """Call a function as meant, with a wrong key, with a key in the address, and with headers nobody asked for."""
        method = OPERATIONS[name].method
        body = None if method == "GET" else {"reason": "tried"}
        key = "approver" if name == "apply_plan" else "operator"
        self._asked(host.call(method, path, body, key=key))
        self._asked(host.call(method, path, body, headers=self._strange))
        self._asked(host.call(method, path, body, headers={"x-functions-key": self._wrong}))
        self._asked(host.call(method, f"{path}?code={self._wrong}", body, key=None))
        if method == "GET":
            self._asked(host.call("GET", f"{path}?code={getattr(host.keys, key)}", key=None))

    def _asked(self, reply: Reply) -> Reply:
        self._session.figures["answers"] += 1
        told = "\n".join(f"{name}: {value}" for name, value in reply.headers.items()).encode()
        self._look("an answer of the API", told + b"\n\n" + reply.body)
        return reply

    def _settle(self, host: HostProcess) -> None:
        """Wait until no run is under way; one that waits for the sweeper may stay."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            runs: list[dict[str, Any]] = host.call("GET", "/api/runs").json()["runs"]
            if not [each for each in runs if each["status"] in ("queued", "running")]:
                return
            time.sleep(0.1)
        self._session.violated("a run has not ended in a minute", f"{self._seed}")

    def through_the_terminal(self, count: int) -> None:
        """Try some commands: as the app is set, with a key in the name of its store, behind a proxy with a password."""
        make = self._canaries.make
        settings: list[dict[str, str]] = [
            {},
            {"STEWARD_STORE": f"https://st.blob.core.windows.net/steward?sv=1&sig={make('signature of the store')}"},
            {"HTTPS_PROXY": f"http://user:{make('password of the proxy')}@127.0.0.1:9", "NO_PROXY": ""},
            {"STEWARD_STORE": f"AccountName=st;AccountKey={make('key of the store')}=="},
            {
                "STEWARD_HEARTBEAT_URL": f"monitor/{make('wrong heartbeat')}",
                "STEWARD_NOTICE_URL": make("wrong notices"),
            },
            {"STEWARD_ARM_ENDPOINT": f"https://user:{make('password of the endpoint')}@management.example"},
        ]
        for command, setting in zip(
            self._random.sample(COMMANDS, count), self._random.sample(settings, count), strict=True
        ):
            done = subprocess.run(
                [sys.executable, "-m", "shared_code", *command],
                cwd=ROOT,
                env={**os.environ, **self._environment, **setting},
                capture_output=True,
                timeout=PATIENCE,
                check=False,
            )
            self._session.figures["commands"] += 1
            self._look(
                f"steward {' '.join(command)} with {', '.join(setting) or 'nothing more'}", done.stdout + done.stderr
            )

    def look_around(self) -> None:
        """Look for every secret, also those that were issued meanwhile, in all that is left."""
        self._seen += [("a notice", body) for body in self._outside.bodies]
        self._look("the log of the host", (self._folder / "host.log").read_bytes())
        for place, content in self._seen:
            if found := self._canaries.found_in(content):
                self._told(place, found)
        for folder, but in (("store", ()), ("state", (KEPT_KEYS,))):
            for name, found in self._canaries.found_below(self._folder / folder, but):
                self._told(f"{folder}/{name}", found)
        self._session.figures["objects"] += sum(path.is_file() for path in self._folder.rglob("*"))
        self._session.figures["notices"] += len(self._outside.bodies)
        self._session.figures["calls_outside"] += self._outside.calls

    def _look(self, place: str, content: bytes) -> None:
        """Look into it in the end, when every secret is known."""
        self._seen.append((place, content))

    def _told(self, place: str, found: list[str]) -> None:
        self._session.violated(f"{place} has {', '.join(found)}", f"{self._seed}")
