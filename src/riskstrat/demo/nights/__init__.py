"""What happens to the town after as_of, night by night: deliveries of what is new, and the truth of each night."""
