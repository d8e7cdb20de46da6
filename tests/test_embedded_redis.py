"""The embedded server: found, configured, reachable, the same URL again."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest
import redis

from runtime.settings import SettingsError, load
from taptrade import embedded_redis, sockets
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


@pytest.mark.integration
@pytest.mark.parametrize("name", ['a b%20"c', "games [1] *?", "d" * 120, "#1; 50% 'x' \\y"])
def test_data_folder_of_any_name_is_served_by_its_socket(tmp_path: Path, name: str) -> None:
    data = tmp_path / name
    url = embedded_redis.prepare(data)
    assert embedded_redis.prepare(data) == url, "the address stays"
    assert stat.S_IMODE((data / "run" / "redis.conf").stat().st_mode) == 0o600
    process = start_redis(data)
    try:
        with redis.Redis.from_url(url) as client:
            assert str(sockets.folder_of(data / "run")) in client.client_info()["laddr"]
            assert {str(value) for value in client.config_get("port", "appendonly").values()} == {"0", "yes"}
    finally:
        process.terminate()
        process.wait(10)
    assert (data / "redis" / "appendonlydir").is_dir()
    sockets.remove_folder(data / "run")
    assert not sockets.folder_of(data / "run").exists()


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


@pytest.mark.parametrize("content", [b"", b"hello\n", b"\xff\xfe", b"redis://127.0.0.1:1\n"])
def test_a_recorded_url_that_is_none_is_named(tmp_path: Path, content: bytes) -> None:
    embedded_redis.prepare(tmp_path)
    (tmp_path / "run" / "redis.url").write_bytes(content)
    with pytest.raises(SettingsError, match=r"run/redis\.url (holds no Redis URL|cannot be read: it is no text)"):
        embedded_redis.redis_url(load({"TAPTRADE_DATA": str(tmp_path)}))


def test_a_server_that_nobody_configured_is_not_started(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"run/redis\.conf cannot be read; `taptrade up` writes it"):
        embedded_redis.command(tmp_path)


@pytest.mark.parametrize("path", ["/my games/redis.sock", "/my%20games/redis.sock"])
def test_a_socket_that_the_client_library_cannot_work_with_is_refused(path: str) -> None:
    with pytest.raises(SettingsError, match=r"TAPTRADE_REDIS_URL=\*\*\*: .* blanks"):
        load({"TAPTRADE_REDIS_URL": f"unix://{path}"})
