"""Green output becomes certificates: projects are filed, certificates issued from meter data, delivered, sold, retired."""

from shudian.contracts.agreements.messages import Method
from shudian.contracts.certificates.messages import (
    BuyCertificates,
    CertificateListingReply,
    DeliverCertificates,
    FileProject,
    IssueCertificates,
    ListCertificates,
    Purpose,
    RetireCertificates,
)
from shudian.contracts.roles import Role
from shudian.kernel import clock
from shudian.tools.demo.deals import green_pairs, reply
from shudian.tools.demo.joining import resource_of_key
from shudian.tools.demo.stage import EXCHANGE, Act, Stage, batch
from shudian.tools.demo.steps import Step

PRICE_FEN = 231


def _month(stage: Stage) -> int:
    return clock.month_of(stage.world.first_day)


def _devices(stage: Stage) -> list[int]:
    resources = resource_of_key(stage)
    return sorted(resources[plant.key] for plant in stage.world.plants if plant.fuel not in ("coal", "gas"))


def _file(stage: Stage) -> list[Act]:
    """Every renewable plant is filed with the year that is known of it; an unknown one earns certificates that cannot be sold."""
    resources = resource_of_key(stage)
    messages = [
        FileProject(resources[plant.key], plant.commissioning_day or 0, fully_in_market=True)
        for plant in stage.world.plants
        if plant.fuel not in ("coal", "gas")
    ]
    return [batch(EXCHANGE, Role.REVIEWER, "file", messages)]


def _issue(stage: Stage) -> list[Act]:
    return [batch(EXCHANGE, Role.OPERATOR, "issue", [IssueCertificates(_month(stage), tuple(_devices(stage)))])]


def _green_agreements(stage: Stage) -> list[tuple[str, int]]:
    """Buyer and number of each green agreement."""
    found = []
    for seller, buyer in green_pairs(stage):
        rows = stage.query(
            EXCHANGE, "agreements.agreements", seller_id=stage.member_id(seller), buyer_id=stage.member_id(buyer)
        )
        found += [(buyer, row["agreement_id"]) for row in rows if row["method"] == Method.BILATERAL]
    return found


def _deliver(stage: Stage) -> list[Act]:
    messages = [DeliverCertificates(agreement_id, _month(stage)) for _, agreement_id in _green_agreements(stage)]
    return [batch(EXCHANGE, Role.OPERATOR, "deliver", messages)]


def _retire(stage: Stage) -> list[Act]:
    """Green buyers retire what they were delivered, as proof of what they used."""
    acts = []
    for buyer, _ in _green_agreements(stage):
        rows = stage.query(buyer, "certificates.lots", holder_id=stage.member_id(buyer), state="held")
        name = stage.world.company_by_key[buyer].name_zh
        messages = [
            RetireCertificates(
                row["resource_id"],
                row["month"],
                row["first_serial_no"],
                row["count_certs"],
                name,
                Purpose.OWN_USE,
                _month(stage),
                _month(stage),
            )
            for row in rows
        ]
        if messages:
            acts.append(batch(buyer, Role.TRADER, f"retire-{buyer}", messages))
    return acts


def _list(stage: Stage) -> list[Act]:
    """The owner of the first green plant lists a tenth of what it still holds."""
    seller, _ = green_pairs(stage)[0]
    rows = stage.query(seller, "certificates.lots", holder_id=stage.member_id(seller), state="held")
    row = max((row for row in rows if row["tradable"]), key=lambda row: (row["count_certs"], row["first_serial_no"]))
    message = ListCertificates(
        row["resource_id"], row["month"], row["first_serial_no"], max(row["count_certs"] // 10, 1), PRICE_FEN
    )
    return [batch(seller, Role.TRADER, "list", [message])]


def _buy(stage: Stage) -> list[Act]:
    seller, buyer = green_pairs(stage)[0]
    listed = reply(stage, seller, Role.TRADER, "certificates-list", "list")
    if not isinstance(listed, CertificateListingReply):
        raise TypeError(listed)
    rows = stage.query(buyer, "certificates.listings")
    left_certs = next(row["count_certs"] for row in rows if row["listing_id"] == listed.listing_id)
    return [batch(buyer, Role.TRADER, "buy", [BuyCertificates(listed.listing_id, left_certs)])]


def filing_steps() -> list[Step]:
    """In June: projects are filed."""
    return [
        Step(
            "certificates-file",
            clock.ms_at(20260619, 9),
            _file,
            "绿证项目建档立卡",
            "projects are filed for certificates",
        )
    ]


def steps() -> list[Step]:
    """In August: issue, deliver, retire, sell."""
    at = clock.ms_at
    return [
        Step("certificates-issue", at(20260813, 15), _issue, "绿证核发", "certificates are issued"),
        Step(
            "certificates-deliver",
            at(20260813, 16),
            _deliver,
            "绿证随绿电划转",
            "certificates go with the green agreements",
        ),
        Step("certificates-retire", at(20260814, 9), _retire, "绿证核销", "certificates are retired"),
        Step("certificates-list", at(20260814, 10), _list, "绿证挂牌", "certificates are listed"),
        Step("certificates-buy", at(20260814, 11), _buy, "绿证摘牌", "and bought"),
    ]
