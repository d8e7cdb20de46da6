"""Error codes: each is given somewhere, and an endpoint that gives one says so in its declaration."""

from __future__ import annotations

import re
from pathlib import Path

from runtime.error_codes import CODES, plain_code
from runtime.web.discovery import discover
from runtime.web.openapi import ALWAYS
from tests.sources import ROOT, modules

GIVEN = re.compile(r"\bcode=\"([A-Z_]+)\"")


def test_an_endpoint_declares_the_codes_that_its_file_gives() -> None:
    declared: dict[str, set[str]] = {}
    for one in discover(ROOT / "functions"):
        declared.setdefault(one.file, {*ALWAYS}).update(one.errors)
    missing = {
        Path(file).name: given - codes
        for file, codes in declared.items()
        if (given := set(GIVEN.findall(Path(file).read_text(encoding="utf-8")))) - codes
    }
    assert missing == {}, "name them in errors= of the declaration"


def test_every_code_is_given_by_something() -> None:
    sources = modules(("functions", "runtime", "jobs", "taptrade"))
    texts = [path.read_text(encoding="utf-8") for name, path in sources.items() if name != "runtime.error_codes"]
    plain = {plain_code(one.status) for one in CODES.values()}
    assert [code for code in CODES.keys() - plain if not any(f'"{code}"' in text for text in texts)] == []
