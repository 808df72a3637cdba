"""How long asking who is on a list takes, against DuckDB itself and against other tools that select cohorts."""
