"""A Lambda module whose import takes long, for the test of the init time-out."""

import time

time.sleep(60)
