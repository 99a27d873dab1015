"""The questions that may be put to the read tables of receivables."""

from shudian.contracts.receivables.views_tables import (
    DEBTORS,
    DEBTS,
    ENDORSEMENTS,
    PARTS,
    PAYMENTS,
    QUOTES,
    REQUESTS,
    TOTALS,
)
from shudian.reading.reader import Reader, Viewer
from shudian.reading.tables import Row


def debts(
    reader: Reader,
    viewer: Viewer,
    *,
    debtor_id: int | None = None,
    creditor_id: int | None = None,
    state: str | None = None,
) -> list[Row]:
    """Debts by the number they were proposed under."""
    return reader.select(viewer, DEBTS, {"debtor_id": debtor_id, "creditor_id": creditor_id, "state": state})


def receivables(
    reader: Reader,
    viewer: Viewer,
    *,
    holder_id: int | None = None,
    root_id: int | None = None,
    state: str | None = None,
) -> list[Row]:
    """Parts with their holder, tier and state."""
    return reader.select(viewer, PARTS, {"holder_id": holder_id, "root_id": root_id, "state": state})


def endorsements(reader: Reader, viewer: Viewer, *, root_id: int | None = None) -> list[Row]:
    """The chain of titles, oldest first."""
    return reader.select(viewer, ENDORSEMENTS, {"root_id": root_id}, order_by="made_ms, receivable_id, tier_no")


def finance_requests(reader: Reader, viewer: Viewer, *, state: str | None = None) -> list[Row]:
    """Requests for quotes."""
    return reader.select(viewer, REQUESTS, {"state": state})


def quotes(reader: Reader, viewer: Viewer, *, request_id: int | None = None, bank_id: int | None = None) -> list[Row]:
    """Quotes of each request, the best for the holder first."""
    where = {"request_id": request_id, "bank_id": bank_id}
    return reader.select(viewer, QUOTES, where, order_by="request_id, net_fen DESC, quote_id")


def payments(reader: Reader, viewer: Viewer, *, receivable_id: int | None = None) -> list[Row]:
    """What debtors paid on parts."""
    return reader.select(viewer, PAYMENTS, {"receivable_id": receivable_id})


def debtors(reader: Reader, viewer: Viewer, *, debtor_id: int | None = None) -> list[Row]:
    """What debtors accepted, owe, and failed to pay."""
    return reader.select(viewer, DEBTORS, {"debtor_id": debtor_id})


def receivables_months(reader: Reader, viewer: Viewer, *, month: int | None = None) -> list[Row]:
    """The market's months."""
    return reader.select(viewer, TOTALS, {"month": month})
