"""Metering: binding, a day of readings, gaps and suspects, whole kWh, corrections; not a Wh is lost."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shudian.contracts.governance.messages import SetSetting
from shudian.contracts.metering import rules, rules_readings, rules_slots, state
from shudian.contracts.metering.messages import (
    REFUSALS,
    BindMeter,
    CorrectReadings,
    Direction,
    Meter,
    ReadingsAccepted,
    ReadingsCorrected,
    ReadingsEstimated,
    ReadingsReply,
    SubmitReadings,
    UnbindMeter,
)
from shudian.contracts.metering.views import VIEWS, completeness, corrections, curve, daily_energy, estimates, meters
from shudian.contracts.resources import rules as resources
from shudian.contracts.resources.messages import RegisterResource, RetireResource
from shudian.contracts.roles import OVERSIGHT, Kind
from shudian.kernel import check, clock
from shudian.kernel.outcomes import Refused
from shudian.reading.projector import Projector
from shudian.reading.reader import THE_PUBLIC, Viewer
from tests.support.ledger import Ledger
from tests.unit.test_resources import (
    EXCHANGE,
    GENERATOR,
    GRID,
    LOAD,
    PLANT,
    STORAGE,
    USER,
    but,
    market,
    register,
    unit_of,
)

TODAY = 20260620  # a Saturday, as 21 is a Sunday; 22 to 26 are working days but for the 19th, a holiday
FLAT = (10_000,) * 96
WIND_METER, LOAD_METER = 1, 2


def ledger(*messages: tuple[int, RegisterResource]) -> Ledger:
    """Resource 1: a plant of 90 MW of the generator, metered by 1. Resource 2: a load of the user, metered by 2."""
    book = market(resources.CONTRACT, rules.CONTRACT)
    register(book, GENERATOR, but(PLANT, capacity_kw=90_000))
    register(book, USER, LOAD)
    for owner_id, message in messages:
        register(book, owner_id, message)
    book.done(GRID, BindMeter("A1", 1, Direction.GENERATION, TODAY))
    book.done(GRID, BindMeter("B1", 2, Direction.LOAD, TODAY))
    return book


def go_to(book: Ledger, day: int) -> None:
    book.advance(clock.ms_at(day, 8))


def later(day: int = 20260710) -> Ledger:
    book = ledger()
    go_to(book, day)
    return book


def readings(day: int, *days: tuple[int, ...], first_id: int = 1) -> SubmitReadings:
    """Readings of the meters from ``first_id`` on."""
    ids = tuple(range(first_id, first_id + len(days)))
    return SubmitReadings(day, ids, b"".join(rules_slots.pack(values) for values in days))


def but_slots(values: tuple[int, ...], changed: dict[int, int]) -> tuple[int, ...]:
    return tuple(changed.get(slot, value) for slot, value in enumerate(values))


def missing(*slots: int) -> tuple[int, ...]:
    return but_slots(FLAT, dict.fromkeys(slots, -1))


def correction(meter_id: int, day: int, values: tuple[int, ...], reason: str = "wrong multiplier") -> CorrectReadings:
    return CorrectReadings(meter_id, day, rules_slots.pack(values), reason)


def slots_wh(book: Ledger, meter_id: int, day: int, version: int = 0) -> tuple[int, ...]:
    return rules.day_slots_wh(book.context(), meter_id, day, version)


# ---------------------------------------------------------------------------------------------------------- refusals
def refusals() -> list[tuple[str, Any, int]]:
    """On 2026-07-10. Meters 1 and 2 count from 2026-06-20 and have 2026-07-01; 3 is unbound after 2026-07-09. Resource 3: plant with
    unit 4, metered by meter 4; resource 5: storage, not metered; 6: retired."""
    day = 20260701
    return [
        ("unknown resource", BindMeter("C1", 99, Direction.LOAD, 20260710), 6001),
        ("retired resource", BindMeter("C1", 6, Direction.LOAD, 20260710), 6002),
        ("unknown meter", readings(day, FLAT, first_id=99), 7001),
        ("unknown meter", correction(99, day, FLAT), 7001),
        ("unknown meter", UnbindMeter(99, 20260710), 7001),
        ("code bound", BindMeter("A1", 5, Direction.LOAD, 20260710), 7002),
        ("nothing to correct", correction(1, 20260702, FLAT), 7003),
        ("a load generates nothing", BindMeter("C1", 2, Direction.GENERATION, 20260710), 7004),
        ("a plant draws nothing", BindMeter("C1", 1, Direction.LOAD, 20260710), 7004),
        ("unit of a metered plant", BindMeter("C1", 4, Direction.GENERATION, 20260710), 7005),
        ("binding in the past", BindMeter("C1", 5, Direction.LOAD, 20260709), 7006),
        ("unbinding in the past", UnbindMeter(1, 20260708), 7006),
        ("today is not over", readings(20260710, FLAT), 7007),
        ("tomorrow", readings(20260711, FLAT), 7007),
        ("before the binding", readings(20260619, FLAT), 7008),
        ("unbound already", UnbindMeter(3, 20260710), 7008),
        ("accepted already", readings(day, FLAT), 7009),
        ("one of several accepted already", readings(day, FLAT, FLAT), 7009),
        ("nothing to estimate from", readings(20260625, missing(4, 5, 6)), 7010),
        ("nothing to estimate from", readings(20260625, (-1,) * 96), 7010),
        ("nothing to estimate from", correction(1, day, missing(4, 5, 6)), 7010),
        ("the same readings", correction(1, day, FLAT), 7011),
        ("no meters", SubmitReadings(20260702, (), b""), 1011),
        ("unsorted", SubmitReadings(20260702, (2, 1), bytes(768)), 1011),
        ("repeated", SubmitReadings(20260702, (1, 1), bytes(768)), 1011),
        ("too short", SubmitReadings(20260702, (1, 2), bytes(384)), 1011),
        ("too many meters", SubmitReadings(20260702, tuple(range(2_001)), bytes(2_001 * 384)), 1011),
        ("no such day", readings(20260732, FLAT), 1011),
        ("two days in one correction", CorrectReadings(1, day, bytes(768), "x"), 1011),
        ("no reason", correction(1, day, FLAT, ""), 1011),
        ("no code", BindMeter("", 5, Direction.LOAD, 20260710), 1011),
        ("no such day", UnbindMeter(1, 20260732), 1011),
    ]


def busy_ledger() -> Ledger:
    plant = but(PLANT, capacity_kw=1_000_000)
    book = ledger((GENERATOR, plant), (GENERATOR, unit_of(3)), (USER, STORAGE), (USER, LOAD))
    book.done(GRID, BindMeter("C0", 5, Direction.LOAD, TODAY))
    book.done(GRID, BindMeter("D1", 3, Direction.GENERATION, TODAY))
    book.done(USER, RetireResource(6, "closed"))
    go_to(book, 20260710)
    book.done(GRID, UnbindMeter(3, 20260709))
    book.done(GRID, readings(20260701, FLAT, FLAT))
    return book


@pytest.mark.parametrize(("why", "message", "number"), refusals())
def test_rules_refuse(why: str, message: Any, number: int) -> None:
    book = busy_ledger()
    outcome = book.say(GRID, message)
    assert outcome.number == number, (why, outcome)
    book.machine.check_all()


def test_every_refusal_is_tested() -> None:
    assert {refusal.number for refusal in REFUSALS} <= {number for _, _, number in refusals()}


def test_a_refused_message_leaves_nothing_behind() -> None:
    book = later()
    book.done(GRID, readings(20260701, FLAT, first_id=2))
    assert book.refused(GRID, readings(20260701, FLAT, FLAT)) == 7009
    assert not rules.has_day(book.store, WIND_METER, 20260701)
    assert rules.meter(book.store, WIND_METER).total_wh == 0


# ---------------------------------------------------------------------------------------------------------- binding
def test_a_device_is_bound_again_after_its_last_day_and_not_before() -> None:
    book = ledger()
    book.done(GRID, UnbindMeter(WIND_METER, 20260621))
    assert book.refused(GRID, BindMeter("A1", 1, Direction.GENERATION, 20260621)) == 7002
    assert book.done(GRID, BindMeter("A1", 1, Direction.GENERATION, 20260622)).meter_id == 3
    assert rules.meters_of(book.store, GENERATOR, Direction.GENERATION, 20260621) == [1]
    assert rules.meters_of(book.store, GENERATOR, Direction.GENERATION, 20260622) == [3]
    assert rules.meters_of(book.store, GENERATOR, Direction.GENERATION) == [3]
    assert rules.meters_on(book.store, 20260621) == [1, 2]
    assert rules.meters_on(book.store, 20260619) == []


def test_storage_is_metered_both_ways_and_a_plant_not_beside_its_units() -> None:
    book = ledger((GENERATOR, STORAGE), (GENERATOR, unit_of(1, 90_000)))
    for code, direction in (("S1", Direction.GENERATION), ("S2", Direction.LOAD)):
        book.done(GRID, BindMeter(code, 3, direction, TODAY))
    assert book.refused(GRID, BindMeter("U1", 4, Direction.GENERATION, TODAY)) == 7005
    book.done(GRID, UnbindMeter(WIND_METER, TODAY))
    book.done(GRID, BindMeter("U1", 4, Direction.GENERATION, 20260621))
    assert book.refused(GRID, BindMeter("A2", 1, Direction.GENERATION, 20260621)) == 7005


# ---------------------------------------------------------------------------------------------------------- readings
def test_a_day_is_accepted_and_read_through_its_digest() -> None:
    book = later()
    rising = tuple(range(1_000, 1_096))
    reply = book.done(GRID, readings(20260701, rising, FLAT))
    assert reply == ReadingsReply(100 + 960, 0, 1_000_000)
    assert slots_wh(book, WIND_METER, 20260701) == rising
    assert rules.day_segments_kwh(book.context(), LOAD_METER, 20260701) == (40,) * 24
    assert rules.meter(book.store, WIND_METER) == Meter(
        1, GENERATOR, Direction.GENERATION, "A1", TODAY, 0, sum(rising), 100, sum(rising) - 100_000
    )
    assert rules.member_segments_kwh(book.context(), USER, Direction.LOAD, 20260701) == (40,) * 24
    assert rules.member_segments_kwh(book.context(), USER, Direction.GENERATION, 20260701) == (0,) * 24
    book.machine.check_all()


def test_members_energy_is_the_sum_of_its_meters_and_wants_them_all() -> None:
    book = ledger((USER, LOAD))
    book.done(GRID, BindMeter("B2", 3, Direction.LOAD, TODAY))
    go_to(book, 20260710)
    book.done(GRID, readings(20260701, FLAT, first_id=2))
    with pytest.raises(Refused) as caught:
        rules.member_segments_kwh(book.context(), USER, Direction.LOAD, 20260701)
    assert (caught.value.refusal.number, caught.value.value) == (7003, "3")
    assert rules.missing_on(book.store, 20260701) == [1, 3]
    book.done(GRID, readings(20260701, FLAT, first_id=3))
    assert rules.member_segments_kwh(book.context(), USER, Direction.LOAD, 20260701) == (80,) * 24


@pytest.mark.parametrize(
    ("reported", "expected", "estimated"),
    [
        ({5: -1}, {5: 10_000}, (5,)),
        ({4: 1_000, 5: -1, 6: -1, 7: 4_000}, {4: 1_000, 5: 2_000, 6: 3_000, 7: 4_000}, (5, 6)),
        ({4: 1_000, 5: -1, 6: 1_001}, {4: 1_000, 5: 1_001, 6: 1_001}, (5,)),  # 1000.5 away from zero
        ({0: -1, 1: -1, 2: 7_000}, {0: 7_000, 1: 7_000, 2: 7_000}, (0, 1)),
        ({93: 500, 94: -1, 95: -1}, {93: 500, 94: 500, 95: 500}, (94, 95)),
        ({10: 27_000_000}, {10: 27_000_000}, ()),  # 120 % of 90 MW for a quarter hour: just plausible
        ({10: 27_000_001}, {10: 10_000}, (10,)),
        ({10: -2}, {10: 10_000}, (10,)),
    ],
)
def test_short_gaps_and_suspects_are_interpolated(
    reported: dict[int, int], expected: dict[int, int], estimated: tuple[int, ...]
) -> None:
    book = later()
    reply = book.done(GRID, readings(20260701, but_slots(FLAT, reported)))
    assert slots_wh(book, WIND_METER, 20260701) == but_slots(FLAT, expected)
    assert reply.estimated_count == len(estimated)
    told = [event for event in book.events if isinstance(event, ReadingsEstimated)]
    assert [event.interpolated_slots for event in told] == ([estimated] if estimated else [])


def test_suspects_are_kept_as_reported_and_said_to_be_suspect() -> None:
    book = later()
    wild = but_slots(FLAT, {10: 99_000_000, 11: -7, 50: -1})
    book.done(GRID, readings(20260701, wild))
    estimated, accepted = book.events
    assert isinstance(estimated, ReadingsEstimated)
    assert isinstance(accepted, ReadingsAccepted)
    assert (estimated.suspect_slots, estimated.interpolated_slots) == ((10, 11), (10, 11, 50))
    assert estimated.parties == (GENERATOR, GRID)
    assert accepted.parties == (GRID,)  # a member must not see the readings of others
    assert accepted.days[0].suspect_slots == (10, 11)
    assert (accepted.completeness_ppm, accepted.target_ppm) == (968_750, 980_000)
    assert book.refused(GRID, correction(1, 20260701, wild)) == 7011


@pytest.mark.parametrize(
    ("days", "profile_day"),
    [
        ((20260629, 20260630), 20260630),  # Tuesday stands in for Wednesday
        ((20260626, 20260627, 20260628), 20260626),  # Friday, over the weekend
        ((20260627, 20260628), 20260628),  # no working day known: the latest of any type
        ((20260626, 20260702), 20260626),  # never a later day
    ],
)
def test_a_long_gap_takes_the_profile_of_the_latest_day_of_the_same_type(
    days: tuple[int, ...], profile_day: int
) -> None:
    book = later()
    for day in days:
        book.done(GRID, readings(day, (day - 20260000,) * 96))
    reply = book.done(GRID, readings(20260701, missing(4, 5, 6, 20)))
    expected = but_slots(FLAT, dict.fromkeys((4, 5, 6), profile_day - 20260000))
    assert slots_wh(book, WIND_METER, 20260701) == expected
    told = [event for event in book.events if isinstance(event, ReadingsEstimated)]
    assert [(e.interpolated_slots, e.profile_slots, e.profile_day) for e in told] == [((20,), (4, 5, 6), profile_day)]
    assert reply.estimated_count == 4


def test_a_profile_is_not_sought_beyond_the_days_of_the_setting() -> None:
    book = later()
    book.done(GRID, readings(20260620, FLAT))
    book.done(EXCHANGE, SetSetting("metering.profile_lookback_count", "", 20260710, (2,), "test"))
    go_to(book, 20260720)
    assert book.refused(GRID, readings(20260712, missing(4, 5, 6))) == 7010
    book.done(GRID, readings(20260701, missing(4, 5, 6)))


def test_the_carry_of_a_day_goes_into_the_next() -> None:
    book = later()
    day_of_999_wh = but_slots((0,) * 96, {95: 999})
    book.done(GRID, readings(20260701, day_of_999_wh))
    book.done(GRID, readings(20260702, day_of_999_wh))
    assert sum(rules.day_segments_kwh(book.context(), WIND_METER, 20260701)) == 0
    assert rules.day_segments_kwh(book.context(), WIND_METER, 20260702) == (*(0,) * 23, 1)
    assert rules.meter(book.store, WIND_METER).carry_wh == 998


# ---------------------------------------------------------------------------------------------------------- correction
def test_a_correction_keeps_the_former_version_and_moves_the_remainder() -> None:
    book = later()
    small = but_slots((0,) * 96, {0: 1_400})
    book.done(GRID, readings(20260701, small))
    book.done(GRID, readings(20260702, small))
    assert rules.meter(book.store, WIND_METER).carry_wh == 800
    reply = book.done(GRID, correction(WIND_METER, 20260701, but_slots((0,) * 96, {0: 2_900})))
    assert (reply.version, reply.energy_kwh) == (2, 2)
    assert slots_wh(book, WIND_METER, 20260701)[0] == 2_900
    assert slots_wh(book, WIND_METER, 20260701, version=1)[0] == 1_400
    assert rules.day_version(book.store, WIND_METER, 20260701) == 2
    meter = rules.meter(book.store, WIND_METER)
    assert (meter.total_wh, meter.total_kwh, meter.carry_wh) == (4_300, 3, 1_300)  # 900 instead of 400, in the carry
    (event,) = book.events
    assert isinstance(event, ReadingsCorrected)
    assert (event.before_kwh, event.reading.energy_kwh, event.also) == (1, 2, ("day:20260701",))
    book.done(GRID, readings(20260703, (0,) * 96))
    assert rules.day_segments_kwh(book.context(), WIND_METER, 20260703)[0] == 1
    with pytest.raises(Refused):
        slots_wh(book, WIND_METER, 20260701, version=3)
    book.machine.check_all()


days_of_readings = st.lists(st.integers(0, 20_000), min_size=96, max_size=96).map(tuple)
small_days = st.lists(st.integers(0, 30), min_size=96, max_size=96).map(tuple)


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.one_of(days_of_readings, small_days), st.sets(st.integers(0, 95), max_size=3)),
        min_size=1,
        max_size=8,
    )
)
def test_not_a_wh_is_lost(steps: list[tuple[int, tuple[int, ...], set[int]]]) -> None:
    book = later()
    book.done(GRID, readings(20260620, FLAT))
    shown = [20260620]
    for back, values, gone in steps:
        day = clock.day_after(20260701, -back)
        reported = but_slots(values, dict.fromkeys(gone, -1))
        if rules.has_day(book.store, WIND_METER, day):
            book.say(GRID, correction(WIND_METER, day, reported))
        else:
            book.done(GRID, readings(day, reported))
            shown.append(day)
    hours = [rules.day_segments_kwh(book.context(), WIND_METER, day) for day in shown]
    total_wh = sum(sum(slots_wh(book, WIND_METER, day)) for day in shown)
    meter = rules.meter(book.store, WIND_METER)
    assert 1_000 * sum(map(sum, hours)) + meter.carry_wh == total_wh == meter.total_wh
    assert min(map(min, hours)) >= 0
    book.machine.check_all()


@given(days_of_readings, st.integers(-5_000, 5_000))
def test_whole_kwh_and_carry_make_up_the_day(values: tuple[int, ...], carry_wh: int) -> None:
    hours, out_wh = rules_slots.segments_kwh(values, carry_wh)
    assert carry_wh + sum(values) == 1_000 * sum(hours) + out_wh
    assert out_wh < 1_000
    assert min(hours) >= 0
    assert len(hours) == 24


def _day(most_wh: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.lists(st.integers(0, most_wh), min_size=96, max_size=96).map(tuple)


@given(
    st.lists(
        st.tuples(
            st.one_of(_day(50), _day(2**31 - 1), days_of_readings),
            st.lists(st.tuples(st.integers(0, 95), st.integers(-3, 60)), max_size=3),
            st.one_of(st.integers(-9_000, 5_000), st.integers(-(2**41), 2**41)),
            st.sampled_from((40, 50, 2**31, 2**40)),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_columns_say_what_one_meter_after_the_other_says(
    days: list[tuple[tuple[int, ...], list[tuple[int, int]], int, int]],
) -> None:
    reported: list[list[int]] = []
    carries, limits = [], []
    for values, changed, carry_wh, most_wh in days:
        day = list(values)
        for slot, value in changed:
            day[slot] = value
        reported.append(day)
        carries.append(carry_wh)
        limits.append(most_wh)
    columns = rules_slots.Columns(b"".join(map(rules_slots.pack, reported)))
    whole = [columns.is_whole(place, limits[place], carries[place]) for place in range(len(days))]
    hours, energies_wh, energies_kwh = columns.segments_kwh(
        [carry if fits else 0 for carry, fits in zip(carries, whole, strict=True)]
    )
    for place, day in enumerate(reported):
        found = rules_slots.gaps(day, rules_slots.suspects(day, limits[place]))
        assert whole[place] == (not found and abs(carries[place]) < rules_slots.CARRY_MAX_WH)
        if whole[place]:
            hours_kwh, _ = rules_slots.segments_kwh(day, carries[place])
            assert (tuple(hours[place]), energies_wh[place], energies_kwh[place]) == (
                hours_kwh,
                sum(day),
                sum(hours_kwh),
            )


@given(
    st.lists(
        st.tuples(days_of_readings, st.dictionaries(st.integers(0, 95), st.sampled_from((-2, -1, 10**9)), max_size=4)),
        min_size=2,
        max_size=2,
    )
)
def test_a_message_is_accepted_as_its_meters_one_by_one(days: list[tuple[tuple[int, ...], dict[int, int]]]) -> None:
    book = ledger_with_a_profile()
    ctx, day = book.context(), 20260702
    reported = [but_slots(values, changed) for values, changed in days]
    meters = [(meter_id, rules.meter(ctx, meter_id)) for meter_id in (WIND_METER, LOAD_METER)]
    plausible = rules_readings.Plausible(ctx, day)
    alone = [
        (meter, rules_readings.accept(ctx, meter_id, day, values, plausible.most_wh(meter.resource_id), meter.carry_wh))
        for (meter_id, meter), values in zip(meters, reported, strict=True)
    ]
    assert rules_readings.accept_all(ctx, day, meters, b"".join(map(rules_slots.pack, reported))) == alone


@cache
def ledger_with_a_profile() -> Ledger:
    book = later()
    book.done(GRID, readings(20260701, but_slots(FLAT, {0: 10_777}), but_slots(FLAT, {9: 10_001})))
    return book


@given(st.lists(st.integers(-3, 50), min_size=96, max_size=96).map(tuple))
def test_filling_leaves_what_was_measured_and_no_gap(values: tuple[int, ...]) -> None:
    suspect_slots = rules_slots.suspects(values, 40)
    found = rules_slots.gaps(values, suspect_slots)
    gone = {slot for gap in found for slot in range(*gap)}
    assert gone == {slot for slot, value in enumerate(values) if not 0 <= value <= 40}
    filled = rules_slots.fill(values, found, (17,) * 96)
    assert all(0 <= value <= 40 for value in filled)
    assert [filled[slot] for slot in range(96) if slot not in gone] == [
        value for slot, value in enumerate(values) if slot not in gone
    ]


def test_packing_is_little_endian_and_comes_back() -> None:
    values = (1, -1, 2**31 - 1, -(2**31), *(0,) * 92)
    packed = rules_slots.pack(values)
    assert packed[:8] == b"\x01\x00\x00\x00\xff\xff\xff\xff"
    assert rules_slots.slots_of(packed) == values
    columns = rules_slots.Columns(packed * 2)
    assert (columns.reported(1), columns.packed(1)) == (list(values), packed)


# ---------------------------------------------------------------------------------------------------------- invariants
def test_invariants_see_a_broken_state() -> None:
    bound = Meter(1, GENERATOR, Direction.GENERATION, "A1", TODAY)
    breaks: tuple[Callable[[Ledger], None], ...] = (
        lambda book: state.METERS.put(book.store, (1,), bound),
        lambda book: state.METERS.put(book.store, (2,), Meter(2, USER, Direction.LOAD, "B1", TODAY, carry_wh=1)),
        lambda book: state.DAYS.delete(book.store, 1, 20260701),
        lambda book: state.FORMER_DAYS.delete(book.store, 1, 20260701, 1),
    )
    for break_it in breaks:
        book = later()
        book.done(GRID, readings(20260701, FLAT, FLAT))
        book.done(GRID, correction(1, 20260701, missing(1)))
        book.machine.check_all()
        break_it(book)
        with pytest.raises(check.CheckFailed):
            book.machine.check_all()


def test_a_damaged_blob_is_never_used() -> None:
    book = later()
    book.done(GRID, readings(20260701, FLAT))
    book.blobs.update(dict.fromkeys(book.blobs, b"x"))
    with pytest.raises(check.CheckFailed):
        slots_wh(book, WIND_METER, 20260701)


# ---------------------------------------------------------------------------------------------------------- reading
def test_members_see_their_own_energy_and_oversight_all() -> None:
    book = market(resources.CONTRACT, rules.CONTRACT)
    projector = Projector(None, (VIEWS,), OVERSIGHT)
    register(book, GENERATOR, but(PLANT, capacity_kw=90_000))
    register(book, USER, LOAD)

    def said(message: Any) -> None:
        book.done(GRID, message)
        projector.project(projector.height + 1, book.now_ms, [], book.last.events)

    said(BindMeter("A1", 1, Direction.GENERATION, TODAY))
    said(BindMeter("B1", 2, Direction.LOAD, TODAY))
    go_to(book, 20260710)
    said(readings(20260701, missing(3, 4), FLAT))
    said(readings(20260702, FLAT, FLAT))
    said(correction(LOAD_METER, 20260701, missing(0)))
    said(UnbindMeter(LOAD_METER, 20260711))

    reader = projector.reader
    user, generator, grid = Viewer(USER, Kind.USER), Viewer(GENERATOR, Kind.GENERATOR), Viewer(GRID, Kind.GRID_COMPANY)
    assert [row["last_day"] for row in meters(reader, grid)] == [0, 20260711]
    assert [row["code"] for row in meters(reader, user)] == ["B1"]
    assert [(row["meter_id"], row["day"], row["version"]) for row in daily_energy(reader, user)] == [
        (2, 20260701, 2),
        (2, 20260702, 1),
    ]
    assert len(daily_energy(reader, grid)) == len(daily_energy(reader, Viewer(EXCHANGE, Kind.EXCHANGE))) == 4
    assert (
        len(daily_energy(reader, grid, first_day=20260702)) == len(daily_energy(reader, grid, last_day=20260701)) == 2
    )
    assert daily_energy(reader, THE_PUBLIC) == []
    shown = curve(reader, generator, meter_id=1, day=20260701)
    assert shown is not None
    assert (rules_slots.slots_of(shown["values_wh"]), shown["estimated_slots"]) == (FLAT, "3 4")
    assert curve(reader, user, meter_id=1, day=20260701) is None
    (full, part) = completeness(reader, generator)[::-1]
    assert (full["completeness_ppm"], part["completeness_ppm"]) == (1_000_000, 979_166)
    assert [row["interpolated_slots"] for row in estimates(reader, grid)] == ["3 4", "0"]
    (corrected,) = corrections(reader, user)
    assert (corrected["before_kwh"], corrected["after_kwh"], corrected["version"]) == (960, 960, 2)
    assert corrections(reader, generator) == []
    assert [row["event"] for row in projector.timeline_of(user, "meter:2")] == [
        "MeterBound",
        "ReadingsEstimated",
        "ReadingsCorrected",
        "MeterUnbound",
    ]
    assert [row["event"] for row in projector.timeline_of(generator, "day:20260701")] == []
