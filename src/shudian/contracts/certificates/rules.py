"""The certificates contract, and the verbs by which a lot and the quarter hours of certificates are looked up."""

from shudian.contracts.certificates.messages import (
    REPLIES,
    SETTINGS,
    BuyCertificates,
    DeliverCertificates,
    FileProject,
    IssueCertificates,
    ListCertificates,
    RetireCertificates,
    WithdrawCertificates,
)
from shudian.contracts.certificates.messages_events import EVENTS
from shudian.contracts.certificates.messages_refusals import REFUSALS
from shudian.contracts.certificates.rules_green import deliver_certificates
from shudian.contracts.certificates.rules_issue import file_project, issue_certificates
from shudian.contracts.certificates.rules_lots import lot_of
from shudian.contracts.certificates.rules_market import buy_certificates, list_certificates, withdraw_certificates
from shudian.contracts.certificates.rules_provenance import slots_wh
from shudian.contracts.certificates.rules_retirement import expire_certificates, retire_certificates
from shudian.contracts.certificates.state import INVARIANTS, TABLES
from shudian.kernel.contract import Contract

__all__ = ["CONTRACT", "lot_of", "slots_wh"]

CONTRACT = Contract(
    name="certificates",
    number=11,
    tables=TABLES,
    handlers={
        FileProject: file_project,
        IssueCertificates: issue_certificates,
        ListCertificates: list_certificates,
        BuyCertificates: buy_certificates,
        WithdrawCertificates: withdraw_certificates,
        DeliverCertificates: deliver_certificates,
        RetireCertificates: retire_certificates,
    },
    events=EVENTS,
    refusals=REFUSALS,
    replies=REPLIES,
    hooks=(expire_certificates,),
    invariants=INVARIANTS,
    settings=SETTINGS,
)
