"""What each shipped cohort says of constructed people, by the stage that a run uses."""
