seq 1 12 > n
head -n 2 n; tail -n 2 n; tail -n +11 n; head -c 3 n; tail -c 3 n
sort -r n | head -n 1; sort -n -r n | head -n 1
sort -k2,2n -t: <<EOF
a:10
b:9
c:100
EOF
echo 'b
a
b' | sort -u
grep -c 1 n; grep -n '^1.$' n; grep -E '^(3|5)$' n; grep -v 1 n | head -n 1; grep -q 9 n && echo found
grep none n; echo $?
grep x nosuch; echo $?
grep '[' n 2> /dev/null; echo $?
grep -Fx 1 n; grep -i A <<< a
wc n; wc -l < n
echo abc | sha256sum
sha256sum n > sums; sha256sum -c sums
echo extra >> n; sha256sum -c sums; echo $?
echo 0123456789abcdefghij | hexdump -C
echo ab | hexdump
seq 3 | cat -n
echo hello | tr a-y b-z
cmp n sums; echo $?
echo a b | uniq -c
basename /x/y.c .c; dirname /x/y.c
env -i A=1 | cat
date -u -d @0
dd if=n bs=2 count=2 2> /dev/null
