"""Use cases, called by every edge: may this caller do it? Then append it to the journal, or read it from the store."""
