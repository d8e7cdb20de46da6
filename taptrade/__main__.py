"""Let `python -m taptrade` be the command `taptrade`."""

from taptrade.cli import main

raise SystemExit(main())
