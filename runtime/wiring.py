"""get_app(): read the environment, build the parts, start what runs in the background, create the app."""

from __future__ import annotations

import atexit
import logging
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gevent
from gevent.event import Event
from gevent.threadpool import ThreadPool

from runtime import log
from runtime.auth import p256, signatures
from runtime.auth.credentials import authenticator
from runtime.auth.domains import domains_of
from runtime.auth.operators import OperatorSessions, operator_authenticator
from runtime.auth.sessions import FOLLOW_EVERY_S, Sessions
from runtime.background import Background, Running
from runtime.betting.admission import LOOK_EVERY_S, AdmissionControl
from runtime.betting.fate import Fates
from runtime.betting.intake import Intake
from runtime.clock import Clock, SystemClock
from runtime.function_files import functions_folder
from runtime.function_settings import FunctionSettings, file_of, given_to
from runtime.function_versions import taken_up
from runtime.health.writer_watch import WATCH_EVERY_S, WriterWatch
from runtime.history.past import Past
from runtime.history.shelves import Shelves
from runtime.market.models import open_model, rules_of
from runtime.market.state import Market
from runtime.messaging import bus
from runtime.messaging.connection import OUTAGES, Redis, connect, wait_until_ready
from runtime.messaging.metrics_exchange import start_pushing
from runtime.messaging.outbox import REPLIES_BLOCK_S, Outbox
from runtime.messaging.queues import begin_epoch
from runtime.messaging.rate_counter import RedisLimiter
from runtime.metrics.table import Metrics
from runtime.parts import Parts
from runtime.postgresql import choice
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
GUARDS: dict[str, Callable[[Parts], Guard]] = {
    "breaker": lambda parts: parts.market.guard_breaker,
    "writer": lambda parts: parts.writer_watch.guard,
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
    outbox = Outbox(
        client, connect(settings.redis_url, block_s=REPLIES_BLOCK_S), clock, run_id, settings.backlog_bets_max
    )
    parts = assembled(settings, background, client, outbox, run_id, clock, off_the_loop())
    _start(parts, metrics)
    return parts


def assembled(
    settings: Settings,
    background: Background,
    client: Redis,
    outbox: Outbox,
    run_id: str,
    clock: Clock,
    apply: Apply[Any] = directly,
) -> Parts:
    """Make the parts that follow from the settings, and start nothing; `apply` says where databases are read."""
    pool, market, rules = choice.read_pool(settings, clock, apply), Market(clock), rules_of(settings)
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
    background, clock, hub, outbox = parts.background, parts.clock, parts.hub, parts.outbox
    reader_client = connect(parts.settings.redis_url, block_s=bus.BLOCK_MS / 1000)
    bus.BusReader(reader_client, clock, (parts.market, hub)).start(background)
    Rounds(hub, clock, breathe).start(background)
    Sweeper(hub, parts.redis, clock).start(background)
    outbox.start(background)
    background.repeat("admission", lambda: parts.admission.look(outbox.answered), LOOK_EVERY_S)
    background.repeat("sessions", parts.sessions.follow, FOLLOW_EVERY_S)
    background.repeat("writer-watch", parts.writer_watch.look, WATCH_EVERY_S)
    background.repeat(
        "bets-inside", lambda: metrics.set("taptrade_bets_inside", parts.admission.bets), COUNT_INSIDE_EVERY_S
    )
    metrics.set("taptrade_functions_version", taken_up())
    start_pushing(parts.redis, metrics, clock, OUTAGES, background)


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
    parts.outbox.tell_refused = lambda user_id: gevent.spawn(limiter.note, "refused_bets", user_id)
    authenticate = authenticator(parts.sessions, domains_of(settings))
    time_limits = TimeLimits(parts.clock, metrics, settings.api_workers)
    parts.background.repeat("time-limits", time_limits.look, TIME_LIMITS_EVERY_S)

    def build(functions: Sequence[Function], given: Mapping[str, FunctionSettings]) -> App:
        return create_app(
            functions,
            parts=parts,
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
