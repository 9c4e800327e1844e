"""A Lambda module that cannot be imported, for the test of an init error."""

raise RuntimeError("cannot be imported")
