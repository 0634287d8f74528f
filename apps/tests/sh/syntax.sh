for bad in 'if' 'if true; fi' 'a |' '&& b' '(a' 'a)' ';;' 'for 1 in a; do :; done' 'case x' \
	'while true; done' "'" '"' '$(' '${' 'echo ${x!}' 'f() ' '{ a' 'a > ' '<<' 'echo ${' \
	'done' 'a & & b' '; ;' 'a | | b'; do
	sh -c "$bad" 2>/dev/null
	echo "$? $bad"
done
sh -c 'echo one
echo two; done
echo three'
echo $?
