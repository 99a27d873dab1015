"""The look at an account in one step against the promises that it stands for."""

from hypothesis import given
from hypothesis import strategies as st

from shudian.contracts.funds.messages_accounts import Balances, Code
from shudian.contracts.funds.messages_numbers import account_id_of
from shudian.contracts.funds.state import ACCOUNTS, Account
from shudian.contracts.funds.state_checks import COUNTER_MAX_FEN, INVARIANTS, is_sound
from shudian.kernel.contract import RowInvariant

COUNTERS = st.one_of(st.integers(-2, 4), st.integers(COUNTER_MAX_FEN - 2, COUNTER_MAX_FEN + 2))
PROMISES = [
    invariant
    for invariant in INVARIANTS
    if isinstance(invariant, RowInvariant) and invariant.table is ACCOUNTS and "mirror" not in invariant.name
]


@given(st.sampled_from(Code), st.booleans(), st.builds(Balances, COUNTERS, COUNTERS, COUNTERS, COUNTERS))
def test_an_account_is_sound_if_each_promise_about_it_holds(code: Code, closed: bool, balances: Balances) -> None:
    account_id, account = account_id_of(7, code), Account(3, b"", closed, balances)
    expected = all(promise.holds((account_id,), account) for promise in PROMISES)
    assert len(PROMISES) == 3
    assert is_sound(account_id, account) is expected
