"""Answers of Redis that its client library knows no class for, or one that hides what they mean."""

from __future__ import annotations

import redis
from redis._parsers.base import BaseParser


class CannotSave(redis.ResponseError):
    """Redis takes no writes, because it cannot put them on its disk (MISCONF)."""


class NotPrimary(redis.ConnectionError):
    """The server is a replica, or has just become one: nothing was done, and the connection is closed.

    As a ConnectionError it ends its connection while it is read, so the next one leads to the primary of then.
    """


class NoReplicas(redis.ConnectionError):
    """The primary has too few replicas that keep up (min-replicas-to-write): nothing was done.

    It may be one that was cut off and replaced. So its connection is closed as well, and the next may lead elsewhere.
    """


class ServerChanged(redis.ConnectionError):
    """A connection leads to another server, or another life of it, than those before: what they knew may be lost."""


class ServiceUnknown(redis.ConnectionError):
    """Sentinels answer, and none of them watches a primary of that name."""


class NoSentinel(redis.ConnectionError):
    """No sentinel answers."""


# Left alone, each would look like a mistake of ours. READONLY and MASTERDOWN are a replica's; UNBLOCKED ends a command
# that was waiting on a primary when that became one.
BaseParser.EXCEPTION_CLASSES.update(
    MISCONF=CannotSave, READONLY=NotPrimary, MASTERDOWN=NotPrimary, UNBLOCKED=NotPrimary, NOREPLICAS=NoReplicas
)

WITHOUT_EFFECT = (redis.BusyLoadingError, redis.ResponseError, NotPrimary, NoReplicas, ServerChanged)
"""What a server answers that has done nothing, or what is raised before a command is sent."""
