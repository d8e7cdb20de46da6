"""The Python client: an account over a line that breaks, and below it one request and one answer.

`Account` and `AsyncAccount` sign in, renew the session, and deliver each bet once; docs/clients.md leads through them.
`TapClient` and `AsyncTapClient` send the calls of `taptrade.client.calls`, without retries. What repeats are safe, and
when, is decided once for both, in `taptrade.client.steps`, `delivery` and `conduct`.
"""

from taptrade.client.account import Account
from taptrade.client.async_account import AsyncAccount
from taptrade.client.awaiting import AsyncTapClient
from taptrade.client.blocking import TapClient
from taptrade.client.delivery import Fate
from taptrade.client.over_http import may_use_proxy
from taptrade.client.problems import ApiError, NoAnswerError, api_error
from taptrade.client.sse import SseParser, StreamEvent
from taptrade.client.stream import AsyncEventStream, EventStream
from taptrade.views import WantedTap

__all__ = [
    "Account",
    "ApiError",
    "AsyncAccount",
    "AsyncEventStream",
    "AsyncTapClient",
    "EventStream",
    "Fate",
    "NoAnswerError",
    "SseParser",
    "StreamEvent",
    "TapClient",
    "WantedTap",
    "api_error",
    "may_use_proxy",
]
