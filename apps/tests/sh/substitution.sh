echo $(echo a; echo b) "$(echo a; echo b)"
X=`echo back \`echo nested\``
echo $X
Y=$(echo "$(echo 'deep  er')")
echo "$Y"
f() { echo "f:$1:$Z"; }
Z=kept
echo $(f arg) "$(f "x  y")"
X=$(false); echo $?
X=$(exit 4) || echo failed $?
echo "[$(printf_is_missing 2>/dev/null)]" $?
echo $(set -- a b; echo $#)
n=0
for w in $(echo "1 2
3"); do n=$((n + w)); done
echo $n
seq 2000 > big
[ "$(cat big)" = "$(seq 2000)" ] && echo same
