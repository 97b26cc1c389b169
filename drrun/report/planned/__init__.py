"""A plan on paper: as a picture, for a ticket or a wiki, as a page to go through together."""
