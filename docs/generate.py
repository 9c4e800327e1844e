"""`make docs`: write the documents that are made from code; `--check` only says whether they are up to date."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from dbadmin_assets.review.manifest_model import Manifest
from docs import costs, iam_actions
from worker_lambda.privileges import mysql_rules, sqlserver_rules
from worker_lambda.privileges.mysql_catalogue import Principal
from worker_lambda.privileges.rule import Rule
from worker_lambda.reader_grants import DEFAULT_READER, mysql_script, sqlserver_script

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
MySQL matches grants on schemas and tables, and PROXY, by user name and client host, not by account: carl@localhost has what
carl@'%' was granted there, and everybody what the anonymous account was. The report counts it so.

`rule_id` and `access_path` (`alice > mid > dba_role: SUPER`, the shortest way) stand with every principal in the detail outputs,
and so does the version of the table. Role Name lists at most three reasons, in the order of the table.

**Source** says who holds a rule to be true. *Tried* means done: an account that holds that right and nothing else logs in
to a real server and takes control of it, and an account with the nearest weaker right tries the same and is refused
(`tests/worker_lambda/escalation`). At tier 1 *tried* means that it was refused. *Not tried* says why it is not.

{tables}
## Below tier 0, and yet

The tiers are the agreed definition. Two rights took control of a MariaDB in our trials although the definition counts
them as tier 1; the report shows whoever holds them as `Server Admin`, with the right by name:

- `CONNECTION ADMIN` may set `init_connect`, which the next administrator who logs in runs.
- `FILE`, where `secure_file_priv` lets it write into the data directory, may write a trigger that runs as root.

## What no rule sees

- Members of Windows, Active Directory and Entra groups: a group is one row that says `group not expanded`.
- Ways around the server: who may reset a master password, read a secret or connect with `rds-db:connect` is written in AWS
  IAM, who reaches the files in the operating system.
- SQL Server's contained availability groups (2022) have logins and administrators of their own, which the instance does not
  show: declare the group's listener in the inventory, too.
- Whoever is let in by a group only has no login: such an owner of a database is the row `dbo [name]`, and whether he makes
  the db_owners of a trustworthy database administrators, the group's members decide.
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
        cells = (rule.tier, f"`{rule.id}`", rule.label, rule.matches, rule.sentence, source)
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    if common:
        lines += ["", f"Not tried on a server, all of them: {common}."]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*.*", "\\*.\\*")


READER_RIGHTS = """\
# The reader's rights

{notice}

The worker logs in as a reader: an account that can see who holds which rights, and nothing else. It reads no business data,
no password hash, and it cannot change anything. The script for a server, for its administrator to read and to run:

```
db-admin-report reader-grants --engine mysql --version 8.4
db-admin-report reader-grants --engine mariadb --version 10.11 --username auditor --host 10.0.0.0/255.0.0.0
db-admin-report reader-grants --engine mysql --version 8.0 --platform aurora --auth iam
db-admin-report reader-grants --engine mssql --version 2019 --platform rds
```

`--json` gives the statements as a list. Nothing is connected to or changed. Then see whether it suffices:

```
READER_PASSWORD=… db-admin-report probe --engine mysql --host HOST --username db_admin_report --password-env READER_PASSWORD
```

Where a right is missing, `probe` prints the statements that cure it and exits 3. In a report the same database has a WARNING
row (`Incomplete: login lacks …`), the report says INCOMPLETE, and the statements stand in the worker's JSON (`cures`).

## Why these rights

- **MySQL, MariaDB.** `mysql.user` by column, because one of its columns is the password hash. What lies beside a hash in one
  column (partial revokes in `User_attributes`; MariaDB's lock state and split privileges in `global_priv.Priv`) is shown by a
  view that reads with its creator's rights and selects the facts only. `mysql.procs_priv` tells `Limited User` from `User`.
  Let nobody else have rights on the schema `db_admin_report`: whoever replaces the view decides what it says.
- **SQL Server.** Without `VIEW ANY DEFINITION` the catalogue shows fewer rows and no error, so the right is asked for and
  its lack reported. `CONNECT ANY DATABASE` lets the reader into databases that are made later, too; it opens no table.
  On RDS the master user cannot grant it: there the reader gets a user in each database. `VIEW SERVER STATE` shows open
  sessions, from which the last login is told; without it that column says `Unknown` and the report stays complete.

## The scripts

{scripts}"""


def reader_rights() -> str:
    """docs/reader-rights.md, from the scripts that the command prints."""
    reader = Principal(DEFAULT_READER, "%")
    scripts = {
        "MySQL 8.0, 8.4, 9.x, Aurora MySQL 3": mysql_script("mysql", (8, 4), reader),
        "MySQL 5.7, Aurora MySQL 2": mysql_script("mysql", (5, 7), reader),
        "MySQL on RDS or Aurora with IAM authentication": mysql_script("mysql", (8, 0), reader, iam=True),
        "MariaDB 10.6 to 11.x": mysql_script("mariadb", (11, 8), reader),
        "SQL Server 2014 to 2019": sqlserver_script(15, DEFAULT_READER),
        "SQL Server 2022": sqlserver_script(16, DEFAULT_READER),
        "RDS for SQL Server 2019": sqlserver_script(15, DEFAULT_READER, rds=True),
    }
    blocks = [f"### {name}\n\n```sql\n{script.text()}```\n" for name, script in scripts.items()]
    notice = _NOTICE.format(source="worker_lambda/reader_grants.py")
    return READER_RIGHTS.format(notice=notice, scripts="\n".join(blocks))


def manifest_schema() -> str:
    """JSON Schema of manifest.json, from the model that `verify` reads it with."""
    schema = msgspec.json.schema(Manifest)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "manifest.json of db-admin-report",
        "description": "Made by `make docs` from dbadmin_assets/review/manifest_model.py; meanings: formats.md",
    }
    return json.dumps(head | schema, indent=1) + "\n"


def iam_actions_page() -> str:
    """docs/iam-actions.md, from the policies and their reasons."""
    return iam_actions.page(_NOTICE.format(source="infra/policies/"))


def costs_page() -> str:
    """docs/costs.md, from quantities and unit prices."""
    return costs.page(_NOTICE.format(source="docs/costs.py"))


DOCUMENTS: dict[str, Callable[[], str]] = {
    "admin-definition.md": admin_definition,
    "costs.md": costs_page,
    "iam-actions.md": iam_actions_page,
    "manifest.schema.json": manifest_schema,
    "reader-rights.md": reader_rights,
}


def main() -> int:
    """Write or check each document."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate", description=__doc__)
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
