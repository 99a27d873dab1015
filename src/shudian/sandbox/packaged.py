"""The packaged files as rows and arrays, and the measures of the month. Origins and licences are in ``data/README.md``."""

import csv
import zlib
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

JULY_DAYS = 31
SLOTS = 96
SEGMENTS = 24
SLOTS_PER_SEGMENT = 4
WH_PER_KW_SLOT = 250
PPM = 1_000_000


@dataclass(frozen=True)
class Province:
    """Hourly July series, shape (31, 24): load of 2018 in kW, solar and wind capacity factors of 2020 in ppm."""

    load_kw: IntArray
    solar_factor_ppm: IntArray
    wind_factor_ppm: IntArray


def table(name: str) -> list[dict[str, str]]:
    """The rows of a packaged CSV file."""
    text = (files("shudian.sandbox") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def profiles() -> dict[str, IntArray]:
    """July shapes of the benchmark's meters by profile name: ppm of the profile's highest quarter hour, shape (31, 96)."""
    names = [row["profile"] for row in table("load_profiles.csv")]
    packed = (files("shudian.sandbox") / "data" / "load_profiles.bin").read_bytes()
    series = np.frombuffer(zlib.decompress(packed), dtype="<i4").astype(np.int64)
    return dict(zip(names, series.reshape(len(names), JULY_DAYS, SLOTS), strict=True))


def province() -> Province:
    """The province's hourly July."""
    rows = table("province_july.csv")
    columns = [
        np.array([int(row[name]) for row in rows], dtype=np.int64).reshape(JULY_DAYS, SEGMENTS)
        for name in ("load_kw", "solar_factor_ppm", "wind_factor_ppm")
    ]
    return Province(*columns)
