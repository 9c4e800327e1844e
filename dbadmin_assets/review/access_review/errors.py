"""What is wrong with a file that a person filled in: every problem at once, each with its place in the file."""

from __future__ import annotations

from collections.abc import Iterable

from dbadmin_assets.errors import ConfigurationError


class _FileError(ConfigurationError):
    """All problems stand in the message: whoever corrects a file corrects it once."""

    def __init__(self, problems: Iterable[str], *, hint: str | None = None) -> None:
        super().__init__(problems, hint=hint)
        if len(self.problems) > 1:
            lines = (f"  - {problem}" for problem in self.problems)
            self.message = "\n".join([f"{self.subject}, {len(self.problems)} problems:", *lines])


class SheetError(_FileError):
    """Attest nothing: the sheet cannot be read, is of another report, or is not filled in."""

    subject = "The sheet is not right"


class OwnersError(_FileError):
    """Refuse to start: the owners file is not right."""

    subject = "The owners file is not right"
