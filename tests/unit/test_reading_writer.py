"""The writer gathers a block's changes: whatever their order, the database ends as if each had been made at once."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shudian.reading.tables import PUBLIC, ReadTable, integer
from shudian.reading.writer import Writer

_COLUMNS = (integer("segment", "时段", "segment"), integer("price", "价格", "price"), integer("kwh", "电量", "energy"))
LEVELS = ReadTable("levels", _COLUMNS, ("segment", "price"), PUBLIC)
INDEXED = ReadTable("levels", _COLUMNS, ("segment", "price"), PUBLIC, (("kwh", "segment"),))

small = st.integers(0, 2)
keys = st.fixed_dictionaries({"segment": small, "price": small})
conditions = st.one_of(
    keys,
    st.fixed_dictionaries({"segment": small}),
    st.fixed_dictionaries({"segment": small, "price": small, "kwh": st.integers(0, 3)}),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), keys, small),
        st.tuples(st.sampled_from(["update", "add", "delete", "exists", "block", "anew", "forget"]), conditions, small),
        st.tuples(st.sampled_from(["put", "row", "drop"]), keys, small),
    ),
    max_size=40,
)


def fits(row: dict[str, int], where: dict[str, int]) -> bool:
    return all(row[name] == value for name, value in where.items())


def model_step(rows: list[dict[str, int]], kind: str, where: dict[str, int], kwh: int) -> Any:
    chosen = [row for row in rows if fits(row, where)]
    if kind in ("insert", "put") and not chosen:
        rows.append({**where, "kwh": kwh})
    for row in chosen:
        if kind in ("update", "row"):
            row["kwh"] = kwh
        if kind == "add":
            row["kwh"] += kwh
        if kind in ("delete", "drop"):
            rows.remove(row)
    return bool(chosen)


def writer_step(writer: Writer, table: ReadTable, kind: str, where: dict[str, int], kwh: int) -> Any:
    if kind == "drop":
        writer.drop(table, (where["segment"], where["price"]))
        return None
    existed = writer.exists(table, where)
    if kind == "insert" and not existed:
        writer.insert(table, **where, kwh=kwh)
    if kind == "put" and not existed:
        writer.put(table, [where["segment"], where["price"], kwh])
    if kind == "row":
        row = writer.row(table, (where["segment"], where["price"]))
        assert (row is not None) == existed
        if row is not None:
            row[2] = kwh
    if kind == "update":
        writer.update(table, where, kwh=kwh)
    if kind == "add":
        writer.add(table, where, kwh=kwh)
    if kind == "delete":
        writer.delete(table, where)
    return existed


@given(steps, st.sampled_from([LEVELS, INDEXED]))
def test_gathered_changes_end_as_if_made_one_by_one(
    script: list[tuple[str, dict[str, int], int]], table: ReadTable
) -> None:
    rows: list[dict[str, int]] = []
    with closing(sqlite3.connect(":memory:")) as db:
        for statement in table.create_sql():
            db.execute(statement)
        writer = Writer(db)
        for kind, where, kwh in script:
            if kind in ("block", "anew", "forget"):
                writer.flush()
            if kind == "anew":
                writer = Writer(db)
            if kind == "forget":
                writer.forget()
            existed = writer_step(writer, table, kind, where, kwh)
            assert model_step(rows, kind, where, kwh) == existed or existed is None
        writer.flush()
        stored = db.execute("SELECT segment, price, kwh FROM levels ORDER BY segment, price").fetchall()
        by_index = db.execute("SELECT segment, price, kwh FROM levels ORDER BY kwh, segment, price").fetchall()
    assert stored == sorted((row["segment"], row["price"], row["kwh"]) for row in rows)
    assert sorted(by_index) == stored


def test_a_key_is_given_once() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute(LEVELS.create_sql()[0])
        writer = Writer(db)
        writer.insert(LEVELS, segment=1, price=1, kwh=1)
        with pytest.raises(sqlite3.IntegrityError, match="levels"):
            writer.insert(LEVELS, segment=1, price=1, kwh=2)
        writer.flush()
        with pytest.raises(sqlite3.IntegrityError, match="levels"):
            writer.put(LEVELS, [1, 1, 2])
        another = Writer(db)
        another.insert(LEVELS, segment=1, price=1, kwh=2)
        with pytest.raises(sqlite3.IntegrityError):
            another.flush()


def test_what_was_rolled_back_is_asked_again() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.execute(LEVELS.create_sql()[0])
        writer = Writer(db)
        db.execute("BEGIN")
        writer.insert(LEVELS, segment=1, price=1, kwh=1)
        writer.flush()
        writer.forget()
        db.execute("ROLLBACK")
        assert writer.row(LEVELS, (1, 1)) is None


@pytest.fixture
def stored() -> Iterator[sqlite3.Connection]:
    """One row of the key (1, 1), written before."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        for statement in INDEXED.create_sql():
            db.execute(statement)
        db.execute("INSERT INTO levels VALUES (1, 1, 5)")
        yield db


def test_a_row_dropped_unasked_may_be_put_again(stored: sqlite3.Connection) -> None:
    writer = Writer(stored)
    writer.drop(INDEXED, (1, 1))
    writer.put(INDEXED, [1, 1, 6])
    writer.flush()
    assert stored.execute("SELECT kwh FROM levels").fetchall() == [(6,)]


def test_a_row_that_was_kept_follows_a_change_of_many_rows(stored: sqlite3.Connection) -> None:
    writer = Writer(stored)
    assert writer.row(INDEXED, (1, 1)) == [1, 1, 5]
    writer.update(INDEXED, {"segment": 1}, kwh=7)
    assert writer.row(INDEXED, (1, 1)) == [1, 1, 7]


def test_an_indexed_column_is_found_by_its_new_value(stored: sqlite3.Connection) -> None:
    writer = Writer(stored)
    writer.add(INDEXED, {"segment": 1, "price": 1}, kwh=2)
    writer.flush()
    assert stored.execute("SELECT price FROM levels WHERE kwh = 7").fetchall() == [(1,)]
