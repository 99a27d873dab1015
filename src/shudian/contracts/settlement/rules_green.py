"""Certified volume of green agreements 绿电认证电量: the smallest of contract, generation and use 三者取小 (domain 3.7).

Nothing is certified twice: agreements are served in the order of their numbers, and what one has certified is taken from the devices that
generated it and from its buyer's use.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import GreenTerms, Terms
from shudian.contracts.governance import rules as governance
from shudian.contracts.resources import rules as resources
from shudian.contracts.resources.messages import Fuel
from shudian.contracts.settlement.messages_facts import CertifiedBy
from shudian.contracts.settlement.state import (
    CERTIFIED,
    GENERATION_ACCRUALS,
    GREEN_ACCRUALS,
    LOAD_ACCRUALS,
    Certified,
)
from shudian.kernel import check, clock
from shudian.kernel.contract import BlockContext
from shudian.kernel.tables import HasStore

GREEN_RULE = "settlement.green_rule_code"
GREEN_FUELS = (Fuel.HYDRO, Fuel.WIND, Fuel.SOLAR, Fuel.BIOMASS, Fuel.WASTE, Fuel.GEOTHERMAL)
"""What certificates are issued for (国能发新能规〔2024〕67号); waste counts as biomass."""


class Claim(NamedTuple):
    """What a green agreement would certify, by segment or for a month as one: its terms and contract energy."""

    agreement_id: int
    terms: Terms
    green: GreenTerms
    contract_kwh: Sequence[int]


class Shares(NamedTuple):
    """What a claim came to, in the steps of its contract energy: generation and use that were left for it, what is certified."""

    contract_kwh: tuple[int, ...]
    generated_kwh: tuple[int, ...]
    used_kwh: tuple[int, ...]
    certified_kwh: tuple[int, ...]


def certified_kwh(at: HasStore, agreement_id: int, month: int) -> int:
    """Certified volume of a green agreement in a month; 0 until the month's lines are made, and for other agreements."""
    row = CERTIFIED.get(at, month, agreement_id)
    return 0 if row is None else row.certified_kwh


def share_out(
    at: HasStore,
    claims: Sequence[Claim],
    generated_kwh: Mapping[int, Sequence[int]],
    used_kwh: Mapping[int, Sequence[int]],
) -> dict[int, Shares]:
    """What each claim comes to, in the order given. generated_kwh: by device. used_kwh: by member."""
    generated = {resource_id: list(energies) for resource_id, energies in generated_kwh.items()}
    used = {member_id: list(energies) for member_id, energies in used_kwh.items()}
    found = {}
    for claim in claims:
        nothing = [0] * len(claim.contract_kwh)
        devices = [generated[device_id] for device_id in _devices(at, claim) if device_id in generated]
        left_kwh = tuple(map(sum, zip(*devices, strict=True))) if devices else tuple(nothing)
        own_use = used.get(claim.terms.buyer_id, nothing)
        least = tuple(map(min, claim.contract_kwh, left_kwh, own_use))
        found[claim.agreement_id] = Shares(tuple(claim.contract_kwh), left_kwh, tuple(own_use), least)
        for step, taken_kwh in enumerate(least):
            own_use[step] -= taken_kwh
            _take(devices, step, taken_kwh)
    return found


def _devices(at: HasStore, claim: Claim) -> list[int]:
    """The device that green terms name and its units, or else all of the seller's that generate green energy."""
    named_id = claim.green.resource_id
    return [
        resource_id
        for resource_id, resource in resources.resources_of(at, claim.terms.seller_id)
        if resource.fuel in GREEN_FUELS and named_id in (0, resource_id, resource.parent_id)
    ]


def _take(devices: Sequence[list[int]], step: int, energy_kwh: int) -> None:
    for device in devices:
        taken_kwh = min(device[step], energy_kwh)
        device[step] -= taken_kwh
        energy_kwh -= taken_kwh


class GreenMonth(NamedTuple):
    """A green agreement's month: its terms, by which rule it is certified, the sums, and the certified volume by day."""

    terms: Terms
    green: GreenTerms
    rule: CertifiedBy
    contract_kwh: int
    generated_kwh: int
    used_kwh: int
    certified_kwh: int
    daily_kwh: tuple[int, ...]


def green_months(at: BlockContext, month: int) -> dict[int, GreenMonth]:
    """What each green agreement with energy in a month has certified, by the rule of the month's first day. Refuses: 2003.

    Under ``CertifiedBy.HOUR`` generation counts hour by hour, only as far as it serves the contract. used_kwh is known under
    ``CertifiedBy.MONTH`` alone, daily_kwh under ``CertifiedBy.HOUR``.
    """
    rows = [(int(key[1]), row) for key, row in GREEN_ACCRUALS.range(at, month) if any(row.contract_kwh)]
    if not rows:
        return {}
    rule = CertifiedBy(governance.setting(at, GREEN_RULE, clock.month_first_day(month)))
    claims = [_claim(at, agreement_id, sum(row.contract_kwh)) for agreement_id, row in rows]
    if rule is CertifiedBy.HOUR:
        return {
            claim.agreement_id: GreenMonth(
                claim.terms,
                claim.green,
                rule,
                sum(row.contract_kwh),
                sum(row.generated_kwh),
                0,
                sum(row.certified_kwh),
                row.certified_kwh,
            )
            for claim, (_, row) in zip(claims, rows, strict=True)
        }
    generated = {int(key[1]): [sum(row.daily_kwh)] for key, row in GENERATION_ACCRUALS.range(at, month)}
    used: dict[int, list[int]] = {}
    for _, load in LOAD_ACCRUALS.range(at, month):
        used.setdefault(load.owner_id, [0])[0] += sum(load.daily_kwh)
    shares = share_out(at, claims, generated, used)
    found = {}
    for claim in claims:
        sums = (energies[0] for energies in shares[claim.agreement_id])
        contract_kwh, generated_sum_kwh, used_sum_kwh, certified_sum_kwh = sums
        found[claim.agreement_id] = GreenMonth(
            claim.terms, claim.green, rule, contract_kwh, generated_sum_kwh, used_sum_kwh, certified_sum_kwh, ()
        )
    return found


def _claim(at: HasStore, agreement_id: int, contract_kwh: int) -> Claim:
    terms = agreements.terms(at, agreement_id)
    if terms.green is None:
        message = f"agreement {agreement_id} with green accruals has green terms"
        raise check.CheckFailed(message)
    return Claim(agreement_id, terms, terms.green, (contract_kwh,))


def keep_certified(ctx: BlockContext, month: int) -> None:
    """Keep what a month has certified, for the contracts above."""
    for agreement_id, row in green_months(ctx, month).items():
        kept = Certified(row.contract_kwh, row.generated_kwh, row.certified_kwh)
        CERTIFIED.put(ctx, (month, agreement_id), kept)
