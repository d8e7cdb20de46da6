"""A database of long rows becomes one of compact rows, however often that is killed, and holds what it held."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from runtime.audit import audit
from runtime.clock import ManualClock
from runtime.storage import remake
from runtime.storage.database import LEDGER_MIGRATIONS, Database, DatabaseUnsafe, open_reader, open_writer
from runtime.storage.migrate import migrate
from runtime.storage.remake import NotRemade, new_file_of
from tests.jobs.signed_play import SignedPlay
from tests.jobs.writer_desk import PRICE_CENTS, Desk
from tests.runtime.records.bet_histories import History
from tests.runtime.storage.earlier import earlier, everything, write_plainly

MADE_ANEW = "0013_compact_rows.sql"
FILES = [file.name for file in sorted(LEDGER_MIGRATIONS.glob("*.sql"))]
BEFORE = [name for name in FILES if name < MADE_ANEW]
SINCE = FILES[len(BEFORE) :]
SHOWN = [
    f"SELECT * FROM {table} ORDER BY {key}"
    for table, key in (
        ("bets", "seq"),
        ("transaction_ledger", "id"),
        ("commits", "number"),
        ("users", "id"),
        ("delegations", "id"),
        ("columns", "start_s"),
        ("operations", "reference"),
        ("buckets", "1, 2, 3, 4"),
        ("rules_in_force", "name"),
        ("cut", "id"),
        ("bet_rows", "seq"),
        ("entry_rows", "id"),
    )
]
SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name"


@pytest.fixture
def history(desk: Desk, tmp_path: Path, clock: ManualClock) -> Desk:
    """Return a writer behind whom lie bets of every kind, signed and unsigned."""
    play = SignedPlay(write_plainly(desk), tmp_path, clock)
    desk.place(play.bet(), play.bet(rows=1, nonce="a nonce of letters"), play.bet(columns=9))
    play.end(PRICE_CENTS, PRICE_CENTS + 100)
    play.court.close()
    History(desk, 5)
    return desk


@pytest.fixture
def old(history: Desk, tmp_path: Path) -> Path:
    """Return a database of the schema before, with all of that."""
    return earlier(tmp_path, BEFORE, history.path, history.clock)


def die(path: Path, times: int) -> list[list[str]]:
    """Let a run be killed; return what it told."""
    words = [sys.executable, "-m", "tests.runtime.storage.dying_remake", str(path), str(times)]
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    assert run.returncode == -9, run.stderr
    return [line.split() for line in run.stdout.splitlines()]


def test_a_killed_run_goes_on_where_it_was_and_nothing_is_lost(
    history: Desk, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = [len(everything(old, f"SELECT 1 FROM {table}")) for table in ("commits", "bets", "transaction_ledger")]
    told = []
    for times in (1, 4, 3):
        told.append(die(old, times))
        assert everything(old, "SELECT max(name) FROM schema_migrations") == [(BEFORE[-1],)]
    assert told[0][0] == ["commits", "15", str(counts[0])]
    assert told[2][0] == ["bets", "30", str(counts[1])], "what an earlier run has copied is not copied again"
    heard: list[tuple[str, int, int]] = []
    found: list[list[str]] = []
    tell, check = heard.append, lambda made: found.append(audit(made).faults)
    assert migrate(old, LEDGER_MIGRATIONS, history.clock, lambda *state: tell(state), check) == SINCE
    assert found == [[]]
    assert heard[-1] == ("transaction_ledger", counts[2], counts[2])
    assert not list(old.parent.glob("old.db.new*"))
    with closing(open_reader(old)) as made:
        for sql in (*SHOWN, SCHEMA):
            assert made.execute(sql) == history.database.execute(sql)
        assert audit(made).faults == []
    history.database.close()
    history.database = open_writer(old)
    history.hire()
    history.show(PRICE_CENTS)
    assert history.place(history.bet(history.player(9)))[0].code is None
    assert audit(history.database).faults == []


def test_a_new_file_of_another_state_is_begun_again(history: Desk, old: Path) -> None:
    die(old, 4)
    with closing(open_writer(old)) as before:
        before.execute("UPDATE commits SET hash = ? WHERE number = (SELECT max(number) FROM commits)", ("ab" * 32,))
    heard: list[tuple[str, int, int]] = []
    migrate(old, LEDGER_MIGRATIONS, history.clock, lambda *state: heard.append(state))
    assert heard[0][0] == "commits"
    assert everything(old, "SELECT hash FROM commits ORDER BY number DESC LIMIT 1") == [("ab" * 32,)]


def test_what_cannot_be_made_anew_stays_as_it_is(history: Desk, old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_made: Database) -> None:
        raise NotRemade("the audit says no")

    def of_before(said: str) -> None:
        with pytest.raises(DatabaseUnsafe, match=said):
            migrate(old, LEDGER_MIGRATIONS, history.clock, check=refuse)
        assert everything(old, "SELECT max(name) FROM schema_migrations") == [(BEFORE[-1],)]
        assert not new_file_of(old).exists()

    of_before("stays as it is, and is not of the newest schema: the audit says no")
    with closing(open_writer(old)) as somebody:
        somebody.execute("SELECT 1 FROM users")
        of_before("is in use: stop all that uses it")
    monkeypatch.setattr(remake, "NEEDED_SHARE", 10**9)
    of_before("MB of the disk")
    with closing(open_writer(old)) as before:
        before.execute("DROP TRIGGER ledger_is_append_only")
        before.execute("UPDATE transaction_ledger SET place = place + 1 WHERE number = 1")
    monkeypatch.setattr(remake, "NEEDED_SHARE", 0)
    of_before("has not the id of its commit and position")
