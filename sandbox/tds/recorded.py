"""Every catalogue whose right answer stands in tests/worker_lambda/expected/sqlserver.csv, by its name there."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.tds.catalogue import Catalogue
from sandbox.tds.catalogues import known_2019, rds_2022
from sandbox.tds.recorded_clouds import RDS_2019_MASTER, managed_instance, rds_2019, sql_2022
from sandbox.tds.recorded_reach import sid_alone, sql_2019, sql_2022_guest
from sandbox.tds.recorded_rights import sql_2014, sql_2016

RECORDED: dict[str, Callable[[], Catalogue]] = {
    "sql_2014": sql_2014,
    "sql_2016": sql_2016,
    "sql_2019": sql_2019,
    "sql_2022": sql_2022,
    "sql_2022_guest": sql_2022_guest,
    "rds_2019": rds_2019,
    "rds_2022": rds_2022,
    "managed_instance": managed_instance,
    "known_2019": known_2019,
    "sid_alone": sid_alone,
}
# The RDS master user, where the inventory declares it.
MASTERS = {"rds_2019": RDS_2019_MASTER}
