"""The writer's start: it waits for Redis, and takes no database that it was not made for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from jobs.writer.main import lock_file, main
from runtime.process_lock import is_held
from runtime.settings import Settings
from runtime.storage.database import DatabaseUnsafe
from tests.jobs.writer.test_main import whole_process
from tests.waiting import wait_until


def test_the_process_waits_for_a_redis_that_is_not_there_yet(settings: Settings, tmp_path: Path) -> None:
    away = replace(settings, redis_url=f"unix://{tmp_path}/nothing.sock")
    with whole_process(away) as child:
        wait_until(lambda: is_held(lock_file(settings.data)), 20, what="the lock")
        assert child.stderr is not None
        assert b"waiting for Redis" in child.stderr.readline()
        assert child.poll() is None


def test_a_database_that_is_not_migrated_ends_the_process_before_it_writes(settings: Settings) -> None:
    with pytest.raises(DatabaseUnsafe, match="there is no database at"):
        main(settings)
    assert not settings.data.exists()
