"""The numbers of a product that hold today, from the dated settings."""

from shudian.contracts.governance import rules as governance
from shudian.contracts.trading.messages import (
    DELIVERY_TOO_LONG,
    MATCHINGS,
    PRICE_OUTSIDE_BAND,
    PRICE_RULES,
    TIE_RULES,
    SessionRules,
    TakeRule,
)
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext
from shudian.kernel.outcomes import both


def _setting(ctx: BlockContext, name: str, product: str) -> int:
    return governance.setting(ctx, f"trading.{name}", clock.day_of(ctx.market_ms), product)


def of_product(ctx: BlockContext, product: str) -> SessionRules:
    """The numbers of a product today; both sides may be listed, takers come in the order of their times. Refuses: 2003."""

    def number(name: str) -> int:
        return _setting(ctx, name, product)

    return SessionRules(
        lot_kwh=number("lot_kwh"),
        matching=MATCHINGS[number("matching_code") - 1],
        price_rule=PRICE_RULES[number("price_rule_code") - 1],
        k_ppm=number("k_ppm"),
        tie_rule=TIE_RULES[number("tie_rule_code") - 1],
        listed_side="",
        take_rule=TakeRule.TIME,
        price_floor_myuan_mwh=number("price_floor_myuan_mwh"),
        price_cap_myuan_mwh=number("price_cap_myuan_mwh"),
        order_max_kwh=number("order_max_kwh"),
        orders_max_count=number("orders_max_count"),
        position_limit_ppm=number("position_limit_ppm"),
        buy_collateral_ppm=number("buy_collateral_ppm"),
        buy_collateral_floor_myuan_mwh=number("buy_collateral_floor_myuan_mwh"),
        sell_collateral_myuan_mwh=number("sell_collateral_myuan_mwh"),
    )


def check_period(ctx: BlockContext, product: str, first_day: int, last_day: int) -> None:
    """A period of delivery fits its product. Refuses: 2003, 9005."""
    longest_count = _setting(ctx, "delivery_max_days", product)
    if clock.days_between(first_day, last_day) + 1 > longest_count:
        raise DELIVERY_TOO_LONG(
            "last_day",
            last_day,
            both(f"自 {first_day} 起 {longest_count} 天内", f"{longest_count} days from {first_day}"),
        )


def check_band(rules: SessionRules, price_myuan_mwh: int) -> None:
    """A price is within the band of its product. Refuses: 9009."""
    if not rules.price_floor_myuan_mwh <= price_myuan_mwh <= rules.price_cap_myuan_mwh:
        allowed = f"{rules.price_floor_myuan_mwh}..{rules.price_cap_myuan_mwh}"
        raise PRICE_OUTSIDE_BAND("price_myuan_mwh", price_myuan_mwh, allowed)
