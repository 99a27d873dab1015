"""What resources remember: each resource, changes that wait for review, and what each owner can generate and consume."""

from shudian.contracts.resources.messages import Resource, ResourceState, ResourceType
from shudian.kernel.codec import Record
from shudian.kernel.contract import BlockContext, RowInvariant, StateInvariant
from shudian.kernel.tables import Key, Table, number_in


class Change(Record):
    """A change of an active resource that waits for review. proposed: the facts that would hold. proposed_ms: since when."""

    proposed: Resource
    proposed_ms: int


class Capability(Record):
    """What the active resources of an owner can do, kept up to date because every order asks for it.

    generate_kw: plants and storage. consume_kw: loads and storage. Units are parts of their plant and add nothing.
    """

    generate_kw: int
    consume_kw: int


def _by_owner(_key: Key, row: Resource) -> Key:
    return (row.owner_id,)


def _by_parent(_key: Key, row: Resource) -> Key | None:
    return (row.parent_id,) if row.parent_id else None


RESOURCES = Table("resources.resources", Resource, ("resource_id",), {"by_owner": _by_owner, "by_parent": _by_parent})
CHANGES = Table("resources.changes", Change, ("resource_id",))
CAPABILITIES = Table("resources.capabilities", Capability, ("owner_id",))

TABLES = (RESOURCES, CHANGES, CAPABILITIES)

GONE = (ResourceState.REJECTED, ResourceState.RETIRED)
"""States that a resource never leaves."""


def capability_of(row: Resource | None) -> tuple[int, int]:
    """(generate_kw, consume_kw) that one resource adds to its owner's capability."""
    if row is None or row.state is not ResourceState.ACTIVE:
        return 0, 0
    generates = row.type in (ResourceType.PLANT, ResourceType.STORAGE)
    consumes = row.type in (ResourceType.LOAD, ResourceType.STORAGE)
    return row.capacity_kw * generates, row.capacity_kw * consumes


def _has_parent_exactly_if_unit(_key: Key, row: Resource) -> bool:
    return (row.parent_id > 0) == (row.type is ResourceType.UNIT)


def _capabilities_are_sums(ctx: BlockContext) -> bool:
    sums: dict[int, tuple[int, int]] = {}
    for _, row in RESOURCES.range(ctx):
        generate_kw, consume_kw = sums.get(row.owner_id, (0, 0))
        more_generate_kw, more_consume_kw = capability_of(row)
        sums[row.owner_id] = (generate_kw + more_generate_kw, consume_kw + more_consume_kw)
    kept = {key[0]: (row.generate_kw, row.consume_kw) for key, row in CAPABILITIES.range(ctx)}
    return all(kept.get(owner_id, (0, 0)) == total for owner_id, total in sums.items()) and len(kept) <= len(sums)


def _units_fit_their_plants(ctx: BlockContext) -> bool:
    return all(
        units_kw(ctx, number_in(key)) <= row.capacity_kw
        for key, row in RESOURCES.range(ctx)
        if row.type is ResourceType.PLANT
    )


def units_kw(ctx: BlockContext, plant_id: int, except_id: int = 0) -> int:
    """Capacity of a plant's units that are neither rejected nor retired, but for ``except_id``."""
    units = RESOURCES.find(ctx, "by_parent", plant_id)
    return sum(row.capacity_kw for key, row in units if key[0] != except_id and row.state not in GONE)


INVARIANTS = (
    RowInvariant("a resource has a parent exactly if it is a unit", RESOURCES, _has_parent_exactly_if_unit),
    StateInvariant("capabilities are the sums of active resources", _capabilities_are_sums),
    StateInvariant("the units of a plant do not exceed it", _units_fit_their_plants),
)
