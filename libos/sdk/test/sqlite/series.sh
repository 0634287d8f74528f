# One transaction after the other, each said to be done when it is, until the power goes.
sqlite3 series.db 'create table s(i integer primary key, text)'
for i in $(seq 1000); do
	echo "insert into s values($i, hex(randomblob(500))); select 'did', $i;"
done | sqlite3 series.db
