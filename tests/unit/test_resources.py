"""Resources: registration, review, change, retirement; what an owner can generate and consume; who sees what."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from shudian.contracts.governance import rules as governance
from shudian.contracts.identity import rules as identity
from shudian.contracts.resources import rules, state
from shudian.contracts.resources.messages import (
    REFUSALS,
    ChangeResource,
    Decision,
    DispatchLevel,
    Fuel,
    RegisterResource,
    Regulation,
    Resource,
    ResourceState,
    ResourceType,
    RetireResource,
    ReviewResource,
    TariffClass,
    Voltage,
)
from shudian.contracts.resources.views import VIEWS, browse, fleet, terms
from shudian.contracts.roles import OVERSIGHT, Kind
from shudian.kernel import check
from shudian.kernel.contract import Contract
from shudian.kernel.outcomes import Refused
from shudian.node.genesis import default_settings
from shudian.reading.projector import Projector
from shudian.reading.reader import THE_PUBLIC, Viewer
from tests.support.ledger import Ledger, key_of

EXCHANGE, GRID, GENERATOR, USER, RIVAL = 1, 2, 3, 4, 5
KINDS = (Kind.EXCHANGE, Kind.GRID_COMPANY, Kind.GENERATOR, Kind.USER, Kind.GENERATOR)

PLANT = RegisterResource(
    ResourceType.PLANT,
    "二滩水电站",
    "Ertan",
    3_300_000,
    Voltage.KV220,
    fuel=Fuel.HYDRO,
    river="Yalong",
    regulation=Regulation.SEASONAL,
    dispatch_level=DispatchLevel.PROVINCIAL,
    location="攀枝花",
    region_code=510400,
    latitude_e6deg=26_820_000,
    longitude_e6deg=101_780_000,
)
WIND = RegisterResource(ResourceType.PLANT, "风电场", "Wind farm", 200_000, Voltage.KV220, fuel=Fuel.WIND)
LOAD = RegisterResource(
    ResourceType.LOAD,
    "电解铝",
    "Smelter",
    90_000,
    Voltage.KV110,
    tariff_class=TariffClass.TWO_PART,
    contract_demand_kw=85_000,
)
STORAGE = RegisterResource(
    ResourceType.STORAGE, "储能站", "Battery", 100_000, Voltage.KV110, technology="LFP", storage_kwh=200_000
)


def unit_of(plant_id: int, capacity_kw: int = 550_000) -> RegisterResource:
    return RegisterResource(
        ResourceType.UNIT,
        "1号机",
        "Unit 1",
        capacity_kw,
        Voltage.KV220,
        parent_id=plant_id,
        fuel=Fuel.HYDRO,
        river="Yalong",
        regulation=Regulation.SEASONAL,
    )


def but(message: RegisterResource, **facts: Any) -> RegisterResource:
    return msgspec.structs.replace(message, **facts)


def change(resource_id: int, of: RegisterResource, **facts: Any) -> ChangeResource:
    """A change message that states the facts of a registration anew, but for ``facts``."""
    names = [name for name in ChangeResource.__struct_fields__ if name != "resource_id"]
    return ChangeResource(resource_id, **({name: getattr(of, name) for name in names} | facts))


def approve(resource_id: int) -> ReviewResource:
    return ReviewResource(resource_id, Decision.APPROVE)


def member(place: int, kind: Kind) -> dict[str, Any]:
    stem = f"91510000MA{place:07d}"
    person = {"public_key": key_of(f"member {place}").public_key.hex(), "roles": ["admin"]}
    code = stem + uscc.calc_check_digit(stem)
    return {"kind": kind, "name_zh": f"成员{place}", "name_en": f"Member {place}", "uscc": code, "persons": [person]}


def market(*contracts: Contract, kinds: tuple[Kind, ...] = KINDS) -> Ledger:
    """A ledger of the contracts up to the last of ``contracts``, with one member per kind and the settings that ship."""
    all_contracts = (governance.CONTRACT, identity.CONTRACT, *contracts)
    names = {contract.name for contract in all_contracts}
    settings = [entry for entry in default_settings() if entry["name"].partition(".")[0] in names]
    members = [member(place, kind) for place, kind in enumerate(kinds, 1)]
    return Ledger(all_contracts, {"governance": {"settings": settings}, "identity": {"members": members}})


def ledger() -> Ledger:
    return market(rules.CONTRACT)


def register(book: Ledger, owner_id: int, *messages: RegisterResource) -> list[int]:
    """Register and approve; returns the ids."""
    ids = [book.done(owner_id, message).resource_id for message in messages]
    for resource_id in ids:
        book.done(EXCHANGE, approve(resource_id))
    return ids


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (but(PLANT, name_zh=""), "name_zh"),
        (but(PLANT, capacity_kw=0), "capacity_kw"),
        (but(PLANT, fuel=Fuel.NONE), "fuel"),
        (but(PLANT, river=""), "river"),
        (but(PLANT, regulation=Regulation.NONE), "regulation"),
        (but(PLANT, parent_id=1), "parent_id"),
        (but(PLANT, storage_kwh=1), "storage_kwh"),
        (but(PLANT, tariff_class=TariffClass.SINGLE_RATE), "tariff_class"),
        (but(PLANT, contract_demand_kw=1), "contract_demand_kw"),
        (but(PLANT, commissioning_day=20260230), "commissioning_day"),
        (but(PLANT, latitude_e6deg=90_000_001), "latitude_e6deg"),
        (but(PLANT, region_code=-1), "region_code"),
        (but(WIND, river="Yalong"), "river"),
        (but(WIND, regulation=Regulation.DAILY), "regulation"),
        (but(LOAD, fuel=Fuel.COAL), "fuel"),
        (but(LOAD, tariff_class=TariffClass.NONE), "tariff_class"),
        (but(LOAD, contract_demand_kw=0), "contract_demand_kw"),
        (but(LOAD, voltage=Voltage.LT1KV), "voltage"),
        (but(LOAD, dispatch_level=DispatchLevel.LOCAL), "dispatch_level"),
        (but(STORAGE, storage_kwh=0), "storage_kwh"),
        (but(unit_of(1), parent_id=0), "parent_id"),
    ],
)
def test_facts_that_do_not_fit_the_type_are_refused(message: RegisterResource, field: str) -> None:
    outcome = ledger().say(GENERATOR, message)
    assert (outcome.number, outcome.field) == (1011, field)


@pytest.mark.parametrize("message", [PLANT, WIND, LOAD, STORAGE, but(LOAD, tariff_class=TariffClass.SINGLE_RATE)])
def test_a_registration_waits_and_becomes_active(message: RegisterResource) -> None:
    book = ledger()
    owner_id = USER if message.resource_type is ResourceType.LOAD else GENERATOR
    resource_id = book.done(owner_id, message).resource_id
    assert rules.resource(book.store, resource_id) == message.resource(owner_id)
    with pytest.raises(Refused) as caught:
        rules.require_resource(book.store, resource_id)
    assert caught.value.refusal.number == 6002
    book.done(EXCHANGE, approve(resource_id))
    assert rules.require_resource(book.store, resource_id).state is ResourceState.ACTIVE


def refusals() -> list[tuple[str, int, Any, int]]:
    """Resource 1: plant with unit 2 (550 MW). 3: submitted plant. 4: rejected. 5: retired. 6: load. 7: plant of a rival.

    8: unit of 3, submitted. 9: plant of 100 MW."""
    return [
        ("a user has no plant", USER, PLANT, 3004),
        ("a generator has no load", GENERATOR, LOAD, 3004),
        ("the exchange has no storage", EXCHANGE, STORAGE, 3004),
        ("unknown to review", EXCHANGE, approve(99), 6001),
        ("unknown to change", GENERATOR, change(99, PLANT), 6001),
        ("unknown to retire", GENERATOR, RetireResource(99, "sold"), 6001),
        ("a unit of a plant that is not active yet", EXCHANGE, approve(8), 6002),
        ("another's to change", RIVAL, change(1, PLANT), 6003),
        ("another's to retire", RIVAL, RetireResource(1, "sold"), 6003),
        ("nothing waits for review", EXCHANGE, approve(1), 6004),
        ("rejected for good", EXCHANGE, approve(4), 6004),
        ("rejected cannot change", GENERATOR, change(4, PLANT), 6004),
        ("retired cannot change", GENERATOR, change(5, WIND), 6004),
        ("retired cannot retire", GENERATOR, RetireResource(5, "again"), 6004),
        ("a unit of no plant", GENERATOR, unit_of(99), 6005),
        ("a unit of a unit", GENERATOR, unit_of(2), 6005),
        ("a unit of a rival's plant", GENERATOR, unit_of(7), 6005),
        ("a unit of a retired plant", GENERATOR, unit_of(5), 6005),
        ("a unit larger than what the plant has left", GENERATOR, unit_of(9, 200_000), 6006),
        ("a plant smaller than its units", GENERATOR, change(1, PLANT, capacity_kw=549_999), 6006),
        ("a plant with units", GENERATOR, RetireResource(1, "sold"), 6007),
        ("the same facts", GENERATOR, change(1, PLANT), 6008),
        ("too small", GENERATOR, but(PLANT, capacity_kw=99), 6009),
        ("too small for storage", GENERATOR, but(STORAGE, capacity_kw=999), 6009),
        ("too large for a unit", GENERATOR, unit_of(1, 2_000_001), 6009),
        ("too large", GENERATOR, change(1, PLANT, capacity_kw=20_000_001), 6009),
        ("facts of another type", GENERATOR, change(1, PLANT, storage_kwh=5), 1011),
        ("no reason to return", EXCHANGE, ReviewResource(3, Decision.RETURN), 1011),
        ("no reason to retire", GENERATOR, RetireResource(3, ""), 1011),
    ]


def busy_ledger() -> Ledger:
    book = ledger()
    register(book, GENERATOR, PLANT, unit_of(1))
    for message in (PLANT, PLANT, WIND):
        book.done(GENERATOR, message)
    book.done(EXCHANGE, ReviewResource(4, Decision.REJECT, "a duplicate"))
    book.done(GENERATOR, RetireResource(5, "withdrawn"))
    register(book, USER, LOAD)
    register(book, RIVAL, WIND)
    book.done(GENERATOR, unit_of(3))
    book.done(GENERATOR, but(WIND, capacity_kw=100_000))
    return book


@pytest.mark.parametrize(("why", "sender_id", "message", "number"), refusals())
def test_rules_refuse(why: str, sender_id: int, message: Any, number: int) -> None:
    book = busy_ledger()
    outcome = book.say(sender_id, message)
    assert outcome.number == number, (why, outcome)
    book.machine.check_all()


def test_units_fill_their_plant_and_no_more() -> None:
    book = ledger()
    register(book, GENERATOR, but(PLANT, capacity_kw=1_000_000), unit_of(1), unit_of(1, 450_000))
    assert book.refused(GENERATOR, unit_of(1, 100)) == 6006
    assert book.refused(GENERATOR, change(2, unit_of(1), capacity_kw=550_001)) == 6006
    assert [unit_id for unit_id, _ in rules.units_of(book.store, 1)] == [2, 3]
    book.done(GENERATOR, RetireResource(3, "dismantled"))
    book.done(GENERATOR, unit_of(1, 100))


def test_a_change_that_no_longer_fits_is_refused_at_review() -> None:
    book = ledger()
    register(book, GENERATOR, but(PLANT, capacity_kw=1_000_000), unit_of(1))
    book.done(GENERATOR, change(1, PLANT, capacity_kw=550_000))
    book.done(GENERATOR, unit_of(1, 400_000))
    assert book.refused(EXCHANGE, approve(1)) == 6006
    book.done(EXCHANGE, ReviewResource(1, Decision.RETURN, "units grew"))
    assert rules.require_resource(book.store, 1).capacity_kw == 1_000_000


def test_every_refusal_is_tested() -> None:
    tested = {number for _, _, _, number in refusals()}
    assert {refusal.number for refusal in REFUSALS} <= tested


def test_capability_counts_active_resources_and_no_unit_twice() -> None:
    book = ledger()
    register(book, GENERATOR, PLANT, unit_of(1), WIND, STORAGE)
    book.done(GENERATOR, WIND)
    assert rules.capability_kw(book.store, GENERATOR) == (3_600_000, 100_000)
    assert rules.capability_kw(book.store, RIVAL) == (0, 0)
    book.done(GENERATOR, change(3, WIND, capacity_kw=250_000))
    assert rules.capability_kw(book.store, GENERATOR) == (3_600_000, 100_000)
    book.done(EXCHANGE, approve(3))
    assert rules.capability_kw(book.store, GENERATOR) == (3_650_000, 100_000)
    book.done(GENERATOR, RetireResource(4, "sold"))
    assert rules.capability_kw(book.store, GENERATOR) == (3_550_000, 0)
    book.machine.check_all()


def test_a_reviewed_fact_waits_while_the_old_one_holds() -> None:
    book = ledger()
    register(book, USER, LOAD)
    book.done(USER, change(1, LOAD, contract_demand_kw=70_000))
    assert rules.require_resource(book.store, 1).contract_demand_kw == 85_000
    assert book.refused(USER, change(1, LOAD, contract_demand_kw=70_000)) == 6008
    book.done(EXCHANGE, approve(1))
    assert rules.require_resource(book.store, 1).contract_demand_kw == 70_000
    assert book.refused(EXCHANGE, approve(1)) == 6004


def test_stating_the_present_facts_withdraws_a_waiting_change() -> None:
    book = ledger()
    register(book, USER, LOAD)
    book.done(USER, change(1, LOAD, voltage=Voltage.KV220))
    book.done(USER, change(1, LOAD))
    assert book.refused(EXCHANGE, approve(1)) == 6004


def test_a_name_changes_at_once_and_a_returned_registration_is_submitted_again() -> None:
    book = ledger()
    register(book, USER, LOAD)
    book.done(USER, change(1, LOAD, name_en="Aluminium smelter"))
    assert rules.require_resource(book.store, 1).name_en == "Aluminium smelter"
    second = book.done(USER, LOAD).resource_id
    book.done(EXCHANGE, ReviewResource(second, Decision.RETURN, "voltage?"))
    assert rules.resource(book.store, second).state is ResourceState.RETURNED
    book.done(USER, change(second, LOAD))
    assert rules.resource(book.store, second).state is ResourceState.SUBMITTED


def test_retiring_drops_a_waiting_change() -> None:
    book = ledger()
    register(book, USER, LOAD)
    book.done(USER, change(1, LOAD, voltage=Voltage.KV220))
    book.done(USER, RetireResource(1, "moved away"))
    assert book.refused(EXCHANGE, approve(1)) == 6004


def test_invariants_see_a_broken_state() -> None:
    breaks: tuple[Callable[[Ledger], None], ...] = (
        lambda book: state.CAPABILITIES.put(book.store, (GENERATOR,), state.Capability(1, 0)),
        lambda book: state.CAPABILITIES.put(book.store, (USER,), state.Capability(0, 0)),
        lambda book: state.RESOURCES.put(book.store, (1,), PLANT.resource(GENERATOR)),
        lambda book: state.RESOURCES.put(book.store, (2,), _row(book, 2, capacity_kw=3_300_001)),
        lambda book: state.RESOURCES.put(book.store, (2,), _row(book, 2, parent_id=0)),
    )
    for break_it in breaks:
        book = ledger()
        register(book, GENERATOR, PLANT, unit_of(1))
        book.machine.check_all()
        break_it(book)
        with pytest.raises(check.CheckFailed):
            book.machine.check_all()


def _row(book: Ledger, resource_id: int, **facts: Any) -> Resource:
    return msgspec.structs.replace(rules.resource(book.store, resource_id), **facts)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5), st.integers(100_000, 120_000)), max_size=25))
def test_capability_stays_the_sum_whatever_is_said(steps: list[tuple[int, int, int]]) -> None:
    book = ledger()
    for act, resource_id, capacity_kw in steps:
        message = (
            but(PLANT, capacity_kw=capacity_kw),
            approve(resource_id),
            ReviewResource(resource_id, Decision.RETURN, "?"),
            change(resource_id, PLANT, capacity_kw=capacity_kw),
            RetireResource(resource_id, "over"),
            unit_of(resource_id, capacity_kw),
        )[act]
        book.say(EXCHANGE if isinstance(message, ReviewResource) else GENERATOR, message)
        book.machine.check_all()


# ---------------------------------------------------------------------------------------------------------- reading
def told(book: Ledger, *said: tuple[int, Any]) -> Projector:
    """What the projector shows after these messages."""
    projector = Projector(None, (VIEWS,), OVERSIGHT)
    for height, (sender_id, message) in enumerate(said, 1):
        assert book.say(sender_id, message).done, message
        projector.project(height, book.now_ms, [], book.last.events)
    return projector


def test_the_register_is_public_and_can_be_browsed() -> None:
    said: list[tuple[int, Any]] = [(GENERATOR, PLANT), (GENERATOR, WIND), (USER, LOAD), (GENERATOR, STORAGE)]
    said += [(EXCHANGE, approve(resource_id)) for resource_id in (1, 2, 3)]
    reader = told(ledger(), *said).reader

    def found(**filters: Any) -> list[int]:
        return [row["resource_id"] for row in browse(reader, THE_PUBLIC, **filters)]

    assert found() == [1, 2, 3]
    assert found(sort="capacity") == [3, 2, 1]
    assert found(state=None, sort="id") == [1, 2, 3, 4]
    assert found(state="submitted") == [4]
    assert found(type="plant", fuel="wind") == [2]
    assert found(river="Yalong") == [1]
    assert found(region_code=510400) == [1]
    assert found(owner_id=USER) == [3]
    assert found(min_kw=90_000, max_kw=200_000) == [2, 3]
    assert found(min_kw=90_001) == [1, 2]
    assert found(words="ERTAN") == found(words="攀枝") == [1]
    assert found(limit=1) == [1]
    assert fleet(reader, THE_PUBLIC)[0] == {
        "type": "load",
        "fuel": "",
        "resource_count": 1,
        "capacity_kw": 90_000,
    }
    with pytest.raises(Refused):
        browse(reader, THE_PUBLIC, sort="price")


def test_terms_and_waiting_changes_are_for_the_owner_and_oversight() -> None:
    said: list[tuple[int, Any]] = [(USER, LOAD), (EXCHANGE, approve(1)), (USER, change(1, LOAD, capacity_kw=95_000))]
    book = ledger()
    projector = told(book, *said)
    reader = projector.reader
    for viewer in (Viewer(USER, Kind.USER), Viewer(EXCHANGE, Kind.EXCHANGE), Viewer(GRID, Kind.GRID_COMPANY)):
        (row,) = terms(reader, viewer)
        assert (row["contract_demand_kw"], row["proposed_capacity_kw"]) == (85_000, 95_000)
    for viewer in (Viewer(GENERATOR, Kind.GENERATOR), THE_PUBLIC):
        assert terms(reader, viewer) == []
    book.done(EXCHANGE, ReviewResource(1, Decision.REJECT, "no proof"))
    projector.project(len(said) + 1, book.now_ms, [], book.last.events)
    (row,) = terms(reader, Viewer(USER, Kind.USER), resource_id=1)
    assert (row["proposed_capacity_kw"], row["last_reason"]) == (None, "no proof")
    book.done(USER, RetireResource(1, "closed"))
    projector.project(len(said) + 2, book.now_ms, [], book.last.events)
    assert [row["state"] for row in browse(reader, THE_PUBLIC, state=None)] == ["retired"]
