"""What governance tells: every setting with the day it holds from, and its source."""

from shudian.contracts.governance.messages import SettingSet
from shudian.reading.reader import Reader, Viewer
from shudian.reading.tables import PUBLIC, At, ReadTable, Row, Views, integer, text
from shudian.reading.writer import Writer

SETTINGS = ReadTable(
    "governance_settings",
    (
        text("name", "参数", "setting"),
        text("scope", "适用范围", "scope"),
        integer("from_day", "生效日", "from day"),
        text("numbers", "取值", "values"),
        text("source", "依据", "source"),
        integer("set_ms", "设定时间", "set at"),
    ),
    ("name", "scope", "from_day"),
    PUBLIC,
)


def setting_set(db: Writer, event: SettingSet, at: At) -> None:
    """Keep the newest values for a name, scope and day."""
    db.delete(SETTINGS, {"name": event.name, "scope": event.scope, "from_day": event.from_day})
    db.insert(
        SETTINGS,
        name=event.name,
        scope=event.scope,
        from_day=event.from_day,
        numbers=" ".join(str(value) for value in event.values),
        source=event.source,
        set_ms=at.market_ms,
    )


def settings(reader: Reader, viewer: Viewer, *, name: str | None = None) -> list[Row]:
    """Settings, all or those of a name, oldest first."""
    return reader.select(viewer, SETTINGS, {"name": name})


VIEWS = Views("governance", (SETTINGS,), {SettingSet: setting_set}, (settings,))
