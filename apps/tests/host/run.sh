#!/bin/bash
# Build the programs natively with sanitizers, and run every script in apps/tests/sh with our shell
# and tools, comparing what it prints with its .out; then compare tools with the host's, drive the
# line editor through a terminal, and feed the shell nonsense. Run from the top. Prints `ok NAME`
# or `FAIL NAME: why`. With names as arguments, runs only those scripts.
set -u
top=$PWD
out=$top/build/host-apps
apps=$top/apps
flags="-std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes
	-Wshadow -Wundef -Wvla -Wpointer-arith -Wwrite-strings -Werror
	-fsanitize=address,undefined -fno-sanitize-recover=undefined -I$apps/lib -I$apps/tests/host -I$top/libos/include"
programs="basename cat cmp cp date dd df dirname du echo env false find grep halt head hexdump kill
	ln ls mkdir mv pwd rm rmdir seq sh sha256sum sleep sort stat sync tail tee test touch tr
	true uniq wc yes"
failed=0

ok() { echo "ok $1"; }
fail() { echo "FAIL $1: $2"; failed=1; }

# Objects that all programs share, then each program that is older than its sources.
build() {
	mkdir -p "$out/bin" "$out/lib"
	for file in "$apps"/lib/*.c "$apps"/tests/host/*.c "$top/libos/core/slots_plan.c"; do
		object=$out/lib/$(basename "$file" .c).o
		if [ ! "$object" -nt "$file" ] || [ "$apps/lib/tool.h" -nt "$object" ]; then
			gcc $flags -c -o "$object" "$file" || return 1
		fi
	done
	for program in $programs; do
		newest=$(ls -t "$apps/$program"/*.[ch] "$out"/lib/*.o | head -1)
		[ "$out/bin/$program" -nt "$newest" ] && continue
		gcc $flags -o "$out/bin/$program" "$apps/$program"/*.c "$out"/lib/*.o || return 1
	done
	ln -sf test "$out/bin/["
}

run_script() {
	name=$(basename "$1" .sh)
	T=$out/work/$name
	rm -rf "$T"
	mkdir -p "$T"
	(cd "$T" && env -i PATH="$out/bin" T="$T" HOME=/ TMPDIR="$out" ASAN_OPTIONS=detect_leaks=0 \
		"$out/bin/sh" "$1" >"$out/work/$name.got" 2>&1 </dev/null)
	if cmp -s "$out/work/$name.got" "${1%.sh}.out"; then
		ok "sh/$name"
	else
		fail "sh/$name" "output differs"
		diff "${1%.sh}.out" "$out/work/$name.got" | head -10
	fi
}

# compare NAME ARGUMENTS...: our tool against the host's, on the same stdin.
compare() {
	label=$1
	shift
	"$out/bin/$1" "${@:2}" <"$out/work/data" >"$out/work/ours" 2>/dev/null
	ours=$?
	LC_ALL=C "$@" <"$out/work/data" >"$out/work/theirs" 2>/dev/null
	theirs=$?
	if [ $ours = $theirs ] && cmp -s "$out/work/ours" "$out/work/theirs"; then
		ok "host/$label"
	else
		fail "host/$label" "differs from the host's $*"
	fi
}

compare_all() {
	awk 'BEGIN { srand(7); for (i = 0; i < 3000; i++)
		printf "%d %s word%d\n", rand() * 2000 - 500, i % 7 ? "x" : "", rand() * 50 }' \
		>"$out/work/data"
	compare sha256sum sha256sum
	compare sha256sum-block sha256sum "$out/bin/sh"
	compare wc-l wc -l
	compare wc-c wc -c
	compare wc-w wc -w
	compare sort sort
	compare sort-r sort -r
	compare sort-n sort -n
	compare sort-nr sort -nr
	compare sort-u sort -u
	compare sort-nu sort -nu
	compare sort-k3 sort -k3
	compare sort-k1n sort -k1,1n
	compare head head
	compare head-n head -n 17
	compare head-c head -c 1001
	compare tail tail
	compare tail-n tail -n 2999
	compare tail-c tail -c 1001
	compare tail-plus tail -n +2990
	compare grep grep 'word1$'
	compare grep-E grep -En '^-(1|2)0+ '
	compare grep-v grep -vc x
	compare grep-F grep -Fi WORD49
	compare grep-none grep nothing
	compare cat-n cat -n
	compare seq seq 5 -3 -40
	compare tr tr a-y b-z
	compare tr-d tr -d '0-9\n'
	compare tr-s tr -s ' '
	compare cmp cmp "$out/work/data" "$out/bin/sh"
	compare cmp-same cmp - "$out/work/data"
	compare uniq-c uniq -c
	compare hexdump-C hexdump -C
	compare basename basename /a/b.c/ .c
	compare dirname dirname a/b/
	compare dd dd bs=100 skip=3 count=7
	compare date date -u -d @86400 +%Y-%m-%dT%H:%M:%S
}

build || { fail build "the programs do not compile"; exit 1; }
mkdir -p "$out/work"
if [ $# -gt 0 ]; then
	for name in "$@"; do run_script "$apps/tests/sh/$name.sh"; done
	exit $failed
fi
ok build
for script in "$apps"/tests/sh/*.sh; do run_script "$script"; done
compare_all
"$apps/tests/host/edit_test.py" "$out/bin" || failed=1
"$apps/tests/host/fuzz.py" "$out/bin" 400 || failed=1
exit $failed
