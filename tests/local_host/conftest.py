from collections.abc import Iterator

import pytest

from tests.local_host.sample_host import Sample, run_sample


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    """The sample app, shared by the tests of a module."""
    with run_sample(tmp_path_factory.mktemp("sample")) as running:
        yield running
