"""Send one delivery: signed, to the address that was looked at, without redirects, within a time limit."""

from __future__ import annotations

import ssl
from functools import cache
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from runtime.version import build
from runtime.webhooks.signing import headers_of
from runtime.webhooks.subscriptions import Delivery, Subscription
from runtime.webhooks.targets import TargetRefused, resolve

TIMEOUT_S = 10.0
ANSWER_BYTES_MAX = 64 * 1024
SAID_MAX = 200


class Answer(NamedTuple):
    """What a receiver said: whether it took the delivery, in words, and whether it never will."""

    taken: bool
    said: str
    gone: bool = False


def send(subscription: Subscription, delivery: Delivery, now_ms: int, *, private: bool) -> Answer:
    """Send a delivery; an answer of the 200s says that it was taken, and 410 that nothing is wanted any more."""
    try:
        address = resolve(subscription.url, private=private)
    except TargetRefused as ex:
        return Answer(taken=False, said=str(ex))
    body = delivery.payload.encode()
    headers = headers_of(delivery.id, now_ms // 1000, body, subscription.secret)
    try:
        return _post(subscription.url, address, body, headers)
    except httpx.HTTPError as ex:
        return Answer(taken=False, said=f"{type(ex).__name__}: {ex}"[:SAID_MAX])


@cache
def _trusted() -> ssl.SSLContext:
    """Return whose certificates are believed; reading them takes longer than sending."""
    return httpx.create_ssl_context(trust_env=False)


def _post(url: str, address: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Post to the address that the name was resolved to; the certificate is still that of the name."""
    parts = urlsplit(url)
    sent = {
        **headers,
        "host": parts.netloc,
        "content-type": "application/json",
        "user-agent": f"taptrade/{build().version}",
    }
    # No proxy of the environment is asked: it would resolve the name once more, elsewhere.
    with httpx.Client(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False, verify=_trusted()) as client:
        target = httpx.URL(url).copy_with(host=address)
        known_by = {"sni_hostname": parts.hostname}
        with client.stream("POST", target, content=body, headers=sent, extensions=known_by) as answer:
            length = 0
            for chunk in answer.iter_raw():
                length += len(chunk)
                if length > ANSWER_BYTES_MAX:
                    break
            return Answer(answer.is_success, f"{answer.status_code} {answer.reason_phrase}", answer.status_code == 410)
