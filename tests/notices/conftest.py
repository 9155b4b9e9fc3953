"""Fixtures: receivers on loopback."""

from collections.abc import Iterator

import pytest

from tests.notices import receiving


@pytest.fixture
def hook() -> Iterator[receiving.Hook]:
    with receiving.hook() as opened:
        yield opened


@pytest.fixture
def mail() -> Iterator[receiving.Mail]:
    with receiving.mail() as opened:
        yield opened
