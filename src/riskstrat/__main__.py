"""``python -m riskstrat``."""

from riskstrat.cli import main

main()
