"""The market: which smart contracts there are, in their order. Hooks run in this order at the end of each block.

governance first (everything reads settings), then who (identity), money (funds), security for it (guarantees), things (resources, metering), promises
(agreements), how promises come about (trading), what is owed (settlement), and what follows from it (certificates, receivables).
"""

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements import views as agreements_views
from shudian.contracts.certificates import rules as certificates
from shudian.contracts.certificates import views as certificates_views
from shudian.contracts.funds import rules as funds
from shudian.contracts.funds import views as funds_views
from shudian.contracts.governance import rules as governance
from shudian.contracts.governance import views as governance_views
from shudian.contracts.guarantees import rules as guarantees
from shudian.contracts.guarantees import views as guarantees_views
from shudian.contracts.identity import rules as identity
from shudian.contracts.identity import views as identity_views
from shudian.contracts.metering import rules as metering
from shudian.contracts.metering import views as metering_views
from shudian.contracts.receivables import rules as receivables
from shudian.contracts.receivables import views as receivables_views
from shudian.contracts.resources import rules as resources
from shudian.contracts.resources import views as resources_views
from shudian.contracts.roles import OVERSIGHT as _OVERSIGHT
from shudian.contracts.settlement import rules as settlement
from shudian.contracts.settlement import views as settlement_views
from shudian.contracts.trading import rules as trading
from shudian.contracts.trading import views as trading_views
from shudian.kernel.contract import Market
from shudian.messages import MESSAGES

MARKET = Market(
    contracts=(
        governance.CONTRACT,
        identity.CONTRACT,
        funds.CONTRACT,
        guarantees.CONTRACT,
        resources.CONTRACT,
        metering.CONTRACT,
        agreements.CONTRACT,
        trading.CONTRACT,
        settlement.CONTRACT,
        certificates.CONTRACT,
        receivables.CONTRACT,
    ),
    authorise=identity.authorise,
    messages=MESSAGES,
)

VIEWS = (
    governance_views.VIEWS,
    identity_views.VIEWS,
    funds_views.VIEWS,
    guarantees_views.VIEWS,
    resources_views.VIEWS,
    metering_views.VIEWS,
    agreements_views.VIEWS,
    trading_views.VIEWS,
    settlement_views.VIEWS,
    certificates_views.VIEWS,
    receivables_views.VIEWS,
)

member_of_key = identity.member_of_key
"""(at, public key) -> number of the member whose person signs with the key, or None."""

OVERSIGHT: tuple[str, ...] = _OVERSIGHT
"""Kinds of member that see every message and timeline."""
