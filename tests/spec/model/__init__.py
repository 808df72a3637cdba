"""What the risk model may learn from: landmark frames and their labels, as tables."""
