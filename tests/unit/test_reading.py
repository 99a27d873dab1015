"""Reading: scopes are enforced in one place, filters never reach SQL unasked, a block is one transaction."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import pytest

from shudian.kernel.messages import Event
from shudian.kernel.outcomes import Outcome
from shudian.reading.projector import Projector, Said
from shudian.reading.reader import THE_PUBLIC, Viewer
from shudian.reading.tables import MEMBERS, PUBLIC, At, ReadTable, Scope, Views, integer, kinds, parties, text
from shudian.reading.writer import Writer

OWNER, OTHER, OVERSEER = Viewer(7, "user"), Viewer(8, "user"), Viewer(1, "regulator")


def table(name: str, scope: Scope) -> ReadTable:
    return ReadTable(
        name,
        (integer("id", "号", "no."), integer("owner_id", "主", "owner"), text("word", "字", "word")),
        ("id",),
        scope,
    )


TABLES = {
    "open_rows": table("open_rows", PUBLIC),
    "member_rows": table("member_rows", MEMBERS),
    "party_rows": table("party_rows", parties("owner_id", also=("regulator",))),
    "kind_rows": table("kind_rows", kinds("regulator")),
}


class Noted(Event):
    step: ClassVar[str] = "noted"
    zh: ClassVar[str] = "已记"
    en: ClassVar[str] = "noted"

    number: int
    word: str


def noted(db: Writer, event: Noted, _at: At) -> None:
    for one in TABLES.values():
        db.insert(one, id=event.number, owner_id=event.parties[0] if event.parties else 0, word=event.word)


@pytest.fixture
def projector() -> Projector:
    made = Projector(None, (Views("test", tuple(TABLES.values()), {Noted: noted}),), ("regulator",))
    made.project(0, 1, [], [(-1, Noted(deed="note:1", parties=(7,), number=1, word="first"))])
    return made


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("open_rows", {"public": 1, "owner": 1, "other": 1, "overseer": 1}),
        ("member_rows", {"public": 0, "owner": 1, "other": 1, "overseer": 1}),
        ("party_rows", {"public": 0, "owner": 1, "other": 0, "overseer": 1}),
        ("kind_rows", {"public": 0, "owner": 0, "other": 0, "overseer": 1}),
    ],
)
def test_who_sees_a_row(projector: Projector, name: str, seen: dict[str, int]) -> None:
    viewers = {"public": THE_PUBLIC, "owner": OWNER, "other": OTHER, "overseer": OVERSEER}
    found = {who: len(projector.reader.select(viewer, TABLES[name])) for who, viewer in viewers.items()}
    assert found == seen
    projector.close()


@pytest.mark.parametrize(
    ("viewer", "count"), [(THE_PUBLIC, 0), (OWNER, 1), (OTHER, 0), (OVERSEER, 1), (Viewer(70, "user"), 0)]
)
def test_who_sees_a_timeline(projector: Projector, viewer: Viewer, count: int) -> None:
    rows = projector.timeline_of(viewer, "note:1")
    assert len(rows) == count
    if rows:
        assert (rows[0]["step"], rows[0]["zh"], rows[0]["height"]) == ("noted", "已记", 0)
    projector.close()


def test_an_event_without_parties_is_public(projector: Projector) -> None:
    projector.project(1, 2, [], [(0, Noted(deed="note:2", parties=(), number=2, word="second", also=("note:1",)))])
    assert len(projector.timeline_of(THE_PUBLIC, "note:2")) == 1
    assert [row["word"] for row in projector.reader.select(OVERSEER, TABLES["party_rows"])] == ["first", "second"]
    assert len(projector.timeline_of(THE_PUBLIC, "note:1")) == 1
    projector.close()


@pytest.mark.parametrize("where", [{"1=1 OR id": 1}, {"id": ("OR 1=1; --", 1)}, {"nothing": 1}])
def test_filters_are_columns_and_operators_only(projector: Projector, where: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no filter"):
        projector.reader.select(OVERSEER, TABLES["open_rows"], where)
    projector.close()


def test_values_are_never_sql(projector: Projector) -> None:
    assert projector.reader.select(OVERSEER, TABLES["open_rows"], {"word": "' OR 1=1 --"}) == []
    projector.close()


def test_a_block_is_taken_in_as_a_whole_or_not_at_all(projector: Projector) -> None:
    fine = Noted(deed="note:3", parties=(7,), number=3, word="third")
    twice = Noted(deed="note:1", parties=(7,), number=1, word="again")
    with pytest.raises(sqlite3.IntegrityError):
        projector.project(1, 2, [], [(0, fine), (1, twice)])
    assert projector.height == 0
    assert len(projector.reader.select(OVERSEER, TABLES["open_rows"])) == 1
    projector.project(1, 2, [], [(0, fine)])
    projector.project(1, 2, [], [(0, fine)])
    assert (projector.height, len(projector.reader.select(OVERSEER, TABLES["open_rows"]))) == (1, 2)
    projector.close()


def test_the_first_outcome_of_a_message_is_kept(projector: Projector) -> None:
    said = Said(7, b"0123456789abcdef", ("Note",), (Outcome(0),))
    projector.project(1, 2, [said], [])
    projector.project(2, 3, [Said(7, said.id, ("Note", "Note"), (Outcome(1001), Outcome(1001)))], [])
    rows = projector.reader.select(OWNER, projector.messages)
    assert [(row["number"], row["height"]) for row in rows] == [(0, 1)]
    assert projector.reader.select(OTHER, projector.messages) == []
    projector.close()


def test_an_insert_must_be_whole(projector: Projector) -> None:
    with pytest.raises(ValueError, match="takes"):
        Writer(projector.connection).insert(TABLES["open_rows"], id=9)
    projector.close()


def test_a_deed_goes_on_in_the_one_it_led_to(projector: Projector) -> None:
    """Messages stand at the block's time, hooks at the time that the clock moved on to."""
    born = Noted(deed="note:9", parties=(8,), number=9, word="born")
    ends = Noted(deed="note:1", parties=(7, 8), leads_to="note:9", number=10, word="ends")
    projector.project(1, 2, [], [(0, ends), (-1, born)], hooks_ms=5)
    rows = projector.timeline_of(OVERSEER, "note:1")
    assert [(row["height"], row["market_ms"]) for row in rows] == [(0, 1), (1, 2), (1, 5)]
    assert len(projector.timeline_of(OWNER, "note:1")) == 2
    assert len(projector.timeline_of(OVERSEER, "note:9")) == 1
    projector.close()


def test_an_older_reading_database_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "reading.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE position (height INTEGER)")
        db.execute("PRAGMA user_version = 1")
    made = Projector(path, (), ())
    assert made.height == -1
    made.close()
