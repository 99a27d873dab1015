"""The writer gathers a block's changes: whatever their order, the database ends as if each had been made at once."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shudian.reading.tables import PUBLIC, ReadTable, integer
from shudian.reading.writer import Writer

LEVELS = ReadTable(
    "levels",
    (integer("segment", "时段", "segment"), integer("price", "价格", "price"), integer("kwh", "电量", "energy")),
    ("segment", "price"),
    PUBLIC,
)

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
        st.tuples(st.sampled_from(["update", "add", "delete", "exists", "block"]), conditions, small),
    ),
    max_size=40,
)


def fits(row: dict[str, int], where: dict[str, int]) -> bool:
    return all(row[name] == value for name, value in where.items())


def model_step(rows: list[dict[str, int]], kind: str, where: dict[str, int], kwh: int) -> Any:
    chosen = [row for row in rows if fits(row, where)]
    if kind == "insert" and not chosen:
        rows.append({**where, "kwh": kwh})
    for row in chosen:
        if kind == "update":
            row["kwh"] = kwh
        if kind == "add":
            row["kwh"] += kwh
        if kind == "delete":
            rows.remove(row)
    return bool(chosen)


def writer_step(writer: Writer, kind: str, where: dict[str, int], kwh: int) -> Any:
    existed = writer.exists(LEVELS, where)
    if kind == "insert" and not existed:
        writer.insert(LEVELS, **where, kwh=kwh)
    if kind == "update":
        writer.update(LEVELS, where, kwh=kwh)
    if kind == "add":
        writer.add(LEVELS, where, kwh=kwh)
    if kind == "delete":
        writer.delete(LEVELS, where)
    if kind == "block":
        writer.flush()
    return existed


@given(steps)
def test_gathered_changes_end_as_if_made_one_by_one(script: list[tuple[str, dict[str, int], int]]) -> None:
    rows: list[dict[str, int]] = []
    with closing(sqlite3.connect(":memory:")) as db:
        for statement in LEVELS.create_sql():
            db.execute(statement)
        writer = Writer(db)
        for kind, where, kwh in script:
            assert writer_step(writer, kind, where, kwh) == model_step(rows, kind, where, kwh)
        writer.flush()
        stored = db.execute("SELECT segment, price, kwh FROM levels").fetchall()
    assert stored == sorted((row["segment"], row["price"], row["kwh"]) for row in rows)


def test_a_key_is_given_once() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute(LEVELS.create_sql()[0])
        writer = Writer(db)
        writer.insert(LEVELS, segment=1, price=1, kwh=1)
        with pytest.raises(sqlite3.IntegrityError, match="levels"):
            writer.insert(LEVELS, segment=1, price=1, kwh=2)
        writer.flush()
        writer.insert(LEVELS, segment=1, price=1, kwh=2)
        with pytest.raises(sqlite3.IntegrityError):
            writer.flush()
