"""What governance remembers: the dated values of each setting."""

from shudian.kernel.codec import Record
from shudian.kernel.contract import RowInvariant
from shudian.kernel.tables import Key, Table


class SettingRow(Record):
    """Values of a setting from a day on. values: in the unit of the setting's name. set_ms: when it was set."""

    values: tuple[int, ...]
    source: str
    set_ms: int


SETTING_ROWS = Table("governance.setting_rows", SettingRow, ("name", "scope", "from_day"))

TABLES = (SETTING_ROWS,)


def _has_source(_key: Key, row: SettingRow) -> bool:
    return bool(row.source)


INVARIANTS = (RowInvariant("every setting names its source", SETTING_ROWS, _has_source),)
