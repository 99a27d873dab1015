"""The projector: one transaction of the reading database per block; generic tables beside the contracts' own.

``messages`` keeps the outcome of every message for good (the ledger's state forgets it at expiry); ``happenings`` keeps every event once,
and ``timeline`` names, for every deed, those that belong to it in order.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec

from shudian.kernel.messages import Event
from shudian.kernel.outcomes import Outcome
from shudian.reading.reader import LIMIT_MAX_COUNT, Reader, Viewer
from shudian.reading.tables import At, ReadTable, Row, Views, blob, integer, parties, text
from shudian.reading.writer import Writer

FORMAT = 4
_NO_MARK = b""
_CACHE_KIB, _WAL_MAX_PAGES = 65_536, 8_000
_RECORD_SQL = (
    "INSERT INTO messages SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 "
    "WHERE NOT EXISTS (SELECT 1 FROM messages WHERE sender_id = ?1 AND id = ?2 AND height < ?10)"
)
_LEAD_SQL = "INSERT OR IGNORE INTO leads VALUES (?, ?)"
_JSON = msgspec.json.Encoder()


@dataclass(frozen=True)
class Said:
    """One envelope of a block as the projector needs it: who, which id, what kinds of message, with which outcomes."""

    sender_id: int
    id: bytes
    kinds: tuple[str, ...]
    outcomes: tuple[Outcome, ...]


class Projector:
    """Keeps the reading database at the height of the ledger."""

    def __init__(
        self,
        path: Path | None,
        views: tuple[Views, ...],
        oversight: tuple[str, ...],
        connect: Callable[[str], Any] | None = None,
    ) -> None:
        """Open or make the database (None: in memory). ``oversight``: kinds of member that see every message and timeline.

        connect: another way to open the file than Python's own module, as in the simulated world.
        """
        self.views = views
        self.oversight = oversight
        self.messages = ReadTable(
            "messages",
            (
                integer("sender_id", "发送方", "sender"),
                blob("id", "消息编号", "message id"),
                integer("item_no", "批内序号", "item in the batch"),
                text("kind", "消息类型", "type"),
                integer("number", "结果编号", "outcome number"),
                text("field", "字段", "field"),
                text("value", "取值", "value"),
                text("allowed", "允许", "allowed"),
                blob("reply", "回复", "reply"),
                integer("height", "区块", "block"),
                integer("market_ms", "市场时间", "market time"),
            ),
            ("sender_id", "id", "item_no"),
            parties("sender_id", also=oversight),
            (("number", "height"),),
        )
        self.happenings = ReadTable(
            "happenings",
            (
                integer("height", "区块", "block"),
                integer("order_no", "序", "order"),
                integer("market_ms", "市场时间", "market time"),
                text("event", "事件", "event"),
                text("step", "环节", "step"),
                text("zh", "中文", "Chinese"),
                text("en", "英文", "English"),
                text("parties", "相关方", "parties"),
                text("facts", "内容", "facts"),
            ),
            ("height", "order_no"),
            parties(also=oversight),
        )
        self.timeline = ReadTable(
            "timeline",
            (text("deed", "业务", "deed"), integer("height", "区块", "block"), integer("order_no", "序", "order")),
            ("deed", "height", "order_no"),
            parties(also=oversight),
        )
        self.leads = ReadTable(
            "leads",
            (text("deed", "业务", "deed"), text("to_deed", "后续业务", "goes on in")),
            ("deed", "to_deed"),
            parties(also=oversight),
        )
        self._projections = {kind: run for view in views for kind, run in view.projections.items()}
        self.connection: sqlite3.Connection = (connect or _connect)(":memory:" if path is None else str(path))
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self.connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_MAX_PAGES}")
        self._make()
        self._writer = Writer(self.connection)
        self.reader = Reader(self.connection)

    def _make(self, *, anew: bool = False) -> None:
        version = self.connection.execute("PRAGMA user_version").fetchone()[0]
        if version == FORMAT and not anew:
            return
        self.connection.execute("BEGIN")
        if version:
            for (name,) in self.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                self.connection.execute(f"DROP TABLE {name}")
        self.connection.execute("CREATE TABLE position (height INTEGER NOT NULL, mark BLOB NOT NULL)")
        self.connection.execute("INSERT INTO position VALUES (-1, ?)", (_NO_MARK,))
        for table in self.tables():
            for statement in table.create_sql():
                self.connection.execute(statement)
        self.connection.execute(f"PRAGMA user_version = {FORMAT}")
        self.connection.execute("COMMIT")

    def tables(self) -> list[ReadTable]:
        """Every read table, the generic ones first."""
        return [
            self.messages,
            self.happenings,
            self.timeline,
            self.leads,
            *(table for view in self.views for table in view.tables),
        ]

    @property
    def height(self) -> int:
        """Height of the last block projected; -1 before genesis."""
        height: int = self.connection.execute("SELECT height FROM position").fetchone()[0]
        return height

    @property
    def mark(self) -> bytes:
        """What the ledger gave as the mark of the last block projected; empty before genesis."""
        mark: bytes = self.connection.execute("SELECT mark FROM position").fetchone()[0]
        return mark

    def start_anew(self) -> None:
        """Forget everything: what was projected is not of this ledger."""
        self._writer.forget()
        self._make(anew=True)

    def project(
        self,
        height: int,
        market_ms: int,
        said: Sequence[Said],
        events: Sequence[tuple[int, Event]],
        *,
        hooks_ms: int | None = None,
        mark: bytes = _NO_MARK,
    ) -> None:
        """Take in one block; a block already taken in is left alone.

        market_ms: of the block's messages. hooks_ms: of its hooks, where a stepped clock moved in between. mark: by which the ledger
        knows this very block again.
        """
        if height <= self.height:
            return
        self.connection.execute("BEGIN")
        try:
            self._record(height, market_ms, said)
            self._tell(height, market_ms, market_ms if hooks_ms is None else hooks_ms, events)
            self._writer.flush()
            self.connection.execute("UPDATE position SET height = ?, mark = ?", (height, mark))
        except BaseException:
            self._writer.forget()
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def _record(self, height: int, market_ms: int, said: Sequence[Said]) -> None:
        """Keep the outcomes of the block's envelopes; of an id that an earlier block used, the first stay."""
        first: dict[tuple[int, bytes], Said] = {}
        for envelope in said:
            first.setdefault((envelope.sender_id, envelope.id), envelope)
        rows = [
            (
                *key,
                item_no,
                envelope.kinds[item_no] if item_no < len(envelope.kinds) else "",
                outcome.number,
                outcome.field,
                outcome.value,
                outcome.allowed,
                outcome.reply,
                height,
                market_ms,
            )
            for key, envelope in sorted(first.items(), key=itemgetter(0))
            for item_no, outcome in enumerate(envelope.outcomes)
        ]
        self.connection.executemany(_RECORD_SQL, rows)

    def _tell(self, height: int, market_ms: int, hooks_ms: int, events: Sequence[tuple[int, Event]]) -> None:
        """Run the projection of each event, keep the event once, and name it on the timeline of each of its deeds."""
        happenings: list[tuple[Any, ...]] = []
        timeline: list[tuple[str, int, int]] = []
        leads: dict[tuple[str, str], None] = {}
        texts: dict[tuple[int, ...], str] = {}
        projections, writer = self._projections, self._writer
        at = At(height, -1, hooks_ms)
        for order_no, (place, event) in enumerate(events):
            if place != at.place:
                at = At(height, place, hooks_ms if place < 0 else market_ms)
            kind = type(event)
            run = projections.get(kind)
            if run is not None:
                run(writer, event, at)
            members = event.parties
            parties = texts.get(members)
            if parties is None:
                parties = texts[members] = "".join([f",{member}" for member in members]) + ","
            facts = _JSON.encode(msgspec.structs.asdict(event)).decode()
            step, zh, en = kind.step, kind.zh, kind.en
            happenings.append((height, order_no, at.market_ms, kind.__name__, step, zh, en, parties, facts))
            deed = event.deed
            timeline.append((deed, height, order_no))
            if event.also:
                timeline += [(other, height, order_no) for other in {*event.also} - {deed}]
            if event.leads_to:
                leads[deed, event.leads_to] = None
        timeline.sort()
        self.connection.executemany(self.happenings.insert_sql, happenings)
        self.connection.executemany(self.timeline.insert_sql, timeline)
        self.connection.executemany(_LEAD_SQL, leads)

    def timeline_of(self, viewer: Viewer, deed: str) -> list[Row]:
        """The events of a deed and of those it led to, in order, as far as the viewer is a party to them.

        An event without parties is public. An order leads to its agreement, a negotiation too.
        """
        rows = self.connection.execute(
            "WITH RECURSIVE story(deed) AS (SELECT ? UNION SELECT to_deed FROM leads JOIN story USING (deed)) "
            "SELECT DISTINCT height, order_no, market_ms, event, step, zh, en, parties, facts FROM timeline "
            "JOIN story USING (deed) JOIN happenings USING (height, order_no) WHERE (? OR parties = ',' OR parties LIKE ?) ORDER BY height, order_no LIMIT ?",
            (deed, viewer.kind in self.oversight, f"%,{viewer.member_id},%", LIMIT_MAX_COUNT),
        )
        names = ("height", "market_ms", "event", "step", "zh", "en", "parties", "facts")
        return [dict(zip(names, (row[0], *row[2:]), strict=True)) for row in rows]

    def close(self) -> None:
        """Close the database."""
        self.connection.close()


def _connect(path: str) -> sqlite3.Connection:
    return sqlite3.connect(path, check_same_thread=False, isolation_level=None)
