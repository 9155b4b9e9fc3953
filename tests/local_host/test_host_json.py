from pathlib import Path

import pytest

from devkit.local_host.errors import LocalHostError
from devkit.local_host.host_json import HostJson, QueueSettings, read_host_json


def write(folder: Path, text: str) -> Path:
    (folder / "host.json").write_text(text)
    return folder


def test_defaults_are_the_hosts(tmp_path: Path) -> None:
    """Without settings: prefix `api`, 16 messages at a time, five deliveries, 30 minutes."""
    read = read_host_json(write(tmp_path, '{"version": "2.0"}'))

    assert read == HostJson(
        route_prefix="api",
        queues=QueueSettings(batch_size=16, new_batch_threshold=8, max_dequeue_count=5, visibility_timeout=0.0),
        function_timeout=1800.0,
    )


def test_settings_are_read(tmp_path: Path) -> None:
    """What the file says replaces the defaults; keys it has besides are ignored."""
    text = """{"version": "2.0", "functionTimeout": "01:00:00", "somethingElse": {"a": 1}, "extensions": {
        "http": {"routePrefix": "/v1/"},
        "queues": {"batchSize": 1, "newBatchThreshold": 0, "visibilityTimeout": "00:01:00", "maxDequeueCount": 2}}}"""

    read = read_host_json(write(tmp_path, text))

    assert read.route_prefix == "v1"
    assert read.function_timeout == 3600.0
    assert read.queues == QueueSettings(
        batch_size=1, new_batch_threshold=0, max_dequeue_count=2, visibility_timeout=60.0
    )


def test_a_timeout_of_minus_one_is_none(tmp_path: Path) -> None:
    """`-1` is no limit."""
    assert read_host_json(write(tmp_path, '{"version": "2.0", "functionTimeout": "-1"}')).function_timeout is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "cannot be read: Input data was truncated"),
        ("{}", "is wrong: object missing required field 'version'"),
        ('{"version": "3.0"}', "version is '3.0'; write \"2.0\""),
        (
            '{"version": "2.0", "functionTimeout": "5 minutes"}',
            "functionTimeout is '5 minutes'; write hours.*\"00:05:00\"",
        ),
        ('{"version": "2.0", "functionTimeout": "00:00:00"}', "functionTimeout is '00:00:00'; it must be at least 1 s"),
        (
            '{"version": "2.0", "extensions": {"queues": {"batchSize": 33}}}',
            r"extensions\.queues\.batchSize: expected 'int' <= 32",
        ),
        (
            '{"version": "2.0", "extensions": {"queues": {"visibilityTimeout": "soon"}}}',
            r"extensions\.queues\.visibilityTimeout is 'soon'",
        ),
    ],
    ids=["cut-off", "no-version", "version", "timeout", "short-timeout", "batch-size", "visibility"],
)
def test_a_wrong_file_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    """The sentence names the file, the place in it and what is expected."""
    with pytest.raises(LocalHostError, match=sentence) as raised:
        read_host_json(write(tmp_path, text))

    assert str(tmp_path / "host.json") in str(raised.value)
    assert raised.value.exit_code == 2


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    """Every app needs a host.json."""
    with pytest.raises(LocalHostError, match=r"has no host\.json"):
        read_host_json(tmp_path)
