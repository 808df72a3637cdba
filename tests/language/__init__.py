"""Expressions by the thousand, and what they mean in plain Python: an oracle that shares no code with the language."""
