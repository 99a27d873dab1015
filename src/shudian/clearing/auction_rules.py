"""What a call auction is told and tells besides its arrays: limits of its numbers, its rules, what the price rests on; without numpy, for messages."""

from enum import StrEnum

# Together they keep every sum of price x energy of one side below 2^63.
PRICE_LIMIT_MYUAN_MWH = 100_000_000
SIDE_LIMIT_KWH = 90_000_000_000


class PriceRule(StrEnum):
    """How the uniform price is taken from the orders at the margin.

    EQUILIBRIUM: between the lowest and the highest price that leave every filled, partly filled and rejected order content; a partly
    filled order pins both to its own price. PAIR: between the last matched sell and the last matched buy (domain 3.4).
    """

    EQUILIBRIUM = "equilibrium"
    PAIR = "pair"


class TieRule(StrEnum):
    """How orders at the margin share what is left (domain 3.4).

    PRO_RATA: by what they offered. TIME: the earliest first. RENEWABLE_FIRST: renewable ones pro rata, then the others pro rata.
    FEWEST_CONTRACTS: the largest first, then the earliest, so that as few as possible are filled (Sichuan 2020 合同最少).
    """

    PRO_RATA = "pro_rata"
    TIME = "time"
    RENEWABLE_FIRST = "renewable_first"
    FEWEST_CONTRACTS = "fewest_contracts"


class Margin(StrEnum):
    """What the price rests on."""

    NO_TRADE = "no_trade"
    PARTLY_FILLED_BUYS = "partly_filled_buys"
    PARTLY_FILLED_SELLS = "partly_filled_sells"
    CONTENT_PRICES = "content_prices"
    LAST_PAIR = "last_pair"
