-- A transaction that is in the file in part, and there on the disk, when the power goes.
create table t(i integer primary key, v int, pad text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000)
  insert into t select i, i * 3, hex(zeroblob(100)) from n;
.shell cp cut.db whole.db
pragma cache_size = 10;
begin;
update t set v = -v, pad = 'overwritten' || pad;
.shell sync; echo now
.shell sleep 1000
