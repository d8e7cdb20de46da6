"""Settings: one table, read once from the environment, refused by name when wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from runtime.hosts import shown_host
from runtime.setting_forms import LIVE_FEEDS, LIVE_FEEDS_MIN
from runtime.settings_table import TABLE, Mode

LIVE_FILL_DELAY_MS = 500
SHIPPED_FILL_AGE_MS = 2_500
"""The shipped recording has a price in 2.2 s at least, not each second as exchanges do."""


class SettingsError(Exception):
    """A setting is missing or wrong."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, read and checked; units are in the names. Its text shows no secret."""

    mode: Mode
    host: str
    port: int
    trusted_proxies: tuple[str, ...]
    dashboard_host: str
    dashboard_port: int
    dashboard_domains: tuple[str, ...]
    dashboard_key: str = field(repr=False)
    dashboard_writes: Literal["on", "off"]
    operators: tuple[str, ...]
    data: Path
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    archive_url: str
    archive_endpoint: str
    archive_storage_class: str
    replica_url: str
    replica_endpoint: str
    api_workers: int
    feed: tuple[str, ...]
    feed_binance_url: str
    feed_coinbase_url: str
    feed_kraken_url: str
    feed_bitstamp_url: str
    replay_file: str
    replay_offset_s: int
    sim_seed: int
    column_seconds: int
    horizon_columns: int
    row_step_cents: int
    rows: int
    presets_cents: tuple[int, ...]
    reward_model: str
    house_edge_bp: int
    max_fill_age_ms: int
    fill_delay_ms: int
    settle_grace_ms: int
    bet_signatures: Literal["on", "off"]
    chain_ids: tuple[int, ...]
    domains: tuple[str, ...]
    cors_origins: tuple[str, ...]
    backlog_bets_max: int
    payout_max_cents: int
    cell_payout_max_cents: int
    column_payout_max_cents: int
    liability_max_cents: int
    demo_credit_cents: int
    deposit_max_cents: int
    withdrawal_min_cents: int
    withdrawals_pending_max: int
    reality_check_minutes: int
    records_kept_days: int
    processor_secret: str = field(repr=False)
    webhook_private_targets: Literal["on", "off"]
    function_settings: str
    bets_per_minute: int
    requests_per_minute: int
    logins_per_minute: int
    refusals_per_minute: int
    address_logins_per_day: int
    wallet_logins_per_day: int
    refused_bets_per_day: int
    deposits_per_day: int
    withdrawals_per_day: int
    log_level: str

    @property
    def domain(self) -> str:
        """The main domain: what our own commands sign logins for."""
        return self.domains[0]

    @property
    def chain_id(self) -> int:
        """The main chain: what our own commands sign for."""
        return self.chain_ids[0]

    @property
    def feed_kind(self) -> str:
        """The kind of prices: the sources in the order of the alphabet, comma-joined."""
        return ",".join(sorted(self.feed))

    @property
    def feed_is_live(self) -> bool:
        """Whether prices come from exchanges."""
        return self.feed[0] in LIVE_FEEDS

    @property
    def database(self) -> Path:
        """The live database, where SQLite holds the ledger."""
        return self.data / "taptrade.db"

    @property
    def ticks_database(self) -> Path:
        """The feed's own database."""
        return self.data / "ticks.db"

    @property
    def functions_database(self) -> Path:
        """What functions remember."""
        return self.data / "functions.db"


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read every setting from `environ`; raise SettingsError that names the variable and the reason."""
    known = {row.variable for row in TABLE}
    unknown = sorted(name for name in environ if name.startswith("TAPTRADE_") and name not in known)
    if unknown:
        raise SettingsError(f"unknown setting {unknown[0]}; `taptrade config` lists them all")
    values: dict[str, Any] = {}
    for row in TABLE:
        text = environ.get(row.variable, "").strip() or row.default
        try:
            values[row.field] = row.parse(text)
        except ValueError as ex:
            shown = "***" if row.secret else repr(text)
            raise SettingsError(f"{row.variable}={shown}: {ex}") from ex
    if values["mode"] == "live" and not environ.get("TAPTRADE_FILL_DELAY_MS", "").strip():
        values["fill_delay_ms"] = LIVE_FILL_DELAY_MS
    if (
        values["feed"] == ("replay",)
        and not values["replay_file"]
        and not environ.get("TAPTRADE_MAX_FILL_AGE_MS", "").strip()
    ):
        values["max_fill_age_ms"] = SHIPPED_FILL_AGE_MS
    try:
        values["data"] = values["data"].absolute()
    except OSError as ex:
        raise SettingsError(f"TAPTRADE_DATA={values['data']}: the folder that this is run in: {ex.strerror}") from ex
    for names, port in (("domains", "port"), ("dashboard_domains", "dashboard_port")):
        values[names] = values[names] or (shown_host(f"127.0.0.1:{values[port]}"),)
    try:
        settings = Settings(**values)
    except TypeError as ex:
        raise SettingsError(
            f"each row of runtime/settings_table.py needs a field of Settings, and no other: {ex}"
        ) from ex
    if settings.port == settings.dashboard_port:
        raise SettingsError(f"TAPTRADE_DASHBOARD_PORT={settings.port}: the API has this port (TAPTRADE_PORT)")
    _refuse_unsafe_mode(settings)
    return settings


def _refuse_unsafe_mode(settings: Settings) -> None:
    if settings.database_url and settings.replica_url:
        raise SettingsError(
            "TAPTRADE_REPLICA_URL ships SQLite's files, and with TAPTRADE_DATABASE_URL the ledger is in none: unset one"
        )
    if settings.mode == "demo":
        return
    if not settings.feed_is_live:
        raise SettingsError(
            f"TAPTRADE_FEED={settings.feed_kind} is refused in live mode: its prices are known beforehand"
        )
    if len(settings.feed) < LIVE_FEEDS_MIN:
        raise SettingsError(
            f"TAPTRADE_FEED={settings.feed_kind} is refused in live mode: two exchanges must agree on a price, "
            f"so name two at least of {', '.join(LIVE_FEEDS)}"
        )
    if settings.bet_signatures == "off":
        raise SettingsError("TAPTRADE_BET_SIGNATURES=off is refused in live mode: every bet must be signed")
