"""What is told about power resources: a public register, and the terms that its owner, the grid company and oversight see."""

from typing import Any

from shudian.contracts.resources.messages import (
    Resource,
    ResourceChanged,
    ResourceChangeProposed,
    ResourceRegistered,
    ResourceRetired,
    ResourceReviewed,
    ResourceState,
)
from shudian.contracts.roles import OVERSIGHT, Kind
from shudian.kernel import fields
from shudian.reading.reader import LIMIT_MAX_COUNT, Reader, Viewer
from shudian.reading.tables import PUBLIC, At, ReadTable, Row, Views, integer, parties, text
from shudian.reading.writer import Writer

RESOURCES = ReadTable(
    "resources_register",
    (
        integer("resource_id", "资源编号", "resource"),
        integer("owner_id", "所有者", "owner"),
        text("state", "状态", "state"),
        text("type", "类型", "type"),
        integer("parent_id", "所属电厂", "plant"),
        text("name_zh", "名称", "name in Chinese"),
        text("name_en", "英文名称", "name in English"),
        text("fuel", "能源", "fuel"),
        text("technology", "技术", "technology"),
        integer("capacity_kw", "容量（kW）", "capacity (kW)"),
        integer("storage_kwh", "储能容量（kWh）", "storage (kWh)"),
        text("voltage", "电压等级", "voltage"),
        text("river", "河流", "river"),
        text("regulation", "调节性能", "regulation"),
        text("dispatch_level", "调度层级", "dispatch level"),
        text("location", "地点", "location"),
        integer("region_code", "行政区划", "region"),
        integer("latitude_e6deg", "纬度（百万分之一度）", "latitude (1e-6 degree)"),
        integer("longitude_e6deg", "经度（百万分之一度）", "longitude (1e-6 degree)"),
        integer("commissioning_day", "投产日", "commissioned"),
        text("words", "检索词", "words to search"),
    ),
    ("resource_id",),
    PUBLIC,
    (("type", "fuel"), ("owner_id",)),
)

TERMS = ReadTable(
    "resources_terms",
    (
        integer("resource_id", "资源编号", "resource"),
        integer("owner_id", "所有者", "owner"),
        text("tariff_class", "用电分类", "tariff class"),
        integer("contract_demand_kw", "合同需量（kW）", "contract demand (kW)"),
        integer("proposed_capacity_kw", "拟变更容量（kW）", "proposed capacity (kW)"),
        integer("proposed_storage_kwh", "拟变更储能容量（kWh）", "proposed storage (kWh)"),
        text("proposed_voltage", "拟变更电压等级", "proposed voltage"),
        text("proposed_tariff_class", "拟变更用电分类", "proposed tariff class"),
        integer("proposed_contract_demand_kw", "拟变更合同需量（kW）", "proposed contract demand (kW)"),
        text("last_reason", "最近意见", "last reason"),
    ),
    ("resource_id",),
    parties("owner_id", also=(*OVERSIGHT, Kind.GRID_COMPANY)),
)

_COPIED = tuple(column.name for column in RESOURCES.columns if column.name not in ("resource_id", "words"))
_PROPOSED = tuple(column.name for column in TERMS.columns if column.name.startswith("proposed_"))
_NOTHING_PROPOSED = dict.fromkeys(_PROPOSED)

SORTS = {
    "id": "resource_id",
    "name": "name_zh, resource_id",
    "capacity": "capacity_kw, resource_id",
    "-capacity": "capacity_kw DESC, resource_id",
    "commissioning": "commissioning_day, resource_id",
}


def _columns(resource: Resource) -> dict[str, Any]:
    words = (resource.name_zh, resource.name_en, resource.river, resource.location, resource.technology)
    return {**{name: getattr(resource, name) for name in _COPIED}, "words": " ".join(words).lower()}


def _terms(resource: Resource) -> dict[str, Any]:
    return {"tariff_class": resource.tariff_class, "contract_demand_kw": resource.contract_demand_kw}


def resource_registered(db: Writer, event: ResourceRegistered, _at: At) -> None:
    """Add the resource to the register."""
    resource = event.resource
    db.insert(RESOURCES, resource_id=event.resource_id, **_columns(resource))
    db.insert(
        TERMS,
        resource_id=event.resource_id,
        owner_id=resource.owner_id,
        **_terms(resource),
        **_NOTHING_PROPOSED,
        last_reason="",
    )


def _settle(db: Writer, resource_id: int, resource: Resource, **more: str) -> None:
    """Show the facts that hold; no change waits any more."""
    where = {"resource_id": resource_id}
    db.update(RESOURCES, where, **_columns(resource))
    db.update(TERMS, where, **_terms(resource), **_NOTHING_PROPOSED, **more)


def resource_reviewed(db: Writer, event: ResourceReviewed, _at: At) -> None:
    """Show the facts that hold after the review, and the reviewer's reason."""
    _settle(db, event.resource_id, event.resource, last_reason=event.reason)


def resource_changed(db: Writer, event: ResourceChanged, _at: At) -> None:
    """Show the changed facts."""
    _settle(db, event.resource_id, event.resource)


def resource_change_proposed(db: Writer, event: ResourceChangeProposed, _at: At) -> None:
    """Show what waits for review beside what holds."""
    proposed = {name: getattr(event.proposed, name.removeprefix("proposed_")) for name in _PROPOSED}
    db.update(TERMS, {"resource_id": event.resource_id}, **proposed)


def resource_retired(db: Writer, event: ResourceRetired, _at: At) -> None:
    """Mark the resource as retired."""
    where = {"resource_id": event.resource_id}
    db.update(RESOURCES, where, state=ResourceState.RETIRED)
    db.update(TERMS, where, **_NOTHING_PROPOSED, last_reason=event.reason)


def browse(
    reader: Reader,
    viewer: Viewer,
    *,
    type: str | None = None,  # noqa: A002 - the name of the column
    fuel: str | None = None,
    river: str | None = None,
    region_code: int | None = None,
    owner_id: int | None = None,
    parent_id: int | None = None,
    min_kw: int | None = None,
    max_kw: int | None = None,
    words: str | None = None,
    state: str | None = ResourceState.ACTIVE,
    sort: str = "-capacity",
    limit: int = 500,
) -> list[Row]:
    """Resources of the public register.

    min_kw, max_kw: bounds of capacity, both included. words: part of a name, river, place or technology in either
    language. state: active unless asked otherwise, None for all. sort: id, name, capacity, -capacity (largest first),
    commissioning. Refuses: 1011 for another sort.
    """
    fields.one_of("sort", sort, tuple(SORTS))
    where = {
        "type": type,
        "fuel": fuel,
        "river": river,
        "region_code": region_code,
        "owner_id": owner_id,
        "parent_id": parent_id,
        "capacity_kw": None if min_kw is None else (">=", min_kw),
        "words": ("LIKE", f"%{words.lower()}%") if words else None,
        "state": state,
    }
    rows = reader.select(viewer, RESOURCES, where, order_by=SORTS[sort], limit=LIMIT_MAX_COUNT)
    # one column takes one condition in the database, so the upper bound is tested here, before the limit
    return [row for row in rows if max_kw is None or row["capacity_kw"] <= max_kw][:limit]


def terms(reader: Reader, viewer: Viewer, *, resource_id: int | None = None, owner_id: int | None = None) -> list[Row]:
    """Tariff class, contract demand and waiting changes of the resources whose terms the viewer may see."""
    return reader.select(viewer, TERMS, {"resource_id": resource_id, "owner_id": owner_id})


def fleet(reader: Reader, viewer: Viewer) -> list[Row]:
    """How many active resources there are, and their capacity in kW, by type and fuel."""
    columns = ("type", "fuel", "COUNT(*) AS resource_count", "SUM(capacity_kw) AS capacity_kw")
    where = {"state": ResourceState.ACTIVE}
    return reader.select(viewer, RESOURCES, where, columns=columns, group_by="type, fuel", order_by="type, fuel")


VIEWS = Views(
    "resources",
    (RESOURCES, TERMS),
    {
        ResourceRegistered: resource_registered,
        ResourceReviewed: resource_reviewed,
        ResourceChangeProposed: resource_change_proposed,
        ResourceChanged: resource_changed,
        ResourceRetired: resource_retired,
    },
    (browse, terms, fleet),
)
