"""What every test may use."""

import hypothesis  # noqa: F401 - imported before pytest's summary needs it, which is too deep a stack for its rewriting
