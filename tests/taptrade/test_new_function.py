"""What `taptrade new` writes is found by discovery, in the form of the house; what cannot be made is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from msgspec import NODEFAULT

from runtime.function_settings import Declares, FunctionSettings, given_to
from runtime.triggers.discovery import triggers_in
from runtime.web.discovery import discover
from taptrade import new_function
from taptrade.new_function import NotMade
from tests.docs.tables import ROOT
from tests.function_settings import VARIABLE

KINDS = (
    ("one_http", "--http", "/api/one/{one_id}/{count:int}"),
    ("one_post", "--http", "PUT /api/one", "--secret", "key", "--setting", "most=5", "--setting", "whom"),
    ("one_every", "--every", "5 min", "--setting", "text=a b"),
    ("one_cron", "--cron", "0 3 * * 1"),
    ("one_event", "--event", "column", "--secret", "key"),
    ("one_own", "--http", "--auth", "session"),
    ("one_house", "--http", "POST /api/operate/one", "--auth", "operator", "--secret", "key"),
    ("one_ended", "--event", "bet.won,bet.lost", "--event", "bet.void"),
    ("one_mixed", "--event", "bet.won", "--event", "column"),
    ("one_bet", "--event", "bet", "--setting", "share=0.5", "--setting", "loud=true"),
)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty checkout, whose documents have no tables."""
    for folder in ("functions", "tests/functions"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    monkeypatch.setattr(new_function, "functions_folder", lambda: tmp_path / "functions")
    monkeypatch.setattr(new_function, "_write_tables", lambda _: None)
    return tmp_path


def form_of(settings: type[FunctionSettings]) -> str:
    """Write down the fields of settings, with types and defaults."""
    fields = [(one.name, one.type.__name__, one.default) for one in msgspec.structs.fields(settings)]
    return ", ".join(
        f"{name}: {form}" + ("" if value is NODEFAULT else f" = {value!r}") for name, form, value in fields
    )


@pytest.mark.integration
def test_every_kind_is_declared_and_in_the_form_of_the_house(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, *kind in KINDS:
        assert new_function.main([name, *kind]) == 0
        assert f"wrote functions/{name}.py\nwrote tests/functions/test_{name}.py\n" in capsys.readouterr().out
    assert new_function.main(["one_queue", "--queue", "ones", "--secret", "key", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    given = "tests/function_settings.toml"
    assert told["written"] == ["functions/one_queue.py", "tests/functions/test_one_queue.py", given]
    assert told["tables"] is True
    assert told["needed"] == ["key"]
    assert told["try"].endswith('invoke one_queue --data \'{"text": "hello"}\' --setting key=...')
    endpoints, triggers = discover(checkout / "functions"), triggers_in(checkout / "functions")
    assert {one.name: (one.method, one.auth, one.errors) for one in endpoints} == {
        "one_post": ("PUT", "none", ("ONE_POST_TOO_LONG",)),
        "one_http": ("GET", "none", ()),
        "one_own": ("GET", "session", ()),
        "one_house": ("POST", "operator", ("ONE_HOUSE_TOO_LONG",)),
    }
    assert {one.name: list(one.path) for one in endpoints if one.path} == {"one_http": ["one_id", "count"]}
    declared: list[Declares] = [*endpoints, *triggers]
    assert {one.name: form_of(one.settings) for one in declared if one.settings} == {
        "one_house": "key: Secret",
        "one_post": "key: Secret, whom: str, most: int = 5",
        "one_every": "text: str = 'a b'",
        "one_event": "key: Secret",
        "one_bet": "share: float = 0.5, loud: bool = True",
        "one_queue": "key: Secret",
    }
    assert {one.name: one.when for one in triggers} == {
        "one_bet": "event bet",
        "one_ended": "event bet.won, bet.lost, bet.void",
        "one_mixed": "event bet.won, column",
        "one_every": "every 5 min",
        "one_cron": "cron 0 3 * * 1",
        "one_event": "event column",
        "one_queue": "queue ones",
    }
    (checkout / given).chmod(0o600)
    assert given_to(declared, checkout / given).keys() == {one.name for one in declared if one.settings}
    for check in (["format", "--check"], ["check", "--ignore", "INP"]):
        words = [sys.executable, "-m", "ruff", *check, "--no-cache", str(checkout)]
        done = subprocess.run(words, cwd=checkout, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_the_command_that_gives_a_secret_is_told_as_it_is_typed(
    checkout: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAPTRADE_DATA", str(checkout / "data"))
    monkeypatch.delenv(VARIABLE)
    assert new_function.main(["one", "--every", "--secret", "key", "--setting", "whom"]) == 0
    [command] = [line for line in capsys.readouterr().out.splitlines() if "umask" in line]
    for _ in range(2):
        subprocess.run(["bash", "-c", command], check=True)
    file = checkout / "data" / "function_settings.toml"
    assert file.read_text() == '[one]\nkey = "..."\nwhom = "..."\n'
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["Bad", "--http"], "is no name for a function"),
        (["class", "--http"], "is no name for a function"),
        (["there", "--http"], "there.py is there already"),
        (["one", "--http", "api/one"], "is no route"),
        (["one", "--http", "FETCH /api/one"], "is no route"),
        (["one", "--http", "--setting", "Most=5"], "is no name for a setting"),
        (["one", "--http", "--setting", "most=[5]"], "a text, a number, true or false"),
        (["one", "--http", "--setting", "key", "--secret", "key"], "named twice"),
        (["one", "--every", "often"], "is no span of time"),
        (["one", "--cron", "0 99 * * *"], "are no times of the calendar"),
        (["one", "--event", "tick"], "'tick' is no event"),
        (["one", "--event", "bet.won,", "--event", "column"], "is no event"),
        (["one", "--queue", "Ones"], "is no name for a queue"),
    ],
)
def test_what_cannot_be_made_is_refused_and_nothing_is_written(
    checkout: Path, arguments: list[str], reason: str
) -> None:
    (checkout / "functions" / "there.py").touch()
    with pytest.raises(NotMade, match=reason):
        new_function.main(arguments)
    assert [path.name for path in checkout.rglob("*.py")] == ["there.py"]


@pytest.mark.integration
def test_a_route_that_is_taken_is_refused_and_nothing_is_left(checkout: Path) -> None:
    assert new_function.main(["one", "--http", "/api/one/{one_id}"]) == 0
    with pytest.raises(NotMade, match=r"GET /api/one/\{which\} is declared in .*one.py already; nothing was written"):
        new_function.main(["two", "--http", "/api/one/{which}"])
    assert sorted(path.name for path in checkout.rglob("*.py")) == ["one.py", "test_one.py"]


def test_without_the_tools_for_tests_it_says_how_they_are_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("functions", "tests/functions"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setattr(new_function, "functions_folder", lambda: tmp_path / "functions")
    monkeypatch.setattr(new_function, "TOOLS", ("a_tool_that_nobody_has",))
    assert new_function.main(["one", "--every"]) == 0
    told = capsys.readouterr()
    assert "the tools for tests are not installed; run `make tools format`" in told.out
    assert (tmp_path / "functions" / "one.py").exists()


@pytest.mark.integration
def test_why_the_tables_could_not_be_written_is_a_sentence(tmp_path: Path) -> None:
    tables = tmp_path / "tests" / "docs" / "tables.py"
    tables.parent.mkdir(parents=True)
    tables.write_text(
        "from runtime.function_files import DiscoveryError\n\nraise DiscoveryError('luck.py', 'line 3: it is broken')\n"
    )
    assert new_function._write_tables(tmp_path) == "luck.py: line 3: it is broken"
