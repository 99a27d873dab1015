"""What a power resource is: its facts, and which of them belong to which type (domain 1.4, 1.6, 2.2)."""

from enum import StrEnum

from shudian.contracts.roles import TRADING_KINDS, Kind
from shudian.kernel import fields
from shudian.kernel.codec import Record
from shudian.kernel.outcomes import FIELD_NOT_ALLOWED, both

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
    _given_exactly_for("parent_id", wanted.parent_id > 0, is_unit, ResourceType.UNIT)
    _given_exactly_for(
        "fuel", wanted.fuel is not Fuel.NONE, wanted.type in GENERATING, ResourceType.PLANT, ResourceType.UNIT
    )
    _given_exactly_for("storage_kwh", wanted.storage_kwh > 0, wanted.type is ResourceType.STORAGE, ResourceType.STORAGE)
    _given_exactly_for("river", bool(wanted.river), is_hydro, Fuel.HYDRO)
    _given_exactly_for("regulation", wanted.regulation is not Regulation.NONE, is_hydro, Fuel.HYDRO)
    _given_exactly_for("tariff_class", wanted.tariff_class is not TariffClass.NONE, is_load, ResourceType.LOAD)
    if is_load and wanted.dispatch_level is not DispatchLevel.NONE:
        raise FIELD_NOT_ALLOWED("dispatch_level", wanted.dispatch_level, both("用电资源留空", "empty for loads"))
    if wanted.contract_demand_kw and not is_load:
        raise FIELD_NOT_ALLOWED(
            "contract_demand_kw", wanted.contract_demand_kw, both("仅用电资源可不为 0", "0 but for loads")
        )
    if two_part and not wanted.contract_demand_kw:
        raise FIELD_NOT_ALLOWED("contract_demand_kw", 0, both("两部制下 > 0", "> 0 under the two-part tariff"))
    if two_part and wanted.voltage is Voltage.LT1KV:
        raise FIELD_NOT_ALLOWED(
            "voltage", wanted.voltage, both("两部制下 1 千伏及以上", "1 kV and above under the two-part tariff")
        )


def _given_exactly_for(name: str, given: bool, wanted: bool, *whom: ResourceType | Fuel) -> None:
    if given != wanted:
        codes = " | ".join(whom)
        raise FIELD_NOT_ALLOWED(
            name,
            both("已填", "given") if given else both("未填", "empty"),
            both(f"只有 {codes} 必填，其余留空", f"given for {codes}, for them alone"),
        )
