"""The queues: names, the enqueue of many commands as one RQ job, and nonces. Other rooms meet here by name."""

from __future__ import annotations

import os
import secrets
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Any, Literal

import msgspec
import redis

from runtime.game.ids import RANDOM_BITS, TAIL_LENGTH, tail_of, ulid
from runtime.log import REQUEST_ID
from runtime.messaging import redis_keys
from runtime.messaging.commands import Answered, AnyCommand, Batch, Outcome
from runtime.rate_limits import MINUTE_S

BETS = "bets"
COMMANDS = "commands"
SETTLE = "settle"
JOBS = "jobs"
QUEUE_PREFIX = "rq:queue:"
JOB_PREFIX = "rq:job:"
STARTED_PREFIX = "rq:wip:"
FAILED_PREFIX = "rq:failed:"
QUEUES_KEY = "rq:queues"
FUNCTION_PREFIX = "functions."
WRITER_JOB = "jobs.writer.job.apply"
BATCH_COMMANDS_MAX = 100
ZLIB_MAGIC = b"x"

EnqueueCode = Literal["", "EPOCH", "NONCE", "LIMIT", "FULL"]
_encode = msgspec.json.encode
STOCK_DRAWS = 256
_stock: list[int] = []
# Two processes that drew from one stock would make the same ids.
os.register_at_fork(after_in_child=_stock.clear)


class Ticket(msgspec.Struct, frozen=True):
    """A command on its way to a queue, with what the enqueue script checks and leaves behind for it."""

    command: AnyCommand
    nonce_key: str = ""
    signed_at_s: int | None = None
    limit_key: str = ""
    limit: int = 0
    pending_key: str = ""
    pending_value: str = ""
    pending_ttl_ms: int = 0
    bets: int = 1
    """How many bets it counts as, in the limit and in the backlog."""

    def arguments(self) -> tuple[Any, ...]:
        """Return the script's arguments for this command, in the order that enqueue.lua states."""
        return (
            self.command.id,
            _encode(self.command),
            self.nonce_key,
            "" if self.signed_at_s is None else self.signed_at_s,
            self.limit_key,
            self.limit,
            self.pending_key,
            self.pending_value,
            self.pending_ttl_ms,
            self.bets,
        )


@dataclass(frozen=True, slots=True)
class EnqueueResult:
    """What the enqueue script said of one command: queued if `code` is empty."""

    code: EnqueueCode
    argument: str


def new_id(now_ms: int) -> str:
    """Return a fresh ULID; within a request it ends with the tail of the request's id."""
    fresh = ulid(now_ms, _random_bits())
    request_id = REQUEST_ID.get()
    return fresh[:-TAIL_LENGTH] + tail_of(request_id) if request_id else fresh


def _random_bits() -> int:
    """Return 80 random bits, from a stock that the kernel is asked for once in a while."""
    if not _stock:
        data = secrets.token_bytes(RANDOM_BITS // 8 * STOCK_DRAWS)
        _stock.extend(
            int.from_bytes(data[at : at + RANDOM_BITS // 8], "big") for at in range(0, len(data), RANDOM_BITS // 8)
        )
    return _stock.pop()


def queue_of(function: str) -> str:
    """Return the queue of a function that the scheduler starts."""
    return FUNCTION_PREFIX + function


def rq_time(now_ms: int) -> str:
    """Write a time as RQ does in its hashes."""
    return datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def rq_time_ms(text: bytes) -> int:
    """Read a time as RQ writes it, in Unix milliseconds."""
    return round(datetime.fromisoformat(text.decode()).timestamp() * 1000)


def load_script(client: redis.Redis, name: str) -> Any:
    """Return a Lua script of ours, ready to be called with keys and args."""
    text = resources.files("runtime.messaging").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")
    return client.register_script(text)


def of_shard(name: str, shard: int) -> str:
    """Return the queue of a shard's writer, BETS or COMMANDS: the first has the plain one."""
    return name if shard == 1 else f"{name}-{shard}"


def is_of_writer(name: str) -> bool:
    """Tell whether a queue is one of a writer's, whichever shard's."""
    plain, _, shard = name.partition("-")
    return plain in (BETS, COMMANDS) and (name == plain or shard.isdigit())


class Queue:
    """One of a writer's queues, as seen by those who put commands on it."""

    def __init__(self, client: redis.Redis, name: str, origin: str, *, backlog_max: int = 0, shard: int = 1) -> None:
        self.client = client
        self.name = of_shard(name, shard)
        self.origin = origin
        self._backlog_key = redis_keys.of_shard(redis_keys.BACKLOG_BETS, shard)
        self._wake_key = redis_keys.of_shard(redis_keys.WRITER_WAKE, shard)
        self.backlog_max = backlog_max
        self._script = load_script(client, "enqueue")
        self._head = f'["{WRITER_JOB}",null,[{{"v":1,"origin":"{origin}","commands":['
        self._tail = "]}],{}]"

    def enqueue(self, tickets: Sequence[Ticket], now_ms: int) -> list[EnqueueResult]:
        """Queue commands, of BATCH_COMMANDS_MAX bets or so, as one RQ job, in one round trip.

        An error of Redis means that the outcome is unknown, unless the connection was never made.
        """
        job_id = new_id(now_ms)
        arguments: list[Any] = [
            now_ms,
            job_id,
            self.name,
            self.backlog_max,
            secrets.token_hex(8),
            rq_time(now_ms),
            f"{self.name} from {self.origin}",
            self._head,
            self._tail,
            redis_keys.NONCE_TTL_S,
            MINUTE_S,
        ]
        for ticket in tickets:
            arguments.extend(ticket.arguments())
        keys = [
            QUEUE_PREFIX + self.name,
            QUEUES_KEY,
            JOB_PREFIX + job_id,
            self._backlog_key,
            redis_keys.EPOCH,
            self._wake_key,
        ]
        results = self._script(keys=keys, args=arguments)
        return [EnqueueResult(code.decode(), argument.decode()) for code, argument in results]


def begin_epoch(client: redis.Redis, now_ms: int) -> None:
    """Start an epoch in an empty Redis before anybody signs; without it the first login or bet would be refused."""
    pipe = client.pipeline(transaction=True)
    pipe.hsetnx(redis_keys.EPOCH, "id", secrets.token_hex(8))
    pipe.hsetnx(redis_keys.EPOCH, "since_s", str(now_ms // 1000))
    pipe.execute()


def claim_nonce(
    client: redis.Redis, address: str, nonce: str, value: str, signed_at_s: int, now_ms: int
) -> tuple[EnqueueCode, str]:
    """Use a nonce once; answer ('', '') if it was free, else why not and what used it."""
    keys = [redis_keys.nonce(address, nonce), redis_keys.EPOCH]
    arguments = [value, redis_keys.NONCE_TTL_S, signed_at_s, now_ms, secrets.token_hex(8)]
    code, argument = load_script(client, "claim_nonce")(keys=keys, args=arguments)
    return code.decode(), argument.decode()


def send_commands(
    client: redis.Redis, commands: Sequence[AnyCommand], origin: str, now_ms: int, *, shard: int = 1
) -> None:
    """Queue commands for a shard's writer without waiting for their outcomes."""
    queue = Queue(client, COMMANDS, origin, shard=shard)
    for start in range(0, len(commands), BATCH_COMMANDS_MAX):
        queue.enqueue([Ticket(command) for command in commands[start : start + BATCH_COMMANDS_MAX]], now_ms)


def ask(client: redis.Redis, command: AnyCommand, now_ms: int, *, wait_s: float = 10, shard: int = 1) -> Outcome | None:
    """Queue one command and wait for its outcome, at most `wait_s`; None if it has not come by then.

    An error of Redis is raised only while the command is being queued; one that comes later changes nothing about it.
    """
    origin = f"ask-{command.id}"
    Queue(client, COMMANDS, origin, shard=shard).enqueue([Ticket(command)], now_ms)
    try:
        answer: Any = client.blpop([redis_keys.replies(origin)], timeout=wait_s)
    except redis.RedisError:
        return None
    return None if answer is None else decode_outcomes(answer[1])[0]


_answers = msgspec.json.Decoder(list[Answered])
_outcomes = msgspec.json.Decoder(list[Outcome])
_call = msgspec.json.Decoder(tuple[str, None, tuple[Batch], dict[str, Any]])


def decode_outcomes(data: bytes) -> list[Outcome]:
    """Decode what the writer pushed to a list of replies."""
    return _outcomes.decode(data)


def decode_answers(data: bytes) -> list[Answered]:
    """Decode the same, but leave what each outcome carries as it is."""
    return _answers.decode(data)


def decode_job(data: bytes) -> Batch:
    """Decode the batch in a job's data; raise msgspec.ValidationError or DecodeError for anything else.

    We leave the data plain; RQ compresses them when it stores a job anew, as it does when one is requeued.
    """
    if data[:1] == ZLIB_MAGIC:
        try:
            data = zlib.decompress(data)
        except zlib.error as ex:
            raise msgspec.DecodeError(f"the data are no zlib stream: {ex}") from ex
    function, _, (batch,), _ = _call.decode(data)
    if function != WRITER_JOB:
        raise msgspec.ValidationError(f"the writer does not run {function}")
    return batch
