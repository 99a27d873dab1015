"""What trading promises of its whole state is found broken, whichever row is wrong."""

from typing import Any

import pytest
from msgspec.structs import replace

from shudian.contracts.agreements.messages import Method
from shudian.contracts.funds.messages_accounts import Code
from shudian.contracts.funds.messages_numbers import account_id_of
from shudian.contracts.funds.state import ACCOUNTS, RESERVATIONS
from shudian.contracts.trading.messages import Side, TakeRule
from shudian.contracts.trading.messages_listings import TakeListing
from shudian.contracts.trading.state import LISTINGS, ORDERS, STAKES, TAKES, TRADES
from shudian.kernel.check import CheckFailed
from shudian.kernel.tables import Key, Table
from tests.unit.test_trading import A, B, Trading, X, Y
from tests.unit.test_trading_listings import post

PROMISE = "stakes, and what is reserved for sessions"


@pytest.fixture(scope="module")
def market() -> Trading:
    """Session 1 has listing 1 of A with a waiting take of X; session 2 has order 1 of Y, partly filled by B's, in trade 1."""
    market = Trading()
    market.open(Method.LISTING, segments=(13, 14), take_rule=TakeRule.PRO_RATA)
    market.open(segments=(14,))
    market.done(A, post())
    market.done(X, TakeListing(1, 3_000))
    market.order(Y, "buy", 4_000, 210_000, session_id=2)
    market.order(B, "sell", 1_000, 205_000, session_id=2)
    market.machine.check_all()
    return market


@pytest.mark.parametrize(
    ("table", "key", "changed"),
    [
        (ORDERS, (1,), None),
        (ORDERS, (1,), {"owner_id": X}),
        (ORDERS, (1,), {"session_id": 1}),
        (ORDERS, (1,), {"side": Side.SELL}),
        (ORDERS, (1,), {"open_kwh": 2_900}),
        (ORDERS, (1,), {"price_myuan_mwh": 220_000}),
        (LISTINGS, (1,), None),
        (LISTINGS, (1,), {"open_kwh": (2_000, 3_900)}),
        (TAKES, (1, 1), None),
        (TAKES, (1, 1), {"lines_kwh": (1_000, 1_900)}),
        (TAKES, (1, 1), {"owner_id": Y}),
        (TRADES, (2, 1), None),
        (TRADES, (2, 1), {"quantity_kwh": 900}),
        (TRADES, (2, 1), {"buyer_collateral_fen": 1}),
        (TRADES, (2, 1), {"seller_collateral_fen": 1}),
        (STAKES, (X, 1, Side.BUY), None),
        (STAKES, (Y, 2, Side.BUY), {"open_count": 2}),
        (STAKES, (Y, 2, Side.BUY), {"exposed_kwh": (0,) * 14 + (3_900,) + (0,) * 9}),
        (STAKES, (Y, 2, Side.SELL), {"open_count": 1}),
    ],
)
def test_a_wrong_row_is_found(market: Trading, table: Table[Any], key: Key, changed: dict[str, Any] | None) -> None:
    mark = market.store.mark()
    row = table.get(market.store, *key) or STAKES.need(market.store, Y, 2, Side.BUY)
    market.store.change(table.name, key, None if changed is None else replace(row, **changed))
    with pytest.raises(CheckFailed, match=PROMISE):
        market.machine.check_all()
    market.store.rollback(mark)
    market.machine.check_all()


@pytest.mark.parametrize("more_fen", [-1, 1])
def test_a_reservation_that_stands_behind_something_else_is_found(market: Trading, more_fen: int) -> None:
    mark = market.store.mark()
    key = (account_id_of(X, Code.CASH), "session:1")
    row = RESERVATIONS.need(market.store, *key)
    account = ACCOUNTS.need(market.store, key[0])
    pending_fen = account.balances.debits_pending_fen + more_fen
    wrong = replace(account, balances=replace(account.balances, debits_pending_fen=pending_fen))
    market.store.change(RESERVATIONS.name, key, replace(row, amount_fen=row.amount_fen + more_fen))
    market.store.change(ACCOUNTS.name, (key[0],), wrong)
    with pytest.raises(CheckFailed, match=PROMISE):
        market.machine.check_all()
    market.store.rollback(mark)
    market.machine.check_all()
