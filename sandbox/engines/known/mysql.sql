-- What only MySQL has: dynamic privileges, the rights to make and drop roles, mandatory roles, accounts as roles.

INSTALL PLUGIN mysql_no_login SONAME 'mysql_no_login.so'

CREATE ROLE r_mandatory
GRANT SELECT ON payroll.* TO r_mandatory
SET GLOBAL mandatory_roles = 'r_mandatory'

-- Tier 0.
CREATE USER role_admin@'%' IDENTIFIED BY '{password}'
GRANT ROLE_ADMIN ON *.* TO role_admin@'%'
CREATE USER definer@'%' IDENTIFIED BY '{password}'
GRANT SET_ANY_DEFINER ON *.* TO definer@'%'
CREATE USER source@'%' IDENTIFIED BY '{password}'
GRANT REPLICATION_SLAVE_ADMIN ON *.* TO source@'%'
CREATE USER replays@'%' IDENTIFIED BY '{password}'
GRANT BINLOG_ADMIN ON *.* TO replays@'%'
CREATE USER oscar@'%' IDENTIFIED BY '{password}'
GRANT SYSTEM_VARIABLES_ADMIN ON *.* TO oscar@'%' WITH GRANT OPTION
CREATE USER anybody@'%' IDENTIFIED BY '{password}'
GRANT PROXY ON ''@'' TO anybody@'%'
CREATE USER deputy@'%' IDENTIFIED BY '{password}'
GRANT bob@'%' TO deputy@'%'

-- The nearest weaker rights.
CREATE USER session_vars@'%' IDENTIFIED BY '{password}'
GRANT SESSION_VARIABLES_ADMIN ON *.* TO session_vars@'%'
CREATE USER no_definer@'%' IDENTIFIED BY '{password}'
GRANT ALLOW_NONEXISTENT_DEFINER ON *.* TO no_definer@'%'
CREATE USER applier@'%' IDENTIFIED BY '{password}'
GRANT REPLICATION_APPLIER ON *.* TO applier@'%'
CREATE USER encrypts@'%' IDENTIFIED BY '{password}'
GRANT BINLOG_ENCRYPTION_ADMIN ON *.* TO encrypts@'%'
CREATE USER system_user@'%' IDENTIFIED BY '{password}'
GRANT SYSTEM_USER ON *.* TO system_user@'%'
CREATE USER role_maker@'%' IDENTIFIED BY '{password}'
GRANT CREATE ROLE ON *.* TO role_maker@'%'
CREATE USER role_dropper@'%' IDENTIFIED BY '{password}'
GRANT DROP ROLE ON *.* TO role_dropper@'%'
CREATE USER trent@'%' IDENTIFIED BY '{password}'
GRANT CONNECTION_ADMIN ON *.* TO trent@'%'

-- Status.
CREATE USER nologin@'%' IDENTIFIED WITH mysql_no_login
GRANT SUPER ON *.* TO nologin@'%'
