"""A connection is looked at before each command, and nobody waits for that look."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import hiredis
import pytest
import redis

from runtime.messaging.connection import connect
from runtime.messaging.prompt_parser import PromptParser

ROUNDS = """
from gevent import monkey
monkey.patch_all()
import gevent, sys
from runtime.messaging.connection import connect
pool = connect(sys.argv[1]).connection_pool
pool.release(pool.get_connection())
rounds = []
watcher = gevent.get_hub().loop.check()
watcher.start(lambda: rounds.append(1))
for _ in range(20):
    pool.release(pool.get_connection())
print(len(rounds))
"""


Pair = tuple[PromptParser, socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A parser over one end of a pair of sockets, and both ends."""
    ours, theirs = socket.socketpair()
    parser = PromptParser(socket_read_size=4096)  # type: ignore[no-untyped-call]
    parser._sock, parser._reader = ours, hiredis.Reader()
    with ours, theirs:
        yield parser, ours, theirs


def test_a_clean_connection_has_nothing_to_read(pair: Pair) -> None:
    parser, ours, theirs = pair
    assert not parser.can_read()
    theirs.sendall(b"+OK\r\n")
    assert parser.can_read()
    assert ours.recv(100) == b"+OK\r\n"  # looking took nothing away
    assert not parser.can_read()
    assert not parser.can_read(0.001)


def test_a_server_that_hung_up_is_seen(pair: Pair) -> None:
    parser, _, theirs = pair
    theirs.close()
    with pytest.raises(redis.ConnectionError, match="closed by server"):
        parser.can_read()


def test_a_connection_that_the_server_cut_is_made_anew(redis_url: str) -> None:
    client, other = connect(redis_url), connect(redis_url)
    number = client.client_id()
    assert other.client_kill_filter(_id=str(number)) == 1
    assert client.client_id() != number
    client.close()
    other.close()


@pytest.mark.integration
def test_under_gevent_a_connection_is_had_without_a_round_of_the_loop(redis_url: str) -> None:
    found = subprocess.run([sys.executable, "-c", ROUNDS, redis_url], capture_output=True, text=True, check=True)
    assert found.stdout == "0\n"
