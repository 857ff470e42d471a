"""``python -m sleepsweep`` is the command line."""

from sleepsweep.cli import main

main()
