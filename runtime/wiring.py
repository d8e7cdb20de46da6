"""get_app(): read the environment, build the parts, start what runs in the background, create the app."""

from __future__ import annotations

import atexit
import logging
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import gevent
from gevent.event import Event
from gevent.threadpool import ThreadPool

from runtime import log, more_shards
from runtime.auth import p256, signatures
from runtime.auth.credentials import authenticator
from runtime.auth.domains import domains_of
from runtime.auth.operators import OperatorSessions, operator_authenticator
from runtime.auth.sessions import FOLLOW_EVERY_S, Session, Sessions
from runtime.background import Background, Running
from runtime.betting.admission import LOOK_EVERY_S, AdmissionControl
from runtime.betting.fate import Fates
from runtime.betting.intake import Intake
from runtime.clock import Clock, SystemClock
from runtime.errors import Unavailable
from runtime.function_files import functions_folder
from runtime.function_settings import FunctionSettings, file_of, given_to
from runtime.function_versions import taken_up
from runtime.health.writer_watch import WATCH_EVERY_S, WriterWatch
from runtime.history.past import Past
from runtime.history.shelves import Shelves
from runtime.machine import machine_of
from runtime.market.models import open_model, rules_of
from runtime.market.state import Market
from runtime.messaging import bus
from runtime.messaging.connection import OUTAGES, Redis, connect, wait_until_ready
from runtime.messaging.metrics_exchange import start_pushing
from runtime.messaging.outbox import REPLIES_BLOCK_S, Outbox
from runtime.messaging.queues import begin_epoch
from runtime.messaging.rate_counter import RedisLimiter
from runtime.metrics.table import Metrics
from runtime.more_shards import MoreShards
from runtime.parts import Parts
from runtime.postgresql import choice
from runtime.postgresql.choice import WHOLE
from runtime.process_lock import claim_slot
from runtime.rate_limits import policies
from runtime.records.sittings import Sittings
from runtime.settings import Settings, load
from runtime.storage.read_pool import Apply, ReadPool, directly
from runtime.stream.hub import Hub
from runtime.stream.rounds import Rounds
from runtime.stream.sweeper import Sweeper
from runtime.web.app import App, create_app
from runtime.web.declaration import Function
from runtime.web.discovery import discover
from runtime.web.in_flight import LOOK_EVERY_S as TIME_LIMITS_EVERY_S
from runtime.web.in_flight import TimeLimits
from runtime.web.surroundings import Guard

READ_THREADS = 4
COUNT_INSIDE_EVERY_S = 0.5
LEDGER_AWAY_WAIT_S = 0.5
GUARDS: dict[str, Callable[[Parts], Guard]] = {
    "breaker": lambda parts: parts.market.guard_breaker,
    "writer": lambda parts: parts.guard_writers,
    "admission": lambda parts: parts.admission.guard,
}
"""The guards that a function's declaration may name."""


def off_the_loop() -> Callable[[Callable[[], Any]], Any]:
    """Return what runs blocking work in native threads while this greenlet waits."""
    apply: Callable[[Callable[[], Any]], Any] = ThreadPool(READ_THREADS).apply
    return apply


def in_greenlet(_name: str, run: Callable[[], None]) -> Running:
    """Run in a greenlet."""
    greenlet: Running = gevent.spawn(run)
    return greenlet


def build_parts(settings: Settings, metrics: Metrics) -> Parts:
    """Build the parts and start what they do in the background."""
    clock = SystemClock()
    background = Background(Event(), clock, metrics, in_greenlet)
    client = connect(settings.redis_url)
    wait_until_ready(client, gevent.sleep)
    begin_epoch(client, clock.now_ms())
    run_id = f"api-{os.getpid()}-{secrets.token_hex(4)}"
    apply, shards = off_the_loop(), choice.await_shards(settings, lambda: gevent.sleep(LEDGER_AWAY_WAIT_S))
    outbox = _outbox(settings, client, clock, run_id)
    # Alone it is the first, and stays that when another one is added: its streams go by its own numbers.
    read = WHOLE if shards > 1 else 1
    parts = assembled(settings, background, client, outbox, run_id, clock, apply, read)
    if shards > 1:
        of_each = [_of_shard(parts, shard, shards, apply) for shard in range(1, shards + 1)]
        first = of_each[0]
        parts = replace(parts, outbox=first.outbox, hub=first.hub, shards=of_each)
    _start(parts, metrics)
    return parts


def _outbox(settings: Settings, client: Redis, clock: Clock, origin: str, shard: int = 1) -> Outbox:
    replies = connect(settings.redis_url, block_s=REPLIES_BLOCK_S)
    return Outbox(client, replies, clock, origin, settings.backlog_bets_max, shard)


def _of_shard(parts: Parts, shard: int, shards: int, apply: Apply[Any]) -> Parts:
    """Return the parts of one ledger: what is read and written there, beside what the process has once."""
    settings, clock, client = parts.settings, parts.clock, parts.redis
    pool = choice.read_pool(settings, clock, apply, shard)
    return replace(
        parts,
        pool=pool,
        past=Past(Shelves(pool, settings.data, clock, apply)),
        outbox=_outbox(settings, client, clock, f"{parts.run_id}-{shard}", shard),
        # Readers of all shards share what the process may hold open.
        hub=Hub(parts.market, pool, settings.api_workers * shards),
        writer_watch=WriterWatch(client, shard),
        fates=Fates(client, pool, clock, settings.fill_delay_ms, shard),
    )


def assembled(
    settings: Settings,
    background: Background,
    client: Redis,
    outbox: Outbox,
    run_id: str,
    clock: Clock,
    apply: Apply[Any] = directly,
    shard: int = WHOLE,
) -> Parts:
    """Make the parts that follow from the settings, and start nothing; `apply` says where databases are read.

    They read about the whole house unless a shard is given.
    """
    pool, market, rules = choice.read_pool(settings, clock, apply, shard), Market(clock), rules_of(settings)
    return Parts(
        settings=settings,
        clock=clock,
        background=background,
        redis=client,
        pool=pool,
        past=Past(Shelves(pool, settings.data, clock, apply)),
        ticks_pool=ReadPool(settings.ticks_database, clock, apply),
        outbox=outbox,
        admission=AdmissionControl(settings.fill_delay_ms / 1000, workers=settings.api_workers),
        sessions=Sessions(client, clock),
        operators=OperatorSessions(client, clock, settings.operators),
        sittings=Sittings(),
        market=market,
        hub=Hub(market, pool, settings.api_workers),
        writer_watch=WriterWatch(client),
        model=open_model(settings),
        rules=rules,
        intake=Intake.of(settings, rules),
        fates=Fates(client, pool, clock, settings.fill_delay_ms),
        run_id=run_id,
    )


def breathe() -> None:
    """Let the event loop come round once. A sleep of 0 comes back before it has looked at the network, and one of 1 ms
    takes several."""
    gevent.idle(1)


def _start(parts: Parts, metrics: Metrics) -> None:
    """Start what the parts do in the background."""
    background, clock, ledgers = parts.background, parts.clock, parts.shards or [parts]
    for shard, one in enumerate(ledgers, 1):
        works = background if shard == 1 else background.suffixed(f"-{shard}")
        reader_client = connect(parts.settings.redis_url, block_s=bus.BLOCK_MS / 1000)
        listeners = (parts.market, one.hub) if shard == 1 else (one.hub,)
        bus.BusReader(reader_client, clock, listeners, shard=shard).start(works)
        Rounds(one.hub, clock, breathe).start(works)
        Sweeper(one.hub, parts.redis, clock).start(works)
        one.outbox.start(works)
        works.repeat("writer-watch", one.writer_watch.look, WATCH_EVERY_S)
    outboxes = [one.outbox for one in ledgers]
    background.repeat(
        "admission", lambda: parts.admission.look(sum(outbox.answered for outbox in outboxes)), LOOK_EVERY_S
    )
    background.repeat("sessions", parts.sessions.follow, FOLLOW_EVERY_S)
    background.repeat(
        "bets-inside", lambda: metrics.set("taptrade_bets_inside", parts.admission.bets), COUNT_INSIDE_EVERY_S
    )
    if parts.settings.database_url:
        more = MoreShards(
            partial(choice.count_shards, parts.settings, parts.pool.execute),
            len(ledgers),
            partial(more_shards.note, parts.settings.data),
            Unavailable,
        )
        more_shards.correct(parts.settings.data, len(ledgers))
        background.repeat("shards", more.look, more_shards.EVERY_S)
    metrics.set("taptrade_functions_version", taken_up())
    start_pushing(parts.redis, metrics, clock, OUTAGES, background, machine_of(parts.settings))


def _parts_of(parts: Parts, session: object) -> Parts:
    """Return what a request is handled with: that of its player's ledger, or of the whole house."""
    return parts.of_shard(session.shard) if isinstance(session, Session) else parts


@dataclass(frozen=True, slots=True)
class Prepared:
    """The parts of this process, and what builds an app of functions and the settings that they are given."""

    parts: Parts
    build: Callable[[Sequence[Function], Mapping[str, FunctionSettings]], App]


def get_app(settings: Settings | None = None) -> App:
    """Build the app of this process from the environment; what gunicorn calls."""
    prepared = prepare(settings or load())
    functions = discover(functions_folder())
    return prepared.build(functions, given_to(functions, file_of(prepared.parts.settings)))


def prepare(settings: Settings) -> Prepared:
    """Build the parts of this process, and start what they do in the background."""
    log.configure("api", settings.log_level)
    logging.captureWarnings(capture=True)
    signatures.check_backend()
    p256.check_backend()
    slot, claim = claim_slot("api", settings.data / "run")
    atexit.register(claim.close)  # and so it is held until then
    metrics = Metrics("api", slot)
    parts = build_parts(settings, metrics)
    quotas = policies(settings)
    limiter = RedisLimiter(parts.redis, quotas, parts.clock)
    for one in parts.shards or [parts]:
        one.outbox.tell_refused = lambda user_id: gevent.spawn(limiter.note, "refused_bets", user_id)
    authenticate = authenticator(parts.sessions, domains_of(settings))
    time_limits = TimeLimits(parts.clock, metrics, settings.api_workers)
    parts.background.repeat("time-limits", time_limits.look, TIME_LIMITS_EVERY_S)

    def build(functions: Sequence[Function], given: Mapping[str, FunctionSettings]) -> App:
        return create_app(
            functions,
            parts=parts,
            parts_of=partial(_parts_of, parts),
            authenticate=authenticate,
            authenticate_operator=operator_authenticator(parts.operators, domains_of(settings), authenticate),
            limiter=limiter,
            quotas=quotas,
            guards={name: guard(parts) for name, guard in GUARDS.items()},
            clock=parts.clock,
            metrics=metrics,
            trusted_proxies=settings.trusted_proxies,
            cors_origins=settings.cors_origins,
            outages=OUTAGES,
            time_limits=time_limits,
            function_settings=given,
        )

    return Prepared(parts, build)
