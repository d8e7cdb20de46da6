"""Every Redis key of ours, its shape and its lifetime (RQ keeps its own under `rq:`).

What the values hold is written and read in runtime.messaging.redis_values.
"""

from __future__ import annotations

from runtime.rate_limits import BUCKETS
from runtime.settings_table import OPERATORS_MAX

TICK_LATEST = "tick:latest"
"""String, JSON of the newest tick (encode_tick)."""
GRID_LATEST = "grid:latest"
"""String, JSON of the newest grid snapshot."""
BUCKETS_CLOSED = "buckets:closed"
"""String, JSON of the buckets that are closed (encode_buckets): the writer says it several times a second, for the
grid. What bets are judged by is the database."""
BREAKER = "breaker"
"""String, JSON of the breaker's state with the note on its override (encode_breaker)."""
EPOCH = "epoch"
"""Hash {id, since_s, server}: set in a Redis that is empty, or whose run id is not `server`; signatures from
`since_s` or before are refused."""
BUS_PUBLIC = "bus:public"
"""Stream {type, data}: price, grid, status, touched; ten minutes of it are kept."""
BUS_COMMITS = "bus:commits"
"""Stream {commit, events}: what each commit tells; it only carries, the database is the record."""
BACKLOG_BETS = "backlog:bets"
"""Integer: bets that wait for the writer; moved by the scripts enqueue, publish and finish."""
WRITER_WAKE = "writer:wake"
"""List of at most one element: pushed with every job, so that an idle writer need not poll."""
ALIVE_TTL_S = 5
"""How long a process counts as alive after it last said so."""
WRITER_ALIVE = "writer:alive"
"""String, JSON (WriterAlive); 5 s. No later commit is made before its `clock_ms`."""
WRITER_EPOCH = "writer:epoch"
"""Integer, on PostgreSQL: the epoch of whoever writes; 5 s. A writer of an earlier one says nothing."""
MACHINE_AT_WORK = "machine:at_work"
"""String, on PostgreSQL: the machine whose feed makes the ticks; 3 s, renewed by that feed."""
WRITER_SPARE = "writer:spare"
"""String, JSON (SpareAlive) of a writer that stands by; 5 s."""
FEED_ALIVE = "feed:alive"
"""String, the feed's time in Unix milliseconds; 5 s. With it and no fresh tick, the source is silent, not the feed."""
FEED_SOURCES = "feed:sources"
"""String, JSON (FeedSources): how each source of prices does; 5 s, renewed with FEED_ALIVE."""
SETTLER_ALIVE = "settler:alive"
"""String, the settler's time in Unix milliseconds; 5 s, renewed by each run of the settlement job."""
METRICS = "metrics"
"""Hash {process:slot -> JSON snapshot (runtime.metrics.table)}; each process renews its field every 2 s."""
JOBS_SEEN = "jobs:seen"
"""Hash {id of a periodic job -> JSON (JobSeen)}: the scheduler begins it, the worker renews it with each success."""
AUDIT_LAST = "audit:last"
"""String, JSON (AuditResult) of the last audit that the daily job made."""
ARCHIVE_LAST = "archive:last"
"""String, JSON (ArchiveResult) of the last run of the archive that left nothing that was due."""
REPLICA_SHIPPED = "replica:shipped"
"""String, JSON (ReplicaShipped); renewed every 2 s by the replica's process."""
PUBLISHED_COMMIT = "published:commit"
"""Integer: the newest commit whose events went out."""

BUS_PUBLIC_KEEP_MS = 600_000
# A full commit is about 250 KB; who falls behind these reads on from the database.
BUS_COMMITS_KEEP = 256
NONCE_TTL_S = 90
SIGNED_AHEAD_S = 6
"""A signature may be dated that far ahead: 5 s by its signer's clock, and 1 s by which our machines' clocks differ."""
SESSION_TTL_S = 24 * 3600
OPERATOR_TTL_S = 3600
OPERATORS = "operators"
"""Hash {wallet -> JSON of its session (runtime.auth.operators)}; OPERATOR_TTL_S after the last login."""
OPERATOR_BYTES_MAX = 500
FEED_SOURCES_BYTES_MAX = 16 * 1024
"""Four sources, each with a long error and a dozen reasons why prices were left out, take a third of it."""
PENDING_AFTER_DEADLINE_MS = 90_000
COUNTED_MAX = 20_000
"""Wallets or addresses that a bucket counts in one window."""
SESSIONS_MAX = 30_000
"""Sessions that may live at once; one more ends another (lua/sessions.lua)."""
SESSION_BYTES_MAX = 1_400
"""What one takes of Redis 7.0, with all that is kept for it, if it is its user's and its network's only one."""
SESSIONS_LIVE = "sessions:live"
"""Integer: the sessions that live, as far as is known; those that ran out are taken off with the next login."""
SESSION_NETWORKS = "sessions:networks"
"""Sorted set of the networks that hold sessions, by how many, then by how old their oldest is."""
SESSION_NETWORKS_OLDEST = "sessions:networks:oldest"
"""Sorted set of the same networks, by when their oldest session was made."""
SESSIONS_ENDED = "sessions:ended"
"""Stream {id}: sessions that were revoked or gave way; every process reads it a few times a second."""
SESSIONS_ENDED_KEEP = 10_000


OF_SHARDS = frozenset(
    {
        *(BUCKETS_CLOSED, BUS_COMMITS, BACKLOG_BETS, WRITER_WAKE),
        *(WRITER_ALIVE, WRITER_EPOCH, WRITER_SPARE, PUBLISHED_COMMIT),
    }
)
"""Keys of which each ledger of a house of several has its own."""


def of_shard(key: str, shard: int) -> str:
    """Return a shard's own of a key of OF_SHARDS: the first has the plain one."""
    if key not in OF_SHARDS:
        raise ValueError(f"{key} is the whole house's")
    return key if shard == 1 else f"{key}:{shard}"


# What each family may take at the reference load (3,000 bets a second of 20,000 wallets, a full backlog); sessions and
# counted addresses cannot take more. Redis evicts nothing, so what does not fit is refused: the sum must leave room.
BUDGET_BYTES = {
    "nonces": 90 * 3_000 * 320,
    "queues and jobs": 10_000 * 1_300,
    "pending bets": 100 * 300 * 200,
    "replies": 60 * 1024 * 1024,
    "sessions": SESSIONS_MAX * SESSION_BYTES_MAX + SESSIONS_ENDED_KEEP * 110,
    # Wallets that bet, in the minute that runs and the one before; and full hashes of all other buckets.
    "rate limits": 2 * 20_000 * 175 + (len(BUCKETS) - 1) * COUNTED_MAX * 105,
    "operators": OPERATORS_MAX * OPERATOR_BYTES_MAX,
    "public bus": 32 * 1024 * 1024,
    "commit bus": BUS_COMMITS_KEEP * 320 * 1024,
    "failed jobs": 16 * 1024 * 1024,
    # Players who have acknowledged one and play on, each until the next is due.
    "reality checks": 10_000 * 150,
    "metrics and states": 4 * 1024 * 1024,
    "price sources": FEED_SOURCES_BYTES_MAX,
}
BUDGET_SHARE_PERCENT = 70


def budget_fits(maxmemory_bytes: int) -> bool:
    """Tell whether the budgets fit into a Redis of that size; 0 means that it has no limit."""
    return maxmemory_bytes == 0 or sum(BUDGET_BYTES.values()) * 100 <= maxmemory_bytes * BUDGET_SHARE_PERCENT


def nonce(address: str, value: str) -> str:
    """String: the id of the bet or login that used the nonce; NONCE_TTL_S."""
    return f"nonce:{address}:{value}"


def session(token_sha256: str) -> str:
    """Hash of one session; SESSION_TTL_S, or less where its login said so."""
    return f"session:{token_sha256}"


def user_sessions(user_id: str) -> str:
    """Set of a user's session hashes."""
    return f"sessions:{user_id}"


def network_sessions(network: str) -> str:
    """Sorted set of the session hashes that were made from a network, by their time."""
    return f"sessions:from:{network}"


def reality_seen(user_id: str) -> str:
    """String, Unix milliseconds: when a player saw the reality check; until the next one is due."""
    return f"reality:{user_id}"


def pending(bet_id: str) -> str:
    """String (PendingBet) of a bet on its way; outlives the deadline by 90 s."""
    return f"pending:{bet_id}"


def replies(origin: str) -> str:
    """List of outcomes for one API process."""
    return f"replies:{origin}"


def bets_of(wallet: str, minute: int) -> str:
    """Integer: the bets of a wallet in one minute; counted by the script that queues them."""
    return f"limit:bets:{wallet}:{minute}"


def counted(bucket: str, window: int) -> str:
    """Hash {wallet or address -> hits} of one window of any other bucket; counts COUNTED_MAX of them, then no more."""
    return f"limit:{bucket}:{window}"
