"""Suppliers' files, made up and small, go the whole way: what each layout means shows in the published features."""
