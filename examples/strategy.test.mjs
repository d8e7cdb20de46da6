// The strategy on a grid that is made up: no house, no clock, no chance.

import assert from "node:assert/strict";
import { test } from "node:test";
import { choose, profitCents } from "./strategy.mjs";

const nowMs = 1_790_000_000_000;
const grid = {
  mode: "demo",
  grid_version: nowMs,
  server_time_ms: nowMs,
  price: { cents: 100_000, time_ms: nowMs, exchange_ms: nowMs },
  columns: [{ start_s: 1_790_000_010, opens_ms: nowMs + 10_000, closes_ms: nowMs + 15_000 }],
  rows: [99_500, 100_000, 100_500].map((low) => ({ low_cents: low, high_cents: low + 500 })),
  rates_bp: [[12_000, 18_000, null]],
  presets_cents: [100, 500],
  column_seconds: 5,
};

test("the likeliest cell that pays enough is tapped", () => {
  assert.equal(choose(grid, nowMs, new Set())?.cellId, "1790000010_100000_100500");
  assert.equal(choose(grid, nowMs, new Set(["1790000010_100000_100500"])), undefined);
});

test("a column that has closed is left alone", () => {
  assert.equal(choose(grid, nowMs + 5_000, new Set()), undefined);
});

test("a void bet brings nothing, and other money is no profit", () => {
  const moved = /** @type {[string, string, number][]} */ ([
    ["PAYOUT", "won", 180], ["REFUND", "void", 500], ["DEPOSIT", "d", 10_000],
    ["BET", "won", -100], ["BET", "void", -500], ["BET", "lost", -100],
  ]);
  const entries = moved.map(([ref_type, ref_id, amount]) => ({ id: "", amount, balance_after: 0, ref_type, ref_id }));
  assert.equal(profitCents(entries, new Set(["won", "void", "lost"])), -20);
});
