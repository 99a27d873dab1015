"""Ordered entries against a plain sorted list, in chunks so small that they part and vanish."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shudian.kernel.check import CheckFailed
from shudian.kernel.ordered import Entry, Ordered

entries = st.tuples(st.integers(0, 5), st.sampled_from("abc"), st.integers(0, 5))
prefixes = st.one_of(
    entries, st.tuples(st.integers(0, 6)), st.tuples(st.integers(0, 5), st.sampled_from("abcd")), st.just(())
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(entries, max_size=1)),
        st.tuples(st.just("add_all"), st.lists(entries, unique=True, max_size=12)),
        st.tuples(st.just("remove"), st.lists(entries, max_size=4)),
        st.tuples(st.just("remove_first"), st.just([])),
    ),
    max_size=40,
)


@given(st.lists(entries, unique=True, max_size=20), steps, prefixes, st.integers(1, 5))
def test_it_is_a_sorted_list(
    first: list[Entry], plan: list[tuple[str, list[Entry]]], prefix: Entry, chunk_max_count: int
) -> None:
    ordered, model = Ordered(first, chunk_max_count), set(first)
    for word, told in plan:
        if word == "add":
            for entry in set(told) - model:
                ordered.add(entry)
                model.add(entry)
        elif word == "add_all":
            new = [entry for entry in told if entry not in model]
            ordered.add_all(new)
            model.update(new)
        elif word == "remove":
            for entry in set(told) & model:
                ordered.remove(entry)
                model.remove(entry)
        elif model:
            ordered.remove(min(model))
            model.remove(min(model))
        expected = sorted(model)
        assert list(ordered) == expected
        assert len(ordered) == len(expected)
        assert list(ordered.starting(prefix)) == [entry for entry in expected if entry[: len(prefix)] == prefix]
        assert ordered.below(prefix) == [entry for entry in expected if entry < prefix]
        assert all(0 < len(chunk) <= chunk_max_count for chunk in ordered._chunks)
        assert ordered._lasts == [chunk[-1] for chunk in ordered._chunks]


@pytest.mark.parametrize("entry", [(0,), (2,), (9,)])
def test_what_is_not_there_cannot_go(entry: Entry) -> None:
    ordered = Ordered([(1,), (3,)])
    with pytest.raises(CheckFailed):
        ordered.remove(entry)
    with pytest.raises(CheckFailed):
        Ordered().remove(entry)
