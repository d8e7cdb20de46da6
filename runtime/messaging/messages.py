"""Put messages on the queues of functions, each as an RQ job of its own that its function takes."""

from __future__ import annotations

import msgspec

from runtime.messaging.connection import Redis
from runtime.messaging.queues import JOB_PREFIX, QUEUE_PREFIX, QUEUES_KEY, new_id, rq_time

MESSAGE_JOB = "jobs.triggers.work.run_message"
STARTED_S_MAX = 13 * 3600
"""How long RQ lets a message be begun before it is taken for lost; a function's own limit is shorter."""
FAILED_KEPT_S = 7 * 24 * 3600


def send_message(client: Redis, queue: str, message: msgspec.Struct, now_ms: int) -> str:
    """Put a message on a queue; return its id. An error of Redis means that it may be there or not."""
    job_id, now = new_id(now_ms), rq_time(now_ms)
    data = msgspec.json.encode((MESSAGE_JOB, None, [queue, message], {}))
    with client.pipeline(transaction=True) as pipe:
        pipe.sadd(QUEUES_KEY, QUEUE_PREFIX + queue)
        pipe.hset(
            JOB_PREFIX + job_id,
            mapping={
                "created_at": now,
                "enqueued_at": now,
                "status": "queued",
                "origin": queue,
                "description": f"a message of {queue}",
                "timeout": STARTED_S_MAX,
                "result_ttl": 0,
                "failure_ttl": FAILED_KEPT_S,
                **dict.fromkeys(("started_at", "ended_at", "last_heartbeat", "worker_name"), ""),
                "data": data,
            },
        )
        pipe.rpush(QUEUE_PREFIX + queue, job_id)
        pipe.execute()
    return job_id
