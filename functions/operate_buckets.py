"""GET /api/operate/buckets: what players got back by bucket. POST /api/operate/buckets/open: open a closed one."""

from __future__ import annotations

from typing import Annotated

import msgspec

from runtime.auth.operators import operating
from runtime.function import Body, OperatorCall, Query, function
from runtime.messaging.commands import COMMAND_TTL_MS, OpenBucket
from runtime.messaging.outcomes import data_of
from runtime.messaging.queues import new_id
from runtime.operating.buckets import BucketView, bucket_named, opened_in_any, read_buckets
from runtime.operating.words import Why, why_of


class BucketsQuery(Query, frozen=True):
    """Which buckets."""

    all: Annotated[bool, msgspec.Meta(description="those of earlier models too")] = False


class BucketList(msgspec.Struct, frozen=True):
    """The buckets of which bets have ended, and the model in use."""

    model_id: str
    model_version: str
    buckets: list[BucketView]


class BucketOpening(Body, frozen=True):
    """Which bucket of the model in use is opened again, and why."""

    bucket: Annotated[str, msgspec.Meta(max_length=40, description="as the list names it: 20-50x/7, or 20-50x/all")]
    why: Why


class BucketOpened(msgspec.Struct, frozen=True):
    """The bucket that takes bets again."""

    bucket: str
    model_id: str
    model_version: str


@function(
    "GET",
    "/api/operate/buckets",
    auth="operator",
    limits=("requests",),
    summary="Realised return by bucket",
    query=BucketsQuery,
    response=BucketList,
)
def list_buckets(call: OperatorCall[None]) -> BucketList:
    """List the buckets as `taptrade market` does: stakes, what came back of 1, the e-value, and how each stands."""
    model = call.parts.model
    which = None if call.params.all else (model.id, model.version)
    return BucketList(model.id, model.version, call.parts.pool.together(lambda execute: read_buckets(execute, which)))


@function(
    "POST",
    "/api/operate/buckets/open",
    auth="operator",
    limits=("requests",),
    summary="Take bets of a closed bucket again",
    body=BucketOpening,
    response=BucketOpened,
    errors=("NOT_FOUND", "BUCKET_OPEN", "UNAVAILABLE"),
)
def open_bucket(call: OperatorCall[BucketOpening]) -> BucketOpened:
    """Open it; who and why are kept for ever, and the evidence against it begins anew."""
    parts, body, now_ms = call.parts, call.body, call.received_ms
    bucket = bucket_named(body.bucket, parts.model.id, parts.model.version)
    command = OpenBucket(
        id=new_id(now_ms),
        received_ms=now_ms,
        decided_by_ms=now_ms + COMMAND_TTL_MS,
        **bucket._asdict(),
        who=operating(call.session).who,
        why=why_of(body.why),
    )
    late = "It was not confirmed in time; look at the list before you repeat it."
    shards = range(1, len(parts.shards or [parts]) + 1)
    outcome = opened_in_any([parts.submit_to(shard, command) for shard in shards])
    return BucketOpened(**data_of(outcome, late))
