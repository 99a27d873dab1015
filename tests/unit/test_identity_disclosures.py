"""Disclosures on record: who may say so, in what form, and who sees it."""

import pytest

from shudian.contracts.identity.messages import SuspendMember
from shudian.contracts.identity.messages_disclosures import RecordDisclosure
from shudian.contracts.identity.views_disclosures import disclosures
from shudian.kernel.crypto import sha256
from shudian.reading.reader import THE_PUBLIC
from tests.unit.test_identity import EXCHANGE, GENERATOR, REVIEWER, market
from tests.unit.test_identity_views import OTHER, OVERSEER, OWNER, Told, told

__all__ = ["told"]  # the fixture

KEY, DIGEST = sha256(b"auditor"), sha256(b"file")
ID = bytes(range(16))


def test_a_disclosure_is_on_record_for_the_member_and_the_overseers(told: Told) -> None:
    told.book.done(EXCHANGE, SuspendMember(GENERATOR, "核查"), REVIEWER)
    for number, subject in enumerate(((ID, 0), (b"", 12), (ID, 0)), 1):
        assert told.book.done(GENERATOR, RecordDisclosure(*subject, KEY, DIGEST), "gen-admin").disclosure_no == number
    for viewer in (OWNER, OVERSEER):
        rows = disclosures(told.reader, viewer)
        assert [(row["disclosure_no"], row["member_id"], row["message_id"], row["statement_id"]) for row in rows] == [
            (1, GENERATOR, ID, 0),
            (2, GENERATOR, b"", 12),
            (3, GENERATOR, ID, 0),
        ]
        assert {(row["recipient_key"], row["file_digest"]) for row in rows} == {(KEY, DIGEST)}
    for viewer in (OTHER, THE_PUBLIC):
        assert disclosures(told.reader, viewer) == []


@pytest.mark.parametrize(
    ("message", "signer", "number"),
    [
        (RecordDisclosure(b"", 0, KEY, DIGEST), "gen-admin", 1011),
        (RecordDisclosure(ID, 12, KEY, DIGEST), "gen-admin", 1011),
        (RecordDisclosure(ID[1:], 0, KEY, DIGEST), "gen-admin", 1011),
        (RecordDisclosure(b"", -1, KEY, DIGEST), "gen-admin", 1011),
        (RecordDisclosure(ID, 0, KEY[1:], DIGEST), "gen-admin", 1011),
        (RecordDisclosure(ID, 0, KEY, DIGEST + b"x"), "gen-admin", 1011),
        (RecordDisclosure(ID, 0, KEY, DIGEST), "gen-trader", 3009),
        (RecordDisclosure(ID, 0, KEY, DIGEST), "ret-admin", 3008),
    ],
)
def test_what_is_not_a_disclosure_is_refused(message: RecordDisclosure, signer: str, number: int) -> None:
    assert market().refused(GENERATOR, message, signer) == number
