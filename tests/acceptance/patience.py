"""A client that asks again when the house says, as clients shall: a busy machine may put a read off."""

from __future__ import annotations

import time
from typing import TypeVar

from taptrade.client import ApiError, TapClient
from taptrade.client.calls import Call
from taptrade.client.steps import delay_s

T = TypeVar("T")
REPEATS_MAX = 10


class PatientClient(TapClient):
    """A client whose reads wait out a `Retry-After`; a refusal that no wait mends is raised, as are those of writes."""

    def send(self, call: Call[T]) -> T:
        """Send one call, a read as often as the house asks for."""
        for _ in range(REPEATS_MAX):
            try:
                return super().send(call)
            except ApiError as ex:
                again_s = delay_s(ex)
                if call.method != "GET" or again_s is None:
                    raise
            time.sleep(again_s)
        return super().send(call)
