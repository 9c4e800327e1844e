"""Asset checks: what must hold of an asset, and how bad it is when it does not."""
