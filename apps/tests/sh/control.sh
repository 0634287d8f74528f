if true; then echo yes; else echo no; fi
if false; then echo yes; elif true; then echo elif; else echo no; fi
if ! true; then echo not; else echo true; fi
i=0
while [ $i -lt 3 ]; do echo while $i; i=$((i + 1)); done
until [ $i = 0 ]; do i=$((i - 1)); done; echo until $i
for i in a b c d; do
	case $i in
	a) continue ;;
	c) break ;;
	*) echo for $i ;;
	esac
done
for i in 1 2; do for j in x y; do echo $i$j; break 2; done; done
true && echo and; false && echo never; false || echo or
{ echo group; echo two; }
(cd /; pwd); X=outer; (X=inner; echo $X); echo $X
case 'a*c' in 'a*'c) echo quoted star ;; esac
case abc in x | a[a-c]*) echo pattern ;; *) echo other ;; esac
case zzz in a) ;; esac; echo case $?
say() { echo "say $1 $#"; return 3; }
say hello world; echo status $?
count() { if [ $1 -gt 0 ]; then echo $1; count $(($1 - 1)); fi; }
count 3
say piped | cat
(exit 7); echo $?
! false; echo $?
sh -c 'exit 9'; echo $?
nosuchprogram; echo $?
./; echo $?
set -e
false || echo survived
if false; then :; fi
(false; echo never)
echo unreachable
