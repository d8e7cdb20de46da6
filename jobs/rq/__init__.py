"""RQ and rq-scheduler: the periodic jobs, who starts them and who works them off, with JSON inside.

May import: runtime.messaging, runtime.metrics, runtime.triggers.
"""
