set -- one 'two three' four
echo $# $1 "$2" $3
for a in "$@"; do echo "<$a>"; done
for a in $@; do echo "<$a>"; done
for a in "$*"; do echo "<$a>"; done
shift
echo $# "$1"
set --
for a in "$@"; do echo never; done
echo "none: $# [$*]"
f=/usr/lib/name.tar.gz
echo ${f##*/} ${f#*/} ${f%.*} ${f%%.*}
echo ${u:=assigned} $u
IFS=:
p=a:b::c
for a in $p; do echo "[$a]"; done
unset IFS
unset u
echo "${u-gone}"
sh -c 'echo "$0 $1 $#"' name arg
export E=exported
N=not
sh -c 'echo $E $N.'
A=temporary sh -c 'echo $A'
echo "[$A]"
echo $((1 + 2 * 3)) $(( (1 + 2) * 3 )) $((7 / 2)) $((-7 % 3)) $((1 << 10)) $((3 > 2 && 2 > 3))
i=5
echo $((i += 2)) $((i * i)) $i $((i == 7 ? 100 : 200))
