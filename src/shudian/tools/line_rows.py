"""The rows behind a statement line: the line, the statements it stands on, and all that its amount was computed from."""

from collections.abc import Iterator

from shudian.contracts.identity import rules as identity
from shudian.contracts.resources import rules as resources
from shudian.contracts.roles import Kind
from shudian.contracts.settlement.messages_facts import BillLine, Formula, LineKind
from shudian.contracts.settlement.rules_lines import line, statement_of
from shudian.kernel.clock import month_first_day
from shudian.kernel.tables import HasStore, Key

Place = tuple[str, Key]

_SETTINGS = {
    LineKind.LOSS: ("settlement.loss_e8yuan_kwh",),
    LineKind.TRANSMISSION: ("settlement.transmission_e8yuan_kwh",),
    LineKind.SYSTEM: ("settlement.system_e8yuan_kwh",),
    LineKind.LEVY: ("settlement.levy_e8yuan_kwh",),
    LineKind.DEMAND: ("settlement.demand_fen_kw",),
    LineKind.OVER_USE: ("settlement.f4_over_ppm", "settlement.f4_under_ppm"),
    LineKind.ASSESSMENT: ("settlement.f4_over_ppm", "settlement.f4_under_ppm", "settlement.f4_assessment_ppm"),
}


def places_of_line(at: HasStore, line_id: int) -> list[Place]:
    """Table and key of the line's own row first, then of what stands around it, each once. Refuses: 10016."""
    row = line(at, line_id)
    return list(dict.fromkeys([("settlement.lines", (line_id,)), *_around(at, row), *_inputs(at, row)]))


def _around(at: HasStore, row: BillLine) -> Iterator[Place]:
    """Both sides' statements, as far as issued; the objection and the line that this one replaces."""
    for member_id in (row.payer_id, row.payee_id):
        found = statement_of(at, member_id, row.month)
        if found is not None:
            yield "settlement.statements", (found[0],)
    if row.objection_id:
        yield "settlement.objections", (row.objection_id,)
    if row.corrects_line_id:
        yield "settlement.lines", (row.corrects_line_id,)


def _inputs(at: HasStore, row: BillLine) -> Iterator[Place]:
    """What the formula of the line's explanation took in."""
    formula, month = row.explanation.formula, row.month
    if row.agreement_id:
        yield "agreements.agreements", (row.agreement_id,)
        yield "settlement.accruals", (month, row.agreement_id)
    if row.resource_id:
        yield "resources.resources", (row.resource_id,)
        if formula is Formula.TARIFF:
            yield "settlement.load_accruals", (month, row.resource_id)
    is_band = formula in (Formula.F4_CONTRACT, Formula.F4_OVER, Formula.F4_SHORT)
    if is_band or (formula is Formula.SUM_OF_DAYS and not row.agreement_id):
        member_id = _billed(at, row)
        yield from _keys(at, "settlement.day_bills", month, member_id)
        if is_band:
            yield from _purchases(at, month, member_id)
    if formula is Formula.F4_OVER:
        yield "settlement.regulation_prices", (month,)
    for name in _SETTINGS.get(row.kind, ()):
        yield from _setting(at, name, month_first_day(month), _scope(at, row))


def _billed(at: HasStore, row: BillLine) -> int:
    """The side whose energy the line is about: not the grid company, which is the other side of everybody."""
    grid_id = identity.the_only(at, Kind.GRID_COMPANY)
    return row.payee_id if row.payer_id == grid_id else row.payer_id


def _purchases(at: HasStore, month: int, buyer_id: int) -> Iterator[Place]:
    for table, key in _keys(at, "settlement.accruals", month):
        if at.store.rows[table].data[key].buyer_id == buyer_id:
            yield table, key


def _scope(at: HasStore, row: BillLine) -> str:
    """The scope of the setting that priced a load: tariff class and voltage, or voltage alone for demand."""
    if not row.resource_id:
        return ""
    load = resources.resource(at, row.resource_id)
    return load.voltage if row.kind is LineKind.DEMAND else f"{load.tariff_class}/{load.voltage}"


def _setting(at: HasStore, name: str, day: int, scope: str) -> Iterator[Place]:
    """The row of a setting that held on a day, for the scope or else for all scopes."""
    for wanted in dict.fromkeys((scope, "")):
        dated = [place for place in _keys(at, "governance.setting_rows", name, wanted) if int(place[1][2]) <= day]
        if dated:
            yield dated[-1]
            return


def _keys(at: HasStore, table: str, *prefix: int | str) -> Iterator[Place]:
    rows = at.store.rows[table]
    return ((table, key) for key, _ in rows.table.range(at, *prefix))
