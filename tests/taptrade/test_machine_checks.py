"""What `taptrade doctor` says of a machine: each rule over what the kernel tells, and the kernel asked once."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runtime.settings import load
from taptrade import interpreter
from taptrade import machine_checks as checks

GIB = 1024**3
MOUNTS = """\
22 27 0:21 / /proc rw - proc proc rw
27 1 259:1 / / rw,relatime - ext4 /dev/root rw
30 27 0:40 / /srv/my\\040data rw shared:1 master:2 - nfs4 host:/x rw
31 27 0:41 / /tmp rw - tmpfs tmpfs rw
32 31 0:42 / /tmp rw - xfs /dev/b rw
33 27 0:43 / /mnt/s rw - fuse.sshfs host: rw
"""


def tell(root: Path, path: str, text: str) -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("total", "limit", "state"),
    [
        (4 * GIB, "max", "ok"),
        (4 * GIB, str(3 * GIB // 2), "warn"),
        (4 * GIB, str(GIB // 2), "fail"),
        (3 * GIB // 2, "", "warn"),
        (GIB // 2, str(4 * GIB), "fail"),
    ],
)
def test_memory_is_the_machines_or_the_containers(tmp_path: Path, total: int, limit: str, state: str) -> None:
    tell(tmp_path, "proc/meminfo", f"MemTotal:  {total // 1024} kB\nMemFree: 1 kB\n")
    tell(tmp_path, "sys/fs/cgroup/memory.max", f"{limit}\n")
    assert checks.memory(tmp_path).state == state


def test_the_bound_of_a_container_is_known_by_the_first_control_groups_too(tmp_path: Path) -> None:
    tell(tmp_path, "proc/meminfo", f"MemTotal:  {4 * GIB // 1024} kB\n")
    tell(tmp_path, "sys/fs/cgroup/memory/memory.limit_in_bytes", f"{GIB // 2}\n")
    assert checks.memory(tmp_path).state == "fail"


def test_a_machine_that_tells_nothing_is_no_error(tmp_path: Path) -> None:
    assert checks.memory(tmp_path).state == "warn"
    assert checks.overcommit(tmp_path).state == "warn"
    assert checks.huge_pages(tmp_path).state == "ok"
    assert checks.file_system(tmp_path, tmp_path).state == "ok"


@pytest.mark.parametrize(
    ("hard", "state"),
    [(resource.RLIM_INFINITY, "ok"), (65_536, "ok"), (65_535, "warn"), (4_096, "warn"), (1_024, "fail")],
)
def test_open_files(hard: int, state: str) -> None:
    assert checks.open_files(hard).state == state


@pytest.mark.parametrize(("text", "state"), [("0\n", "warn"), ("1\n", "ok"), ("2\n", "warn")])
def test_overcommit(tmp_path: Path, text: str, state: str) -> None:
    found = checks.overcommit(tell(tmp_path, "proc/sys/vm/overcommit_memory", text))
    assert (found.state, bool(found.remedy)) == (state, state != "ok")


@pytest.mark.parametrize(
    ("text", "state"), [("[always] madvise never", "warn"), ("always [madvise] never", "ok"), ("[never]", "ok")]
)
def test_huge_pages(tmp_path: Path, text: str, state: str) -> None:
    assert checks.huge_pages(tell(tmp_path, "sys/kernel/mm/transparent_hugepage/enabled", text)).state == state


@pytest.mark.parametrize(
    ("found", "state", "seen"),
    [
        (None, "warn", "does not tell"),
        ((0, 0, 12_000), "ok", "to 12 ms"),
        ((5, 0, 0), "warn", "nothing keeps it right"),
        ((0, 0x40, 0), "warn", "nothing keeps it right"),
        ((0, 0, 3_000_000), "warn", "wrong by 3,000 ms"),
    ],
)
def test_clock(found: tuple[int, int, int] | None, state: str, seen: str) -> None:
    told = checks.clock(found)
    assert (told.state, seen in told.seen) == (state, True), told


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/var/data", "ext4"),
        ("/srv/my data/house", "nfs4"),
        ("/srv/my data2", "ext4"),
        ("/tmp/x", "xfs"),
        ("/mnt/s", "fuse.sshfs"),
    ],
)
def test_the_innermost_and_last_mount_counts(folder: str, kind: str) -> None:
    assert checks.mounted_as(MOUNTS, Path(folder)) == kind


@pytest.mark.parametrize(
    ("kind", "state"),
    [("ext4", "ok"), ("nfs4", "fail"), ("fuse.glusterfs", "fail"), ("fuse.sshfs", "fail"), ("tmpfs", "warn")],
)
def test_file_systems(tmp_path: Path, kind: str, state: str) -> None:
    tell(tmp_path, "proc/self/mountinfo", f"1 0 0:1 / / rw - {kind} x rw\n")
    assert checks.file_system(tmp_path, tmp_path).state == state


def statvfs(**fields: int) -> Any:
    whole = {"f_frsize": 4096, "f_blocks": 100 * GIB // 4096, "f_bavail": 50 * GIB // 4096, "f_files": 0, "f_favail": 0}
    return SimpleNamespace(**{**whole, **fields})


@pytest.mark.parametrize(
    ("free", "state"), [(50 * GIB, "ok"), (29 * GIB, "warn"), (4 * GIB, "fail"), (GIB // 2, "fail")]
)
def test_disk(free: int, state: str) -> None:
    assert checks.disk(statvfs(f_bavail=free // 4096)).state == state


@pytest.mark.parametrize(
    ("files", "free", "state"), [(0, 0, "ok"), (10**6, 10**5, "ok"), (10**6, 4 * 10**4, "warn"), (10**6, 9, "fail")]
)
def test_inodes(files: int, free: int, state: str) -> None:
    assert checks.inodes(statvfs(f_files=files, f_favail=free)).state == state


def test_an_interpreter_that_does_not_fit_fails_and_a_slow_one_warns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "is_optimised", lambda: False)
    assert checks.python().state == "warn"
    monkeypatch.setattr(sys, "version_info", (3, 10, 1))
    assert checks.python().state == "fail"


def test_the_kernel_is_asked_and_its_clock_left_alone(tmp_path: Path) -> None:
    found = list(checks.machine_diagnoses(load({"TAPTRADE_DATA": str(tmp_path / "not" / "there")})))
    assert [one.name for one in found][-3:] == ["file system", "disk", "inodes"]
    assert all(bool(one.remedy) == (one.state != "ok") for one in found)
    assert checks.nearest(tmp_path / "not" / "there") == tmp_path
    clock = checks.read_clock()
    assert clock is None or clock[2] >= 0
    assert os.access(tmp_path, os.W_OK)
