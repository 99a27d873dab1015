"""What trading decides: the contract as the machine sees it, and its verb for the contracts above."""

from shudian.contracts.trading.messages import (
    REFUSALS,
    REPLIES,
    SETTINGS,
    CancelOrder,
    CancelSession,
    OpenSession,
    PlaceOrder,
)
from shudian.contracts.trading.messages_events import EVENTS
from shudian.contracts.trading.rules_collateral import release_collateral as release_collateral
from shudian.contracts.trading.rules_orders import cancel_order, place_order, withdraw_orders_of_barred
from shudian.contracts.trading.rules_sessions import cancel_session, close_sessions, open_session
from shudian.contracts.trading.state import INVARIANTS, TABLES
from shudian.kernel.contract import Contract

CONTRACT = Contract(
    name="trading",
    number=9,
    tables=TABLES,
    handlers={
        OpenSession: open_session,
        CancelSession: cancel_session,
        PlaceOrder: place_order,
        CancelOrder: cancel_order,
    },
    events=EVENTS,
    refusals=REFUSALS,
    replies=REPLIES,
    hooks=(withdraw_orders_of_barred, close_sessions),
    invariants=INVARIANTS,
    settings=SETTINGS,
)
