"""What teams report back about the people on their lists: judged by row, kept by pseudonym, read by the next run."""
