"""The embedded server: found, configured, reachable, the same URL again."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest
import redis

from runtime.settings import SettingsError, load
from taptrade import embedded_redis
from tests.conftest import start_redis


def test_runs_with_our_configuration(redis_client: redis.Redis) -> None:
    wanted = {
        "maxmemory": "536870912",
        "maxmemory-policy": "noeviction",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "port": "0",
        "unixsocketperm": "700",
    }
    got = redis_client.config_get(*wanted)
    assert {name: str(value) for name, value in got.items()} == wanted


def test_socket_path_of_107_bytes_is_a_socket_and_longer_is_loopback(tmp_path: Path) -> None:
    tail = len("/run/redis.sock")
    room = embedded_redis.SOCKET_PATH_BYTES_MAX - len(str(tmp_path)) - 1 - tail
    fits, too_long = tmp_path / ("f" * room), tmp_path / ("t" * (room + 1))
    assert embedded_redis.prepare(fits).startswith("unix://")
    assert embedded_redis.prepare(too_long).startswith("redis://")


def test_loopback_server_wants_its_password_and_keeps_its_address(tmp_path: Path) -> None:
    data = tmp_path / ("long" * 30)
    url = embedded_redis.prepare(data)
    assert embedded_redis.prepare(data) == url
    assert stat.S_IMODE((data / "run" / "redis.conf").stat().st_mode) == 0o600
    process = start_redis(data)
    try:
        address = url.rsplit("@", 1)[1]
        with redis.Redis.from_url(f"redis://{address}") as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        assert embedded_redis.prepare(data) != url, "a taken port is left alone"
    finally:
        process.terminate()
        process.wait(10)


def test_data_folder_with_blanks_and_percent_signs(tmp_path: Path) -> None:
    data = tmp_path / 'a b%20"c'
    embedded_redis.prepare(data)
    process = start_redis(data)
    process.terminate()
    assert process.wait(10) == 0
    assert (data / "redis" / "appendonlydir").is_dir()


def test_wheel_binary_is_used_where_the_machine_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert embedded_redis.find_server().name == "valkey-server"


def test_url_is_the_set_one_else_the_recorded_one_else_an_error(tmp_path: Path) -> None:
    ours = load({"TAPTRADE_DATA": str(tmp_path)})
    with pytest.raises(SettingsError, match="taptrade up"):
        embedded_redis.redis_url(ours)
    assert embedded_redis.prepare(tmp_path) == embedded_redis.redis_url(ours)
    theirs = load({"TAPTRADE_DATA": str(tmp_path), "TAPTRADE_REDIS_URL": "redis://elsewhere:1"})
    assert embedded_redis.redis_url(theirs) == "redis://elsewhere:1"
