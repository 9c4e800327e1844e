"""Bringing the stacks into the accounts: which there are, whose rights each uses, Pulumi behind one seam, the order."""
