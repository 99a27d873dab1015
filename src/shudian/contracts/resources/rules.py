"""What is decided about power resources, and the verbs by which the contracts above look them up."""

from typing import Final

import msgspec

from shudian.contracts.governance import rules as governance
from shudian.contracts.identity import rules as identity
from shudian.contracts.resources.messages import (
    CAPACITY_OUT_OF_BOUNDS,
    EVENTS,
    NOTHING_CHANGES,
    OWNER_KINDS,
    PARENT_DOES_NOT_FIT,
    PLANT_HAS_UNITS,
    REFUSALS,
    REPLIES,
    RESOURCE_NOT_ACTIVE,
    RESOURCE_NOT_OWNED,
    RESOURCE_UNKNOWN,
    REVIEWED_FACTS,
    SETTINGS,
    STATE_DOES_NOT_ALLOW,
    UNITS_EXCEED_PLANT,
    ChangeResource,
    Decision,
    RegisterResource,
    Resource,
    ResourceChanged,
    ResourceChangeProposed,
    ResourceRegistered,
    ResourceReply,
    ResourceRetired,
    ResourceReviewed,
    ResourceState,
    ResourceType,
    RetireResource,
    ReviewResource,
    check_resource,
)
from shudian.contracts.resources.state import (
    CAPABILITIES,
    CHANGES,
    GONE,
    INVARIANTS,
    RESOURCES,
    TABLES,
    Capability,
    Change,
    capability_of,
    units_kw,
)
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext, Context, Contract
from shudian.kernel.outcomes import both
from shudian.kernel.tables import HasStore, next_id, number_in

CAPACITY_MIN: Final = "resources.capacity_min_kw"
CAPACITY_MAX: Final = "resources.capacity_max_kw"

_STATE_AFTER: Final = {
    Decision.APPROVE: ResourceState.ACTIVE,
    Decision.RETURN: ResourceState.RETURNED,
    Decision.REJECT: ResourceState.REJECTED,
}


def resource(at: HasStore, resource_id: int) -> Resource:
    """A resource in whatever state. Refuses: 6001."""
    row = RESOURCES.get(at, resource_id)
    if row is None:
        raise RESOURCE_UNKNOWN("resource_id", resource_id)
    return row


def require_resource(at: HasStore, resource_id: int) -> Resource:
    """A resource that takes part in the market. Refuses: 6001, 6002."""
    row = resource(at, resource_id)
    if row.state is not ResourceState.ACTIVE:
        raise RESOURCE_NOT_ACTIVE("resource_id", resource_id, ResourceState.ACTIVE)
    return row


def resources_of(at: HasStore, owner_id: int) -> list[tuple[int, Resource]]:
    """(resource_id, resource) of an owner, in whatever state, by id."""
    return [(number_in(key), row) for key, row in RESOURCES.find(at, "by_owner", owner_id)]


def units_of(at: HasStore, plant_id: int) -> list[tuple[int, Resource]]:
    """(resource_id, unit) of a plant, in whatever state, by id."""
    return [(number_in(key), row) for key, row in RESOURCES.find(at, "by_parent", plant_id)]


def capability_kw(at: HasStore, owner_id: int) -> tuple[int, int]:
    """What the owner's active resources can generate and consume, in kW.

    Plants and storage generate, loads and storage consume. A unit is part of its plant and is not counted again.
    """
    row = CAPABILITIES.get(at, owner_id)
    return (0, 0) if row is None else (row.generate_kw, row.consume_kw)


def register_resource(ctx: Context, message: RegisterResource) -> ResourceReply:
    """Take in a resource for review. Refuses: 3004, 6005, 6006, 6009. Emits: ResourceRegistered."""
    identity.require_kind(ctx, ctx.sender_id, OWNER_KINDS[message.resource_type])
    wanted = message.resource(ctx.sender_id)
    _check_capacity(ctx, wanted)
    _check_family(ctx, 0, wanted)
    # no refusal below this line
    resource_id = next_id(ctx, "resources.resource")
    _write(ctx, resource_id, wanted)
    ctx.emit(
        ResourceRegistered(deed=_deed(resource_id), parties=(ctx.sender_id,), resource_id=resource_id, resource=wanted)
    )
    return ResourceReply(resource_id)


def _check_capacity(ctx: BlockContext, wanted: Resource) -> None:
    today = clock.day_of(ctx.market_ms)
    low = governance.setting(ctx, CAPACITY_MIN, today, wanted.type)
    high = governance.setting(ctx, CAPACITY_MAX, today, wanted.type)
    if not low <= wanted.capacity_kw <= high:
        raise CAPACITY_OUT_OF_BOUNDS("capacity_kw", wanted.capacity_kw, f"{low}..{high}")


def _check_family(ctx: BlockContext, resource_id: int, wanted: Resource) -> None:
    """A unit belongs to a plant of its owner, and units together do not exceed their plant."""
    if wanted.type is ResourceType.PLANT:
        least_kw = units_kw(ctx, resource_id)
        if wanted.capacity_kw < least_kw:
            raise UNITS_EXCEED_PLANT("capacity_kw", wanted.capacity_kw, f">= {least_kw}")
    if wanted.type is ResourceType.UNIT:
        plant = RESOURCES.get(ctx, wanted.parent_id)
        if (
            plant is None
            or plant.owner_id != wanted.owner_id
            or plant.type is not ResourceType.PLANT
            or plant.state in GONE
        ):
            raise PARENT_DOES_NOT_FIT("parent_id", wanted.parent_id)
        most_kw = plant.capacity_kw - units_kw(ctx, wanted.parent_id, except_id=resource_id)
        if wanted.capacity_kw > most_kw:
            raise UNITS_EXCEED_PLANT("capacity_kw", wanted.capacity_kw, f"<= {most_kw}")


def review_resource(ctx: Context, message: ReviewResource) -> None:
    """Decide on a registration or a waiting change. Refuses: 6001, 6002, 6004-6006. Emits: ResourceReviewed."""
    row = resource(ctx, message.resource_id)
    change = CHANGES.get(ctx, message.resource_id)
    if row.state is not ResourceState.SUBMITTED and change is None:
        raise STATE_DOES_NOT_ALLOW("state", row.state, ResourceState.SUBMITTED)
    decided = msgspec.structs.replace(row, state=_STATE_AFTER[message.decision])
    if change is not None:
        decided = change.proposed if message.decision is Decision.APPROVE else row
    if message.decision is Decision.APPROVE:
        _check_family(ctx, message.resource_id, decided)
        if decided.type is ResourceType.UNIT:
            require_resource(ctx, decided.parent_id)
    # no refusal below this line
    if change is not None:
        CHANGES.delete(ctx, message.resource_id)
    _write(ctx, message.resource_id, decided)
    ctx.emit(
        ResourceReviewed(
            deed=_deed(message.resource_id),
            parties=(row.owner_id,),
            resource_id=message.resource_id,
            decision=message.decision,
            reason=message.reason,
            resource=decided,
        )
    )


def change_resource(ctx: Context, message: ChangeResource) -> None:
    """Change facts, at once or after review. Refuses: 1011, 6001, 6003, 6004-6006, 6008, 6009.

    Emits: ResourceChangeProposed if the change waits, else ResourceChanged.
    """
    row = _own(ctx, message.resource_id)
    wanted = msgspec.structs.replace(row, **message.facts())
    check_resource(wanted)
    waiting = CHANGES.get(ctx, message.resource_id)
    if wanted == (row if waiting is None else waiting.proposed) and row.state is not ResourceState.RETURNED:
        raise NOTHING_CHANGES("resource_id", message.resource_id)
    if wanted.capacity_kw != row.capacity_kw:
        _check_capacity(ctx, wanted)
    _check_family(ctx, message.resource_id, wanted)
    # no refusal below this line
    deed, parties = _deed(message.resource_id), (row.owner_id,)
    is_active = row.state is ResourceState.ACTIVE
    if is_active and any(getattr(wanted, name) != getattr(row, name) for name in REVIEWED_FACTS):
        CHANGES.put(ctx, (message.resource_id,), Change(wanted, ctx.market_ms))
        ctx.emit(ResourceChangeProposed(deed=deed, parties=parties, resource_id=message.resource_id, proposed=wanted))
        return
    if waiting is not None:
        CHANGES.delete(ctx, message.resource_id)
    if not is_active:
        wanted = msgspec.structs.replace(wanted, state=ResourceState.SUBMITTED)
    _write(ctx, message.resource_id, wanted)
    ctx.emit(ResourceChanged(deed=deed, parties=parties, resource_id=message.resource_id, resource=wanted))


def retire_resource(ctx: Context, message: RetireResource) -> None:
    """Take a resource out for good. Refuses: 6001, 6003, 6004, 6007. Emits: ResourceRetired."""
    row = _own(ctx, message.resource_id)
    units = sum(unit.state not in GONE for _, unit in units_of(ctx, message.resource_id))
    if units:
        raise PLANT_HAS_UNITS(
            "resource_id", message.resource_id, both(f"先退役其 {units} 台机组", f"retire its {units} units first")
        )
    # no refusal below this line
    if CHANGES.get(ctx, message.resource_id) is not None:
        CHANGES.delete(ctx, message.resource_id)
    _write(ctx, message.resource_id, msgspec.structs.replace(row, state=ResourceState.RETIRED))
    ctx.emit(
        ResourceRetired(
            deed=_deed(message.resource_id),
            parties=(row.owner_id,),
            resource_id=message.resource_id,
            reason=message.reason,
        )
    )


def _own(ctx: Context, resource_id: int) -> Resource:
    row = resource(ctx, resource_id)
    if row.owner_id != ctx.sender_id:
        raise RESOURCE_NOT_OWNED("resource_id", resource_id)
    if row.state in GONE:
        raise STATE_DOES_NOT_ALLOW("state", row.state, "submitted | returned | active")
    return row


def _write(ctx: BlockContext, resource_id: int, row: Resource) -> None:
    """Put a resource and move its owner's capability by the difference."""
    before_generate_kw, before_consume_kw = capability_of(RESOURCES.get(ctx, resource_id))
    after_generate_kw, after_consume_kw = capability_of(row)
    RESOURCES.put(ctx, (resource_id,), row)
    generate_kw, consume_kw = capability_kw(ctx, row.owner_id)
    generate_kw += after_generate_kw - before_generate_kw
    consume_kw += after_consume_kw - before_consume_kw
    CAPABILITIES.put(ctx, (row.owner_id,), Capability(generate_kw, consume_kw))


def _deed(resource_id: int) -> str:
    return f"resource:{resource_id}"


CONTRACT = Contract(
    name="resources",
    number=6,
    tables=TABLES,
    handlers={
        RegisterResource: register_resource,
        ReviewResource: review_resource,
        ChangeResource: change_resource,
        RetireResource: retire_resource,
    },
    events=EVENTS,
    refusals=REFUSALS,
    replies=REPLIES,
    invariants=INVARIANTS,
    settings=SETTINGS,
)
