"""The errors of the pipeline and its CLI: one base class, and one subclass per decision a reader takes.

An error that belongs to one database or one target is not here: it is data, and ends as an ERROR row.
"""

from __future__ import annotations

from collections.abc import Iterable

EXIT_COMPLETE = 0
EXIT_REPORT_FAILED = 1
EXIT_USAGE = 2
EXIT_INCOMPLETE = 3
EXIT_EVIDENCE_BROKEN = 4
EXIT_INTERRUPTED = 130

_MOST_SHOWN = 50


class DbAdminReportError(Exception):
    """Base of every error that this program raises on purpose.

    Attributes:
        message: one or more lines that name the thing that is wrong.
        hint: what to do about it, where that is known.
        exit_code: what the CLI exits with when this error reaches it.
    """

    exit_code = EXIT_REPORT_FAILED

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class _ProblemsError(DbAdminReportError):
    """An error that lists everything that is wrong, so that a person edits once.

    Attributes:
        problems: one sentence per problem, each naming the place.
    """

    exit_code = EXIT_USAGE
    subject = "The input is not valid"

    def __init__(self, problems: Iterable[str], *, hint: str | None = None, subject: str | None = None) -> None:
        self.problems = list(problems)
        subject = subject or self.subject
        if len(self.problems) == 1:
            message = f"{subject}: {self.problems[0]}"
        else:
            shown = [f"  - {problem}" for problem in self.problems[:_MOST_SHOWN]]
            if len(self.problems) > _MOST_SHOWN:
                shown.append(f"  - and {len(self.problems) - _MOST_SHOWN} more")
            message = "\n".join([f"{subject}, {len(self.problems)} problems:", *shown])
        super().__init__(message, hint=hint)


class ConfigurationError(_ProblemsError):
    """Refuse to start: an option, an environment variable or the configuration file is wrong or missing."""

    subject = "The configuration is not valid"


class InventoryError(_ProblemsError):
    """Refuse to start: the inventory cannot be read or is not valid."""

    subject = "The inventory is not valid"


class CredentialsError(DbAdminReportError):
    """Refuse to start: AWS credentials are missing, expired, or not accepted."""

    exit_code = EXIT_USAGE


class UnknownScopeError(DbAdminReportError):
    """Refuse to start: accounts or regions were asked for that the inventory does not have.

    Attributes:
        known: the accounts or regions that the inventory does have, sorted.
    """

    exit_code = EXIT_USAGE

    def __init__(self, message: str, *, known: Iterable[str] = (), hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.known = tuple(known)


class UnknownRunError(DbAdminReportError):
    """A run id was given that this Dagster instance does not know."""

    exit_code = EXIT_USAGE


class ReportError(DbAdminReportError):
    """The report could not be made: give up, and say why."""


class RunDiedError(ReportError):
    """The process of a run went away before the run was finished."""


class EvidenceError(ReportError):
    """The evidence bucket cannot be read or written, or holds something that is no evidence."""


class AlreadyThereError(EvidenceError):
    """An object that is written once is there already, with other bytes."""


class RetentionError(DbAdminReportError):
    """Refuse to keep evidence for less time than was promised."""

    exit_code = EXIT_USAGE


class SigningError(ReportError):
    """The configured signing key cannot be used: nothing is sealed unsigned in its place."""


class BrokenEvidenceError(EvidenceError):
    """A report is not what was sealed: do not rely on it."""

    exit_code = EXIT_EVIDENCE_BROKEN
