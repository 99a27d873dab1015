"""What may be claimed once over the whole ledger: a debt's fingerprint, an invoice, a statement line, a registration at 中登网.

The same debt cannot be financed twice because the same papers cannot be brought twice (防重复融资). A proposal that comes to nothing
gives its claims back; a registration stays used for good.
"""

from collections.abc import Iterator

from shudian.contracts.governance import rules as governance
from shudian.contracts.identity import rules as identity
from shudian.contracts.receivables.messages import Debt, Origin
from shudian.contracts.receivables.messages_refusals import (
    FINGERPRINT_IS_USED,
    INVOICE_IS_USED,
    LINE_IS_CLAIMED,
    REGISTRATION_IS_USED,
    SEARCH_IS_STALE,
)
from shudian.contracts.receivables.state import CLAIMS, Claim
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext
from shudian.kernel.crypto import sha256
from shudian.kernel.outcomes import Refusal, both
from shudian.kernel.tables import HasStore


def fingerprint(
    creditor_uscc: str,
    debtor_uscc: str,
    contract_no: str,
    invoice_codes: tuple[str, ...],
    amount_fen: int,
    due_day: int,
) -> bytes:
    """SHA-256 of creditor | debtor | contract | invoices | amount | due day, invoices joined by commas.

    >>> fingerprint("91510000MA0000001F", "91510000MA0000002J", "EPC|7", ("12345678",), 100, 20260630).hex()[:16]
    '23ace226fe176332'
    """
    words = (creditor_uscc, debtor_uscc, _escaped(contract_no), ",".join(invoice_codes), str(amount_fen), str(due_day))
    return sha256("|".join(words).encode())


def _escaped(words: str) -> str:
    """Free text with the separator marked, so that two different debts never read the same."""
    return words.replace("\\", "\\\\").replace("|", "\\|")


def fingerprint_of(at: HasStore, debt: Debt) -> bytes:
    """The fingerprint of a debt by the codes of its members. Refuses: 3001."""
    return fingerprint(
        identity.member(at, debt.creditor_id).uscc,
        identity.member(at, debt.debtor_id).uscc,
        debt.contract_no,
        debt.invoice_codes,
        debt.amount_fen,
        debt.due_day,
    )


def _claims(debt: Debt) -> Iterator[tuple[bytes, Refusal, str, object]]:
    """(digest, refusal, field, value) of everything that a debt claims; an invoice is its issuer's, the creditor's."""
    yield debt.fingerprint, FINGERPRINT_IS_USED, "fingerprint", debt.fingerprint.hex()
    if debt.origin is Origin.LINE:
        yield _digest("line", str(debt.line_id)), LINE_IS_CLAIMED, "line_id", debt.line_id
    for place, code in enumerate(debt.invoice_codes):
        yield _digest("invoice", str(debt.creditor_id), code), INVOICE_IS_USED, f"invoice_codes[{place}]", code


def _digest(*words: str) -> bytes:
    return sha256("|".join(words).encode())


def require_unclaimed(at: HasStore, debt: Debt) -> None:
    """Refuses: 12010-12012, naming the receivable that has the claim."""
    for digest, refusal, field, value in _claims(debt):
        _require_free(at, digest, refusal, field, value)


def _require_free(at: HasStore, digest: bytes, refusal: Refusal, field: str, value: object) -> None:
    known = CLAIMS.get(at, digest)
    if known is not None:
        raise refusal(
            field,
            value,
            both(f"未被使用；已用于凭证 {known.receivable_id}", f"not in use; receivable {known.receivable_id} has it"),
        )


def claim(ctx: BlockContext, receivable_id: int, debt: Debt) -> None:
    """Claim everything that a debt stands on."""
    for digest, *_ in _claims(debt):
        CLAIMS.put(ctx, (digest,), Claim(receivable_id))


def give_back(ctx: BlockContext, debt: Debt) -> None:
    """Free the claims of a proposal that came to nothing."""
    for digest, *_ in _claims(debt):
        CLAIMS.delete(ctx, digest)


def require_registry(ctx: BlockContext, registration_no: str, searched_ms: int) -> None:
    """The search at the central registry is fresh, the registration's number is new. Refuses: 2003, 12031, 12032."""
    oldest_ms = ctx.market_ms - governance.setting(ctx, "receivables.search_max_ms", clock.day_of(ctx.market_ms))
    if not oldest_ms <= searched_ms <= ctx.market_ms:
        raise SEARCH_IS_STALE("searched_ms", searched_ms, f"{oldest_ms}..{ctx.market_ms}")
    _require_free(
        ctx, _digest("registration", registration_no), REGISTRATION_IS_USED, "registration_no", registration_no
    )


def register(ctx: BlockContext, receivable_id: int, registration_no: str) -> None:
    """Use up a registration's number."""
    CLAIMS.put(ctx, (_digest("registration", registration_no),), Claim(receivable_id))


def deregister_by_day(at: BlockContext, registration_no: str) -> int:
    """The last day to cancel a registration whose ground lapsed today, 0 if there is none (动产和权利担保统一登记办法: 10 working days)."""
    if not registration_no:
        return 0
    today = clock.day_of(at.market_ms)
    return governance.working_day(at, today, governance.setting(at, "receivables.deregister_working_day_count", today))
