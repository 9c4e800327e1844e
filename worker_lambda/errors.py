"""What may happen to one database or one delivery: the worker's exceptions, each a decision for its reader.

A `DatabaseError` is recorded as that database's ERROR row and the others go on. A `DeliveryError` ends the invocation
with `status: failure`. Details are for people: they never hold a secret, a password hash or an account's data.
"""

from __future__ import annotations

from worker_lambda.contract import Reason


class WorkerError(Exception):
    """Base of everything that the worker raises on purpose."""


class DatabaseError(WorkerError):
    """One database gave no data; record the reason and go on with the others.

    Attributes:
        reason: the text of the ERROR row.
        detail: one sentence for people, free of secrets.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class CredentialsError(DatabaseError):
    """The login could not be read from Secrets Manager, or is no login."""


class ConnectionFailed(DatabaseError):
    """No session: the host, the network, TLS or the login refused."""


class CollectionFailed(DatabaseError):
    """There was a session, but the catalogue could not be read in time or in the known form."""


class StatementRefused(CollectionFailed):
    """The server would not run a statement for the rights of this login, or of whoever made a view; it goes on."""


class DeliveryError(WorkerError):
    """The result object could not be written; the invocation failed and may be tried again."""
