"""`python -m shared_code` is the steward command."""

from shared_code.cli import main

main()
