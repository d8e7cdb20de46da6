"""What starts functions other than requests: how they are declared and found, and what one run of them is given.

It is what a file of functions/ imports to declare one: `from runtime.triggers import Run, every`.

May import: runtime.messaging, runtime.postgresql, runtime.storage.
"""

from runtime.function_settings import FunctionSettings, Secret
from runtime.messaging.messages import send_message
from runtime.triggers.declaration import cron, every, on_event, on_queue
from runtime.triggers.run import Event, Message, Run

__all__ = [
    "Event",
    "FunctionSettings",
    "Message",
    "Run",
    "Secret",
    "cron",
    "every",
    "on_event",
    "on_queue",
    "send_message",
]
