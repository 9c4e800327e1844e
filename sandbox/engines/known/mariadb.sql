-- What only MariaDB has: the parts of SUPER as rights of their own, names of up to 128 characters.

-- Tier 0.
CREATE USER definer@'%' IDENTIFIED BY '{password}'
GRANT SET USER ON *.* TO definer@'%'
CREATE USER source@'%' IDENTIFIED BY '{password}'
GRANT REPLICATION SLAVE ADMIN ON *.* TO source@'%'
CREATE USER oscar@'%' IDENTIFIED BY '{password}'
GRANT BINLOG REPLAY ON *.* TO oscar@'%'

-- The nearest weaker rights.
CREATE USER binlog_admin@'%' IDENTIFIED BY '{password}'
GRANT BINLOG ADMIN ON *.* TO binlog_admin@'%'
CREATE USER master_admin@'%' IDENTIFIED BY '{password}'
GRANT REPLICATION MASTER ADMIN ON *.* TO master_admin@'%'
CREATE USER slave_monitor@'%' IDENTIFIED BY '{password}'
GRANT SLAVE MONITOR ON *.* TO slave_monitor@'%'
CREATE USER trent@'%' IDENTIFIED BY '{password}'
GRANT CONNECTION ADMIN ON *.* TO trent@'%'
CREATE USER read_only_admin@'%' IDENTIFIED BY '{password}'
GRANT READ_ONLY ADMIN ON *.* TO read_only_admin@'%'
CREATE USER federated@'%' IDENTIFIED BY '{password}'
GRANT FEDERATED ADMIN ON *.* TO federated@'%'
CREATE USER history@'%' IDENTIFIED BY '{password}'
GRANT DELETE HISTORY ON *.* TO history@'%'

-- Names.
CREATE USER `mariadb.sys`@'%' IDENTIFIED BY '{password}'
CREATE USER `zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz`@'%' IDENTIFIED BY '{password}'
