"""A real API process whose background work dies of something that no outage is: not ready until it is back."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import redis

from runtime.clock import ManualClock
from runtime.messaging.redis_keys import BUS_PUBLIC
from runtime.storage.database import LEDGER_MIGRATIONS
from runtime.storage.migrate import migrate
from tests.serving import serving
from tests.waiting import wait_until


@pytest.fixture
def port() -> int:
    """Return a port that is free."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def ask(port: int, path: str) -> tuple[int, str]:
    """Return status and body of an answer; 0 where nobody answers."""
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as ex:
        return ex.code, ex.read().decode()
    except OSError:
        return 0, ""


def background(port: int, path: str = "/readyz") -> dict[str, Any]:
    """Return what a check says of the background work."""
    checks: dict[str, dict[str, Any]] = json.loads(ask(port, path)[1])["checks"]
    return checks["background"]


def test_a_part_that_dies_makes_the_process_not_ready_until_it_runs_again(
    tmp_path: Path, redis_url: str, redis_client: redis.Redis, port: int, clock: ManualClock
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    migrate(data / "taptrade.db", LEDGER_MIGRATIONS, clock)
    log = data / "api.log"
    with serving("api", data, redis_url, TAPTRADE_PORT=str(port)):
        wait_until(lambda: ask(port, "/readyz")[0] == 200, timeout_s=30, what="the API")
        # Redis answers all commands but those for this key: an error that no outage is.
        redis_client.delete(BUS_PUBLIC)
        redis_client.set(BUS_PUBLIC, "no stream")
        wait_until(lambda: ask(port, "/readyz")[0] == 503, what="a process that is not ready")
        assert background(port) == {"ok": False, "detail": "down: bus"}
        assert background(port, "/healthz")["detail"].startswith("down: bus of api ")
        page = ask(port, "/metrics")[1]
        assert 'taptrade_up{part="background"} 0.0' in page
        redis_client.delete(BUS_PUBLIC)
        wait_until(lambda: ask(port, "/readyz")[0] == 200, timeout_s=30, what="its return")
        assert background(port) == {"ok": True, "detail": "all of it runs"}
        told = [json.loads(line) for line in log.read_text().splitlines() if "BACKGROUND_ENDED" in line]
        assert {line["work"] for line in told} == {"bus"}
        assert "WRONGTYPE" in told[0]["message"]
        assert len(told) < 10, "no flood"
    assert "Traceback" not in log.read_text().partition("Handling signal")[2], "nothing is said when the process ends"
