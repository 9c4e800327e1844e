"""`make docs`: write the documents that are made from code; `--check` only says whether they are up to date."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from worker_lambda.privileges import mysql_rules, sqlserver_rules
from worker_lambda.privileges.rule import Rule

HERE = Path(__file__).resolve().parent
_NOTICE = "<!-- Made by `make docs` from {source}; change it there. -->"

ADMIN_DEFINITION = """\
# Who counts as an administrator

{notice}

Every principal that a server lists gets the first rule of its engine's table that matches, and with it a tier:

| Tier | Meaning | Permission Level in the report |
|---|---|---|
| 0 | controls the server, or can come to control it | `Admin` |
| 1 | administers a part of the server | the rights themselves |
| 2 | administers one database | the rights themselves |
| none | works with data, or does nothing | `User` |

What counts is what a principal *can* do, not what it does by default: roles count at any depth, whether they are active by
default or not, mandatory roles and PUBLIC count for everybody, what a DENY or a partial revoke takes away does not count.
`rule_id` and `access_path` (`alice > mid > dba_role: SUPER`, the shortest way) stand with every principal in the detail outputs,
and so does the version of the table. Role Name lists at most three reasons, in the order of the table.

**Source** says who holds a rule to be true. *Tried* means done: an account that holds that right and nothing else logs in
to a real server and takes control of it, and an account with the nearest weaker right tries the same and is refused
(`tests/worker_lambda/escalation`). *Not tried* says why it is not.

{tables}
## What no rule sees

- Members of Windows, Active Directory and Entra groups: a group is one row that says `group not expanded`.
- Ways around the server: who may reset a master password, read a secret or connect with `rds-db:connect` is written in AWS
  IAM, who reaches the files in the operating system.
- Rights on single objects: a procedure with elevated rights, `ALTER` on a login, `TAKE OWNERSHIP`, `IMPERSONATE` on a
  database user, linked servers.
"""


def admin_definition() -> str:
    """docs/admin-definition.md, from the two rule tables."""
    tables = [
        _rule_table("MySQL, MariaDB, Aurora MySQL", mysql_rules.RULES_VERSION, mysql_rules.RULES),
        _rule_table("SQL Server", sqlserver_rules.RULES_VERSION, sqlserver_rules.RULES),
    ]
    notice = _NOTICE.format(source="worker_lambda/privileges/mysql_rules.py and sqlserver_rules.py")
    return ADMIN_DEFINITION.format(notice=notice, tables="\n".join(tables))


def _rule_table(engine: str, version: str, rules: Mapping[str, Rule]) -> str:
    lines = [
        f"## {engine}: `{version}`",
        "",
        "| Tier | Rule | Role Name | Matches | Why | Source |",
        "|---|---|---|---|---|---|",
    ]
    shared = {rule.untested for rule in rules.values()}
    common = shared.pop() if len(shared) == 1 else ""
    for rule in rules.values():
        source = rule.source
        if rule.untested and not common:
            source += f". Not tried: {rule.untested}"
        cells = (rule.tier, f"`{rule.id}`", f"{rule.label}", rule.matches, rule.sentence, source)
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    if common:
        lines += ["", f"Not tried on a server, all of them: {common}."]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*.*", "\\*.\\*")


DOCUMENTS: dict[str, Callable[[], str]] = {"admin-definition.md": admin_definition}


def main() -> int:
    """Write or check each document."""
    parser = argparse.ArgumentParser(prog="python docs/generate.py", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a document is out of date")
    check = parser.parse_args().check
    stale = []
    for name, make in DOCUMENTS.items():
        path, text = HERE / name, make()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if check:
            stale.append(name)
        else:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"docs/{name}: written\n")
    for name in stale:
        sys.stderr.write(f"docs/{name} is not what `make docs` writes\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
