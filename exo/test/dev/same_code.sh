#!/bin/sh
# Typed registers cost nothing (typed.c and bare.c compile to the same machine code), and mistakes
# with them do not compile (misuse.c).  Run from the top folder.
here=exo/test/dev
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
flags="-std=gnu11 -O2 -ffreestanding -mgeneral-regs-only -Iexo/include"
failed=0

say() { # status name why
	if [ "$1" = 0 ]; then
		echo "ok $2"
	else
		echo "FAIL $2: $3"
		failed=1
	fi
}

code() { # compiler source: its machine code; of clang, which orders freely, the instructions sorted
	"$1" $flags -c -o "$work/out.o" "$here/$2" || return
	objdump -d --no-show-raw-insn "$work/out.o" | grep -v 'file format' > "$work/text"
	if [ "$1" = gcc ]; then
		cat "$work/text"
	else
		sed 's/^ *[0-9a-f]*:\t//; s/\(j[a-z]*\) .*/\1/' "$work/text" | sort
	fi
}

for cc in gcc clang; do
	command -v $cc > /dev/null || continue
	code $cc typed.c > "$work/typed" && code $cc bare.c > "$work/bare" &&
		grep -q 'out ' "$work/typed" && cmp -s "$work/typed" "$work/bare"
	say $? typed_registers_cost_nothing_$cc "the code of typed.c and bare.c differs"
	$cc $flags -DMISUSE=0 -fsyntax-only "$here/misuse.c"
	say $? good_use_compiles_$cc "MISUSE=0 is refused"
	for n in 1 2 3 4 5 6 7 8; do
		! $cc $flags -DMISUSE=$n -fsyntax-only "$here/misuse.c" 2> /dev/null
		say $? misuse_${n}_does_not_compile_$cc "MISUSE=$n compiles"
	done
done
exit $failed
