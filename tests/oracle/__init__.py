"""A slow, obvious reading of the written rules, against which the SQL is held."""
