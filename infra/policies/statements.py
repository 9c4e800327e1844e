"""What policies are made of: JSON-ready dicts, and short ways to write them."""

from __future__ import annotations

from typing import Any

Policy = dict[str, Any]
Statement = dict[str, Any]


def allow(sid: str, action: str | list[str], resource: str | list[str]) -> Statement:
    """One Allow statement of an identity policy."""
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource}


def deny(
    sid: str, action: str | list[str], resource: str | list[str], condition: dict[str, Any] | None = None
) -> Statement:
    """One Deny statement of a resource policy, for everybody."""
    statement = {"Sid": sid, "Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


def policy(statements: list[Statement]) -> Policy:
    """A policy document of these statements."""
    return {"Version": "2012-10-17", "Statement": statements}
