"""The event stream: one hub a process, its subscribers, and how a stream begins, resumes and ends.

May import: runtime.game, runtime.market, runtime.messaging, runtime.records, runtime.storage, runtime.web.
"""
