"""Risk scores: landmark frames, fitting, scoring and judging them."""
