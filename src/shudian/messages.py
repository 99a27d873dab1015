"""Every message that the market knows, and nothing of what it does with them: a process that only opens envelopes is up the sooner."""

from shudian.contracts.certificates import messages as certificates
from shudian.contracts.funds import messages as funds
from shudian.contracts.governance import messages as governance
from shudian.contracts.guarantees import messages as guarantees
from shudian.contracts.identity import messages as identity
from shudian.contracts.metering import messages as metering
from shudian.contracts.receivables import messages as receivables
from shudian.contracts.receivables import messages_finance as receivables_finance
from shudian.contracts.resources import messages as resources
from shudian.contracts.settlement import messages as settlement
from shudian.contracts.trading import messages as trading
from shudian.contracts.trading import messages_listings as trading_listings
from shudian.contracts.trading import messages_negotiations as trading_negotiations
from shudian.contracts.trading import messages_transfers as trading_transfers
from shudian.kernel.messages import Message

MESSAGES: tuple[type[Message], ...] = (
    *governance.MESSAGES,
    *identity.MESSAGES,
    *funds.MESSAGES,
    *guarantees.MESSAGES,
    *resources.MESSAGES,
    *metering.MESSAGES,
    *trading.MESSAGES,
    *trading_listings.MESSAGES,
    *trading_negotiations.MESSAGES,
    *trading_transfers.MESSAGES,
    *settlement.MESSAGES,
    *certificates.MESSAGES,
    *receivables.MESSAGES,
    *receivables_finance.MESSAGES,
)
"""Contract by contract; the machine has a handler for each (:class:`shudian.kernel.contract.Market` tests it)."""
