"""Who does not start is named with its last words; who only comes up slowly is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from taptrade.failed_starts import FailedStarts, last_words

TRACEBACK = """Traceback (most recent call last):
  File "<string>", line 1, in <module>
    import a_library
ModuleNotFoundError: No module named 'a_library'
"""


def supervisor_says(logs: Path, *lines: str) -> None:
    with (logs / "supervisord.log").open("a") as log:
        log.writelines(f"2026-11-27 15:49:33,127 {line}\n" for line in lines)


REMEDY = "do this"
ENDED = "WARN exited: writer (exit status 1; not expected)"


def test_a_process_that_ends_again_and_again_is_told_once(tmp_path: Path) -> None:
    supervisor_says(tmp_path, ENDED, ENDED, ENDED)
    starts = FailedStarts(tmp_path, REMEDY)
    assert starts.failures() == [], "that was another run"
    supervisor_says(tmp_path, ENDED, "INFO spawned: 'writer' with pid 1", ENDED, "INFO exited: feed (exit status 0)")
    assert starts.failures() == []
    (tmp_path / "writer.log").write_text(TRACEBACK)
    supervisor_says(tmp_path, ENDED)
    [said] = starts.failures()
    assert said.startswith("writer does not start, it has ended 3 times: ModuleNotFoundError: No module named")
    assert said.endswith(f"(see {tmp_path}/writer.log)")
    supervisor_says(tmp_path, ENDED, ENDED, ENDED)
    assert starts.failures() == []


def test_who_was_asked_to_begin_anew_has_not_failed(tmp_path: Path) -> None:
    starts = FailedStarts(tmp_path, REMEDY)
    willing = (
        "INFO exited: writer (exit status 0; expected)",
        "WARN exited: writer (terminated by SIGTERM; not expected)",
    )
    supervisor_says(tmp_path, *willing, *willing, *willing, ENDED, ENDED)
    assert starts.failures() == []
    supervisor_says(tmp_path, "WARN exited: writer (terminated by SIGKILL; not expected)")
    assert [said.split(":")[0] for said in starts.failures()] == ["writer does not start, it has ended 3 times"]


def test_a_log_that_is_not_there_yet_or_begun_anew_is_read_all_the_same(tmp_path: Path) -> None:
    starts = FailedStarts(tmp_path, REMEDY)
    assert starts.failures() == []
    supervisor_says(tmp_path, *["INFO supervisord started with pid 7929"] * 20)
    assert starts.failures() == []
    (tmp_path / "supervisord.log").unlink()
    supervisor_says(tmp_path, ENDED)
    supervisor_says(tmp_path, ENDED)
    with (tmp_path / "supervisord.log").open("a") as log:
        log.write("2026-11-27 15:49:33,127 WARN exited: wri")
    assert starts.failures() == []
    with (tmp_path / "supervisord.log").open("a") as log:
        log.write("ter (exit status 1; not expected)\n")
    assert [said.split()[0] for said in starts.failures()] == ["writer"]


def test_redis_which_waits_for_nobody_is_told_at_its_first_end_and_with_what_helps(tmp_path: Path) -> None:
    starts = FailedStarts(tmp_path, REMEDY)
    supervisor_says(tmp_path, "WARN exited: redis (terminated by SIGKILL; not expected)")
    assert starts.failures() == [], "that was somebody else's doing"
    (tmp_path / "redis.log").write_text("1:M 27 Nov 2026 19:10:57.463 # Bad file format reading the append only file\n")
    supervisor_says(tmp_path, "WARN exited: redis (exit status 1; not expected)")
    [said] = starts.failures()
    assert said.startswith("redis does not start, it has ended 2 times: Bad file format")
    assert said.endswith(f"(see {tmp_path}/redis.log); do this")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        pytest.param(TRACEBACK, "ModuleNotFoundError: No module named 'a_library'", id="exception"),
        pytest.param(
            TRACEBACK + "\n[1] [ERROR] Reason: Worker failed to boot.\n",
            "ModuleNotFoundError: No module named 'a_library'",
            id="what a server says after it",
        ),
        pytest.param('{"level": "ERROR", "message": "no way"}\n', "no way", id="JSON"),
        pytest.param(
            json.dumps({"message": "Exception in worker process", "traceback": TRACEBACK})
            + '\n{"message": "Reason: Worker failed to boot."}\n',
            "ModuleNotFoundError: No module named 'a_library'",
            id="an error in JSON, and what a server says after it",
        ),
        pytest.param(
            json.dumps({"message": "of another day", "traceback": TRACEBACK}) + '\n{"message": "no way"}' * 10,
            "no way",
            id="an error in JSON long ago",
        ),
        pytest.param("bind: Permission denied\n\n", "bind: Permission denied", id="text"),
        pytest.param(
            "1:M 27 Nov 2026 20:03:28.261 # RDB CRC error\n[offset 0] Check RDB returned error code 1\n",
            "RDB CRC error",
            id="Redis",
        ),
        pytest.param("", "it has written nothing", id="nothing"),
    ],
)
def test_last_words_say_why(tmp_path: Path, written: str, said: str) -> None:
    (tmp_path / "api.log").write_text(written)
    assert last_words(tmp_path / "api.log") == said


def test_a_process_without_a_log_has_said_nothing(tmp_path: Path) -> None:
    assert last_words(tmp_path / "api.log") == "it has written nothing"
