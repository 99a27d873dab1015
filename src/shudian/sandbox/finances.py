"""What each member pays in before the month, and the guarantee a retailer brings. All fen, generous, from own forecasts."""

from dataclasses import dataclass

from shudian.kernel.units import FEN_PER_YUAN, energy_fen
from shudian.sandbox.forecast import month_forecast_kwh
from shudian.sandbox.world import World

# A buyer's whole price lies near 0.5 yuan/kWh (domain 1.6); deposits allow for half as much again.
_BUYER_DEPOSIT_MYUAN_MWH = 750_000
# The highest demand charge is 35 yuan per kW and month (domain 1.6); it is due in full however short the month.
_DEMAND_DEPOSIT_FEN_KW = 4_000
# A generator owes only deviations: a tenth of its revenue.
_GENERATOR_DEPOSIT_MYUAN_MWH = 25_000
_BANK_DEPOSIT_FEN = 20_000_000_000 * FEN_PER_YUAN
_GRID_DEPOSIT_FEN = 40_000_000_000 * FEN_PER_YUAN
_ROUND_FEN = 10_000 * FEN_PER_YUAN
_LATE_MEMBER = "cement_emei"
_LATE_FIRST_PART = 10  # the late member brings a tenth at first

# Guarantee 履约保函 by forecast, as a new member has no history (domain 2.3): the larger of twelve months at 8 yuan/MWh and
# two months at 50 yuan/MWh.
_YEAR_MONTHS, _YEAR_MYUAN_MWH = 12, 8_000
_RECENT_MONTHS, _RECENT_MYUAN_MWH = 2, 50_000


@dataclass(frozen=True)
class Deposit:
    """Money that reaches a member's account: before the month, or ``is_late``, days after its bill fell due."""

    company_key: str
    amount_fen: int
    is_late: bool


def deposits(world: World) -> tuple[Deposit, ...]:
    """All deposits in the order of members; one member brings a part in time and the rest late."""
    result: list[Deposit] = []
    for company in world.companies:
        amount = _deposit_fen(world, company.key)
        if company.key == _LATE_MEMBER:
            first = amount // _LATE_FIRST_PART // _ROUND_FEN * _ROUND_FEN
            result += [Deposit(company.key, first, is_late=False), Deposit(company.key, amount - first, is_late=True)]
        elif amount:
            result.append(Deposit(company.key, amount, is_late=False))
    return tuple(result)


def guarantee_fen(world: World, company_key: str) -> int:
    """The performance guarantee of a buyer by its month forecast, up to the next 10,000 yuan.

    Raises:
        KeyError: if the company neither buys nor generates.
    """
    month_kwh = sum(month_forecast_kwh(world, company_key))
    by_year = energy_fen(month_kwh * _YEAR_MONTHS, _YEAR_MYUAN_MWH)
    by_recent = energy_fen(month_kwh * _RECENT_MONTHS, _RECENT_MYUAN_MWH)
    return _rounded_up(max(by_year, by_recent))


def _deposit_fen(world: World, company_key: str) -> int:
    kind = world.company_by_key[company_key].kind
    if kind in ("user", "retailer"):
        energy_part_fen = energy_fen(sum(month_forecast_kwh(world, company_key)), _BUYER_DEPOSIT_MYUAN_MWH)
        return _rounded_up(energy_part_fen + world.load_of(company_key).contract_demand_kw * _DEMAND_DEPOSIT_FEN_KW)
    if kind == "generator":
        return _rounded_up(energy_fen(sum(month_forecast_kwh(world, company_key)), _GENERATOR_DEPOSIT_MYUAN_MWH))
    return {"bank": _BANK_DEPOSIT_FEN, "grid": _GRID_DEPOSIT_FEN}.get(kind, 0)


def _rounded_up(amount_fen: int) -> int:
    return -(-amount_fen // _ROUND_FEN) * _ROUND_FEN
