"""An exchange on this machine and a source that listens to it; a test may name another one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.jobs.feed.exchange_servers import ExchangeServer
from tests.jobs.feed.listening import Listener, served


@pytest.fixture
def name() -> str:
    return "kraken"


@pytest.fixture
def pair(name: str) -> Iterator[tuple[ExchangeServer, Listener]]:
    with served(name) as pair:
        yield pair


@pytest.fixture
def server(pair: tuple[ExchangeServer, Listener]) -> ExchangeServer:
    return pair[0]


@pytest.fixture
def listener(pair: tuple[ExchangeServer, Listener]) -> Listener:
    return pair[1]
