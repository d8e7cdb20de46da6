"""From a checked claim to a session: the nonce is used up, the account found or opened, the session begun."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from runtime.auth.login import Claim
from runtime.auth.sessions import Session, Sessions
from runtime.auth.windows import before_memory
from runtime.errors import Conflict, Unavailable
from runtime.messaging.commands import COMMAND_TTL_MS, AdoptGuest, AnyCommand, Delegation, OpenAccount, Outcome
from runtime.messaging.connection import OUTAGES, Redis
from runtime.messaging.outcomes import data_of
from runtime.messaging.queues import claim_nonce, new_id
from runtime.settings import Settings


class Ledgers(Protocol):
    """The ledgers of the house, one or several, each with a writer."""

    def shard_for(self, key: str) -> int:
        """Return the shard of whoever signs in by a key; of a key that is new, the one where it may begin."""
        ...

    def submit_to(self, shard: int, command: AnyCommand) -> Outcome | None:
        """Hand a command to a shard's writer; return what becomes of it, None if it did not come in time."""
        ...


@dataclass(frozen=True, slots=True)
class Entered:
    """A finished sign-in: the new token, its session, and the account that the writer found or opened."""

    token: str
    session: Session
    balance: int
    created_ms: int


@dataclass(frozen=True, slots=True)
class Entrance:
    """What every sign-in goes through, with the request's own parts.

    `count` is called with the address before anything of a sign-in is kept. The nonce goes before it: who repeats what
    somebody else has signed uses up nothing of theirs.
    """

    settings: Settings
    client: Redis
    ledgers: Ledgers
    sessions: Sessions
    network: str
    count: Callable[[str], None]
    now_ms: int

    def open(self, claim: Claim) -> Entered:
        """Use up the claim's nonce, find or open the account, start a session; raise a Refusal otherwise."""
        command = self._open_account(claim)
        use_nonce(self.client, claim, command.id, self.now_ms)
        self.count(claim.wallet)
        late = "The account could not be opened in time; sign a new message and try again."
        shard = self.ledgers.shard_for(claim.wallet)
        outcome = self.ledgers.submit_to(shard, command)
        if outcome is not None and outcome.code == "UNAVAILABLE":
            # Another process has sent the same wallet elsewhere meanwhile, which is known by now.
            shard = self.ledgers.shard_for(claim.wallet)
            outcome = self.ledgers.submit_to(shard, command)
        opened = data_of(outcome, late)
        self._end_others_key(opened, claim.wallet)
        delegation_id = command.delegation.id if command.delegation is not None else None
        is_guest = claim.guest_key is not None
        return self._begin(claim, opened, shard, claim.session_key, delegation_id, is_guest=is_guest)

    def adopt(self, claim: Claim, guest: Session) -> Entered:
        """Give a guest's account to the claim's wallet; its sessions end, and one of the wallet and the key begins."""
        command = AdoptGuest(
            id=new_id(self.now_ms),
            received_ms=self.now_ms,
            decided_by_ms=self.now_ms + COMMAND_TTL_MS,
            user_id=guest.user_id,
            wallet_address=claim.wallet,
            message=claim.message,
            signature=claim.signature,
        )
        use_nonce(self.client, claim, command.id, self.now_ms)
        self.count(claim.wallet)
        late = "The account could not be given to the wallet in time; sign a new message and try again."
        opened = data_of(self.ledgers.submit_to(guest.shard, command), late)
        self._end_others_key(opened, claim.wallet)
        self.sessions.revoke_all(guest.user_id)
        return self._begin(claim, opened, guest.shard, guest.session_key, guest.delegation_id, is_guest=False)

    def _begin(
        self,
        claim: Claim,
        opened: dict[str, Any],
        shard: int,
        session_key: str | None,
        delegation_id: str | None,
        *,
        is_guest: bool,
    ) -> Entered:
        token, session = self.sessions.create(
            opened["user_id"],
            claim.wallet,
            self.network,
            session_key=session_key,
            delegation_id=delegation_id,
            until_ms=claim.expires_ms,
            is_guest=is_guest,
            guest_address=opened.get("guest_address", ""),
            shard=shard,
        )
        return Entered(token, session, opened["balance"], opened["created_ms"])

    def _end_others_key(self, opened: dict[str, Any], wallet: str) -> None:
        if "key_holder_id" in opened:
            self.sessions.revoke_key(opened["key_holder_id"], wallet)

    def _open_account(self, claim: Claim) -> OpenAccount:
        delegation = None
        if claim.session_key is not None:
            delegation = Delegation(new_id(self.now_ms), claim.session_key, claim.message, claim.signature)
        return OpenAccount(
            id=new_id(self.now_ms),
            received_ms=self.now_ms,
            decided_by_ms=self.now_ms + COMMAND_TTL_MS,
            user_id=new_id(self.now_ms),
            wallet_address=claim.wallet,
            guest_key=claim.guest_key,
            credit_cents=self.settings.demo_credit_cents if self.settings.mode == "demo" else 0,
            delegation=delegation,
        )


def use_nonce(client: Redis, claim: Claim, used_by: str, now_ms: int) -> None:
    """Use up the nonce of a claim, so that it counts once; raise a Refusal if it cannot be."""
    try:
        code, argument = claim_nonce(client, claim.wallet, claim.nonce, used_by, claim.signed_s, now_ms)
    except OUTAGES as ex:
        raise Unavailable("Logins cannot be checked right now.") from ex
    if code == "EPOCH":
        raise before_memory("The login message", argument, now_ms)
    if code != "":
        raise Conflict("The login message was used already; sign a new one.", code="REPLAYED_NONCE")
