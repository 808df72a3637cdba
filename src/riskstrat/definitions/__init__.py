"""What a site knows and decides: each module parses one kind of file into frozen, strict objects."""
