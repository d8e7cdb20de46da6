"""Sessions: random tokens, kept in Redis only as their hash, revoked everywhere within a second."""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
from base64 import urlsafe_b64encode
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from runtime.auth.shared_lookups import SharedLookups
from runtime.clock import Clock
from runtime.errors import Unauthenticated, Unavailable
from runtime.messaging import redis_keys
from runtime.messaging.connection import OUTAGES, Redis
from runtime.messaging.queues import load_script

logger = logging.getLogger(__name__)

TOKEN_BYTES = 32
CACHED_MS = 900
BELIEVED_MS = 600_000
ENDED_KEPT = 100
FOLLOW_EVERY_S = 0.3
CACHED_MAX = 20_000
SESSIONS_PER_USER_MAX = 100
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Session:
    """A login that is still good; `id` is the SHA-256 of its token."""

    id: str
    user_id: str
    wallet: str
    session_key: str | None
    delegation_id: str | None
    created_ms: int
    expires_ms: int
    is_guest: bool = False
    """The account belongs to a key of the browser, and to no wallet."""
    guest_address: str = ""
    """What an account that a wallet took over was opened by; empty: no guest ever had it."""
    shard: int = 1
    """Which of the house's ledgers has the account."""

    @property
    def nonce_address(self) -> str:
        """The address that nonces count under; it outlasts a change of the wallet, so that each counts once."""
        return self.guest_address or self.wallet


class Sessions:
    """Create, find and end sessions.

    A revocation reaches every process within a second. A found session is believed for CACHED_MS; and for as long as
    `follow` has read the list of ended sessions within CACHED_MS, it is believed for BELIEVED_MS without being asked
    for again. If Redis or that reading stops, the longer belief stops with it.
    """

    def __init__(
        self, client: Redis, clock: Clock, *, random_bytes: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._client = client
        self._script = load_script(client, "sessions")
        self._clock = clock
        self._random_bytes = random_bytes
        self._cached: dict[str, tuple[int, Session]] = {}
        self._lookups = SharedLookups[Session | None](CACHED_MS)
        self._followed_ms: int | None = None
        self._ended_after = "0-0"
        self._epoch = b""
        self._ended: deque[str] = deque(maxlen=ENDED_KEPT)

    def create(
        self,
        user_id: str,
        wallet: str,
        network: str,
        *,
        session_key: str | None = None,
        delegation_id: str | None = None,
        until_ms: int | None = None,
        is_guest: bool = False,
        guest_address: str = "",
        shard: int = 1,
    ) -> tuple[str, Session]:
        """Start a session under a new token, which is returned here and kept nowhere; it ends by `until_ms`.

        `network` is the address that the rate limits count: when no more sessions may live, the oldest of the network
        that holds most of them ends.
        """
        token = new_token(self._random_bytes)
        now_ms = self._clock.now_ms()
        expires_ms = now_ms + redis_keys.SESSION_TTL_S * 1000
        if until_ms is not None:
            expires_ms = min(expires_ms, until_ms)
        session = Session(
            id=session_id(token),
            user_id=user_id,
            wallet=wallet,
            session_key=session_key,
            delegation_id=delegation_id,
            created_ms=now_ms,
            expires_ms=expires_ms,
            is_guest=is_guest,
            guest_address=guest_address,
            shard=shard,
        )
        try:
            of_user, _ = self._run((), session, network)
            if of_user > SESSIONS_PER_USER_MAX:
                self._run([old.id for old in self.of_user(user_id)[SESSIONS_PER_USER_MAX:]])
        except OUTAGES as ex:
            raise Unavailable("Sessions cannot be written right now.") from ex
        return token, session

    def find(self, token: str) -> Session | None:
        """Return the session of a token, None if there is none or it has ended."""
        if _TOKEN.fullmatch(token) is None:
            return None
        wanted = session_id(token)
        # The time counts from before the read, not from when its answer arrived.
        asked_ms = self._clock.monotonic_ms()
        cached = self._cached.get(wanted)
        if cached is not None and asked_ms - cached[0] < self._belief_ms(asked_ms):
            session: Session | None = cached[1]
        else:
            begun_ms, session = self._lookups.find(wanted, asked_ms, self._read)
            if begun_ms == asked_ms:
                self._remember(wanted, session, asked_ms)
        if session is None or session.expires_ms <= self._clock.now_ms():
            return None
        return session

    def _belief_ms(self, asked_ms: int) -> int:
        follows = self._followed_ms is not None and asked_ms - self._followed_ms < CACHED_MS
        return BELIEVED_MS if follows else CACHED_MS

    def follow(self) -> None:
        """Forget the sessions that ended anywhere since the last call; to be called every FOLLOW_EVERY_S."""
        asked_ms = self._clock.monotonic_ms()
        try:
            pipe = self._client.pipeline(transaction=False)
            pipe.hget(redis_keys.EPOCH, "id")
            pipe.xread({redis_keys.SESSIONS_ENDED: self._ended_after}, count=redis_keys.SESSIONS_ENDED_KEEP)
            epoch, found = pipe.execute()
        except OUTAGES as ex:
            logger.warning("ended sessions cannot be read: %s", ex)
            return
        if epoch != self._epoch:  # another Redis, or an emptied one, knows none of these sessions
            self._cached.clear()
            self._epoch, self._ended_after = epoch, "0-0"
        for _, entries in found:
            if len(entries) >= redis_keys.SESSIONS_ENDED_KEEP:  # more may have ended than are kept
                self._cached.clear()
            for entry_id, fields in entries:
                ended = fields[b"id"].decode()
                self._cached.pop(ended, None)
                # A reading that is under way may have found it still alive, and must not cache it after this.
                self._ended.append(ended)
                self._ended_after = entry_id.decode()
        self._followed_ms = asked_ms

    def of_user(self, user_id: str) -> list[Session]:
        """Return a user's sessions, newest first; forget those that ended by themselves."""
        try:
            members = cast("set[bytes]", self._client.smembers(redis_keys.user_sessions(user_id)))
            ids = [raw.decode() for raw in members]
            pipe = self._client.pipeline(transaction=False)
            for found in ids:
                pipe.hgetall(redis_keys.session(found))
            rows = dict(zip(ids, pipe.execute(), strict=True))
            gone = [found for found, fields in rows.items() if not fields]
            if gone:
                self._client.srem(redis_keys.user_sessions(user_id), *gone)
        except OUTAGES as ex:
            raise Unavailable("Sessions cannot be read right now.") from ex
        now_ms = self._clock.now_ms()
        sessions = [_from_fields(found, fields) for found, fields in rows.items() if fields]
        sessions = [session for session in sessions if session.expires_ms > now_ms]
        return sorted(sessions, key=lambda session: (session.created_ms, session.id), reverse=True)

    def revoke(self, user_id: str, session: str) -> bool:
        """End one session of a user; False if it is not theirs or has ended."""
        if _ID.fullmatch(session) is None:
            return False
        found = self._read(session)
        if found is None or found.user_id != user_id:
            return False
        return bool(self._end([session]))

    def revoke_all(self, user_id: str) -> None:
        """End all sessions of a user."""
        self._end([one.id for one in self.of_user(user_id)])

    def revoke_key(self, user_id: str, session_key: str) -> None:
        """End a user's sessions that a key signs for."""
        self._end([one.id for one in self.of_user(user_id) if one.session_key == session_key])

    def _end(self, ended: Sequence[str]) -> list[str]:
        try:
            return self._run(ended)[1]
        except OUTAGES as ex:
            raise Unavailable("Sessions cannot be ended right now.") from ex

    def _run(self, ended: Sequence[str], begun: Session | None = None, network: str = "") -> tuple[int, list[str]]:
        """End sessions, then begin one; return how many its user has, and which ended: others may have to give way."""
        keys = [
            redis_keys.SESSION_NETWORKS,
            redis_keys.SESSION_NETWORKS_OLDEST,
            redis_keys.SESSIONS_LIVE,
            redis_keys.SESSIONS_ENDED,
        ]
        arguments: list[Any] = [
            self._clock.now_ms(),
            redis_keys.SESSION_TTL_S,
            redis_keys.SESSIONS_MAX,
            redis_keys.SESSIONS_ENDED_KEEP,
            *(key("") for key in (redis_keys.session, redis_keys.user_sessions, redis_keys.network_sessions)),
            len(ended),
            *ended,
        ]
        if begun is not None:
            fields = _to_fields(begun) | {"network": network}
            arguments += [begun.id, *(part for field in fields.items() for part in field)]
        of_user, *answer = self._script(keys=keys, args=arguments, client=self._client)
        gone = [session.decode() for session in answer]
        for session in gone:
            self._cached.pop(session, None)
        return of_user, gone

    def _read(self, session: str) -> Session | None:
        try:
            fields = cast("dict[bytes, bytes]", self._client.hgetall(redis_keys.session(session)))
        except OUTAGES as ex:
            raise Unavailable("Sessions cannot be read right now.") from ex
        return _from_fields(session, fields) if fields else None

    def _remember(self, wanted: str, session: Session | None, asked_ms: int) -> None:
        self._cached.pop(wanted, None)
        if session is None or wanted in self._ended:
            return
        while len(self._cached) >= CACHED_MAX:
            self._cached.pop(next(iter(self._cached)), None)
        self._cached[wanted] = (asked_ms, session)


def signed_in(session: Session | None) -> Session:
    """Return the session of a request that must have one."""
    if session is None:
        raise Unauthenticated
    return session


def new_token(random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """Return a token that cannot be guessed, 43 characters of base64url."""
    return urlsafe_b64encode(random_bytes(TOKEN_BYTES)).rstrip(b"=").decode()


def session_id(token: str) -> str:
    """Return the id of a token's session: what Redis and the player's list know it by."""
    return hashlib.sha256(token.encode()).hexdigest()


def _to_fields(session: Session) -> dict[Any, str | int]:
    return {
        **({"shard": session.shard} if session.shard > 1 else {}),
        "user_id": session.user_id,
        "wallet": session.wallet,
        "session_key": session.session_key or "",
        "delegation_id": session.delegation_id or "",
        "created_ms": session.created_ms,
        "expires_ms": session.expires_ms,
        "is_guest": int(session.is_guest),
        "guest_address": session.guest_address,
    }


def _from_fields(session: str, fields: dict[bytes, bytes]) -> Session:
    return Session(
        id=session,
        user_id=fields[b"user_id"].decode(),
        wallet=fields[b"wallet"].decode(),
        session_key=fields[b"session_key"].decode() or None,
        delegation_id=fields[b"delegation_id"].decode() or None,
        created_ms=int(fields[b"created_ms"]),
        expires_ms=int(fields[b"expires_ms"]),
        # Sessions of an older version have none of these.
        is_guest=fields.get(b"is_guest") == b"1",
        guest_address=fields.get(b"guest_address", b"").decode(),
        shard=int(fields.get(b"shard", 1)),
    )
