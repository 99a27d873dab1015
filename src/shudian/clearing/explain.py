"""The words of an auction's result 价格说明: why this price, in Chinese and English, from the numbers of the result alone."""

import numpy as np

from shudian.clearing.auction import Cleared
from shudian.clearing.auction_rules import Margin
from shudian.kernel.units import PPM, floor_div, remainder

_THOUSAND = 1_000

_WORDS = {
    Margin.PARTLY_FILLED_BUYS: (
        "最低成交买价的订单未全部成交，只有它们的报价使所有订单各得其所",
        "the last matched buys are partly filled, and only their price leaves every order content",
    ),
    Margin.PARTLY_FILLED_SELLS: (
        "最高成交卖价的订单未全部成交，只有它们的报价使所有订单各得其所",
        "the last matched sells are partly filled, and only their price leaves every order content",
    ),
    Margin.CONTENT_PRICES: (
        "{low} 至 {high} 之间的价格使已成交和未成交的订单各得其所",
        "prices from {low} to {high} leave every filled and every rejected order content",
    ),
    Margin.LAST_PAIR: (
        "最后成交的卖价为 {low}，最后成交的买价为 {high}",
        "the last matched sell price is {low}, the last matched buy price {high}",
    ),
}


def as_decimal(number: int) -> str:
    """An integer number of as_decimal as a decimal: kWh as MWh, milli-yuan as yuan.

    >>> as_decimal(197_500), as_decimal(-5)
    ('197.500', '-0.005')
    """
    sign = "-" if number < 0 else ""
    return f"{sign}{floor_div(abs(number), _THOUSAND)}.{remainder(abs(number), _THOUSAND):03d}"


def explain(result: Cleared, k_ppm: int) -> tuple[str, str]:
    """Why the result has its volume and price: one sentence in Chinese, one in English; ``k_ppm`` as given to the auction."""
    if result.price_myuan_mwh is None or result.low_myuan_mwh is None or result.high_myuan_mwh is None:
        return (
            "没有成交：没有一笔买单的报价达到任何一笔卖单的报价。",
            "Nothing trades: no buy price reaches a sell price.",
        )
    volume, price = as_decimal(result.volume_kwh), as_decimal(result.price_myuan_mwh)
    low, high = as_decimal(result.low_myuan_mwh), as_decimal(result.high_myuan_mwh)
    why_zh, why_en = (words.format(low=low, high=high) for words in _WORDS[result.margin])
    formula_zh = formula_en = ""
    if low != high:
        k = f"{floor_div(k_ppm, PPM)}.{remainder(k_ppm, PPM):06d}".rstrip("0").rstrip(".")
        formula_zh = f"，即 {low} + {k} ×（{high} − {low}）"
        formula_en = f", which is {low} + {k} x ({high} - {low})"
    return (
        f"最大成交量 {volume} MWh，统一出清价 {price} 元/MWh{formula_zh}：{why_zh}。",
        f"The largest volume is {volume} MWh, the uniform price {price} CNY/MWh{formula_en}: {why_en}.",
    )


def explain_high_low(volume_kwh: int, low_myuan_mwh: int | None, high_myuan_mwh: int | None) -> tuple[str, str]:
    """How a high-low match came about: one sentence in Chinese, one in English; the prices are the lowest and highest of its pairs."""
    if low_myuan_mwh is None or high_myuan_mwh is None:
        return explain(Cleared(None, None, None, 0, 0, np.zeros(0, np.int64), [], Margin.NO_TRADE), 0)
    volume, low, high = as_decimal(volume_kwh), as_decimal(low_myuan_mwh), as_decimal(high_myuan_mwh)
    return (
        f"高低匹配成交 {volume} MWh：最高买价与最低卖价依次配对，各对按中间价成交，价格为 {low} 至 {high} 元/MWh。",
        f"The high-low match traded {volume} MWh: highest buy with lowest sell at the middle, from {low} to {high} CNY/MWh.",
    )
