"""The commands about functions: the list, a run without a server, the logs, and what a change comes to."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from runtime.metrics.table import Metrics
from runtime.storage import ticks_store
from taptrade import invoke, logs
from taptrade.functions import views_of
from taptrade.reloading import Watch, forget
from tests.jobs.writer_desk import Desk


def test_each_function_is_listed_with_its_limits_and_how_it_has_done() -> None:
    metrics = Metrics("test")
    metrics.count("taptrade_requests_total", "place_bet", "201", by=99)
    metrics.count("taptrade_requests_total", "place_bet", "503")
    for _ in range(100):
        metrics.observe("taptrade_request_seconds", 0.004, "place_bet")
    metrics.set("taptrade_function_in_flight", 7, "place_bet")
    metrics.set("taptrade_function_last_run_seconds", 1_790_000_000, "webhooks.look")
    metrics.count("taptrade_function_runs_total", "webhooks.look", "timed_out", by=2)
    found = {one.name: one for one in views_of([metrics.snapshot(1, 0)])}
    bet, look = found["place_bet"], found["webhooks.look"]
    assert (bet.started_by, bet.auth, bet.file) == ("POST /api/bets", "session", "functions/place_bet.py")
    assert {"bets", "guard: breaker"} <= set(bet.limits)
    assert bet.done is not None
    assert (bet.done.runs, bet.done.errors, bet.done.under_way) == (100, 1, 7)
    assert 2 < (bet.done.p50_ms or 0) <= (bet.done.p99_ms or 0) <= 5
    assert look.done is not None
    assert (look.started_by, look.done.errors, look.done.last_run_at) == ("every 2 s", 2, "2026-09-21T14:13:20.000Z")
    assert all(one.done is None for one in views_of(None))


@pytest.mark.integration
def test_a_function_is_run_on_a_house_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAPTRADE_DATA", str(tmp_path / "data"))

    def run(*arguments: str) -> tuple[int, Any]:
        status = invoke.main(arguments)
        return status, json.loads(capsys.readouterr().out)

    assert run("me")[1]["user"]["balance"] == 1_000_000
    status, refused = run("columns", "--set", "start=5")
    assert (status, refused["code"]) == (1, "NOT_FOUND")
    assert run("operate_overview")[1]["mode"] == "demo"
    assert run("webhooks.look") == (0, 0)
    assert run("webhooks.look", "--json") == (0, {"status": None, "answer": 0})
    assert run("columns", "--set", "start=5", "--json")[1]["status"] == 404
    for arguments, reason in (
        (["columns"], "say --set start=VALUE"),
        (["nobody"], "there is no function nobody"),
        (["time", "--data", "{"], "--data is no JSON"),
        (["stream"], "does not end"),
        (["webhooks.deliver"], "takes an object with subscription_id: Expected `object`, got `null`"),
        (["webhooks.note", "--data", "[]"], "takes an object with id, kind, user_id, data: "),
        (["webhooks.note", "--data", '{"kind": "tick"}'], "is told of bet.confirmed"),
        (["time", "--present"], "there is no database"),
    ):
        with pytest.raises(Exception, match=reason):
            invoke.main(arguments)
    assert not (tmp_path / "data").exists()


@pytest.mark.integration
def test_the_present_data_is_read_as_one_of_its_accounts_and_not_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAPTRADE_DATA", str(desk.path.parent))
    ticks_store.prepare(desk.path.with_name("ticks.db"), desk.clock)
    player = desk.player(cents=777)
    assert invoke.main(["me", "--present", "--as", player]) == 0
    assert json.loads(capsys.readouterr().out)["user"]["balance"] == 777
    deposit = ["deposits.deposit", "--present", "--as", player, "--data", '{"amount": 1}']
    assert invoke.main(deposit) == 1
    assert "Nothing is written here" in capsys.readouterr().out
    assert desk.balance(player) == 777
    with pytest.raises(Exception, match="say --as WALLET"):
        invoke.main(["me", "--present"])
    with pytest.raises(SystemExit):
        invoke.main(["me", "--as", player])


LINES = [
    {"time": "2026-01-01T00:00:02.000Z", "level": "ERROR", "function": "webhooks.note", "message": "second"},
    {"time": "2026-01-01T00:00:01.000Z", "level": "INFO", "function": "webhooks.look", "message": "first"},
    {"time": "2026-01-01T00:00:03.000Z", "level": "INFO", "function": "time", "message": "another's"},
    {"time": "2026-01-01T00:00:04.000Z", "level": "INFO", "message": "nobody's"},
]


def test_the_lines_of_a_function_are_found_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAPTRADE_DATA", str(tmp_path))
    (tmp_path / "logs").mkdir()
    with pytest.raises(Exception, match="there are no logs"):
        logs.main(["webhooks"])
    written = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in LINES)
    (tmp_path / "logs" / "functions.log").write_text(f"no json\n{written}")
    assert logs.main(["webhooks"]) == 0
    assert [line.rpartition(" ")[2] for line in capsys.readouterr().out.splitlines()] == ["first", "second"]
    assert logs.main(["webhooks.note", "-n", "1"]) == 0
    assert capsys.readouterr().out.startswith("2026-01-01T00:00:02.000Z webhooks.note: ERROR second")
    assert (logs.main(["webhooks.deliver"]), capsys.readouterr().err.startswith("webhooks.deliver has logged")) == (
        0,
        True,
    )
    with pytest.raises(Exception, match="there is no function nobody"):
        logs.main(["nobody"])


def test_a_tail_gives_whole_lines_once_and_begins_anew_where_the_file_does(tmp_path: Path) -> None:
    file = tmp_path / "api.log"
    file.write_text("one\ntw")
    tail = logs.Tail(file)
    assert list(tail.new_lines()) == ["one"]
    with file.open("a") as log:
        log.write("o\n")
    assert list(tail.new_lines()) == ["two"]
    file.write_text("3\n")
    assert list(tail.new_lines()) == ["3"]
    file.unlink()
    assert list(tail.new_lines()) == []


def test_a_changed_file_is_seen_and_imported_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taptrade.reloading.folder_of", lambda tree: _made(tmp_path / tree))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    file = _made(tmp_path / "functions") / "changing_one.py"
    watch = Watch()
    file.write_text("VALUE = 1\n")
    assert watch.changed() == [file]
    assert watch.changed() == []
    monkeypatch.syspath_prepend(file.parent)
    module: Any = __import__("changing_one")
    assert module.VALUE == 1
    file.write_text("VALUE = 2\n")
    later = time.time() + 5
    os.utime(file, (later, later))
    assert watch.changed() == [file]
    forget([file])
    again: Any = __import__("changing_one")
    assert again.VALUE == 2
    file.unlink()
    assert watch.changed() == [file]


def test_settings_that_are_given_later_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taptrade.reloading.folder_of", lambda tree: _made(tmp_path / tree))
    given = tmp_path / "given.toml"
    for loaded_only in (True, False):
        watch = Watch(loaded_only=loaded_only, also=[given])
        given.touch()
        assert (watch.changed(), watch.changed()) == ([given], [])
        given.unlink()
        assert watch.changed() == [given]


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder
