# Two processes and one database: who writes keeps others from it, not from reading.
sqlite3 two.db 'create table t(a); insert into t values(1)'
sqlite3 two.db <hold.sql &
until test -e held; do sleep 0.1; done
sqlite3 two.db 'insert into t values(3)' 2>/dev/null
echo "busy: status $?"
sqlite3 two.db 'select group_concat(a) from t'
sqlite3 -cmd '.timeout 60000' two.db 'insert into t values(4)' &
touch go
wait
sqlite3 two.db 'insert into t values(5); select group_concat(a) from t; pragma integrity_check'
