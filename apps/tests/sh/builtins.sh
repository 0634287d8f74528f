mkdir d; cd d; cd ..; cd - > /dev/null; [ "$PWD" = "$T/d" ] && echo cd; cd ..
cd nosuch 2> /dev/null || echo no cd
type cd nosuch 2> /dev/null
echo 'echo sourced $1; V=set' > script
. ./script; echo $V
umask 027; umask
: > f; ls -l f | head -c 10; echo
umask 022
[ 1 -lt 2 ] && [ ! -d f ] && [ -f f -a -d d ] && [ a != b -o x ] && echo test
test -z "" && test abc = abc && echo strings
[ ; echo $?
[ 1 -eq x ] 2> /dev/null; echo $?
sleep 0.05 & wait $!; echo waited $?
sh -c 'exit 5' & wait $!; echo $?
sleep 5 &
kill -TERM $!
wait $! 2> /dev/null; echo $?
kill -9 nonsense 2> /dev/null; echo $?
echo a b c | read x && echo gone
eval 'echo eval' $((1 + 1))
echo -n no newline; echo; echo -e 'tab\there\x41'
set -- x y; shift; echo $1
exec echo replaced
echo never
