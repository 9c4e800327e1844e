"""The assets, one file per stage of the data's way: inventory, collection, report."""
