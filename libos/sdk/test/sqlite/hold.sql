-- Keeps others from writing, with `held` there from then on, until `go` is there.
begin immediate;
insert into t values(2);
.shell touch held
.shell until test -e go; do sleep 0.1; done
commit;
