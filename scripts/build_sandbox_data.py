"""Make the packaged data of the sandbox world from the public sources.

Usage: ``python scripts/build_sandbox_data.py SOURCE_FOLDER``, where the folder holds ``sichuan/`` (plants, load, profiles,
costs) and ``meters/`` (quarter-hour meters, portfolio). Writes plants.csv, costs.csv, province_july.csv, load_profiles.csv,
load_profiles.bin and retail_portfolios.csv into ``src/shudian/sandbox/data``. companies.csv, loads.csv and README.md there
are kept by hand.
"""

import csv
import datetime as dt
import sys
import zlib
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq

TARGET = Path(__file__).parent.parent / "src" / "shudian" / "sandbox" / "data"
DAYS = 31
SLOTS = 96
PPM = 1_000_000

# 6 July 2016 is a Wednesday like 1 July 2026, so every weekday keeps its place in the month.
METER_START = dt.datetime(2016, 7, 6)  # noqa: DTZ001 - the source has no time zone
JULY_FIRST_HOUR_OF_COMMON_YEAR = 181 * 24
JULY_FIRST_HOUR_OF_LEAP_YEAR = 182 * 24

EUR_CNY = Decimal("7.87")  # yearly mean of 2020, the price year of the cost table
CARBON_PRICE_CNY_T = Decimal(90)  # assumption: level of the national allowance price in 2024


class Pick(NamedTuple):
    """One plant of the sandbox: where its row is, and what the source does not say."""

    source_id: str
    key: str
    name_zh: str
    name_en: str
    river: str
    regulation: str
    company_key: str
    unit_count: int | None = None
    capacity_mw: int | None = None
    year: int | None = None
    note: str = ""


UNSTATED = "the source states no status"
# fmt: off
PICKS = [
    # Yalong 雅砻江 and its tributaries
    Pick("WRI1000463", "ertan", "二滩水电站", "Ertan Hydropower Station", "Yalong", "seasonal", "gen_yalong", 6),
    Pick("WRI1000470", "guandi", "官地水电站", "Guandi Hydropower Station", "Yalong", "daily", "gen_yalong", 4),
    Pick("WRI1061009", "tongzilin", "桐子林水电站", "Tongzilin Hydropower Station", "Yalong", "run_of_river", "gen_yalong", 4),
    Pick("WRI1072435", "kajiwa", "卡基娃水电站", "Kajiwa Hydropower Station", "Yalong", "annual", "gen_muli", note=UNSTATED),
    Pick("WRI1070882", "jiangbian", "江边水电站", "Jiangbian Hydropower Station", "Yalong", "run_of_river", "gen_jiulong", note=UNSTATED),
    Pick("WRI1072394", "xigu", "溪古水电站", "Xigu Hydropower Station", "Yalong", "daily", "gen_jiulong", note=UNSTATED),
    Pick("WRI1071646", "wuyiqiao", "五一桥水电站", "Wuyiqiao Hydropower Station", "Yalong", "run_of_river", "gen_jiulong", note=UNSTATED),
    # Dadu 大渡河 and its tributaries
    Pick("WRI1000459", "pubugou", "瀑布沟水电站", "Pubugou Hydropower Station", "Dadu", "seasonal", "gen_dadu_upper", 6, 3_600, note="the plant table says 4,260 MW; 3,600 MW is the true figure (dams table)"),
    Pick("WRI1061013", "dagangshan", "大岗山水电站", "Dagangshan Hydropower Station", "Dadu", "daily", "gen_dadu_upper", 4),
    Pick("", "changheba", "长河坝水电站", "Changheba Hydropower Station", "Dadu", "seasonal", "gen_kangding", 4, 2_600, note="not in the plant table; capacity from public company news, position approximate"),
    Pick("", "houziyan", "猴子岩水电站", "Houziyan Hydropower Station", "Dadu", "seasonal", "gen_kangding", 4, 1_700, note="not in the plant table; capacity from public company news, position approximate"),
    Pick("WRI1000609", "luding", "泸定水电站", "Luding Hydropower Station", "Dadu", "daily", "gen_luding", 4),
    Pick("WRI1000608", "longtoushi", "龙头石水电站", "Longtoushi Hydropower Station", "Dadu", "daily", "gen_luding", 4),
    Pick("WRI1061014", "shenxigou", "深溪沟水电站", "Shenxigou Hydropower Station", "Dadu", "daily", "gen_dadu_middle", 4),
    Pick("WRI1000472", "gongzui", "龚嘴水电站", "Gongzui Hydropower Station", "Dadu", "daily", "gen_dadu_middle", 7, 770, note="the plant table says 2,100 MW; 770 MW is the true figure (dams table)"),
    Pick("WRI1000502", "tongjiezi", "铜街子水电站", "Tongjiezi Hydropower Station", "Dadu", "daily", "gen_dadu_middle", 4),
    Pick("WRI1061011", "shawan", "沙湾水电站", "Shawan Hydropower Station", "Dadu", "run_of_river", "gen_leshan", 4),
    Pick("WRI1061010", "angu", "安谷水电站", "Angu Hydropower Station", "Dadu", "run_of_river", "gen_leshan"),
    Pick("WRI1000520", "yele", "冶勒水电站", "Yele Hydropower Station", "Dadu", "multi_year", "gen_nanya", 2),
    Pick("WRI1071700", "renzonghai", "仁宗海水电站", "Renzonghai Hydropower Station", "Dadu", "annual", "gen_tianwan", 2, note=UNSTATED),
    Pick("WRI1071678", "jinwo", "金窝水电站", "Jinwo Hydropower Station", "Dadu", "daily", "gen_tianwan", 2, note=UNSTATED),
    Pick("WRI1071701", "dafa", "大发水电站", "Dafa Hydropower Station", "Dadu", "daily", "gen_tianwan", 2, note=UNSTATED),
    Pick("WRI1072165", "dajinping", "大金坪水电站", "Dajinping Hydropower Station", "Dadu", "run_of_river", "gen_nanya", note=UNSTATED),
    # Min 岷江 and its tributaries
    Pick("WRI1000497", "zipingpu", "紫坪铺水电站", "Zipingpu Hydropower Station", "Min", "seasonal", "gen_zipingpu", 4),
    Pick("WRI1000515", "futang", "福堂水电站", "Futang Hydropower Station", "Min", "run_of_river", "gen_min_upper", 4),
    Pick("WRI1000519", "taipingyi", "太平驿水电站", "Taipingyi Hydropower Station", "Min", "run_of_river", "gen_min_upper", 4),
    Pick("WRI1000523", "yingxiuwan", "映秀湾水电站", "Yingxiuwan Hydropower Station", "Min", "run_of_river", "gen_min_upper", 3),
    Pick("WRI1071531", "maoergai", "毛尔盖水电站", "Maoergai Hydropower Station", "Min", "annual", "gen_heishui", 3, note=UNSTATED),
    Pick("WRI1071184", "seergu", "色尔古水电站", "Seergu Hydropower Station", "Min", "daily", "gen_heishui", note=UNSTATED),
    Pick("WRI1071125", "liuping", "柳坪水电站", "Liuping Hydropower Station", "Min", "daily", "gen_heishui", note=UNSTATED),
    Pick("WRI1072199", "shiziping", "狮子坪水电站", "Shiziping Hydropower Station", "Min", "annual", "gen_zagunao", note=UNSTATED),
    Pick("WRI1072166", "xuecheng", "薛城水电站", "Xuecheng Hydropower Station", "Min", "run_of_river", "gen_zagunao", note=UNSTATED),
    # Jialing 嘉陵江, Bailong 白龙江, Fu 涪江
    Pick("WRI1061012", "tingzikou", "亭子口水电站", "Tingzikou Hydropower Station", "Jialing", "annual", "gen_jialing", 4),
    Pick("WRI1071111", "jinxi", "金溪航电枢纽", "Jinxi Navigation-Power Junction", "Jialing", "run_of_river", "gen_nanchong", note=UNSTATED),
    Pick("WRI1071367", "xinzheng", "新政航电枢纽", "Xinzheng Navigation-Power Junction", "Jialing", "run_of_river", "gen_nanchong", note=UNSTATED),
    Pick("WRI1000499", "baozhusi", "宝珠寺水电站", "Baozhusi Hydropower Station", "Bailong", "annual", "gen_jialing", 4),
    Pick("WRI1070868", "wudu", "武都水电站", "Wudu Hydropower Station", "Fu", "annual", "gen_fujiang", note=UNSTATED),
    # Qingyi 青衣江 and the lower Jinsha's tributaries
    Pick("WRI1070881", "wawushan", "瓦屋山水电站", "Wawushan Hydropower Station", "Qingyi", "annual", "gen_qingyi", note=UNSTATED),
    Pick("WRI1072170", "feixianguan", "飞仙关水电站", "Feixianguan Hydropower Station", "Qingyi", "run_of_river", "gen_qingyi", note=UNSTATED),
    Pick("WRI1071277", "pingtou", "坪头水电站", "Pingtou Hydropower Station", "Jinsha", "run_of_river", "gen_meigu", note=UNSTATED),
    Pick("WRI1072093", "luogu", "洛古水电站", "Luogu Hydropower Station", "Jinsha", "daily", "gen_meigu", note=UNSTATED),
    # wind
    Pick("GEML904593", "huanglianguan", "西昌黄联关风电场", "Xichang Huanglianguan Wind Farm", "", "", "gen_anning_wind"),
    Pick("GEML904628", "wanao", "西昌洼垴风电场", "Xichang Wanao Wind Farm", "", "", "gen_anning_wind", note="longitude mended from 112.2001: 102.2001 lies in Xichang"),
    Pick("GEML904620", "cida", "德昌茨达风电场", "Dechang Cida Wind Farm", "", "", "gen_anning_wind"),
    Pick("GEML903348", "jingyetexi", "美姑井叶特西风电场", "Meigu Jingyetexi Wind Farm", "", "", "gen_daliang_wind"),
    Pick("GEML904632", "huangmaogeng", "美姑黄茅埂风电场", "Meigu Huangmaogeng Wind Farm", "", "", "gen_daliang_wind"),
    Pick("GEML903350", "wukeliangzi", "普格乌科梁子风电场", "Puge Wukeliangzi Wind Farm", "", "", "gen_daliang_wind"),
    Pick("GEML903354", "xiaogaoshan", "盐源小高山风电场", "Yanyuan Xiaogaoshan Wind Farm", "", "", "gen_yanyuan_wind"),
    Pick("GEML903344", "tangtang", "会东淌塘风电场", "Huidong Tangtang Wind Farm", "", "", "gen_yanyuan_wind"),
    Pick("GEML904629", "damianshan", "盐边红格大面山风电场", "Yanbian Hongge Damianshan Wind Farm", "", "", "gen_panzhihua_new"),
    Pick("GEML904618", "jiange", "剑阁风电场", "Jiange Wind Farm", "", "", "gen_guangyuan_wind"),
    Pick("GEML904584", "hejiashan", "利州何家山风电场", "Lizhou Hejiashan Wind Farm", "", "", "gen_guangyuan_wind"),
    Pick("GEML904630", "tiantaishan", "剑阁天台山风电场", "Jiange Tiantaishan Wind Farm", "", "", "gen_guangyuan_wind"),
    # solar: the one park the source knows
    Pick("WRI1025930", "weidi", "维迪光伏电站", "Weidi Solar Park", "", "", "gen_panzhihua_new", note="name transliterated"),
    # coal, gas, waste
    Pick("GEML101567", "guangan", "广安电厂", "Guang'an Power Station", "", "", "gen_guangan"),
    Pick("GEML101571", "huayingshan", "华蓥山电厂", "Huayingshan Power Station", "", "", "gen_guangan"),
    Pick("GEML101580", "tianming", "天明电厂", "Tianming Power Station", "", "", "gen_mianyang"),
    Pick("GEML104467", "jiangyou", "江油电厂", "Jiangyou Power Station", "", "", "gen_mianyang"),
    Pick("GEML101562", "jintang", "金堂电厂", "Jintang Power Station", "", "", "gen_jintang"),
    Pick("GEML101565", "fuxi", "福溪电厂", "Fuxi Power Station", "", "", "gen_chuannan"),
    Pick("GEML101566", "gongxian", "珙县电厂", "Gongxian Power Station", "", "", "gen_chuannan"),
    Pick("GEML101573", "luzhou_chuannan", "泸州川南电厂", "Luzhou Chuannan Power Station", "", "", "gen_luzhou"),
    Pick("GEML101575", "baima", "内江白马电厂", "Neijiang Baima Power Station", "", "", "gen_luzhou"),
    Pick("GEML101581", "dazhou", "达州电厂", "Dazhou Power Station", "", "", "gen_dazhou"),
    Pick("GEML405814", "dazhou_gas", "达州燃气电站", "Dazhou Gas Power Station", "", "", "gen_dazhou"),
    Pick("WRI1072291", "xiangfu", "成都祥福垃圾焚烧发电厂", "Chengdu Xiangfu Waste-to-Energy Plant", "", "", "gen_chengdu_waste", note=UNSTATED),
    Pick("WRI1071424", "luodai", "成都洛带垃圾焚烧发电厂", "Chengdu Luodai Waste-to-Energy Plant", "", "", "gen_chengdu_waste", note=UNSTATED),
]
# fmt: on
POSITIONS = {"changheba": ("30.27", "102.20"), "houziyan": ("30.56", "102.05"), "wanao": ("27.5681", "102.2001")}
BIOMASS_FUELS = ("landfill gas",)

# Yearly energy in GWh where a figure for the station is known: mean of dams_annual.csv, the plant table, or company news.
NEWS_ANNUAL_GWH = {"dagangshan": 11_400, "changheba": 10_700, "houziyan": 7_300}
DAM_NAMES = {
    "ertan": "Ertan",
    "guandi": "Guandi",
    "pubugou": "Pubugou",
    "luding": "Luding",
    "shenxigou": "Shenxigou",
    "tongjiezi": "Tongjiezi",
}
# Elsewhere: full-load hours of an ordinary station of the basin (assumption below the basin plans' own figures).
FULL_LOAD_HOURS = {"Jialing": 3_700, "Bailong": 3_700, "Fu": 3_700}
USUAL_FULL_LOAD_HOURS = 4_400

COST_TECHNOLOGY = {
    "coal": "coal",
    "gas": "CCGT",
    "biomass": "biomass",
    "wind": "onwind",
    "solar": "solar",
    "hydro": "hydro",
}

PROFILES = [
    "L_BL-H", "L_G0-A", "L_G0-M", "L_G1-A", "L_G1-B", "L_G1-C", "L_G2-A", "L_G3-A", "L_G3-H", "L_G3-M", "L_G4-A", "L_G4-B",
    "L_G4-M", "L_G5-A", "L_G6-A", "L_L0-A", "L_L1-A", "L_L2-A", "L_L2-M", "L_WB-H", "L_HS1", "L_HS2", "L_HS3", "L_HS5",
    "L_HS6", "L_HS8", "L_HS9", "L_HS16", "L_HS17", "L_HS18", "L_HS19", "L_HS22", "L_HS23", "L_HS25", "L_HS26",
]  # fmt: skip
# A retailer's customers are the business and farm customers of one part of the benchmark grid.
RETAIL_AREAS = {
    "MV1 north": ("MV1.1",), "MV1 south": ("MV1.2",), "MV2": ("MV2.",), "MV3": ("MV3.",), "MV4": ("MV4.",),
    "LV1-2": ("LV1.", "LV2."), "LV3-4": ("LV3.", "LV4."), "LV5-6": ("LV5.", "LV6."),
}  # fmt: skip


def main() -> None:
    source = Path(sys.argv[1])
    sichuan, meters = source / "sichuan", source / "meters"
    write_plants(sichuan)
    write_costs(sichuan)
    write_province(sichuan)
    write_profiles(meters)
    write_portfolios(meters)


def write_plants(sichuan: Path) -> None:
    rows = {row["plant_id"]: row for row in read_csv(sichuan / "plants.csv")}
    annual = dam_means(sichuan)
    table = []
    for pick in PICKS:
        row = rows.get(pick.source_id, {})
        lat, lon = POSITIONS.get(pick.key, (row.get("lat", ""), row.get("lon", "")))
        fuel = row.get("fuel", "hydro")
        capacity_kw = pick.capacity_mw * 1_000 if pick.capacity_mw else whole(Decimal(row["capacity_mw"]) * 1_000)
        fuel = "biomass" if fuel in BIOMASS_FUELS else fuel
        table.append([
            pick.key, pick.company_key, pick.name_zh, pick.name_en, fuel, row.get("technology", "Dam with Reservoir"),
            pick.river, pick.regulation, capacity_kw, annual_gwh(pick, row, annual, capacity_kw) if fuel == "hydro" else "",
            pick.unit_count or row.get("units", "") or "", whole(Decimal(lat) * PPM), whole(Decimal(lon) * PPM),
            row.get("commissioning_year", ""), pick.source_id, pick.note,
        ])  # fmt: skip
    header = ("key,company_key,name_zh,name_en,fuel,technology,river,regulation,capacity_kw,annual_gwh,unit_count,lat_e6,"
              "lon_e6,commissioning_year,source_id,note")  # fmt: skip
    write_csv("plants.csv", header.split(","), table)


def dam_means(sichuan: Path) -> dict[str, int]:
    """Mean yearly GWh of each large dam over the years it reports."""
    years: dict[str, list[Decimal]] = {}
    for row in read_csv(sichuan / "dams_annual.csv"):
        if row["annual_generation_gwh"]:
            years.setdefault(row["dam"], []).append(Decimal(row["annual_generation_gwh"]))
    return {dam: whole(sum(values, Decimal()) / len(values)) for dam, values in years.items()}


def annual_gwh(pick: Pick, row: dict[str, str], annual: dict[str, int], capacity_kw: int) -> int:
    if pick.key in NEWS_ANNUAL_GWH:
        return NEWS_ANNUAL_GWH[pick.key]
    if pick.key in DAM_NAMES:
        return annual[DAM_NAMES[pick.key]]
    if row.get("annual_generation_gwh"):
        return whole(Decimal(row["annual_generation_gwh"]))
    return whole(Decimal(capacity_kw * FULL_LOAD_HOURS.get(pick.river, USUAL_FULL_LOAD_HOURS)) / PPM)


def write_costs(sichuan: Path) -> None:
    costs = {row["technology"]: row for row in read_csv(sichuan / "marginal_costs.csv")}
    table = []
    for fuel, technology in COST_TECHNOLOGY.items():
        row = costs[technology]
        fuel_cost = Decimal(row["marginal_cost_eur_per_mwh"]) * EUR_CNY
        carbon_cost = Decimal(row["co2_t_per_mwh"]) * CARBON_PRICE_CNY_T
        table.append([fuel, technology, whole(fuel_cost * 1_000), whole(carbon_cost * 1_000)])
    write_csv("costs.csv", ["fuel", "technology", "fuel_cost_myuan_mwh", "carbon_cost_myuan_mwh"], table)


def write_province(sichuan: Path) -> None:
    load = pq.read_table(sichuan / "load_hourly_2018.parquet", columns=["Sichuan"])["Sichuan"].to_pylist()
    factors = pq.read_table(sichuan / "cf_hourly_2020.parquet", columns=["solar_Sichuan", "onwind_Sichuan"]).to_pydict()
    table = []
    for hour in range(DAYS * 24):
        then = JULY_FIRST_HOUR_OF_LEAP_YEAR + hour
        table.append([
            hour // 24 + 1, hour % 24 + 1, whole(Decimal(load[JULY_FIRST_HOUR_OF_COMMON_YEAR + hour]) * 1_000),
            whole(Decimal(factors["solar_Sichuan"][then]) * PPM), whole(Decimal(factors["onwind_Sichuan"][then]) * PPM),
        ])  # fmt: skip
    write_csv("province_july.csv", ["day", "segment", "load_kw", "solar_factor_ppm", "wind_factor_ppm"], table)


def write_profiles(meters: Path) -> None:
    columns = pq.read_table(meters / "meters_15min.parquet", columns=["interval_start", *PROFILES])
    first = columns["interval_start"].to_pylist().index(METER_START)
    classes = {row["meter_id"]: row["class"] for row in read_csv(meters / "meters.csv")}
    series = []
    for meter_id in PROFILES:
        readings = columns[meter_id].to_pylist()[first : first + DAYS * SLOTS]
        highest = max(readings)
        if min(readings) < 0:
            sys.exit(f"{meter_id} goes negative: it is no customer")
        series.append([whole(Decimal(reading) / Decimal(highest) * PPM) for reading in readings])
    (TARGET / "load_profiles.bin").write_bytes(zlib.compress(np.array(series, dtype="<i4").tobytes(), 9))
    write_csv("load_profiles.csv", ["profile", "class"], [[name[2:], classes[name]] for name in PROFILES])


def write_portfolios(meters: Path) -> None:
    table = []
    for area, prefixes in RETAIL_AREAS.items():
        loads: dict[str, list[Decimal]] = {}
        for row in read_csv(meters / "portfolio.csv"):
            if row["node"].startswith(prefixes) and row["meter_id"] in PROFILES:
                loads.setdefault(row["meter_id"][2:], []).append(Decimal(row["pLoad"]))
        table += [[area, name, len(loads[name]), whole(sum(loads[name], Decimal()) * PPM)] for name in sorted(loads)]
    write_csv("retail_portfolios.csv", ["area", "profile", "customer_count", "rated_w"], table)


def whole(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_HALF_EVEN))


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_csv(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with (TARGET / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
