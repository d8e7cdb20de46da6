"""What keeps a process from starting is told in a sentence, and its status is 2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runtime.function_settings import file_of
from runtime.settings import load
from taptrade import serve
from taptrade.cli import main


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep what a start changes in the environment from other tests."""
    monkeypatch.setenv("TAPTRADE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TAPTRADE_REDIS_URL", "redis://127.0.0.1:1")
    monkeypatch.setattr(serve, "use_utc", lambda: None)


@pytest.mark.parametrize("name", sorted(serve.PRICING))
def test_a_reward_model_that_cannot_be_used_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAPTRADE_REWARD_MODEL", "nobody.knows:It")
    assert main(["serve", name]) == 2
    assert capsys.readouterr().err.startswith("taptrade: TAPTRADE_REWARD_MODEL: reward model 'nobody.knows:It': ")


def test_redis_is_not_started_without_its_configuration(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["serve", "redis"]) == 2
    assert capsys.readouterr().err == (
        f"taptrade: {tmp_path}/data/run/redis.conf cannot be read; `taptrade up` writes it\n"
    )
    assert not (tmp_path / "data").exists()


def test_developers_are_served_the_checkout_whatever_is_in_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "_imported", lambda *words: lambda _: words)
    watched: dict[bool, list[Path]] = {}
    monkeypatch.setattr(serve, "end_when_changed", lambda functions, also: watched.update({functions: also}))
    settings = load()
    found: dict[str, Any] = {name: serve._reloading(name, settings)(settings) for name in serve.OF_FUNCTIONS}
    assert found == {name: (name, module) for name, module in serve.OF_FUNCTIONS.items()}
    assert watched.keys() == {True}
    serve._reloading("functions", settings)
    assert watched[True] == [file_of(settings)]
