-- Accounts whose rights are known, on MySQL and MariaDB alike: for every rule who just has the right, and who just has not.
-- One statement a line. Every CREATE is preceded by the matching DROP when it is run; {password} is random and thrown away.
-- What the report must say of each stands in tests/worker_lambda/expected/mysql.csv.

CREATE DATABASE IF NOT EXISTS payroll
CREATE DATABASE IF NOT EXISTS mysql_app
CREATE TABLE IF NOT EXISTS payroll.salaries (id INT PRIMARY KEY, amount INT)
CREATE OR REPLACE VIEW payroll.amounts AS SELECT amount FROM payroll.salaries

-- Roles, three deep.
CREATE ROLE r_top
CREATE ROLE r_mid
CREATE ROLE r_low
CREATE ROLE r_short
CREATE ROLE r_report
CREATE ROLE r_empty
CREATE ROLE r_writer
CREATE ROLE `r odd, name`
GRANT SUPER ON *.* TO r_top
GRANT r_top TO r_mid
GRANT r_mid TO r_low
GRANT r_top TO r_short
GRANT SELECT ON payroll.* TO r_report
GRANT INSERT ON mysql.* TO r_writer
GRANT PROCESS ON *.* TO `r odd, name`

-- mysql.all: everything, everything but one right, everything through a role.
CREATE USER alice@'%' IDENTIFIED BY '{password}'
GRANT ALL ON *.* TO alice@'%' WITH GRANT OPTION
CREATE USER heidi@'%' IDENTIFIED BY '{password}'
GRANT ALL ON *.* TO heidi@'%'
ALTER USER heidi@'%' ACCOUNT LOCK
CREATE USER almost@'%' IDENTIFIED BY '{password}'
GRANT ALL ON *.* TO almost@'%'
REVOKE SHUTDOWN ON *.* FROM almost@'%'

-- mysql.super: directly, through roles by the shortest way, and the nearest weaker right.
CREATE USER bob@'%' IDENTIFIED BY '{password}'
GRANT SUPER ON *.* TO bob@'%'
CREATE USER carol@'%' IDENTIFIED BY '{password}'
GRANT r_low TO carol@'%'
CREATE USER shortcut@'%' IDENTIFIED BY '{password}'
GRANT r_low TO shortcut@'%'
GRANT r_short TO shortcut@'%'
CREATE USER twice@'%' IDENTIFIED BY '{password}'
GRANT SUPER ON *.* TO twice@'%'
GRANT r_top TO twice@'%'
CREATE USER watcher@'%' IDENTIFIED BY '{password}'
GRANT PROCESS ON *.* TO watcher@'%'

-- mysql.create-user.
CREATE USER user_admin@'%' IDENTIFIED BY '{password}'
GRANT CREATE USER ON *.* TO user_admin@'%'

-- mysql.grant-tables: on everything, on the schema, by a pattern, on one table, on one column; and just beside it.
CREATE USER inserts@'%' IDENTIFIED BY '{password}'
GRANT INSERT ON *.* TO inserts@'%'
CREATE USER updates@'%' IDENTIFIED BY '{password}'
GRANT UPDATE ON *.* TO updates@'%'
CREATE USER alters@'%' IDENTIFIED BY '{password}'
GRANT ALTER ON *.* TO alters@'%'
CREATE USER peggy@'%' IDENTIFIED BY '{password}'
GRANT INSERT, UPDATE ON mysql.* TO peggy@'%'
CREATE USER owns_mysql@'%' IDENTIFIED BY '{password}'
GRANT ALL ON mysql.* TO owns_mysql@'%'
CREATE USER pattern@'%' IDENTIFIED BY '{password}'
GRANT UPDATE ON `my%`.* TO pattern@'%'
CREATE USER one_table@'%' IDENTIFIED BY '{password}'
GRANT INSERT ON mysql.db TO one_table@'%'
CREATE USER one_column@'%' IDENTIFIED BY '{password}'
GRANT UPDATE (Table_priv) ON mysql.tables_priv TO one_column@'%'
CREATE USER writes_by_role@'%' IDENTIFIED BY '{password}'
GRANT r_writer TO writes_by_role@'%'
CREATE USER reads_mysql@'%' IDENTIFIED BY '{password}'
GRANT SELECT ON mysql.* TO reads_mysql@'%'
CREATE USER deletes_mysql@'%' IDENTIFIED BY '{password}'
GRANT DELETE ON mysql.* TO deletes_mysql@'%'
CREATE USER help_writer@'%' IDENTIFIED BY '{password}'
GRANT INSERT ON mysql.help_topic TO help_writer@'%'
CREATE USER reads_column@'%' IDENTIFIED BY '{password}'
GRANT SELECT (User) ON mysql.tables_priv TO reads_column@'%'
CREATE USER app_writer@'%' IDENTIFIED BY '{password}'
GRANT INSERT, UPDATE ON `mysql\_app`.* TO app_writer@'%'

-- mysql.proxy: to an administrator, over a second proxy, to anybody; and to an ordinary account.
CREATE USER erin@'%' IDENTIFIED BY '{password}'
GRANT SELECT ON payroll.* TO erin@'%'
CREATE USER mallory@'%' IDENTIFIED BY '{password}'
GRANT PROXY ON alice@'%' TO mallory@'%'
CREATE USER chain@'%' IDENTIFIED BY '{password}'
GRANT PROXY ON mallory@'%' TO chain@'%'
CREATE USER proxies_erin@'%' IDENTIFIED BY '{password}'
GRANT PROXY ON erin@'%' TO proxies_erin@'%'

-- mysql.admin-option: on a role of tier 0, and on a harmless one.
CREATE USER role_giver@'%' IDENTIFIED BY '{password}'
GRANT r_top TO role_giver@'%' WITH ADMIN OPTION
CREATE USER report_giver@'%' IDENTIFIED BY '{password}'
GRANT r_report TO report_giver@'%' WITH ADMIN OPTION

-- mysql.grant-option and mysql.server.
CREATE USER passes_on@'%' IDENTIFIED BY '{password}'
GRANT SELECT ON *.* TO passes_on@'%' WITH GRANT OPTION
CREATE USER deletes@'%' IDENTIFIED BY '{password}'
GRANT DELETE ON *.* TO deletes@'%'
CREATE USER grace@'%' IDENTIFIED BY '{password}'
GRANT PROCESS, RELOAD, FILE ON *.* TO grace@'%'
CREATE USER stops@'%' IDENTIFIED BY '{password}'
GRANT SHUTDOWN ON *.* TO stops@'%'
CREATE USER replica@'%' IDENTIFIED BY '{password}'
GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO replica@'%'
CREATE USER odd_role@'%' IDENTIFIED BY '{password}'
GRANT `r odd, name` TO odd_role@'%'
CREATE USER many@'%' IDENTIFIED BY '{password}'
GRANT PROCESS, RELOAD, FILE, SHUTDOWN, DELETE, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO many@'%'
GRANT ALL ON payroll.* TO many@'%'
GRANT SELECT ON mysql_app.* TO many@'%' WITH GRANT OPTION
CREATE USER locks@'%' IDENTIFIED BY '{password}'
GRANT LOCK TABLES, SHOW DATABASES, EXECUTE, EVENT, SHOW VIEW, CREATE, DROP, INDEX, TRIGGER ON *.* TO locks@'%'

-- mysql.schema: ALL, GRANT OPTION, and less.
CREATE USER dave@'%' IDENTIFIED BY '{password}'
GRANT ALL ON payroll.* TO dave@'%' WITH GRANT OPTION
CREATE USER schema_giver@'%' IDENTIFIED BY '{password}'
GRANT SELECT ON payroll.* TO schema_giver@'%' WITH GRANT OPTION
CREATE USER table_owner@'%' IDENTIFIED BY '{password}'
GRANT ALL ON payroll.salaries TO table_owner@'%'

-- mysql.limited and mysql.usage.
CREATE USER judy@'%' IDENTIFIED BY '{password}'
GRANT r_report TO judy@'%'
CREATE USER empty_role@'%' IDENTIFIED BY '{password}'
GRANT r_empty TO empty_role@'%'
CREATE USER routine@'%' IDENTIFIED BY '{password}'
GRANT CREATE ROUTINE ON payroll.* TO routine@'%'
CREATE USER frank@'%' IDENTIFIED BY '{password}'

-- Status.
CREATE USER ivan@'%' IDENTIFIED BY '{password}'
ALTER USER ivan@'%' PASSWORD EXPIRE
CREATE USER gone@'%' IDENTIFIED BY '{password}'
ALTER USER gone@'%' PASSWORD EXPIRE
ALTER USER gone@'%' ACCOUNT LOCK
CREATE USER never_expires@'%' IDENTIFIED BY '{password}' PASSWORD EXPIRE NEVER

-- Names: root by name only, case, hosts, and what a name can do to CSV, HTML, terminals and SQL.
CREATE USER root@'10.0.0.1' IDENTIFIED BY '{password}'
GRANT CREATE USER ON *.* TO root@'10.0.0.1'
CREATE USER root@'10.0.0.2' IDENTIFIED BY '{password}'
CREATE USER Root@'%' IDENTIFIED BY '{password}'
GRANT SUPER ON *.* TO Root@'%'
CREATE USER Bob@'%' IDENTIFIED BY '{password}'
CREATE USER bob@'10.0.0.%' IDENTIFIED BY '{password}'
CREATE USER bob@'192.168.0.0/255.255.0.0' IDENTIFIED BY '{password}'
GRANT SELECT ON payroll.* TO bob@'192.168.0.0/255.255.0.0'
CREATE USER `mysql.sys`@'%' IDENTIFIED BY '{password}'
CREATE USER `=cmd|' /C calc'!A0`@'%' IDENTIFIED BY '{password}'
GRANT CREATE USER ON *.* TO `=cmd|' /C calc'!A0`@'%'
CREATE USER `o'brien "the" ``admin```@'%' IDENTIFIED BY '{password}'
GRANT SUPER ON *.* TO `o'brien "the" ``admin```@'%'
CREATE USER `x > root@%: ALL on *.*`@'%' IDENTIFIED BY '{password}'
CREATE USER `user@corp.example`@'%' IDENTIFIED BY '{password}'
CREATE USER `監査人`@'%' IDENTIFIED BY '{password}'
GRANT FILE ON *.* TO `監査人`@'%'
CREATE USER `a-name-of-thirty-two-characters!`@'%' IDENTIFIED BY '{password}'
CREATE USER ''@'10.9.9.9' IDENTIFIED BY '{password}'
