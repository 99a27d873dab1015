"""What trading decides: the contract as the machine sees it, and its verb for the contracts above."""

from shudian.contracts.trading import (
    messages,
    messages_events,
    messages_listings,
    messages_negotiations,
    messages_transfers,
)
from shudian.contracts.trading.messages import CancelOrder, CancelSession, OpenSession, PlaceOrder
from shudian.contracts.trading.messages_listings import PostListing, TakeListing, WithdrawListing
from shudian.contracts.trading.messages_negotiations import (
    CounterTerms,
    OfferTerms,
    ReviewSecurity,
    SignTerms,
    WithdrawTerms,
)
from shudian.contracts.trading.messages_transfers import ProposeTransfer, SignTransfer, WithdrawTransfer
from shudian.contracts.trading.rules_collateral import INVARIANT as SESSION_COLLATERAL
from shudian.contracts.trading.rules_collateral import release_collateral as release_collateral
from shudian.contracts.trading.rules_listings import (
    post_listing,
    take_listing,
    withdraw_listing,
    withdraw_listings_of_barred,
)
from shudian.contracts.trading.rules_negotiations import (
    counter_terms,
    expire_negotiations,
    offer_terms,
    sign_terms,
    withdraw_terms,
)
from shudian.contracts.trading.rules_orders import cancel_order, place_order, withdraw_orders_of_barred
from shudian.contracts.trading.rules_security import review_security
from shudian.contracts.trading.rules_sessions import cancel_session, close_sessions, open_session
from shudian.contracts.trading.rules_transfers import (
    expire_transfers,
    propose_transfer,
    sign_transfer,
    withdraw_transfer,
)
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
        PostListing: post_listing,
        TakeListing: take_listing,
        WithdrawListing: withdraw_listing,
        OfferTerms: offer_terms,
        CounterTerms: counter_terms,
        WithdrawTerms: withdraw_terms,
        SignTerms: sign_terms,
        ReviewSecurity: review_security,
        ProposeTransfer: propose_transfer,
        WithdrawTransfer: withdraw_transfer,
        SignTransfer: sign_transfer,
    },
    events=(
        *messages_events.EVENTS,
        *messages_listings.EVENTS,
        *messages_negotiations.EVENTS,
        *messages_transfers.EVENTS,
    ),
    refusals=(
        *messages.REFUSALS,
        *messages_negotiations.REFUSALS,
        *messages_listings.REFUSALS,
        *messages_transfers.REFUSALS,
    ),
    replies=(
        *messages.REPLIES,
        *messages_listings.REPLIES,
        *messages_negotiations.REPLIES,
        *messages_transfers.REPLIES,
    ),
    hooks=(
        withdraw_orders_of_barred,
        withdraw_listings_of_barred,
        close_sessions,
        expire_negotiations,
        expire_transfers,
    ),
    invariants=(*INVARIANTS, SESSION_COLLATERAL),
    settings=(*messages.SETTINGS, *messages_negotiations.SETTINGS),
)
