"""The past as one: the live database and the attached weeks read page by page under the same cursors.

May import: runtime.archive, runtime.game, runtime.records, runtime.storage.
"""
