"""The words for who takes part: kinds of member and roles of their persons (domain 2.2)."""

from enum import StrEnum


class Kind(StrEnum):
    """Kinds of member."""

    GENERATOR = "generator"
    RETAILER = "retailer"
    USER = "user"
    GRID_COMPANY = "grid_company"
    EXCHANGE = "exchange"
    BANK = "bank"
    REGULATOR = "regulator"


class Role(StrEnum):
    """What a person of a member may do."""

    ADMIN = "admin"
    """Persons, keys and the member's own data (any kind)."""
    TRADER = "trader"
    """Orders and agreements (generator, retailer, user, grid company)."""
    FINANCE = "finance"
    """Money and statements (any kind)."""
    OPERATOR = "operator"
    """Sessions, reference prices, clearing, statements, clock (exchange)."""
    REVIEWER = "reviewer"
    """Review of members and resources (exchange)."""
    METER = "meter"
    """Meters and readings (grid company)."""
    DISPATCHER = "dispatcher"
    """Security checks (grid company)."""
    TELLER = "teller"
    """Deposits and pay-outs (bank)."""
    OFFICER = "officer"
    """Freeze and oversight (regulator)."""


TRADING_KINDS = (Kind.GENERATOR, Kind.RETAILER, Kind.USER, Kind.GRID_COMPANY)
SELLING_KINDS = (Kind.GENERATOR,)
BUYING_KINDS = (Kind.RETAILER, Kind.USER, Kind.GRID_COMPANY)
ALL_KINDS = tuple(Kind)
OVERSIGHT = (Kind.EXCHANGE, Kind.REGULATOR)
"""Kinds of member that see every row that is shown to parties only."""
