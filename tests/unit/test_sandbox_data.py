"""The packaged data: known totals, real capacities, valid codes, credit for every file."""

from collections import Counter
from importlib.resources import files

import numpy as np
import pytest
from stdnum.cn import uscc

from shudian.sandbox.companies import applicants, companies
from shudian.sandbox.loads import load_shapes, loads
from shudian.sandbox.packaged import profiles, province
from shudian.sandbox.plants import plants

DATA = files("shudian.sandbox") / "data"

KNOWN_CAPACITY_MW = [
    ("ertan", 3_300),
    ("pubugou", 3_600),
    ("dagangshan", 2_600),
    ("changheba", 2_600),
    ("houziyan", 1_700),
    ("guandi", 2_400),
    ("gongzui", 770),
    ("zipingpu", 760),
    ("tianming", 2_000),
    ("huanglianguan", 205),
]


@pytest.mark.parametrize(("key", "capacity_mw"), KNOWN_CAPACITY_MW)
def test_capacities_are_real(key: str, capacity_mw: int) -> None:
    plant = next(plant for plant in plants() if plant.key == key)
    assert plant.capacity_kw == capacity_mw * 1_000


def test_plants_of_all_kinds() -> None:
    fleet = plants()
    kinds = Counter(plant.fuel for plant in fleet)
    assert kinds == {"hydro": 41, "wind": 12, "coal": 10, "biomass": 2, "gas": 1, "solar": 1}
    assert len({plant.key for plant in fleet}) == len(fleet)
    for plant in fleet:
        assert 26_000_000 <= plant.lat_e6 <= 34_400_000, plant.key
        assert 97_300_000 <= plant.lon_e6 <= 108_600_000, plant.key
        assert bool(plant.river) == (plant.fuel == "hydro"), plant.key
        assert bool(plant.annual_gwh) == (plant.fuel == "hydro"), plant.key


def test_known_totals() -> None:
    """Sums recomputed from the sources: capacity of all plants, the province's July 2018 and the profiles' shape."""
    assert sum(plant.capacity_kw for plant in plants()) == 44_376_000
    assert int(province().load_kw.sum()) == 22_079_348_628
    shapes = load_shapes()
    assert all(shape.shape == (31, 96) for shape in shapes.values())
    assert all(int(shape.min()) >= 0 and 999_000 <= int(shape.max()) <= 1_000_000 for shape in shapes.values())
    assert int(shapes["alu_guangyuan"].sum()) == 2_258_356_676


def test_members_of_all_kinds_own_something() -> None:
    members = companies()
    kinds = Counter(company.kind for company in members)
    assert kinds == {"generator": 31, "user": 32, "retailer": 8, "bank": 3, "exchange": 1, "grid": 1, "regulator": 1}
    assert {plant.company_key for plant in plants()} == {c.key for c in members if c.kind == "generator"}
    buyers = {company.key for company in members if company.kind in ("user", "retailer")}
    assert {load.company_key for load in loads()} == buyers
    for names in ([c.key for c in members], [c.name_zh for c in members], [c.name_en for c in members]):
        assert len(set(names)) == len(names)


def test_credit_codes_are_valid_and_sichuan_s_own() -> None:
    everybody = [*companies(), *(applicant.company for applicant in applicants())]
    codes = [company.uscc for company in everybody]
    assert all(uscc.is_valid(code) for code in codes)
    assert all(code[2:4] == "51" for code in codes)
    assert len(set(codes)) == len(codes)


def test_the_applicant_breaks_the_retailers_asset_rule() -> None:
    (applicant,) = applicants()
    assert applicant.company.assets_fen < 20_000_000 * 100
    assert applicant.company.staff_count < 10
    assert "2000万" in applicant.refusal_zh
    for company in companies():
        if company.kind == "retailer":
            assert company.assets_fen >= 20_000_000 * 100
            assert company.staff_count >= 10


def test_loads_have_a_class_and_a_voltage_of_the_tariff() -> None:
    for load in loads():
        assert load.tariff_class in ("single_rate", "two_part")
        assert load.voltage_kv in (10, 35, 110, 220)
        assert 20_000 <= load.peak_kw <= 900_000
        assert load.contract_demand_kw > load.peak_kw
        assert load.contract_demand_kw % 1_000 == 0
    retailers = [load for load in loads() if load.shape.startswith("area:")]
    assert len(retailers) == 8
    assert min(load.customer_count for load in retailers) > 10


def test_a_portfolio_is_the_sum_of_its_customers() -> None:
    """Retailer in MV2: 1.47 MW of BL-H, 1.05 of G3-M, 1.41 of G4-M, 0.51 of L2-M."""
    single = profiles()
    total = single["BL-H"] * 147 + single["G3-M"] * 105 + single["G4-M"] * 141 + single["L2-M"] * 51
    expected = total * 1_000_000 // int(total.max())
    assert int(np.abs(expected - load_shapes()["retail_jiuzhai"]).max()) <= 2


def test_readme_credits_every_file_with_a_licence() -> None:
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    rows = [line for line in readme.splitlines() if line.startswith("| ")]
    for entry in DATA.iterdir():
        if entry.name != "README.md":
            (row,) = [line for line in rows if entry.name in line.split("|")[1]]
            licence = row.split("|")[4]
            assert any(name in licence for name in ("CC BY 4.0", "CC0 1.0", "ODbL 1.0", "Apache-2.0")), entry.name
    for name in ("load_profiles.bin", "load_profiles.csv", "retail_portfolios.csv"):
        (row,) = [line for line in rows if name in line.split("|")[1]]
        assert "ODbL" in row


def test_data_stays_small() -> None:
    assert sum(len(entry.read_bytes()) for entry in DATA.iterdir()) < 1_500_000
