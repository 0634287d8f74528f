echo first > f
echo second >> f
cat < f
cat nosuch 2> err; echo $?
cat err
{ echo out; echo err >&2; } > both 2>&1
sort both
echo swapped 3>&1 1>&2 2>&3 | cat
sh -c 'echo to2 >&2' 2>&1 | wc -l
cat <<EOF
here $((1 + 1)) "quoted" \$X `echo sub` $(echo paren)
EOF
cat <<'EOF'
raw $X `no`
EOF
cat <<-EOF | cat -n
	stripped
	EOF
while read a b; do echo "$b/$a"; done <<EOF
one two three
four
EOF
echo one two | { read x y; echo $y $x; }
printed=$(cat < f | wc -l)
echo $printed
exec 4> four
echo through four >&4
exec 4>&-
cat four
echo nothing > nodir/file; echo $?
> empty
wc -c empty
cat <<< "string here"
: > f; [ -s f ] || echo emptied
for i in 1 2 3; do echo $i; done > loop; cat loop | tail -n 1
echo a b c | tr -d ' ' | sed_is_missing 2>&1; echo $?
