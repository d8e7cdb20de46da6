"""PostgreSQL as a yardstick: found, run as somebody else than root, and loudly left out where it is not."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from rich.console import Console

from loadtest import postgres, yardsticks
from loadtest.measurement import Display, Trial
from loadtest.postgres import PROGRAMS, NoPostgres, programs, runs_as, tps_of, within_reach


def installed(root: Path, version: str, names: tuple[str, ...] = PROGRAMS) -> Path:
    folder = root / version / "bin"
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()
    return folder


def test_the_newest_version_that_is_whole_is_taken(tmp_path: Path) -> None:
    for version in ("9.6", "15"):
        installed(tmp_path, version)
    installed(tmp_path, "17", ("psql",))
    assert programs(tmp_path) == tmp_path / "15" / "bin"


def test_those_of_a_wheel_are_taken_where_the_machine_has_none(tmp_path: Path) -> None:
    wheel = installed(tmp_path / "wheel", "pginstall18")
    installed(tmp_path / "wheel", "pginstall")
    assert programs(tmp_path / "none", tmp_path / "wheel") == wheel
    installed(tmp_path / "own", "15")
    assert programs(tmp_path / "own", tmp_path / "wheel") == tmp_path / "own" / "15" / "bin"
    assert (programs(tmp_path / "none") / "psql").exists()


def test_programs_in_a_closed_folder_are_copied_for_another_user(tmp_path: Path) -> None:
    wheel = installed(tmp_path / "closed" / "package", "pginstall18")
    library = tmp_path / "closed" / "package.libs" / "libpq.so"
    library.parent.mkdir()
    library.touch()
    (tmp_path / "closed").chmod(0o700)
    reached = tmp_path / "reached"
    assert within_reach(wheel, None, reached) == wheel
    copied = within_reach(wheel, "nobody", reached)
    assert copied == reached / "package" / "pginstall18" / "bin"
    assert (copied / "postgres").exists()
    assert (copied.parents[2] / "package.libs" / "libpq.so").exists()


def test_rate_is_what_pgbench_tells() -> None:
    said = "number of failed transactions: 0 (0.000%)\ntps = 948.377836 (without initial connection time)\n"
    assert tps_of(said) == 948.377836
    with pytest.raises(NoPostgres, match="pgbench told no rate"):
        tps_of("pgbench: error: connection refused")


def test_root_needs_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert runs_as(("no-such-user", "root")) == "root"
    with pytest.raises(NoPostgres, match="none of no-such-user is a user here"):
        runs_as(("no-such-user",))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert runs_as() is None


def test_where_it_is_not_installed_the_run_says_so_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "programs", lambda: programs(tmp_path, tmp_path))
    said = io.StringIO()
    assert yardsticks.of_postgres(Trial(tmp_path, Display(Console(file=said)))) == {}
    assert "left out: pgbench's TPC-B: PostgreSQL's server is not installed" in " ".join(said.getvalue().split())


@pytest.mark.integration
def test_transactions_are_durable_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        programs()
    except NoPostgres as ex:
        pytest.skip(str(ex))
    if not os.geteuid() and not all(folder.stat().st_mode & 0o001 for folder in tmp_path.parents[2:]):
        pytest.skip(f"users other than root are not let into {tmp_path}")
    monkeypatch.setattr(postgres, "SCALE", 1)
    monkeypatch.setattr(postgres, "SECONDS", 1)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o711)
    with postgres.cluster(tmp_path / "postgres") as running:
        assert postgres.tpcb_per_s(running) > 0
        pid = int((tmp_path / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
    assert not Path(f"/proc/{pid}").exists()
