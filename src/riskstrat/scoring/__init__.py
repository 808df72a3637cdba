"""What a nightly run needs of a risk model: reading an approved one, scoring people, and saying why."""
