"""Whether the rights that the rules call tier 0 take control of a real server, and their nearest neighbours do not."""
