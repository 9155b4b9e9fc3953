"""The check after a deployment, run as it is, with stand-ins for `az` and `curl` that keep keys in a file."""

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from __app__.operations import OPERATIONS
from shared_code.roles import Role
from tests.infra.bicep import INFRA

SCRIPT = INFRA / "postdeploy.sh"
SITE = "/subscriptions/0/resourceGroups/rg-steward-dev/providers/Microsoft.Web/sites/func-steward-dev"

_AZ = r"""#!/bin/sh
# In state/: lists/1 and so on are what is listed, one after the other; keys/FUNCTION/KEY has a value.
cd "$(dirname "$0")" || exit
printf '%s\n' "$*" >> calls
refused=$(cat state/refuses)
[ -z "$refused" ] || case "$*" in *"$refused"*) echo 'ERROR: refused' >&2; exit 3 ;; esac
end=$(cat state/end)
arguments="$*"
while [ $# -gt 0 ]; do
  case $1 in
    --function-name) function=$2; shift ;;
    --query) query=$2; shift ;;
    --url) url=$2; shift ;;
    --body) body=${2#@}; shift ;;
  esac
  shift
done
case $arguments in
  "functionapp function list "*)
    first=$(ls state/lists | head -n 1)
    sed "s|.*|func-steward-dev/&$end|" "state/lists/$first"
    [ "$(ls state/lists | wc -l)" -eq 1 ] || rm "state/lists/$first" ;;
  "functionapp show "*) printf '%s%b\n' "$(cat state/site)" "$end" ;;
  "functionapp function keys list "*)
    [ ! -e "state/keys/$function/$query" ] || printf '%s%b\n' "$(cat "state/keys/$function/$query")" "$end" ;;
  "rest --method put --url $(cat state/site)/functions/"*"?api-version=2025-03-01 "*)
    key=${url%\?*} key=${key#"$(cat state/site)/functions/"}
    function=${key%%/keys/*} key=${key##*/keys/}
    value=$(sed -n 's/^{"properties":{"name":"'"$key"'","value":"\([^"]*\)"}}$/\1/p' "$body")
    [ -n "$value" ] || exit 4
    mkdir -p "state/keys/$function" && printf '%s' "$value" > "state/keys/$function/$key" ;;
  *) echo "nobody asks for $arguments" >&2; exit 5 ;;
esac
"""
_CURL = r"""#!/bin/sh
# answers/1 and so on: the status, and the body behind it.
cd "$(dirname "$0")" || exit
printf 'curl %s\n' "$*" >> calls
while [ $# -gt 0 ]; do
  case $1 in
    --config) config=$2; shift ;;
    --output) output=$2; shift ;;
    --write-out | --max-time) shift ;;
    -*) ;;
    *) url=$1 ;;
  esac
  shift
done
[ "$url" = https://func-steward-dev.azurewebsites.net/api/health ] || exit 6
first=$(ls state/answers | head -n 1)
read -r status body < "state/answers/$first"
[ "$(ls state/answers | wc -l)" -eq 1 ] || rm "state/answers/$first"
[ "$(cat "$config")" = "header = \"x-functions-key: $(cat state/keys/health/reader)\"" ] || status=401
[ "$status" != 0 ] || exit 7
printf '%s' "$body" > "$output"
printf '%s' "$status"
"""


def listed() -> dict[str, str]:
    """What infra/functions.txt says of each function."""
    lines = (INFRA / "functions.txt").read_text().splitlines()
    return dict(line.split(" ") for line in lines if not line.startswith("#"))


@dataclass
class Azure:
    """A function app, as `az` and `curl` show it."""

    folder: Path
    lists: list[list[str]] = field(default_factory=lambda: [sorted(listed())])
    keys: dict[str, dict[str, str]] = field(default_factory=dict)
    answers: list[tuple[int, str]] = field(default_factory=lambda: [(200, '{"status":"healthy","problems":[]}')])
    end: str = ""
    refuses: str = ""
    subscription: str | None = None

    def check(self, *shell: str) -> subprocess.CompletedProcess[str]:
        """Call the script."""
        self._write()
        ended = subprocess.run(
            [*shell, str(SCRIPT)],
            env={
                "PATH": f"{self.folder}:{os.environ['PATH']}",
                "APP": "func-steward-dev",
                "GROUP": "rg-steward-dev",
                "URL": "https://func-steward-dev.azurewebsites.net",
                "PAUSE": "0",
                "TRIES": "3",
                "TMPDIR": str(self.folder),
                **({"AZURE_SUBSCRIPTION_ID": self.subscription} if self.subscription else {}),
            },
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        self.keys = {}
        for path in sorted((self.folder / "state" / "keys").glob("*/*")):
            self.keys.setdefault(path.parent.name, {})[path.name] = path.read_text()
        return ended

    @property
    def calls(self) -> list[str]:
        """The arguments of every call."""
        return (self.folder / "calls").read_text().splitlines()

    @property
    def sets(self) -> int:
        """How many keys were set."""
        return sum(call.startswith("rest ") for call in self.calls)

    @property
    def left(self) -> set[str]:
        """What lies in the folder for temporary files that was not there before."""
        return {path.name for path in self.folder.iterdir()} - {"az", "curl", "state", "calls"}

    def _write(self) -> None:
        shutil.rmtree(self.folder / "state", ignore_errors=True)
        files = {"site": SITE, "end": self.end, "refuses": self.refuses}
        files |= {f"lists/{at}": "".join(f"{name}\n" for name in names) for at, names in enumerate(self.lists)}
        files |= {f"answers/{at}": f"{status} {text}\n" for at, (status, text) in enumerate(self.answers)}
        files |= {f"keys/{name}/{key}": value for name, keys in self.keys.items() for key, value in keys.items()}
        for name, text in files.items():
            path = self.folder / "state" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (self.folder / "calls").write_text("")


@pytest.fixture(name="azure")
def _azure(tmp_path: Path) -> Azure:
    for name, text in (("az", _AZ), ("curl", _CURL)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o700)
    return Azure(tmp_path)


def test_the_list_is_what_the_code_registers(registered: dict[str, dict[str, Any]]) -> None:
    """Every function, both ways, with whose key opens it; a timer has none, nor has what anybody may call."""
    said = {
        name: "timer"
        if each["type"] == "timerTrigger"
        else role.key
        if name in OPERATIONS and (role := OPERATIONS[name].role)
        else "none"
        for name, each in registered.items()
    }

    assert listed() == said
    assert set(said.values()) == {"timer", "none", *(role.key for role in Role)}


def test_a_whole_deployment_gets_its_keys_and_passes(azure: Azure) -> None:
    """Each role's key opens its functions and those of what it includes, the approver's `apply_plan` alone."""
    ended = azure.check()

    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr.endswith("func-steward-dev is healthy.\n")
    opens = {"reader": {"reader", "operator"}, "operator": {"operator"}, "approver": {"approver"}}
    said = listed()
    assert {name: set(keys) for name, keys in azure.keys.items()} == {
        name: opens[role] for name, role in said.items() if role in opens
    }
    values = {name: {keys[name] for keys in azure.keys.values() if name in keys} for name in opens}
    assert [len(each) for each in values.values()] == [1, 1, 1]
    assert len(set.union(*values.values())) == 3
    assert all(len(value) == 64 for each in values.values() for value in each)


@pytest.mark.parametrize("subscription", [None, "5a000000-0000-4000-8000-000000000001"], ids=["by hand", "by azd"])
def test_it_asks_where_azd_has_deployed(azure: Azure, subscription: str | None) -> None:
    """`az` may be set to another subscription; by hand it is as it is."""
    azure.subscription = subscription

    assert azure.check().returncode == 0

    asked = [call for call in azure.calls if call.startswith("functionapp ")]
    told = f" --subscription {subscription}" if subscription else " --output tsv"
    assert asked
    assert all(call.endswith(told) for call in asked)


def test_no_key_is_shown_or_left(azure: Azure) -> None:
    """Not in the output, nor in an argument, nor in a file."""
    ended = azure.check()

    values = {value for keys in azure.keys.values() for value in keys.values()}
    assert len(values) == 3
    for value in values:
        assert value not in ended.stderr
        assert not [call for call in azure.calls if value in call]
    assert azure.left == set()


def test_a_second_time_nothing_is_set(azure: Azure) -> None:
    """What people have in use stays."""
    azure.check()
    before = azure.keys

    assert azure.check().returncode == 0

    assert azure.keys == before
    assert azure.sets == 0


def test_a_function_that_is_new_gets_the_keys_that_there_are(azure: Azure) -> None:
    """So an upgrade needs nobody to hand out keys."""
    azure.check()
    before = azure.keys
    azure.keys = {name: keys for name, keys in before.items() if name != "list_snoozes"}

    assert azure.check().returncode == 0

    assert azure.keys == before
    assert azure.sets == 2


def test_keys_that_differ_are_told_and_left(azure: Azure) -> None:
    """Somebody may use the other one; which is right is for a person to say."""
    azure.check()
    azure.keys["list_runs"]["operator"] = "another"

    ended = azure.check()

    assert ended.returncode == 1
    assert "list_runs and start_run have different keys 'operator': runbooks/rotate-keys.md" in ended.stderr
    assert azure.keys["list_runs"]["operator"] == "another"


@pytest.mark.parametrize("value", ['x"y', "x y", "x\\y", "x$(y)"], ids=["quote", "space", "backslash", "command"])
def test_a_key_that_could_break_a_file_is_refused(azure: Azure, value: str) -> None:
    """It is put into JSON and into curl's configuration as it is."""
    azure.keys = {"start_run": {"operator": value}}

    ended = azure.check()

    assert ended.returncode == 1
    assert "has characters that no key should have" in ended.stderr
    assert azure.keys == {"start_run": {"operator": value}}


def test_it_waits_until_azure_shows_the_functions(azure: Azure) -> None:
    """Right after a deployment it shows none, or those of the one before."""
    azure.lists = [[], ["live", "old_one"], sorted(listed())]

    ended = azure.check()

    assert ended.returncode == 0
    assert "Without a schedule" not in ended.stderr


def test_a_function_that_is_missing_fails_the_deployment(azure: Azure) -> None:
    """With its name, what Azure shows instead, and where to go on; no key is set."""
    azure.lists = [[*sorted(listed().keys() - {"health", "run_worker"}), "stray"]]

    ended = azure.check()

    assert ended.returncode == 1
    count = len(listed())
    assert f"The code has {count} functions, and Azure shows {count - 1}." in ended.stderr
    assert "Missing: health run_worker\n" in ended.stderr
    assert "Not of this code: stray\n" in ended.stderr
    assert "runbooks/a-job-is-missing-after-deployment.md" in ended.stderr
    assert azure.keys == {}


def test_no_function_at_all_fails_it_too(azure: Azure) -> None:
    """As where the app cannot be loaded."""
    azure.lists = [[]]

    assert "and Azure shows 0." in azure.check().stderr


def test_a_job_without_a_schedule_is_said(azure: Azure) -> None:
    """steward.toml may leave a job without a timer; the health of the app tells whether it means to."""
    azure.lists = [sorted(listed().keys() - {"cleanup"})]

    ended = azure.check()

    assert ended.returncode == 0
    assert "Without a schedule in steward.toml: cleanup\n" in ended.stderr


def test_a_timer_that_shows_late_is_none_without_a_schedule(azure: Azure) -> None:
    """What counts is what Azure shows in the end."""
    azure.lists = [sorted(listed().keys() - {"cleanup"}), sorted(listed())]

    ended = azure.check()

    assert ended.returncode == 0
    assert "Without a schedule" not in ended.stderr


def test_a_bad_schedule_fails_the_deployment(azure: Azure) -> None:
    """The timer is missing, and the health says why."""
    azure.lists = [sorted(listed().keys() - {"cleanup"})]
    azure.answers = [(503, '{"status":"unhealthy","problems":[{"text":"five fields"}]}')]

    ended = azure.check()

    assert ended.returncode == 1
    assert "five fields" in ended.stderr
    assert "runbooks/a-job-is-refused.md" in ended.stderr


def test_it_waits_until_the_app_answers(azure: Azure) -> None:
    """It may have to start, and a new key takes a moment."""
    azure.answers = [(0, ""), (503, "<html>starting</html>"), (200, "{}")]

    assert azure.check().returncode == 0


@pytest.mark.parametrize("status", [0, 401, 404, 500])
def test_an_app_that_never_answers_fails_the_deployment(azure: Azure, status: int) -> None:
    """With the last status."""
    azure.answers = [(status, "")]

    ended = azure.check()

    assert ended.returncode == 1
    assert f"/api/health answers {status:03}" in ended.stderr


@pytest.mark.parametrize("refused", ["function list", "functionapp show", "keys list", "rest"])
def test_where_azure_refuses_nothing_is_said_to_be_well(azure: Azure, refused: str) -> None:
    """An error is no empty answer: no key is taken to be missing because it could not be read."""
    azure.refuses = refused

    ended = azure.check()

    assert ended.returncode == 1
    assert "is healthy" not in ended.stderr
    assert azure.keys == {}


def test_lines_may_end_as_on_windows(azure: Azure) -> None:
    """There `az` ends them so, under any shell."""
    azure.end = "\\r"
    assert azure.check().returncode == 0

    assert azure.check().returncode == 0
    assert azure.sets == 0


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_any_shell_will_do(azure: Azure, shell: str) -> None:
    """The hook is run by `sh`, which is another one on every system."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not on this machine")

    assert azure.check(shell).returncode == 0


@pytest.mark.parametrize("name", ["APP", "GROUP", "URL"])
def test_it_needs_to_be_told_where(azure: Azure, name: str) -> None:
    """Without one of the three it does nothing."""
    given = {"APP": "a", "GROUP": "g", "URL": "https://u", "PATH": os.environ["PATH"]}
    del given[name]

    ended = subprocess.run([str(SCRIPT)], env=given, capture_output=True, text=True, check=False)

    assert ended.returncode != 0
    assert f"{name}: " in ended.stderr
    assert azure.left == set()
