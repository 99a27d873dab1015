"""``python -m shudian``."""

from shudian.cli import main

main()
