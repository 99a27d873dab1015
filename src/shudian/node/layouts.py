"""Layouts of the ledger file: the number of this program's own, and a step from each older one that is still taken in.

Whoever changes the tables of :mod:`shudian.node.store` raises the number and writes the step that leads to it. A step works inside the
transaction that the store opened, on nothing but the tables; a copy of the file as it was is kept beside it. Layouts older than the
list and newer than the number are refused. What the rows and blocks mean is the chain's own format, which no step changes.
"""

from collections.abc import Callable

import apsw
import msgspec

from shudian.kernel.crypto import sha256

STORE_VERSION = 4
"""Layout of the file. Version 1 kept no digests; version 2 no heights of rows; version 3 kept rows by table name and key."""


def _from_3(db: apsw.Connection) -> int:
    """Rows get numbers, tables too; the chain's format, until now only in its headers, stands among the facts of the founding."""
    (block,) = db.execute("SELECT block FROM blocks WHERE height = 0").fetchone() or (b"",)
    chain_format = _format_of(block)
    db.execute("INSERT INTO meta VALUES ('chain_format', ?, ?)", (chain_format, sha256(chain_format)))
    db.execute("CREATE TABLE state_tables (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
    db.execute("INSERT INTO state_tables (name) SELECT DISTINCT table_name FROM state ORDER BY table_name")
    db.execute("ALTER TABLE state RENAME TO state_3")
    db.execute(
        "CREATE TABLE state (id INTEGER PRIMARY KEY, table_id INTEGER NOT NULL, "
        "key BLOB NOT NULL, row BLOB NOT NULL, height INTEGER NOT NULL)"
    )
    db.execute(
        "INSERT INTO state (table_id, key, row, height) "
        "SELECT state_tables.id, key, row, height FROM state_3 JOIN state_tables ON name = table_name ORDER BY table_name, key"
    )
    db.execute("DROP TABLE state_3")
    return 4


def _format_of(block: bytes) -> bytes:
    """The chain's format in decimal, from the header of a stored block; ``?`` if there is none. Format 2 had it first, 3 has it second."""
    try:
        first, second = msgspec.msgpack.decode(block)[0][:2]
        return str(int(first if isinstance(second, str) else second)).encode()
    except (msgspec.DecodeError, LookupError, TypeError, ValueError):
        return b"?"


STEPS: dict[int, Callable[[apsw.Connection], int]] = {3: _from_3}
"""By the version it starts from; returns the version it leads to."""
