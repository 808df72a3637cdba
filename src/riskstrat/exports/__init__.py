"""Lists that leave the site: only what an audience may have, sealed for whom it is, with a signed manifest."""
