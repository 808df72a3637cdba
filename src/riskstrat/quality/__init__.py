"""Whether the data can be trusted: Great Expectations judges counts, a page shows them."""
