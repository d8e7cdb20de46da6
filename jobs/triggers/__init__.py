"""The process `functions`: it runs what schedules, queues and events start, within its limits, and tries again.

May import: jobs.rq, runtime.game, runtime.messaging, runtime.metrics, runtime.records, runtime.storage,
runtime.triggers.
"""
