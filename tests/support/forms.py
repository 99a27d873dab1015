"""Which tests stand aside when the product runs compiled."""

import pytest

from shudian import KERNEL
from shudian.compiled import COMPILED

REPLACES = pytest.mark.skipif(
    KERNEL.name == COMPILED, reason="it replaces a method or a constant, which compiled code does not let one do"
)
