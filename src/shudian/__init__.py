"""Shudian 蜀电链: the Sichuan power market and its finance as one deterministic program.

The house, from the ground up (imports only look down; docs/decisions/0001-the-house.md draws it):

- ``kernel``     units, bytes, signatures, tables and the machine that applies blocks
- ``clearing``   auctions and the order book: numbers in, numbers out
- ``reading``    from events to read models that can be deleted and rebuilt
- ``contracts``  one folder per smart contract: messages, state, rules, views
- ``market``     which contracts there are, in which order
- ``node``       the engine that orders messages into blocks and keeps them
- ``client``     what members use: keys, submit, outcome, query, verify
- ``tools``, ``cli``  the sandbox market, benchmarks, the command line
"""

from shudian.compiled import choose

__version__ = "0.1.0"

# Before any other module is imported: the hot ones are found compiled, or none is.
KERNEL = choose()
"""The form in which the kernel runs, see :mod:`shudian.compiled`."""
