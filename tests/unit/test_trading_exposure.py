"""Guarantees behind buys: every door refuses a buy beyond the line, and agreements move the exposure."""

from typing import Any

import pytest

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import Method
from shudian.contracts.guarantees import rules as guarantees
from shudian.contracts.guarantees.messages import SetRequirement
from shudian.contracts.trading import rules
from shudian.contracts.trading.messages_listings import TakeListing
from shudian.contracts.trading.messages_negotiations import ReviewSecurity
from tests.unit.test_trading import CLOSES_MS, EXCHANGE, GRID, A, Trading, X, Y, order, play_rolling_day
from tests.unit.test_trading_listings import post
from tests.unit.test_trading_negotiations import offer, signature, signed
from tests.unit.test_trading_transfers import market_with, proposal, transferred
from tests.unit.test_trading_transfers import signature as transfer_signature


def require(market: Trading, member_id: int) -> None:
    """The member has to provide a guarantee and has none."""
    market.done(EXCHANGE, SetRequirement(member_id, 1_000_000, 0, 0, ""))


def test_orders_to_buy_are_refused_and_to_sell_are_not() -> None:
    market = Trading()
    market.open()
    for member_id in (A, X):
        require(market, member_id)
    market.order(A, "sell", 1_000, 200_000)
    assert market.refused(X, order("buy", 1_000, 200_000)) == 5011
    assert market.reserved(X) == {}
    market.order(X, "buy", 1_000, 0)  # costs nothing


@pytest.mark.parametrize(("member_id", "message"), [(X, post("buy")), (X, TakeListing(1, 600))])
def test_listing_and_taking_to_buy_are_refused(member_id: int, message: Any) -> None:
    market = Trading()
    market.open(Method.LISTING, segments=(13, 14))
    market.done(A, post())
    require(market, X)
    assert market.refused(member_id, message) == 5011


def test_signing_to_buy_is_refused() -> None:
    market = Trading()
    market.done(A, offer())
    require(market, X)
    assert market.refused(X, signature(market)) == 5011
    market.done(A, signature(market))


def test_taking_over_to_buy_is_refused() -> None:
    market = market_with()
    require(market, Y)
    reply = market.done(X, proposal(Y))
    assert market.refused(Y, transfer_signature(reply)) == 5011


def test_agreements_of_a_session_count_until_they_are_paid() -> None:
    market = play_rolling_day(check=False)
    assert guarantees.exposure(market.store, X) == 0
    market.advance(CLOSES_MS)
    assert guarantees.exposure(market.store, X) == 62_100
    assert guarantees.exposure(market.store, A) == 0
    for agreement_id in range(1, 7):
        rules.release_collateral(market.context(), agreement_id)
    assert guarantees.exposure(market.store, X) == 0


def test_exposure_of_a_negotiation_follows_its_transfer() -> None:
    market = Trading()
    signed(market)
    market.done(GRID, ReviewSecurity((1,)))
    assert guarantees.exposure(market.store, X) == 651_000
    child_id = transferred(market, X, Y, quantities_kwh=(16_000,))
    assert sum(agreements.open_kwh(market.store, 1)) == 15_000
    assert [guarantees.exposure(market.store, member_id) for member_id in (X, Y)] == [315_000, 336_000]
    rules.release_collateral(market.context(), child_id)
    assert guarantees.exposure(market.store, Y) == 0
    market.machine.check_all()
