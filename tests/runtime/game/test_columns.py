"""A column's evidence: one list of fields for the table, the hash, the command and what players see."""

from __future__ import annotations

from dataclasses import asdict

import msgspec
from msgspec import to_builtins

from runtime.game import columns
from runtime.game.columns import COLUMN_FIELDS, CONTENT_FIELDS, EVIDENCE_FIELDS, Evidence
from runtime.messaging.commands import Command, SettleColumn
from runtime.records.views import column_view
from tests.conftest import START_MS
from tests.jobs.writer_desk import Desk

EVIDENCE = Evidence(1_790_000_000, 1_790_000_005, True, 10, 9, 12, 11, 3, "ab" * 32, 1, 3, None)


def test_the_command_carries_the_evidence_field_by_field() -> None:
    own = [field.name for field in msgspec.structs.fields(SettleColumn)]
    common = [field.name for field in msgspec.structs.fields(Command)]
    assert [name for name in own if name not in common] == list(EVIDENCE_FIELDS)


def test_the_table_holds_the_fields_in_this_order(desk: Desk) -> None:
    names = [row[1] for row in desk.database.execute("PRAGMA table_info(columns)")]
    assert tuple(names[: len(COLUMN_FIELDS)]) == COLUMN_FIELDS


def test_a_row_reads_back_as_the_column_that_was_written() -> None:
    column = columns.begun(EVIDENCE, START_MS, 7, 2)
    row = columns.as_row(column)
    assert (row[:3], row[-3:]) == ((1_790_000_000, 1_790_000_005, 1), (START_MS, 7, 2))
    assert columns.from_row(row) == column


def test_the_hash_covers_all_but_the_position() -> None:
    assert (*CONTENT_FIELDS, "begun_place") == COLUMN_FIELDS


def test_players_see_the_evidence_and_when_it_counted() -> None:
    shown = column_view(columns.begun(EVIDENCE, 1_790_000_006_001, 7, 2))
    assert to_builtins(shown) == {**asdict(EVIDENCE), "settled_at": "2026-09-21T14:13:26.001Z"}
