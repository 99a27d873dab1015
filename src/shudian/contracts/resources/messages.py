"""What may be said about power resources, what happened, and the refusals (《电力市场注册基本规则》; domain 2.2).

The facts of a resource stand in ``messages_facts``; ``__all__`` names them here too, so that one import serves.
"""

from enum import StrEnum
from typing import ClassVar

from shudian.contracts.resources.messages_facts import (
    OWNER_KINDS,
    POWER_MAX_KW,
    DispatchLevel,
    Fuel,
    Regulation,
    Resource,
    ResourceState,
    ResourceType,
    TariffClass,
    Voltage,
    check_resource,
)
from shudian.contracts.roles import TRADING_KINDS, Kind, Role
from shudian.kernel import fields
from shudian.kernel.messages import Authority, Event, Message, Setting
from shudian.kernel.outcomes import Refusal, Reply

__all__ = [
    "OWNER_KINDS",
    "DispatchLevel",
    "Fuel",
    "Regulation",
    "Resource",
    "ResourceState",
    "ResourceType",
    "TariffClass",
    "Voltage",
    "check_resource",
]


class Decision(StrEnum):
    """What a reviewer may decide."""

    APPROVE = "approve"
    RETURN = "return"
    REJECT = "reject"


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

REFUSALS: tuple[Refusal, ...] = (
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
EVENTS: tuple[type[Event], ...] = (
    ResourceRegistered,
    ResourceReviewed,
    ResourceChangeProposed,
    ResourceChanged,
    ResourceRetired,
)
REPLIES: tuple[type[Reply], ...] = (ResourceReply,)
MESSAGES: tuple[type[Message], ...] = (RegisterResource, ReviewResource, ChangeResource, RetireResource)
