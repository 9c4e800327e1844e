"""The access review: a report's administrators as a sheet that people fill in, and what comes back from them."""
