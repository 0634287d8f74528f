pragma integrity_check;
select count(*) = 1 from sqlite_schema where type = 'table';
