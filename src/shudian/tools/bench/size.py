"""What size costs: how long a ledger with very many rows of one kind takes to start, and how fast it takes in more of them.

Set-up: an embedded node in a temporary folder (durable) whose journal of money movements is filled with rows at once, without messages; then
the node is closed and opened again. Timed: opening (rows read and decoded, the state's tree built, the app hash compared), and deposits in
batches of one signature, from the door to the durable answer and the read models, which add one such row each.
"""

import os
import platform
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from shudian.client.client import Client
from shudian.contracts.funds.messages import ConfirmDeposit, OpenAccount
from shudian.kernel import clock
from shudian.kernel.crypto import SigningKey, sha256
from shudian.kernel.ids import ID_BYTES
from shudian.kernel.machine import STEPPED
from shudian.node.embedded import EmbeddedNode
from shudian.node.founding import SICHUAN_FOUNDERS, found
from shudian.node.local import LocalTransport

FEW_ROWS = 1_000
MANY_ROWS = 1_000_000
DEPOSITS_COUNT = 4_000
BATCH_COUNT = 500
START_MS = clock.ms_at(20260601, 8)
GRID_ID, BANK_ID = 2, 3
JOURNAL = "funds.entries"


def run(runs: int = 1, rows: int = MANY_ROWS) -> dict[str, Any]:
    """Medians over ``runs``: seconds to start with ``rows`` rows, and deposits per second with them and with 1,000."""
    starts, few, many = [], [], []
    for _ in range(runs):
        few.append(_measure(FEW_ROWS)[1])
        start_s, rate = _measure(rows)
        starts.append(start_s)
        many.append(rate)
    few_per_s, many_per_s = statistics.median(few), statistics.median(many)
    return {
        "set_up": f"journal of {rows} rows against {FEW_ROWS}; {DEPOSITS_COUNT} deposits, {BATCH_COUNT} a signature",
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}",
        "runs": runs,
        "start_s": round(statistics.median(starts), 2),
        "deposits_per_s_few_rows": round(few_per_s),
        "deposits_per_s_many_rows": round(many_per_s),
        "many_over_few": round(many_per_s / few_per_s, 3),
    }


def _measure(rows: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _fill(folder, rows)
        started = time.perf_counter()
        node = EmbeddedNode.open(folder, _key("node"))
        start_s = time.perf_counter() - started
        try:
            bank = Client(LocalTransport(node), BANK_ID, [_key("bank-teller")])
            messages = [ConfirmDeposit(GRID_ID, 100, sha256(b"%d" % number)) for number in range(DEPOSITS_COUNT)]
            started = time.perf_counter()
            for first in range(0, DEPOSITS_COUNT, BATCH_COUNT):
                refused = [one for one in bank.submit_batch(messages[first : first + BATCH_COUNT]) if not one.done]
                if refused:
                    message = f"the bench's deposits were refused: {refused[0]}"
                    raise RuntimeError(message)
            return start_s, DEPOSITS_COUNT / (time.perf_counter() - started)
        finally:
            node.close()


def _key(name: str) -> SigningKey:
    return SigningKey(sha256(f"shudian/bench/{name}".encode()))


def _fill(folder: Path, rows: int) -> None:
    """A chain whose journal has this many rows more, like its first; they stand in one block, in which no message says them."""
    genesis = found("shudian-bench", STEPPED, START_MS, lambda name: _key(name).public_key, SICHUAN_FOUNDERS)
    node = EmbeddedNode.create(folder, genesis, _key("node"), now_ms=lambda: START_MS)
    try:
        Client(LocalTransport(node), GRID_ID, [_key("grid_company-finance")]).submit(
            OpenAccount(BANK_ID, sha256(b"account"))
        )
        bank = Client(LocalTransport(node), BANK_ID, [_key("bank-teller")])
        bank.submit(ConfirmDeposit(GRID_ID, 100, sha256(b"the first")))
        store = node.machine.store
        moved = next(iter(store.rows[JOURNAL].data.values()))
        for number in range(rows):
            store.change(JOURNAL, (sha256(b"row %d" % number)[:ID_BYTES],), moved)
        node.block_after(node.height)
    finally:
        node.close()
