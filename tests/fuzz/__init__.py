"""A mutation fuzzer over demo deliveries: `make fuzz`, or `python -m tests.fuzz --deliveries 2000 --seed 1`.

``town`` writes the sound deliveries, ``kinds`` the ways to damage one, ``reader`` reads what came of it without the
engine, ``probe`` puts it through riskstrat, and ``oracle`` says what riskstrat may do with it.
"""
