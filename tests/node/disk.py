"""The recording disk for crash tests: the ledger's file is opened with apsw, the read models' with Python's own module; both are put on it."""

import sqlite3
from types import SimpleNamespace
from typing import Any

from shudian.node import simulated_disk
from shudian.node.simulated_disk import Fate as Fate
from shudian.node.simulated_disk import Step as Step
from shudian.node.simulated_disk import Told as Told
from shudian.node.simulated_disk import all_arrives as all_arrives
from shudian.node.simulated_disk import left_by_crash as left_by_crash
from shudian.node.simulated_disk import nothing_arrives as nothing_arrives
from shudian.node.simulated_disk import torn as torn


class RecordingDisk(simulated_disk.RecordingDisk):
    """With what stands in for Python's module."""

    def module(self) -> Any:
        """What stands in for the module ``sqlite3`` where the product opens its files."""
        return SimpleNamespace(
            connect=lambda path, **_options: self.connect_readers(str(path)),
            Error=sqlite3.Error,
            DatabaseError=sqlite3.DatabaseError,
        )
