"""The table of settings: the name, form, default and meaning of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from runtime.hosts import shown_host
from runtime.setting_forms import (
    LIVE_FEEDS,
    STORAGE_CLASSES,
    feed,
    folder,
    host,
    networks,
    one_of,
    origin,
    path,
    postgresql_url,
    redis_url,
    secret,
    several,
    socket_url,
    stakes,
    stored_at,
    wallet,
    web_url,
    whole,
)

DOMAINS_MAX = 8
OPERATORS_MAX = 32
ORIGINS_MAX = 16
CHAIN_ID_MAX = 2**53
# A signature that fits none of the chains is recovered once for each of them.
CHAIN_IDS_MAX = 8
MILLION = 1_000_000
Mode = Literal["demo", "live"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table: the field it fills, how its text is read, its default, its help, its name if another."""

    field: str
    parse: Callable[[str], Any]
    default: str
    help: str
    secret: bool = False
    name: str = ""

    @property
    def variable(self) -> str:
        """Name of the environment variable."""
        return "TAPTRADE_" + (self.name or self.field.upper())


TABLE: tuple[Setting, ...] = (
    Setting("mode", one_of(*get_args(Mode)), "demo", "demo: play money over recorded prices; live: real feeds only"),
    Setting("host", host, "127.0.0.1", "address that the API listens on: IPv4, IPv6 or a host name"),
    Setting("port", whole(1, 65535), "8000", "port of the API"),
    Setting("trusted_proxies", networks, "127.0.0.0/8,::1/128", "networks whose X-Forwarded-For is believed"),
    Setting("dashboard_host", host, "127.0.0.1", "address that rq-dashboard listens on"),
    Setting("dashboard_port", whole(1, 65535), "9181", "port of rq-dashboard"),
    Setting(
        "dashboard_domains",
        several(shown_host, DOMAINS_MAX),
        "",
        "domains that rq-dashboard is opened by, comma-separated; empty: 127.0.0.1:DASHBOARD_PORT",
        name="DASHBOARD_DOMAIN",
    ),
    Setting(
        "dashboard_key",
        secret,
        "",
        "key that signs in to rq-dashboard; empty: one is made in the data folder, `taptrade dashboard` prints it",
        secret=True,
    ),
    Setting("dashboard_writes", one_of("on", "off"), "off", "on lets rq-dashboard requeue, delete and empty"),
    Setting(
        "operators",
        several(wallet, OPERATORS_MAX),
        "",
        f"wallets that may operate the house by its page, comma-separated, {OPERATORS_MAX} at most; empty: none may",
    ),
    Setting("data", folder, "./data", "folder for everything that a run writes"),
    Setting(
        "database_url",
        postgresql_url,
        "",
        "PostgreSQL for the ledger: postgresql://USER:PASSWORD@HOST/DATABASE; empty: SQLite in the data folder",
        secret=True,
    ),
    Setting(
        "redis_url",
        redis_url,
        "",
        "an existing Redis, or its sentinels; empty: start our own in the data folder",
        secret=True,
    ),
    Setting(
        "archive_url",
        stored_at,
        "",
        "where archives of weeks are stored: a folder, or s3://BUCKET/PREFIX; empty: archives in the data folder",
    ),
    Setting("archive_endpoint", web_url, "", "address of an S3-compatible store; empty: Amazon's own"),
    Setting("archive_storage_class", one_of(*STORAGE_CLASSES), "STANDARD_IA", "storage class of archives in S3"),
    Setting(
        "replica_url",
        stored_at,
        "",
        "where the databases are shipped to as they are written: a folder, or s3://BUCKET/PREFIX; empty: nowhere",
    ),
    Setting("replica_endpoint", web_url, "", "address of an S3-compatible store of the replica; empty: Amazon's own"),
    Setting("api_workers", whole(1, 64), "1", "API processes"),
    Setting(
        "feed",
        feed,
        "replay",
        f"price source: replay or sim, or exchanges, comma-separated, whose median counts: {', '.join(LIVE_FEEDS)}",
    ),
    Setting("feed_binance_url", socket_url, "", "WebSocket to take Binance's prices from; empty: Binance's own"),
    Setting("feed_coinbase_url", socket_url, "", "WebSocket to take Coinbase's prices from; empty: Coinbase's own"),
    Setting("feed_kraken_url", socket_url, "", "WebSocket to take Kraken's prices from; empty: Kraken's own"),
    Setting("feed_bitstamp_url", socket_url, "", "WebSocket to take Bitstamp's prices from; empty: Bitstamp's own"),
    Setting("replay_file", str, "", "recording to replay (CSV ts_ms,price, also .gz or .zst); empty: the one shipped"),
    Setting("replay_offset_s", whole(0, 10**7), "1800", "where in the recording the replay starts, seconds"),
    Setting("sim_seed", whole(0, 2**63 - 1), "1", "seed of the sim feed"),
    Setting("column_seconds", whole(1, 3600), "5", "column width W, seconds"),
    Setting("horizon_columns", whole(2, 1000), "12", "placeable columns reach k+2 to k+H"),
    Setting("row_step_cents", whole(1, 10**7), "500", "row height S, cents of USD"),
    Setting("rows", whole(2, 200), "20", "rows R that the grid shows"),
    Setting("presets_cents", stakes, "100,500,1000,5000,10000", "allowed stakes, cents"),
    Setting(
        "reward_model",
        str,
        "",
        "model file (.json) or package.module:Class; empty: the one fitted for the shipped recording, else a plain one",
    ),
    Setting("house_edge_bp", whole(0, 5000), "500", "house edge, basis points"),
    Setting("max_fill_age_ms", whole(100, 60_000), "1500", "oldest tick to fill on; 2500 for the shipped recording"),
    Setting("fill_delay_ms", whole(0, 10_000), "0", "wait between receipt and fill; 500 in live mode unless set"),
    Setting("settle_grace_ms", whole(0, 60_000), "1000", "wait after a column's end for the last ticks"),
    Setting("bet_signatures", one_of("on", "off"), "on", "off accepts unsigned bets (demo mode only)"),
    Setting(
        "chain_ids",
        several(whole(1, CHAIN_ID_MAX), CHAIN_IDS_MAX),
        "1",
        "chain ids that messages may be signed for, comma-separated; ours are signed for the first",
        name="CHAIN_ID",
    ),
    Setting(
        "domains",
        several(shown_host, DOMAINS_MAX),
        "",
        "domains that logins may be signed for, comma-separated, the main one first; empty: 127.0.0.1:PORT",
        name="DOMAIN",
    ),
    Setting(
        "cors_origins",
        several(origin, ORIGINS_MAX),
        "",
        "other origins whose pages may read answers, by bearer token only, comma-separated: https://app.example",
    ),
    Setting("backlog_bets_max", whole(100, 10**6), "10000", "bets that may wait for the writer"),
    Setting("payout_max_cents", whole(1, 10**13), "1000000", "greatest payout of one bet"),
    Setting("cell_payout_max_cents", whole(1, 10**13), str(20 * MILLION), "greatest payout of one cell"),
    Setting("column_payout_max_cents", whole(1, 10**13), str(100 * MILLION), "greatest payout of one column"),
    Setting("liability_max_cents", whole(1, 10**15), str(1000 * MILLION), "greatest payout of all open bets"),
    Setting("demo_credit_cents", whole(0, 10**12), str(MILLION), "credit of a new wallet in demo mode"),
    Setting("deposit_max_cents", whole(1, 10**12), str(MILLION), "greatest balance that a demo deposit tops up to"),
    Setting("withdrawal_min_cents", whole(1, 10**12), "100", "least amount of a withdrawal"),
    Setting("withdrawals_pending_max", whole(1, 10**6), "10", "withdrawals of one account that may be pending"),
    Setting(
        "reality_check_minutes",
        whole(5, 240),
        "60",
        "minutes of play after which a player is told how long and how they have played",
    ),
    Setting(
        "records_kept_days",
        whole(0, 36_525),
        "3650",
        "days for which a player's records are kept after the last one, before the player can be forgotten",
    ),
    Setting("processor_secret", secret, "", "key of the payment processors; empty: their door is closed", secret=True),
    Setting(
        "webhook_private_targets",
        one_of("on", "off"),
        "off",
        "on lets webhooks go to addresses of this network, and without TLS: for development",
    ),
    Setting(
        "function_settings",
        path,
        "",
        "file with the settings of single functions (TOML); empty: function_settings.toml in the data folder",
    ),
    Setting("bets_per_minute", whole(1, 10**9), "600", "bets of one wallet in a minute"),
    Setting("requests_per_minute", whole(1, 10**9), "3000", "other requests of one address in a minute"),
    Setting("logins_per_minute", whole(1, 10**9), "60", "logins of one address in a minute"),
    Setting(
        "refusals_per_minute",
        whole(1, 10**9),
        "600",
        "taps and the like of one address in a minute that are wrong in themselves; beyond, its taps are not looked at",
    ),
    Setting("address_logins_per_day", whole(1, 10**9), "5000", "signed logins of one address in a day (UTC)"),
    Setting("wallet_logins_per_day", whole(1, 10**9), "100", "logins of one wallet in a day (UTC)"),
    Setting(
        "refused_bets_per_day",
        whole(1, 10**9),
        "20000",
        "bets of one wallet that the writer may refuse in a day (UTC); beyond, it takes none of them",
    ),
    Setting("deposits_per_day", whole(1, 10**9), "100", "deposits that one wallet may ask for in a day (UTC)"),
    Setting("withdrawals_per_day", whole(1, 10**9), "100", "withdrawals that one wallet may ask for in a day (UTC)"),
    Setting("log_level", one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO", "least level that is logged"),
)
