"""Tables and roots against plain models: undo, order, indexes, and a root that depends on rows alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shudian.kernel import check
from shudian.kernel.codec import Record, encode
from shudian.kernel.crypto import sha256
from shudian.kernel.merkle import merkle_root
from shudian.kernel.roots import StateTree
from shudian.kernel.sequences import Sequence
from shudian.kernel.tables import SEQUENCES, Change, InOrder, Key, Mark, Store, Table, decode_key, encode_key, next_id


class Item(Record):
    owner_id: int
    size: int


def by_owner(_key: Key, row: Item) -> Key | None:
    return (row.owner_id,) if row.size else None


def by_both(_key: Key, row: Item) -> Key | None:
    return (row.owner_id, row.size) if row.size else None


ITEMS = Table("test.items", Item, ("group_id", "item_id"), {"by_owner": by_owner})

GROUPED = Table(
    "test.grouped",
    Item,
    ("group_id", "item_id"),
    {"by_owner": by_owner, "by_both": by_both},
    groups={"by_both": 2},
    key_group=1,
)
"""The same rows, apart by the first column of their key and of an index."""

keys = st.tuples(st.integers(0, 3), st.integers(0, 5))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), keys, st.integers(1, 3), st.integers(0, 2)),
        st.tuples(st.just("delete"), keys),
        st.tuples(st.just("mark")),
        st.tuples(st.just("rollback")),
    ),
    max_size=40,
)


@given(steps)
def test_a_table_is_a_sorted_dictionary_that_can_go_back(plan: list[tuple]) -> None:  # type: ignore[type-arg] # steps differ in length
    store = Store((ITEMS, GROUPED))
    model: dict[Key, Item] = {}
    marks: list[tuple[Mark, dict[Key, Item]]] = []
    for step in plan:
        if step[0] == "put":
            row = Item(step[2], step[3])
            ITEMS.put(store, step[1], row)
            GROUPED.put(store, step[1], row)
            model[step[1]] = row
        elif step[0] == "delete" and step[1] in model:
            ITEMS.delete(store, *step[1])
            GROUPED.delete(store, *step[1])
            del model[step[1]]
        elif step[0] == "mark":
            marks.append((store.mark(), dict(model)))
        elif step[0] == "rollback" and marks:
            mark, model = marks.pop()
            store.rollback(mark)
        for table in (ITEMS, GROUPED):
            assert list(table.range(store)) == sorted(model.items())
            for group in range(4):
                assert list(table.range(store, group)) == sorted((k, r) for k, r in model.items() if k[0] == group)
            for owner in range(1, 4):
                expected = sorted((k, r) for k, r in model.items() if r.owner_id == owner and r.size)
                assert list(table.find(store, "by_owner", owner)) == expected
        for owner in range(1, 4):
            by_size = sorted((r.size, k, r) for k, r in model.items() if r.owner_id == owner and r.size)
            assert list(GROUPED.find(store, "by_both", owner)) == [(k, r) for _, k, r in by_size]
            expected_rows = [r for size, _, r in by_size if size == 1]
            assert list(GROUPED.find_rows(store, "by_both", owner, 1)) == expected_rows
        due = [
            (k, r)
            for k, r in sorted(model.items(), key=lambda kr: (kr[1].owner_id, kr[0]))
            if r.size and r.owner_id <= 2
        ]
        assert ITEMS.due(store, "by_owner", 2) == due


def test_what_is_in_groups_is_neither_due_nor_searched_within() -> None:
    store = Store((GROUPED,))
    with pytest.raises(check.CheckFailed, match="not in groups"):
        GROUPED.due(store, "by_both", 1)
    with pytest.raises(check.CheckFailed, match="within a group"):
        list(GROUPED.find(store, "by_both", 1, 1, 1))


def test_a_rolled_back_message_gives_its_ids_back() -> None:
    store = Store((SEQUENCES,))
    assert next_id(store, "x") == 1
    mark = store.mark()
    assert next_id(store, "x") == 2
    store.rollback(mark)
    assert next_id(store, "x") == 2
    store.rollback(mark)
    assert next_id(store, "x") == 2, "a mark serves more than once"


def test_ids_become_rows_at_the_end_of_a_block_and_come_back_from_them() -> None:
    store = Store((SEQUENCES,))
    for _ in range(3):
        next_id(store, "b")
    next_id(store, "a")
    mark = store.mark()
    next_id(store, "c")
    store.rollback(mark)
    assert SEQUENCES.count(store) == 0
    store.write_sequences()
    assert [(key, row.last_id) for key, row in SEQUENCES.range(store)] == [(("a",), 1), (("b",), 3)]
    store.settle()
    store.write_sequences()
    assert store.touched() == [], "what was not drawn from is not written again"
    loaded = Store((SEQUENCES,))
    for key, row in SEQUENCES.range(store):
        loaded.load(SEQUENCES.name, encode_key(key), encode(row), 1)
    loaded.check_sequences()
    assert (next_id(loaded, "a"), next_id(loaded, "b"), next_id(loaded, "c")) == (2, 4, 1)
    SEQUENCES.put(loaded, ("a",), Sequence(7))
    with pytest.raises(check.CheckFailed, match="given out once"):
        loaded.check_sequences()


def state_key_at(height: int) -> bytes:
    return sha256(b"state key of block %d" % height)


def written(rows: dict[Key, int], version: int) -> list[Change]:
    return [("t.a", encode_key(key), encode(value), version) for key, value in rows.items()]


rows = st.dictionaries(keys, st.integers(0, 9), max_size=30)


@given(rows, st.randoms(use_true_random=False), rows)
def test_the_root_depends_on_the_rows_alone(final: dict[Key, int], order: object, first: dict[Key, int]) -> None:
    straight, crooked = StateTree(), StateTree()
    straight.update(written(final, 7), state_key_at)
    crooked.update(written(first, 3), state_key_at)
    mixed: list[Change] = [
        *(("t.a", encode_key(key), None, 7) for key in first if key not in final),
        *written(final, 7),
    ]
    order.shuffle(mixed)  # type: ignore[attr-defined] # Hypothesis gives a random.Random
    for change in mixed:
        crooked.update([change], state_key_at)
    assert straight.root == crooked.root
    if final:
        assert straight.root != StateTree().root


@given(rows, keys, st.integers(0, 9))
def test_one_other_row_gives_another_root(held: dict[Key, int], key: Key, value: int) -> None:
    one, other = StateTree(), StateTree()
    one.update(written(held, 7), state_key_at)
    changed = {**held, key: value}
    other.update(written(changed, 7), state_key_at)
    assert (one.root == other.root) is (held == changed)


@given(rows.filter(bool))
def test_one_other_version_or_state_key_gives_another_root(held: dict[Key, int]) -> None:
    one, later, elsewhere = StateTree(), StateTree(), StateTree()
    one.update(written(held, 7), state_key_at)
    later.update([*written(held, 7), written(held, 8)[-1]], state_key_at)
    elsewhere.update(written(held, 7), lambda height: state_key_at(height + 1))
    assert len({one.root, later.root, elsewhere.root}) == 3


def test_what_was_rolled_back_was_not_written() -> None:
    store = Store((ITEMS,))
    ITEMS.put(store, (1, "a"), Item(1, 1))
    store.settle()
    mark = store.mark()
    ITEMS.put(store, (1, "a"), Item(2, 2))
    ITEMS.put(store, (2, "b"), Item(2, 2))
    store.rollback(mark)
    assert store.touched() == []
    ITEMS.put(store, (2, "b"), Item(2, 2))
    ITEMS.put(store, (1, "a"), Item(1, 1))
    ITEMS.delete(store, 2, "b")
    ((rows, keys),) = store.touched()
    assert (rows, list(keys)) == (store.rows["test.items"], [(2, "b"), (1, "a")])


def test_merkle_root_is_rfc_6962() -> None:
    leaves = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50" + bytes(range(0x51, 0x58)),
        b"\x60" + bytes(range(0x61, 0x70)),
    ]
    assert merkle_root(leaves).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    assert merkle_root(leaves[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


@given(st.tuples(st.integers(-(2**62), 2**62), st.text(max_size=8), st.binary(max_size=8)))
def test_keys_come_back_from_their_bytes(key: Key) -> None:
    assert decode_key(encode_key(key)) == key


@given(st.lists(st.lists(st.integers(0, 30), max_size=25), min_size=3, max_size=8))
def test_an_order_asked_for_now_and_then_is_always_the_order(rounds: list[list[int]]) -> None:
    """A number changes sides: it enters if it is out and leaves if it is in; after each round the order is asked for."""
    entries: dict[Key, None] = {}
    in_order = InOrder(lambda: entries)
    for numbers in [[], *rounds, []]:
        for number in numbers:
            if (number,) in entries:
                del entries[(number,)]
                in_order.remove((number,))
            else:
                entries[(number,)] = None
                in_order.add((number,))
        assert list(in_order.sorted()) == sorted(entries)


def test_indexes_put_in_order_at_start_are_not_gone_through_again() -> None:
    asked: list[Key] = []

    def watched(key: Key, row: Item) -> Key | None:
        asked.append(key)
        return by_owner(key, row)

    table = Table("test.watched", Item, ("item_id",), {"by_owner": watched, "apart": watched}, groups={"apart": 1})
    store = Store((table,))
    for number in range(5):
        store.load("test.watched", encode_key((number,)), encode(Item(number, 1)), 1)
    store.order_indexes()
    asked.clear()
    assert [key for key, _ in table.due(store, "by_owner", 2)] == [(0,), (1,), (2,)]
    assert [key for key, _ in table.find(store, "apart", 3)] == [(3,)]
    assert asked == []
