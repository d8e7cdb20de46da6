"""What one check of `taptrade doctor` says: how it is, what was seen, and what to do about it."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["ok", "warn", "fail"]


class Diagnosis(msgspec.Struct, frozen=True):
    """One check: `remedy` is empty where all is well."""

    name: str
    state: State
    seen: str
    remedy: str = ""


def ok(name: str, seen: str) -> Diagnosis:
    """Say that all is well."""
    return Diagnosis(name, "ok", seen)


def warn(name: str, seen: str, remedy: str) -> Diagnosis:
    """Say that it works, and would do so better or longer otherwise."""
    return Diagnosis(name, "warn", seen, remedy)


def fail(name: str, seen: str, remedy: str) -> Diagnosis:
    """Say that it does not work, or loses something."""
    return Diagnosis(name, "fail", seen, remedy)
