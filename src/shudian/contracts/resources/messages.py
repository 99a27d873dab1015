"""What may be said about power resources, what happened, and the refusals (《电力市场注册基本规则》; domain 1.4, 1.6, 2.2)."""

from enum import StrEnum
from typing import ClassVar

from shudian.contracts.roles import TRADING_KINDS, Kind, Role
from shudian.kernel import fields
from shudian.kernel.codec import Record
from shudian.kernel.messages import Authority, Event, Message, Setting
from shudian.kernel.outcomes import FIELD_NOT_ALLOWED, Refusal, Reply

POWER_MAX_KW = 100_000_000
STORAGE_MAX_KWH = 1_000_000_000
LATITUDE_MAX_E6DEG = 90_000_000
LONGITUDE_MAX_E6DEG = 180_000_000
REGION_MAX_CODE = 999_999


class ResourceType(StrEnum):
    """What a resource is."""

    PLANT = "plant"
    UNIT = "unit"
    LOAD = "load"
    STORAGE = "storage"


class Fuel(StrEnum):
    """Primary energy of a plant or unit; loads and storage have none."""

    NONE = ""
    HYDRO = "hydro"
    WIND = "wind"
    SOLAR = "solar"
    COAL = "coal"
    GAS = "gas"
    BIOMASS = "biomass"
    WASTE = "waste"
    GEOTHERMAL = "geothermal"
    OTHER = "other"


class Regulation(StrEnum):
    """How long a reservoir can hold water back 调节性能: 径流, 日, 周, 季, 年, 多年."""

    NONE = ""
    RUN_OF_RIVER = "run_of_river"
    DAILY = "daily"
    WEEKLY = "weekly"
    SEASONAL = "seasonal"
    ANNUAL = "annual"
    MULTI_YEAR = "multi_year"


class DispatchLevel(StrEnum):
    """Who dispatches 调度层级: 国调, 西南分中心, 省调, 地调; empty where not stated."""

    NONE = ""
    NATIONAL = "national"
    REGIONAL = "regional"
    PROVINCIAL = "provincial"
    LOCAL = "local"


class Voltage(StrEnum):
    """Voltage class of the connection, as in the transmission-distribution tariff (domain 1.6)."""

    LT1KV = "lt1kv"
    KV1_10 = "kv1_10"
    KV35 = "kv35"
    KV110 = "kv110"
    KV220 = "kv220"
    """220 kV and above."""


class TariffClass(StrEnum):
    """Class of the transmission-distribution tariff of a load 用电分类: 单一制, 两部制."""

    NONE = ""
    SINGLE_RATE = "single_rate"
    TWO_PART = "two_part"


class ResourceState(StrEnum):
    """Where a resource stands in its life."""

    SUBMITTED = "submitted"
    RETURNED = "returned"
    REJECTED = "rejected"
    ACTIVE = "active"
    RETIRED = "retired"


class Decision(StrEnum):
    """What a reviewer may decide."""

    APPROVE = "approve"
    RETURN = "return"
    REJECT = "reject"


GENERATING = (ResourceType.PLANT, ResourceType.UNIT)
OWNER_KINDS = {
    ResourceType.PLANT: (Kind.GENERATOR,),
    ResourceType.UNIT: (Kind.GENERATOR,),
    ResourceType.LOAD: (Kind.USER, Kind.RETAILER, Kind.GRID_COMPANY),
    ResourceType.STORAGE: TRADING_KINDS,
}
"""Which kinds of member may own which type of resource."""


class Resource(Record):
    """A power resource.

    owner_id: member. state: where it stands. type: plant, unit, load, storage. parent_id: plant of a unit, else 0.
    name_zh, name_en. fuel, technology: of plants and units; technology is free text, also for storage. capacity_kw:
    installed power; maximum load of a load. storage_kwh: energy that a storage holds, else 0. river, regulation: of
    hydropower. dispatch_level. location: place in words. region_code: GB/T 2260 prefecture (510100 成都), 0 not stated.
    latitude_e6deg, longitude_e6deg: millionths of a degree, both 0 where not stated. commissioning_day: 0 unknown.
    voltage: of the connection. tariff_class: of loads. contract_demand_kw: contracted maximum demand 合同需量 of loads,
    billed under the two-part tariff.
    """

    owner_id: int
    state: ResourceState
    type: ResourceType
    name_zh: str
    name_en: str
    capacity_kw: int
    voltage: Voltage
    parent_id: int
    fuel: Fuel
    technology: str
    storage_kwh: int
    river: str
    regulation: Regulation
    dispatch_level: DispatchLevel
    location: str
    region_code: int
    latitude_e6deg: int
    longitude_e6deg: int
    commissioning_day: int
    tariff_class: TariffClass
    contract_demand_kw: int


def check_resource(wanted: Resource) -> None:
    """Refuse facts that are malformed or do not belong to the type. Refuses: 1011."""
    fields.text("name_zh", wanted.name_zh, 60)
    fields.text("name_en", wanted.name_en, 120)
    fields.text("technology", wanted.technology, 60, 0)
    fields.text("river", wanted.river, 40, 0)
    fields.text("location", wanted.location, 80, 0)
    fields.whole("capacity_kw", wanted.capacity_kw, 1, POWER_MAX_KW)
    fields.whole("storage_kwh", wanted.storage_kwh, 0, STORAGE_MAX_KWH)
    fields.whole("contract_demand_kw", wanted.contract_demand_kw, 0, POWER_MAX_KW)
    fields.whole("region_code", wanted.region_code, 0, REGION_MAX_CODE)
    fields.whole("latitude_e6deg", wanted.latitude_e6deg, -LATITUDE_MAX_E6DEG, LATITUDE_MAX_E6DEG)
    fields.whole("longitude_e6deg", wanted.longitude_e6deg, -LONGITUDE_MAX_E6DEG, LONGITUDE_MAX_E6DEG)
    if wanted.commissioning_day:
        fields.day("commissioning_day", wanted.commissioning_day)
    _check_type(wanted)


def _check_type(wanted: Resource) -> None:
    is_unit = wanted.type is ResourceType.UNIT
    is_load = wanted.type is ResourceType.LOAD
    is_hydro = wanted.fuel is Fuel.HYDRO
    two_part = wanted.tariff_class is TariffClass.TWO_PART
    _given_exactly_for("parent_id", wanted.parent_id > 0, is_unit, "units")
    _given_exactly_for("fuel", wanted.fuel is not Fuel.NONE, wanted.type in GENERATING, "plants and units")
    _given_exactly_for("storage_kwh", wanted.storage_kwh > 0, wanted.type is ResourceType.STORAGE, "storage")
    _given_exactly_for("river", bool(wanted.river), is_hydro, "hydropower")
    _given_exactly_for("regulation", wanted.regulation is not Regulation.NONE, is_hydro, "hydropower")
    _given_exactly_for("tariff_class", wanted.tariff_class is not TariffClass.NONE, is_load, "loads")
    if is_load and wanted.dispatch_level is not DispatchLevel.NONE:
        raise FIELD_NOT_ALLOWED("dispatch_level", wanted.dispatch_level, "empty for loads")
    if wanted.contract_demand_kw and not is_load:
        raise FIELD_NOT_ALLOWED("contract_demand_kw", wanted.contract_demand_kw, "0 but for loads")
    if two_part and not wanted.contract_demand_kw:
        raise FIELD_NOT_ALLOWED("contract_demand_kw", 0, "> 0 under the two-part tariff")
    if two_part and wanted.voltage is Voltage.LT1KV:
        raise FIELD_NOT_ALLOWED("voltage", wanted.voltage, "1 kV and above under the two-part tariff")


def _given_exactly_for(name: str, given: bool, wanted: bool, whom: str) -> None:
    if given != wanted:
        raise FIELD_NOT_ALLOWED(name, "given" if given else "empty", f"given for {whom}, for them alone")


SETTINGS = (
    Setting(
        "resources.capacity_min_kw",
        1,
        POWER_MAX_KW,
        "准入容量下限（按资源类型）",
        "least capacity that is registered, by type of resource",
        scoped=True,
        source="市场注册规则",
    ),
    Setting(
        "resources.capacity_max_kw",
        1,
        POWER_MAX_KW,
        "登记容量上限（按资源类型，防录入错误）",
        "greatest capacity that is registered, by type of resource: guards against slips",
        scoped=True,
        source="市场注册规则",
    ),
)

_OWNER = Authority(
    kinds=TRADING_KINDS,
    role=Role.ADMIN,
    when_zh="资源类型与成员类别相符，字段齐全，容量在界内",
    when_en="the type fits the kind of member, facts are complete, capacity within bounds",
)


class RegisterResource(Message):
    """Register a power resource of the sender; it waits for the exchange's review. Fields as in :class:`Resource`."""

    authority: ClassVar[Authority] = _OWNER

    resource_type: ResourceType
    name_zh: str
    name_en: str
    capacity_kw: int
    voltage: Voltage
    parent_id: int = 0
    fuel: Fuel = Fuel.NONE
    technology: str = ""
    storage_kwh: int = 0
    river: str = ""
    regulation: Regulation = Regulation.NONE
    dispatch_level: DispatchLevel = DispatchLevel.NONE
    location: str = ""
    region_code: int = 0
    latitude_e6deg: int = 0
    longitude_e6deg: int = 0
    commissioning_day: int = 0
    tariff_class: TariffClass = TariffClass.NONE
    contract_demand_kw: int = 0

    def resource(self, owner_id: int) -> Resource:
        """The row that the message asks for."""
        facts = {name: getattr(self, name) for name in self.__struct_fields__ if name != "resource_type"}
        return Resource(owner_id=owner_id, state=ResourceState.SUBMITTED, type=self.resource_type, **facts)

    def check(self) -> None:
        """Refuse malformed facts and facts of another type."""
        check_resource(self.resource(0))


class ReviewResource(Message):
    """Decide on a registration, or on a change that waits. reason: required unless approved."""

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.EXCHANGE,),
        role=Role.REVIEWER,
        when_zh="资源待审核，或有变更待审核",
        when_en="the resource, or a change of it, waits for review",
    )

    resource_id: int
    decision: Decision
    reason: str = ""

    def check(self) -> None:
        """Refuse a missing reason."""
        fields.text("reason", self.reason, 200, 0 if self.decision is Decision.APPROVE else 1)


class ChangeResource(Message):
    """State anew what may change in a resource's life.

    A change of capacity_kw, storage_kwh, voltage, tariff_class or contract_demand_kw of an active resource waits for
    review, the old facts hold until then; other changes hold at once. Stating the present facts withdraws a change that
    waits.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=TRADING_KINDS,
        role=Role.ADMIN,
        when_zh="本方资源，未注销、未驳回",
        when_en="an own resource that is neither retired nor rejected",
    )

    resource_id: int
    name_zh: str
    name_en: str
    capacity_kw: int
    voltage: Voltage
    technology: str = ""
    storage_kwh: int = 0
    dispatch_level: DispatchLevel = DispatchLevel.NONE
    commissioning_day: int = 0
    tariff_class: TariffClass = TariffClass.NONE
    contract_demand_kw: int = 0

    def facts(self) -> dict[str, object]:
        """The stated fields by name, without the resource's id."""
        return {name: getattr(self, name) for name in self.__struct_fields__ if name != "resource_id"}


REVIEWED_FACTS = ("capacity_kw", "storage_kwh", "voltage", "tariff_class", "contract_demand_kw")
"""What money or market power depends on: its change is reviewed."""


class RetireResource(Message):
    """Take a resource out of the market for good, or withdraw its registration."""

    authority: ClassVar[Authority] = Authority(
        kinds=TRADING_KINDS,
        role=Role.ADMIN,
        when_zh="本方资源；电厂须先注销其机组",
        when_en="an own resource; a plant's units are retired first",
    )

    resource_id: int
    reason: str

    def check(self) -> None:
        """Refuse a missing reason."""
        fields.text("reason", self.reason, 200)


class ResourceRegistered(Event):
    """A resource was registered and waits for review."""

    step: ClassVar[str] = "registered"
    zh: ClassVar[str] = "电力资源已登记，待审核"
    en: ClassVar[str] = "resource registered, waiting for review"

    resource_id: int
    resource: Resource


class ResourceReviewed(Event):
    """A registration or a change was decided. resource: the facts that hold afterwards."""

    step: ClassVar[str] = "reviewed"
    zh: ClassVar[str] = "电力资源已审核"
    en: ClassVar[str] = "resource reviewed"

    resource_id: int
    decision: Decision
    reason: str
    resource: Resource


class ResourceChangeProposed(Event):
    """A change of an active resource waits for review. proposed: the facts that would hold."""

    step: ClassVar[str] = "change proposed"
    zh: ClassVar[str] = "电力资源变更待审核"
    en: ClassVar[str] = "change of a resource waits for review"

    resource_id: int
    proposed: Resource


class ResourceChanged(Event):
    """Facts of a resource were changed without a review, or before it; a change that waited is gone."""

    step: ClassVar[str] = "changed"
    zh: ClassVar[str] = "电力资源信息已变更"
    en: ClassVar[str] = "resource changed"

    resource_id: int
    resource: Resource


class ResourceRetired(Event):
    """A resource was taken out of the market."""

    step: ClassVar[str] = "retired"
    zh: ClassVar[str] = "电力资源已注销"
    en: ClassVar[str] = "resource retired"

    resource_id: int
    reason: str


class ResourceReply(Reply):
    """The number given to a registered resource."""

    resource_id: int


RESOURCE_UNKNOWN = Refusal(6001, "resource_unknown", "没有这个电力资源", "there is no such resource", 404)
RESOURCE_NOT_ACTIVE = Refusal(
    6002, "resource_not_active", "电力资源未生效", "the resource is not active", 409, retry=True
)
RESOURCE_NOT_OWNED = Refusal(
    6003, "resource_not_owned", "电力资源不属于本成员", "the resource is another member's", 403
)
STATE_DOES_NOT_ALLOW = Refusal(
    6004, "state_does_not_allow", "资源当前状态不允许此操作", "the state of the resource does not allow this", 409
)
PARENT_DOES_NOT_FIT = Refusal(
    6005, "parent_does_not_fit", "机组的上级须为本方在册电厂", "a unit's parent is a registered plant of the same owner"
)
UNITS_EXCEED_PLANT = Refusal(
    6006, "units_exceed_plant", "机组容量之和超过电厂容量", "the units together exceed the capacity of the plant"
)
PLANT_HAS_UNITS = Refusal(6007, "plant_has_units", "电厂名下仍有机组", "the plant still has units", 409)
NOTHING_CHANGES = Refusal(6008, "nothing_changes", "与现有信息相同，无变更", "the stated facts hold already", 409)
CAPACITY_OUT_OF_BOUNDS = Refusal(
    6009,
    "capacity_out_of_bounds",
    "容量超出该类资源的准入范围",
    "the capacity is out of bounds for this type of resource",
)

REFUSALS = (
    RESOURCE_UNKNOWN,
    RESOURCE_NOT_ACTIVE,
    RESOURCE_NOT_OWNED,
    STATE_DOES_NOT_ALLOW,
    PARENT_DOES_NOT_FIT,
    UNITS_EXCEED_PLANT,
    PLANT_HAS_UNITS,
    NOTHING_CHANGES,
    CAPACITY_OUT_OF_BOUNDS,
)
EVENTS = (ResourceRegistered, ResourceReviewed, ResourceChangeProposed, ResourceChanged, ResourceRetired)
REPLIES = (ResourceReply,)
