"""How good a risk score is for a team of limited capacity, for whom it is worse, and how long it holds."""
