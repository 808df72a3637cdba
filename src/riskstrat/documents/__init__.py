"""Documents that a neighbourhood issues: figures of published runs, as the reader's policy lets them leave."""
