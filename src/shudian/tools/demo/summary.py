"""The ten numbers that matter at the end of the month, and what went wrong on the way, read from the ledger's read models."""

from dataclasses import asdict, dataclass
from typing import Any

from shudian.client.client import describe
from shudian.kernel.outcomes import Language, Outcome
from shudian.node.embedded import EmbeddedNode
from shudian.sandbox.metering import faults
from shudian.tools.demo.stage import Stage


@dataclass(frozen=True)
class Summary:
    """members: active ones. orders: accepted. trades: of both methods. energy_kwh: metered use of the month. settled_fen: lines paid.

    statements: issued. refusals: messages the ledger said no to. height, app_hash: of the last block. seconds: of this run.
    agreements_by_method: how agreements came about. financed_fen: face of what banks bought.
    """

    members: int
    resources: int
    orders: int
    trades: int
    traded_kwh: int
    average_myuan_mwh: int
    agreements: int
    agreements_by_method: dict[str, int]
    energy_kwh: int
    statements: int
    settled_fen: int
    objections_corrected: int
    certificates_issued: int
    certificates_retired: int
    receivables_issued: int
    receivables_financed: int
    receivables_redeemed: int
    financed_fen: int
    refusals: int
    height: int
    app_hash: str
    seconds: int
    invariants: str

    def as_json(self) -> dict[str, Any]:
        """The document that programs read."""
        return asdict(self)


def _count(node: EmbeddedNode, sql: str) -> int:
    value = node.projector.connection.execute(sql).fetchone()[0]
    return int(value or 0)


def _by_method(node: EmbeddedNode) -> dict[str, int]:
    rows = node.projector.connection.execute("SELECT method, COUNT(*) FROM agreements GROUP BY method ORDER BY method")
    return dict(rows)


def summarise(node: EmbeddedNode, seconds: int) -> Summary:
    """Count on the read models and test every invariant of the whole state.

    Raises:
        CheckFailed: if an invariant does not hold.
    """
    node.machine.check_all()
    traded_kwh = _count(node, "SELECT SUM(quantity_kwh) FROM trading_trades")
    value_fen = _count(node, "SELECT SUM(value_fen) FROM trading_trades")
    return Summary(
        members=_count(node, "SELECT COUNT(*) FROM identity_register WHERE standing = 'active'"),
        resources=_count(node, "SELECT COUNT(*) FROM resources_register WHERE state = 'active'"),
        orders=_count(node, "SELECT COUNT(*) FROM messages WHERE kind = 'PlaceOrder' AND number = 0"),
        trades=_count(node, "SELECT COUNT(*) FROM trading_trades"),
        traded_kwh=traded_kwh,
        average_myuan_mwh=value_fen * 10_000 // traded_kwh if traded_kwh else 0,
        agreements=_count(node, "SELECT COUNT(*) FROM agreements"),
        agreements_by_method=_by_method(node),
        energy_kwh=_count(node, "SELECT SUM(energy_kwh) FROM metering_days WHERE direction = 'load'"),
        statements=_count(node, "SELECT COUNT(*) FROM settlement_statements"),
        settled_fen=_count(node, "SELECT SUM(amount_fen) FROM settlement_lines WHERE state IN ('paid', 'paid_late')"),
        objections_corrected=_count(node, "SELECT COUNT(*) FROM settlement_objections WHERE state = 'upheld'"),
        certificates_issued=_count(node, "SELECT SUM(count_certs) FROM certificates_issuances"),
        certificates_retired=_count(node, "SELECT SUM(count_certs) FROM certificates_lots WHERE state = 'retired'"),
        receivables_issued=_count(node, "SELECT SUM(issued_count) FROM receivables_totals"),
        receivables_financed=_count(node, "SELECT SUM(financed_count) FROM receivables_totals"),
        receivables_redeemed=_count(node, "SELECT COUNT(*) FROM receivables_debts WHERE state = 'redeemed'"),
        financed_fen=_count(node, "SELECT SUM(financed_fen) FROM receivables_totals"),
        refusals=_count(node, "SELECT COUNT(*) FROM messages WHERE number > 0"),
        height=node.height,
        app_hash=node.app_hash.hex(),
        seconds=seconds,
        invariants="ok",
    )


def refusals(node: EmbeddedNode, language: Language) -> list[tuple[int, str]]:
    """Each kind of refusal that occurred: how often, and the words of the first one."""
    rows = node.projector.connection.execute(
        "SELECT number, COUNT(*), MIN(height), field, value, allowed FROM messages WHERE number > 0 GROUP BY number ORDER BY number"
    )
    return [
        (count, describe(Outcome(number, field, value, allowed), language))
        for number, count, _height, field, value, allowed in rows
    ]


def incidents(node: EmbeddedNode, stage: Stage, language: Language) -> list[str]:
    """What went wrong on the way: the rejected member, the gaps in meters, the correction, the late payer."""
    zh = language == "zh"
    names = {company.key: company.name_zh if zh else company.name_en for company in stage.world.companies}
    found = []
    for applicant in stage.world.applicants:
        name = applicant.company.name_zh if zh else applicant.company.name_en
        found.append(f"注册未通过：{name}" if zh else f"membership rejected: {name}")
    owners = {load.key: names[load.company_key] for load in stage.world.loads}
    for fault in faults(stage.world):
        words = _FAULT_WORDS[fault.kind][0 if zh else 1]
        found.append(
            f"{words}：{owners[fault.resource_key]} {fault.day}"
            if zh
            else f"{words}: {owners[fault.resource_key]}, {fault.day}"
        )
    rows = node.projector.connection.execute("SELECT DISTINCT payer_id FROM settlement_lines WHERE state = 'paid_late'")
    by_id = {stage.member_id(company.key): names[company.key] for company in stage.traders}
    found += [f"逾期付款：{by_id[row[0]]}" if zh else f"paid late: {by_id[row[0]]}" for row in rows]
    return found


_FAULT_WORDS = {
    "short_gap": ("计量缺数，已内插补齐", "gap of a meter, interpolated"),
    "long_gap": ("计量长缺数，已按同类日补齐", "longer gap of a meter, filled from a day of the same kind"),
    "implausible": ("不合理读数，已更正", "implausible reading, corrected"),
}
