"""Throughput and coverage: of how many people of a cohort or a list something is so, with an interval and a date."""
