"""The stages of a run: one function each, and each reads what earlier ones left."""
