"""Retailers bring performance guarantees 履约保函, their bank confirms them, the exchange sets what each must provide."""

from shudian.contracts.guarantees.messages import AnswerGuarantee, Instrument, RegisterGuarantee, SetRequirement
from shudian.contracts.roles import Role
from shudian.kernel import clock
from shudian.kernel.crypto import sha256
from shudian.sandbox.finances import guarantee_fen
from shudian.sandbox.forecast import month_forecast_kwh
from shudian.tools.demo.stage import EXCHANGE, Act, Stage, batch
from shudian.tools.demo.steps import Step

ISSUER = "bank_minjiang"
MONTHS_PER_YEAR, RECENT_MONTHS = 12, 2
_TIMES_REQUIRED = 3
"""A retailer brings more than the rule asks, so that the purchases it plans fit below its line."""


def _retailers(stage: Stage) -> list[str]:
    return [company.key for company in stage.world.companies_of("retailer")]


def _register(stage: Stage) -> list[Act]:
    return [
        batch(
            retailer,
            Role.FINANCE,
            retailer,
            [
                RegisterGuarantee(
                    stage.member_id(ISSUER),
                    Instrument.LETTER,
                    f"BH-2026-{stage.member_id(retailer):04d}",
                    sha256(f"guarantee {retailer}".encode()),
                    guarantee_fen(stage.world, retailer) * _TIMES_REQUIRED,
                    20260616,
                    20270630,
                )
            ],
        )
        for retailer in _retailers(stage)
    ]


def _answer(stage: Stage) -> list[Act]:
    rows = stage.query(ISSUER, "guarantees.guarantees")
    answers = [AnswerGuarantee(row["guarantee_id"], True, "") for row in rows]
    requirements = []
    for retailer in _retailers(stage):
        month_kwh = sum(month_forecast_kwh(stage.world, retailer))
        recent_kwh = month_kwh * RECENT_MONTHS
        requirements.append(
            SetRequirement(stage.member_id(retailer), month_kwh * MONTHS_PER_YEAR, recent_kwh, recent_kwh, "")
        )
    return [
        batch(ISSUER, Role.FINANCE, "answer", answers),
        batch(EXCHANGE, Role.OPERATOR, "requirements", requirements),
    ]


def steps() -> list[Step]:
    """In June, after the accounts are open."""
    at = clock.ms_at
    return [
        Step("guarantees-register", at(20260616, 15), _register, "售电公司提交履约保函", "retailers bring guarantees"),
        Step(
            "guarantees-answer",
            at(20260616, 16),
            _answer,
            "银行确认保函，核定应缴额度",
            "the bank confirms, requirements are set",
        ),
    ]
