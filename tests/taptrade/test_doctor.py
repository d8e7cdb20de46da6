"""`taptrade doctor`: the installation as it is, each thing wrong with it named, and what to do."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runtime.clock import ManualClock
from runtime.settings import load
from runtime.storage.database import LEDGER_MIGRATIONS
from runtime.storage.migrate import migrate
from taptrade import installation_checks as checks
from taptrade.claims import lock_data
from taptrade.cli import main
from taptrade.diagnosis import Diagnosis
from taptrade.start_checks import START_CHECKS

Doctor = Callable[..., tuple[int, dict[str, Diagnosis]]]


@pytest.fixture
def doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], redis_url: str
) -> Doctor:
    """Return `taptrade doctor --json` over a folder of the test's own, by the names of its checks."""
    monkeypatch.setenv("TAPTRADE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TAPTRADE_REDIS_URL", redis_url)
    monkeypatch.setitem(START_CHECKS, "functions", lambda _: None)

    def run(**settings: str) -> tuple[int, dict[str, Diagnosis]]:
        for name, value in settings.items():
            monkeypatch.setenv(f"TAPTRADE_{name.upper()}", value)
        code = main(["doctor", "--json"])
        told: dict[str, Any] = msgspec.json.decode(capsys.readouterr().out)
        found = msgspec.convert(told["checks"], list[Diagnosis])
        assert told["ok"] == (code == 0) == (not any(one.state == "fail" for one in found))
        return code, {one.name: one for one in found}

    return run


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_an_installation_that_has_not_run_yet_is_well(doctor: Doctor, tmp_path: Path) -> None:
    code, found = doctor(port=free_port(), dashboard_port=free_port())
    assert {name for name, one in found.items() if one.state == "fail"} == set()
    assert code == 0
    assert found["packages"].seen.endswith(" as they were locked")
    assert found["taptrade.db"].seen == "not there yet; the first start makes it"
    assert found["backup"].state == "warn"
    assert not (tmp_path / "data").exists()


def test_wrong_settings_are_told_and_the_machine_is_still_looked_at(doctor: Doctor) -> None:
    code, found = doctor(port="none")
    assert (code, found["settings"].state) == (1, "fail")
    assert "TAPTRADE_PORT='none'" in found["settings"].seen
    assert "memory" in found
    assert "port" not in found


def test_what_a_start_would_refuse_fails(doctor: Doctor, redis_url: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, found = doctor(port=port, reward_model="missing.json", dashboard_port=free_port())
    assert code == 1
    assert {name for name, one in found.items() if one.state == "fail"} == {"port", "reward model"}
    assert found["port"].remedy == "stop it or set TAPTRADE_PORT"


def test_the_ports_of_the_run_here_are_its_own(doctor: Doctor, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        settings = load({"TAPTRADE_DATA": str(tmp_path / "data"), "TAPTRADE_PORT": port})
        with lock_data(settings):
            _, found = doctor(port=port, dashboard_port=free_port())
    assert found["port"].seen.startswith(f"{port}, held by the run in ")


def test_a_port_that_this_house_holds_without_a_run_is_its_own(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taptrade.holders.serves", lambda _, data: data.name == "data")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        _, found = doctor(port=port, dashboard_port=free_port())
    assert (found["port"].state, found["port"].seen.split(" in ")[0]) == ("ok", f"{port}, held by the house")


def test_databases_are_opened_and_read(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "taptrade.db"
    migrate(path, LEDGER_MIGRATIONS, clock)
    assert checks.database(path, LEDGER_MIGRATIONS, whole=False).seen.endswith("read whole")
    content = path.read_bytes()
    path.write_bytes(content[:8192] + b"\xff" * 4096 + content[12288:])
    damaged = checks.database(path, LEDGER_MIGRATIONS, whole=False)
    assert (damaged.state, "restore" in damaged.remedy) == ("fail", True)


def test_a_large_database_is_read_whole_only_where_that_is_asked(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "taptrade.db"
    migrate(path, LEDGER_MIGRATIONS, clock)
    monkeypatch.setattr(checks, "READ_WHOLE_BYTES", 0)
    assert "--whole reads all of it" in checks.database(path, LEDGER_MIGRATIONS, whole=False).seen
    assert checks.database(path, LEDGER_MIGRATIONS, whole=True).seen.endswith("read whole")


def test_a_database_of_an_earlier_release_waits_for_its_migrations(tmp_path: Path, clock: ManualClock) -> None:
    earlier = tmp_path / "migrations"
    earlier.mkdir()
    first = min(LEDGER_MIGRATIONS.glob("*.sql"))
    (earlier / first.name).write_bytes(first.read_bytes())
    migrate(tmp_path / "taptrade.db", earlier, clock)
    found = checks.database(tmp_path / "taptrade.db", LEDGER_MIGRATIONS, whole=False)
    assert (found.state, "migrations behind, from 0002_" in found.seen) == ("warn", True)


@pytest.mark.parametrize(
    ("lock", "state", "seen"),
    [
        ("", "warn", "there is no requirements.lock"),
        ("msgspec==0.0.1 \\\n    --hash=sha256:00\n", "fail", "msgspec is "),
        ("no-such-package==1.0 \\\n", "fail", "no-such-package is not installed"),
        ("no-such-package==1.0 ; python_version < '3' \\\n", "ok", "0 as they were locked"),
    ],
)
def test_packages_are_held_against_the_lock(lock: str, state: str, seen: str) -> None:
    found = checks.packages(lock)
    assert (found.state, found.seen.startswith(seen)) == (state, True), found


def test_what_others_can_look_into_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    key = tmp_path / "dashboard.key"
    key.touch(mode=0o600)
    (tmp_path / "notes").touch()
    assert checks.rights(tmp_path).state == "ok"
    key.chmod(0o640)
    found = checks.rights(tmp_path)
    assert (found.state, f"{key} (640)" in found.seen) == ("warn", True)


def test_people_get_lines_with_what_to_do(doctor: Doctor, capsys: pytest.CaptureFixture[str]) -> None:
    doctor(port=free_port(), dashboard_port=free_port())
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = next(index for index, line in enumerate(lines) if line.startswith("backup"))
    assert lines[at].split() == ["backup", "warn", "none", "yet"]
    assert lines[at + 1].strip() == "-> the job makes one each hour while the house runs"
    assert lines[-1].endswith(" warn")
