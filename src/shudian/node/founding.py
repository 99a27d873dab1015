"""Founding a chain: the institutions that are members from the first block, each role with a key of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shudian.kernel.machine import STEPPED
from shudian.node.genesis import Genesis, default_settings


@dataclass(frozen=True)
class Founder:
    """An institution that is a member from genesis: its kind, names, USCC, and the roles that get a key each."""

    kind: str
    name_zh: str
    name_en: str
    uscc: str
    roles: tuple[str, ...]


SICHUAN_FOUNDERS = (
    Founder(
        "exchange",
        "四川电力交易中心",
        "Sichuan Power Exchange",
        "91510000MA6C00001K",
        ("admin", "operator", "reviewer", "finance"),
    ),
    Founder(
        "grid_company",
        "四川省电网企业",
        "Sichuan Grid Company",
        "91510000MA6C00002N",
        ("admin", "trader", "finance", "meter", "dispatcher"),
    ),
    Founder("bank", "结算银行", "Settlement Bank", "91510000MA6C00003R", ("admin", "teller", "finance")),
    Founder("regulator", "电力监管机构", "Power Regulator", "11510000MA6C000045", ("admin", "officer")),
)
"""The default institutions, under neutral names; an installer gives its own."""

KeyOf = Callable[[str], bytes]


def found(
    chain_id: str,
    clock: str,
    start_ms: int,
    key_of: KeyOf,
    founders: Sequence[Founder] = SICHUAN_FOUNDERS,
    settings: Sequence[Mapping[str, Any]] | None = None,
) -> Genesis:
    """The genesis of a chain. ``key_of("exchange-operator")`` gives the public key for a founder's role."""
    members = [
        {
            "kind": founder.kind,
            "name_zh": founder.name_zh,
            "name_en": founder.name_en,
            "uscc": founder.uscc,
            "persons": [
                {"public_key": key_of(f"{founder.kind}-{role}").hex(), "roles": [role]} for role in founder.roles
            ],
        }
        for founder in founders
    ]
    sections = {
        "governance": {"settings": list(default_settings() if settings is None else settings)},
        "identity": {"members": members},
    }
    return Genesis(chain_id, clock, start_ms if clock == STEPPED else 0, sections)
