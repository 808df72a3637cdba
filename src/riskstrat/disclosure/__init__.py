"""What of a result may leave for whom: small counts are hidden, jointly over all that is shown together."""
