"""`taptrade breaker history`: every word of an operator's on the breaker, kept by the real writer."""

from __future__ import annotations

from runtime.audit import audit
from runtime.messaging import queues
from runtime.messaging.commands import NoteOverride
from tests.taptrade.office import Office


def test_who_decided_what_and_why_is_kept_newest_first(office: Office) -> None:
    assert office.run("breaker", "open", "--who", "ann", "--why", "prices look wrong").code == 0
    assert office.run("breaker", "closed", "--for", "2h", "--who", "bob", "--why", "feed was checked").code == 0
    assert office.run("breaker", "auto", "--who", "ann", "--why", "done").code == 0
    office.desk.work()
    listed = office.run("breaker", "history", "--json").json["overrides"]
    assert [(each["override"], each["who"], each["why"]) for each in listed] == [
        ("auto", "ann", "done"),
        ("closed", "bob", "feed was checked"),
        ("open", "ann", "prices look wrong"),
    ]
    assert [bool(each["until"]) for each in listed] == [False, True, False]
    rows = [line.split("\t") for line in office.run("breaker", "history", "--limit", "1").out.splitlines()]
    assert rows == [["set", "override", "until", "who", "why"], [listed[0]["set"], "auto", "", "ann", "done"]]


def test_what_is_kept_stands_in_the_hash_chain_once_and_for_ever(office: Office) -> None:
    desk = office.desk
    now_ms = desk.clock.now_ms()
    note = NoteOverride(
        id=desk.new_id(),
        received_ms=now_ms,
        decided_by_ms=now_ms,
        override="closed",
        who="ann",
        why="drill",
        set_ms=now_ms,
        until_ms=now_ms + 1,
    )
    for _ in range(2):
        desk.queue(note, name=queues.COMMANDS)
        desk.work()
    assert desk.database.execute("SELECT count(*) FROM breaker_overrides") == [(1,)]
    assert audit(desk.database).faults == []
    desk.database.execute("UPDATE breaker_overrides SET who = 'bob'")
    assert any("breaker_overrides" in str(finding) for finding in audit(desk.database).findings)
