"""What the machines ask of the one that they are made on, said before anything is made."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.chaos.failover.machines import NoMachines, made


def test_what_is_missing_is_named_with_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda tool: None if tool in {"etcd", "ip"} else f"/usr/bin/{tool}")
    with pytest.raises(NoMachines, match="no ip, etcd: `apt-get install iproute2 etcd-server`"), made():
        pytest.fail("machines were made without what makes them")


def test_whoever_is_not_root_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NoMachines, match="root"), made():
        pytest.fail("machines were made by somebody else than root")
