# What is found after the power was cut.
test -s cut.db-journal && ! cmp -s cut.db whole.db && echo 'half a transaction and its journal'
sqlite3 cut.db 'pragma integrity_check; select count(*), sum(v) from t'
test -e cut.db-journal || echo 'rolled back'
cmp cut.db whole.db && echo 'as before'
sqlite3 series.db 'pragma integrity_check; select count(*) = max(i) from s'
sqlite3 series.db "select 'last', max(i) from s"
