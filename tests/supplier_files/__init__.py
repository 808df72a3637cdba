"""Small made-up deliveries in suppliers' own formats, for tests of the layouts: synthetic 999 NHS numbers only.

One module a supplier. A maker returns one row of a supplier's file under the supplier's column names; keyword
arguments replace defaults. ``write`` (or ``write_*``, a file each) writes a delivery: every file that the supplier
always sends, empty below its header where no rows are given. Columns that no layout uses are there too, as they are
in life.
"""
