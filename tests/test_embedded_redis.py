"""The embedded server: found, configured, reachable, the same URL again."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
import redis

from runtime.settings import SettingsError, load
from taptrade import embedded_redis, redis_files, redis_server, sockets
from tests.conftest import start_redis
from tests.docs.shell import blocks

RUNBOOKS = Path(__file__).parents[1] / "docs" / "runbooks"


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
@pytest.mark.parametrize("name", ['a b%20"c', "games [1] *?", "d" * 200, "#1; 50% 'x' \\y", "[\\] \\[", "a\\\\?"])
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


@pytest.mark.integration
def test_a_server_without_its_configuration_opens_no_port_and_ends(tmp_path: Path) -> None:
    embedded_redis.prepare(tmp_path)
    words = embedded_redis.command(tmp_path)
    words[1] += "*.gone"
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert "not listen anywhere" in done.stdout


@pytest.mark.integration
def test_the_server_that_was_chosen_can_be_seen_and_checks_files(tmp_path: Path) -> None:
    embedded_redis.prepare(tmp_path)
    embedded_redis.prepare(tmp_path)
    server, check = (tmp_path / "run" / name for name in ("redis-server", "redis-check-aof"))
    assert server.resolve() == check.resolve() == redis_server.choose().resolve()
    (tmp_path / "sample.aof").write_bytes(b"*1\r\n$4\r\nPING\r\n")
    done = subprocess.run([check, tmp_path / "sample.aof"], capture_output=True, text=True, check=True)
    assert "sample.aof is valid" in done.stdout


@pytest.mark.integration
def test_url_is_the_set_one_else_the_recorded_one_else_an_error(tmp_path: Path) -> None:
    ours = load({"TAPTRADE_DATA": str(tmp_path)})
    with pytest.raises(SettingsError, match="taptrade up"):
        embedded_redis.redis_url(ours)
    assert embedded_redis.prepare(tmp_path) == embedded_redis.redis_url(ours)
    theirs = load({"TAPTRADE_DATA": str(tmp_path), "TAPTRADE_REDIS_URL": "redis://elsewhere:1"})
    assert embedded_redis.redis_url(theirs) == "redis://elsewhere:1"


@pytest.mark.integration
@pytest.mark.parametrize("content", [b"", b"hello\n", b"\xff\xfe", b"http://127.0.0.1:1\n"])
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


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """Return the data folder of a server that was killed while it held `balance` and `note`."""
    embedded_redis.prepare(tmp_path)
    process = start_redis(tmp_path)
    with redis.Redis.from_url(embedded_redis.prepare(tmp_path)) as client:
        client.config_set("appendfsync", "always")  # so that the file holds both when it is killed
        client.set("balance", "100")
        client.set("note", "x" * 1000)
    process.kill()
    process.wait()
    return tmp_path


def last_file(data: Path) -> Path:
    [file] = (data / "redis" / "appendonlydir").glob("*.incr.aof")
    return file


def what_is_left(data: Path) -> list[bytes]:
    """Start the server again as a run does, and return its keys."""
    embedded_redis.prepare(data)
    process = start_redis(data)
    try:
        with redis.Redis.from_url(embedded_redis.redis_url(load({"TAPTRADE_DATA": str(data)}))) as client:
            return sorted(client.keys())
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("cut", "zeros", "keys"),
    [
        pytest.param(0, 595, [b"balance", b"note"], id="zeros after the last command"),
        pytest.param(0, 3_000_000, [b"balance", b"note"], id="many zeros"),
        pytest.param(500, 595, [b"balance"], id="zeros within a value"),
        pytest.param(1, 595, [b"balance"], id="zeros within a line's end"),
        pytest.param(10**6, 595, [], id="nothing but zeros"),
    ],
)
def test_zeros_that_a_loss_of_power_leaves_are_cut_off_and_a_copy_is_kept(
    killed: Path, cut: int, zeros: int, keys: list[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    file = last_file(killed)
    damaged = file.read_bytes()[: -cut or None] + bytes(zeros)
    file.write_bytes(damaged)
    assert what_is_left(killed) == keys
    said = capsys.readouterr().err
    [kept] = (killed / "redis").glob("*.damaged-*")
    assert kept.read_bytes() == damaged
    assert said.startswith(f"taptrade: the last {zeros} bytes of Redis' file were not all written")
    assert said.endswith(f"{kept} is the file as it was\n")


@pytest.mark.integration
def test_what_follows_a_gap_that_a_loss_of_power_leaves_is_cut_off(
    killed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = last_file(killed)
    damaged = bytearray(file.read_bytes())
    at = damaged.index(b"$4\r\nnote")
    damaged[at : at + 4] = bytes(4)
    file.write_bytes(damaged)
    assert what_is_left(killed) == [b"balance"]
    assert "were not all written" in capsys.readouterr().err
    assert what_is_left(killed) == [b"balance"]
    assert capsys.readouterr().err == "", "once is enough"


@pytest.mark.integration
@pytest.mark.parametrize(("cut", "keys"), [(0, [b"balance", b"note"]), (7, [b"balance"]), (500, [b"balance"])])
def test_a_file_that_only_ends_early_is_left_to_the_server(
    killed: Path, cut: int, keys: list[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    file = last_file(killed)
    file.write_bytes(file.read_bytes()[: -cut or None])
    assert what_is_left(killed) == keys
    assert not list((killed / "redis").glob("*.damaged-*"))
    assert capsys.readouterr().err == ""


MULTI, PACKED = b"*1\r\n$5\r\nMULTI\r\n", b"*2\r\n$3\r\nGET\r\n$3\r\n\0\0\1\r\n"


@pytest.mark.parametrize(
    ("broken", "is_cut"),
    [
        pytest.param(b"garbage!\r\n$4\r\nnote\r\n", False, id="garbage before values with zeros"),
        pytest.param(MULTI + b"*1\r\n$4\r\nEXE!!\r\n", False, id="garbage within a transaction"),
        pytest.param(bytes(40), True, id="a gap"),
        pytest.param(MULTI + PACKED + b"*1\r\n$4\r\n" + bytes(30), True, id="a gap within a transaction"),
    ],
)
def test_zeros_count_where_the_file_is_broken_alone(tmp_path: Path, broken: bytes, is_cut: bool) -> None:
    stored = tmp_path / "appendonlydir"
    stored.mkdir()
    (stored / "appendonly.aof.manifest").write_bytes(b"file last.aof seq 1 type i\n")
    (stored / "last.aof").write_bytes(PACKED + broken + PACKED * 3)
    mended = redis_files.mend(tmp_path, 0, lambda _: len(PACKED))
    assert bool(mended) == is_cut
    assert (stored / "last.aof").read_bytes() == PACKED if is_cut else PACKED + broken + PACKED * 3


@pytest.mark.integration
def test_files_that_are_damaged_otherwise_are_left_alone_and_the_server_says_so(killed: Path) -> None:
    file, copy = last_file(killed), killed.with_name("copy")
    whole = file.read_bytes()
    damaged = whole.replace(b"note\r\n", b"note....", 1)
    assert damaged != whole
    file.write_bytes(damaged)
    embedded_redis.prepare(killed)
    done = subprocess.run(embedded_redis.command(killed), capture_output=True, timeout=20, check=False)
    assert done.returncode == 1
    assert b"Bad file format reading the append only file" in done.stdout
    assert file.read_bytes() == damaged
    shutil.copytree(killed, copy, symlinks=True, ignore=shutil.ignore_patterns("*.sock"))
    advice = embedded_redis.how_to_begin_anew(killed)
    aside = advice.partition("`")[2].partition("`")[0]
    subprocess.run(["sh", "-c", aside], check=True)
    assert what_is_left(killed) == []
    [kept] = killed.glob("redis-damaged-*")
    assert (kept / file.relative_to(killed / "redis")).read_bytes() == damaged
    words = blocks((RUNBOOKS / "README.md").read_text("utf-8"))[0]
    cutting = next(block for block in blocks((RUNBOOKS / "redis-loss.md").read_text("utf-8")) if "--fix" in block)
    lines = "\n".join(line for line in cutting.splitlines() if not line.startswith("ctl "))
    environment = os.environ | {"TAPTRADE_DATA": str(copy)}
    subprocess.run(["bash", "-ec", f"{words}\n{lines}"], env=environment, stdout=subprocess.DEVNULL, check=True)
    assert what_is_left(copy) == [b"balance"], "what stands before the damage"
    [kept] = (copy / "redis").glob("damaged-*")
    assert (kept / file.name).read_bytes() == damaged
