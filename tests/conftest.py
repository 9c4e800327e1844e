"""What every test may use."""

import signal

import hypothesis  # noqa: F401 - imported before pytest's summary needs it, which is too deep a stack for its rewriting

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what runs in the background with Ctrl-C ignored, and every child inherits that: tests that send
    # it would wait for ever.
    signal.signal(signal.SIGINT, signal.default_int_handler)
