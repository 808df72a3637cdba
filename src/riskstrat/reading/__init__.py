"""What can be read from a published run: its cohorts as they were defined, and each person's answers to their rules.

Imports only the standard library and DuckDB at start, as every reading command must answer at once.
"""
