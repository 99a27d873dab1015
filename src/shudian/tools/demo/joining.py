"""First chapter: companies apply and are reviewed, name their people, bring money, list resources and get meters."""

from collections.abc import Iterator

from shudian.contracts.funds.messages import ConfirmDeposit, OpenAccount
from shudian.contracts.identity.messages_persons import AddPerson
from shudian.contracts.identity.messages_registration import (
    USCC_IN_USE,
    ApplyMember,
    Decision,
    Declared,
    Document,
    Evidence,
    Particulars,
    ReviewMember,
    all_passed,
)
from shudian.contracts.metering.messages import BindMeter, Direction
from shudian.contracts.resources.messages import Decision as ResourceDecision
from shudian.contracts.resources.messages import (
    DispatchLevel,
    Fuel,
    RegisterResource,
    Regulation,
    ResourceType,
    ReviewResource,
    TariffClass,
    Voltage,
)
from shudian.contracts.roles import Role
from shudian.kernel import clock
from shudian.kernel.crypto import sha256
from shudian.sandbox.companies import Company
from shudian.sandbox.finances import Deposit, deposits
from shudian.sandbox.loads import Load
from shudian.sandbox.plants import Plant
from shudian.tools.demo.stage import BANK, EXCHANGE, GRID, Act, Stage, batch, kind_of, second
from shudian.tools.demo.steps import Step

SLOTS_PER_HOUR, WH_PER_KWH = 4, 1_000
AGENCY_MARGIN_PERCENT = 150
_AGENCY_REGIONS = (("川西", "west"), ("川东", "east"), ("川南", "south"), ("川北", "north"))
_STAFF_PER_SENIOR, _STAFF_PER_MIDDLE = 10, 4
_VOLTAGE_BY_KV = {10: Voltage.KV1_10, 35: Voltage.KV35, 110: Voltage.KV110, 220: Voltage.KV220, 500: Voltage.KV220}


def _salted(stage: Stage, *words: str) -> bytes:
    """A salted hash as a member's own files would give it."""
    return sha256("/".join(("salt", str(stage.world.seed), *words)).encode())


def _particulars(stage: Stage, company: Company) -> Particulars:
    documents = tuple(
        Document(evidence, _salted(stage, company.key, evidence))
        for evidence in (
            Evidence.BUSINESS_LICENCE,
            Evidence.LEGAL_PERSON,
            Evidence.AUTHORISATION,
            Evidence.BANK_ACCOUNT,
            Evidence.ASSET_REPORT,
            Evidence.STAFF_LIST,
        )
    )
    declared = Declared(
        assets_fen=company.assets_fen,
        staff_count=company.staff_count,
        senior_engineer_count=company.staff_count // _STAFF_PER_SENIOR,
        mid_engineer_count=company.staff_count // _STAFF_PER_MIDDLE,
    )
    legal_person = _salted(stage, company.key, company.legal_person_zh)
    return Particulars(company.name_zh, company.name_en, legal_person, documents, declared)


def _application(stage: Stage, company: Company) -> ApplyMember:
    person = _salted(stage, company.key, "admin")
    return ApplyMember(kind_of(company), company.uscc, _particulars(stage, company), person)


def _apply(stage: Stage) -> list[Act]:
    everybody = [*stage.joiners, *(applicant.company for applicant in stage.world.applicants)]
    acts = [Act(one.key, Role.ADMIN, one.key, (_application(stage, one),), as_applicant=True) for one in everybody]
    twice = everybody[0]
    mistake = (_application(stage, twice),)
    acts.append(Act(twice.key, Role.TRADER, "twice", mistake, USCC_IN_USE.number, as_applicant=True))
    return acts


def _review(stage: Stage) -> list[Act]:
    reasons = {applicant.company.uscc: applicant.refusal_zh for applicant in stage.world.applicants}
    rows = stage.query(EXCHANGE, "identity.members", standing="submitted")
    messages = []
    for row in rows:
        reason = reasons.get(row["uscc"])
        if reason is None:
            messages.append(ReviewMember(row["member_id"], Decision.APPROVE, all_passed(), ""))
        else:
            messages.append(ReviewMember(row["member_id"], Decision.REJECT, (), reason))
    return [batch(EXCHANGE, Role.REVIEWER, "review", messages)]


def _person(stage: Stage, company: str, name: str, role: Role) -> AddPerson:
    return AddPerson(_salted(stage, company, name), stage.key(company, name).public_key, (role,))


def _people(stage: Stage) -> list[Act]:
    """Traders and finance; a second person in finance and at the bank's counter, as large sums need four eyes."""
    second_finance, second_teller = second(Role.FINANCE), second(Role.TELLER)
    acts = [batch(BANK, Role.ADMIN, BANK, [_person(stage, BANK, second_teller, Role.TELLER)])]
    acts += [
        batch(bank.key, Role.ADMIN, bank.key, [_person(stage, bank.key, Role.FINANCE, Role.FINANCE)])
        for bank in stage.financiers
    ]
    for company in stage.traders:
        people = [_person(stage, company.key, role, role) for role in (Role.TRADER, Role.FINANCE)]
        people.append(_person(stage, company.key, second_finance, Role.FINANCE))
        acts.append(batch(company.key, Role.ADMIN, company.key, people))
    return acts


def _accounts(stage: Stage) -> list[Act]:
    return [
        batch(key, Role.FINANCE, key, [OpenAccount(stage.member_id(BANK), _salted(stage, key, "account"))])
        for key in _account_holders(stage)
    ]


def _account_holders(stage: Stage) -> list[str]:
    return [GRID, *(company.key for company in (*stage.traders, *stage.financiers))]


def _deposits(stage: Stage) -> list[Act]:
    having = set(_account_holders(stage))
    messages = [
        message
        for deposit in deposits(stage.world)
        if deposit.company_key in having and not deposit.is_late
        for message in deposit_messages(stage, deposit)
    ]
    return [batch(BANK, Role.TELLER, "deposits", messages, four_eyes=True)]


def deposit_messages(stage: Stage, deposit: Deposit) -> Iterator[ConfirmDeposit]:
    """The bank's confirmations of money that reached a company's sub-account, none above the maximum of one message."""
    rows = stage.query(BANK, "governance.settings", name="funds.deposit_max_fen")
    most_fen = int(rows[-1]["numbers"])
    left_fen, part_no = deposit.amount_fen, 0
    while left_fen:
        part_fen = min(left_fen, most_fen)
        reference = _salted(stage, deposit.company_key, "deposit", str(deposit.is_late), str(part_no))
        yield ConfirmDeposit(stage.member_id(deposit.company_key), part_fen, reference)
        left_fen, part_no = left_fen - part_fen, part_no + 1


def _plant(plant: Plant) -> RegisterResource:
    return RegisterResource(
        resource_type=ResourceType.PLANT,
        name_zh=plant.name_zh,
        name_en=plant.name_en,
        capacity_kw=plant.capacity_kw,
        voltage=_VOLTAGE_BY_KV[plant.voltage_kv],
        fuel=Fuel(plant.fuel),
        technology=plant.technology,
        river=plant.river,
        regulation=Regulation(plant.regulation) if plant.regulation else Regulation.NONE,
        dispatch_level=DispatchLevel.PROVINCIAL,
        latitude_e6deg=plant.lat_e6,
        longitude_e6deg=plant.lon_e6,
        commissioning_day=plant.commissioning_day or 0,
    )


def _load(load: Load) -> RegisterResource:
    return RegisterResource(
        resource_type=ResourceType.LOAD,
        name_zh=load.name_zh,
        name_en=load.name_en,
        capacity_kw=load.contract_demand_kw,
        voltage=_VOLTAGE_BY_KV[load.voltage_kv],
        latitude_e6deg=load.lat_e6,
        longitude_e6deg=load.lon_e6,
        tariff_class=TariffClass(load.tariff_class),
        contract_demand_kw=load.contract_demand_kw,
    )


def _agency_loads(stage: Stage) -> list[RegisterResource]:
    """The homes and small shops that the grid company buys for, by region; what they use is not metered one by one."""
    peak_kw = int(stage.world.actual.agency_wh.max()) * SLOTS_PER_HOUR // WH_PER_KWH
    return [
        RegisterResource(
            resource_type=ResourceType.LOAD,
            name_zh=f"代理购电用户（{region_zh}）",
            name_en=f"agency-purchase users ({region_en})",
            capacity_kw=peak_kw * AGENCY_MARGIN_PERCENT // 100 // len(_AGENCY_REGIONS),
            voltage=Voltage.KV1_10,
            tariff_class=TariffClass.SINGLE_RATE,
        )
        for region_zh, region_en in _AGENCY_REGIONS
    ]


def _resources(stage: Stage) -> list[Act]:
    acts = [batch(GRID, Role.ADMIN, GRID, _agency_loads(stage))]
    for company in stage.traders:
        if company.kind == "generator":
            messages = [_plant(plant) for plant in stage.world.plants_of(company.key)]
        else:
            messages = [_load(stage.world.load_of(company.key))]
        acts.append(batch(company.key, Role.ADMIN, company.key, messages))
    return acts


def _resource_review(stage: Stage) -> list[Act]:
    rows = stage.query(EXCHANGE, "resources.browse", state="submitted", limit=1_000)
    messages = [ReviewResource(row["resource_id"], ResourceDecision.APPROVE) for row in rows]
    return [batch(EXCHANGE, Role.REVIEWER, "review", messages)]


def _meters(stage: Stage) -> list[Act]:
    rows = stage.query(GRID, "resources.browse", limit=1_000)
    messages = [
        BindMeter(
            code=f"SC-{row['resource_id']:06d}",
            resource_id=row["resource_id"],
            direction=Direction.GENERATION
            if row.get("resource_type", row.get("type")) == ResourceType.PLANT
            else Direction.LOAD,
            from_day=stage.world.first_day,
        )
        for row in rows
        if row["owner_id"] != stage.member_id(GRID)
    ]
    return [batch(GRID, Role.METER, "meters", messages)]


def resource_of_key(stage: Stage) -> dict[str, int]:
    """The resource number of each plant and load of the world."""
    rows = stage.query(EXCHANGE, "resources.browse", limit=1_000)
    by_owner_and_name = {(row["owner_id"], row["name_zh"]): row["resource_id"] for row in rows}
    held: list[Plant | Load] = [*stage.world.plants, *stage.world.loads]
    return {one.key: by_owner_and_name[stage.member_id(one.company_key), one.name_zh] for one in held}


def steps() -> list[Step]:
    """The steps of the chapter, from mid May to mid June."""
    at = clock.ms_at
    return [
        Step("apply", at(20260511, 9), _apply, "成员提交注册申请", "companies apply for membership"),
        Step("review", at(20260512, 9), _review, "交易中心审核并公示", "the exchange reviews; public notice"),
        Step("people", at(20260616, 9), _people, "成员登记交易与财务人员", "members name traders and finance"),
        Step("accounts", at(20260616, 10), _accounts, "在结算银行开立账户", "accounts at the settlement bank"),
        Step("deposits", at(20260616, 14), _deposits, "银行确认入金", "the bank confirms deposits"),
        Step("resources", at(20260617, 9), _resources, "登记电厂与用电资源", "plants and loads are registered"),
        Step("resource-review", at(20260617, 14), _resource_review, "资源审核", "resources are reviewed"),
        Step("meters", at(20260618, 9), _meters, "电网企业绑定计量表计", "the grid company binds meters"),
    ]
