#!/bin/sh
# exo-bpf as suites and people call it.  Run from the top folder.
tool=${O:-build}/host/exo-bpf
scheds=${O:-build}/exo/test/bpf/sched

# wants NAME STATUS OUTPUT PROGRAM [ARGUMENTS]: what it prints and its status, the program on standard input.
wants() {
	name=$1 status=$2 output=$3 program=$4
	shift 4
	got=$(printf '%s\n' "$program" | "$tool" "$@" 2>&1)
	is=$?
	if [ "$is" = "$status" ] && [ "$got" = "$output" ]; then
		echo "ok exo-bpf $name"
	else
		echo "FAIL exo-bpf $name: status $is, '$got'"
	fi
}

# prints NAME GOT WANTED
prints() {
	if [ "$2" = "$3" ]; then
		echo "ok exo-bpf $1"
	else
		echo "FAIL exo-bpf $1: '$2'"
	fi
}

seven="b7 00 00 00 07 00 00 00 95 00 00 00 00 00 00 00"
load="61 10 00 00 00 00 00 00 95 00 00 00 00 00 00 00"
store="62 01 00 00 05 00 00 00 $load"
call="85 10 00 00 01 00 00 00 95 00 00 00 00 00 00 00 b7 00 00 00 09 00 00 00 95 00 00 00 00 00 00 00"
deep="85 10 00 00 ff ff ff ff 95 00 00 00 00 00 00 00"

wants "answer" 0 7 "$seven"
wants "no blanks" 0 7 "$(echo "$seven" | tr -d ' ')"
wants "lines" 0 7 "$(echo "$seven" | tr ' ' '\n')"
wants "--program" 0 7 "" --program "$seven"
wants "memory" 0 44332211 "$load" "11 22 33 44"
wants "memory without blanks" 0 44332211 "$load" 11223344
wants "empty memory" 1 "exo-bpf: instruction 0: reads outside of its memory" "$load" ""
wants "--verify" 0 "accepted 2 steps" "$load" --verify 11223344
wants "--verify --context" 0 "accepted 2 steps" "$load" --verify --context 4
wants "--verify refuses" 1 "refused: instruction 0: reads outside of the context" "$load" --verify 112233
wants "writes to a copy of the memory" 0 5 "$store" 11223344
wants "--strict" 1 "exo-bpf: refused: instruction 0: stores to the context, which is read-only" \
	"$store" 11223344 --strict
wants "calls its own function" 0 9 "$call"
wants "calls without end" 1 "exo-bpf: instruction 0: calls too deep" "$deep"
wants "loops without end" 1 "exo-bpf: instruction 0: takes too many steps" "05 00 ff ff 00 00 00 00"
wants "no such instruction" 1 "exo-bpf: refused: instruction 0: there is no such instruction" "ff 00 00 00 00 00 00 00"
wants "calls helpers" 1 "exo-bpf: refused: instruction 0: there are no helper functions to call" \
	"85 00 00 00 05 00 00 00 95 00 00 00 00 00 00 00"
wants "empty program" 1 "refused: instruction 0: a program has 1 to 512 instructions" "" --verify
wants "half an instruction" 2 "exo-bpf: program: 4 bytes are no instructions of 8" "b7 00 00 00"
wants "no hex" 2 "exo-bpf: program: not hex" "b7 0"
wants "too many instructions" 2 "exo-bpf: program: more than 512 instructions" \
	"$(i=0; while [ $i -lt 257 ]; do echo "$seven"; i=$((i + 1)); done)"
got=$(printf 'b700000007000000\0 9500000000000000' | "$tool" 2>&1)
prints "what is no text" "$got" "exo-bpf: program: not hex"
got=$( (head -c 1048576 /dev/zero | tr '\0' ' '; echo "$seven") | "$tool" 2>&1)
prints "more than it reads" "$got" "exo-bpf: program: more than 1048574 bytes of text"
got=$("$tool" 2>&1 </)
prints "a folder" "$got" "exo-bpf: program: cannot be read"
wants "memory that is no hex" 2 "exo-bpf: memory: not hex, or more than 65536 bytes" "$seven" 11zz
wants "--object" 0 "accepted 773 steps" "" --verify --context 4160 --object "$scheds/rr.clang.o"
wants "--verify --object of nothing to see" 2 "$("$tool" --help; echo "exo-bpf: --object: what does it see?  --context 4160 of a scheduler")" \
	"" --verify --object "$scheds/rr.clang.o"
wants "an option that is none" 2 "$("$tool" --help; echo "exo-bpf: --debug?")" "$seven" "" --debug
wants "two programs" 2 "$("$tool" --help; echo "exo-bpf: --program and --object: which?")" \
	"" --program "$seven" --object "$scheds/rr.clang.o"
wants "two memories" 2 "$("$tool" --help; echo "exo-bpf: --context and MEMORY: which?")" "$seven" 11 --context 8
wants "a section of hex" 2 "$("$tool" --help; echo "exo-bpf: --section is of an --object")" "$seven" --section sched
got=$("$tool" --help 2>/dev/null && echo good)
prints "--help" "$(echo "$got" | sed 's/ \[MEMORY.*//; 1p; $p; d')" "usage: exo-bpf
good"
got=$(echo "$seven" | "$tool" 2>&1 >/dev/full; echo $?)
prints "nowhere to answer" "$got" "exo-bpf: the answer cannot be written
1"
wants "--section" 2 "exo-bpf: $scheds/rr.clang.o: no section \`other\` of instructions" "" \
	--object "$scheds/rr.clang.o" --section other
wants "an object of another machine" 2 "exo-bpf: $scheds/rr.host.o: not for BPF: compile it by clang -target bpf or bpf-gcc" "" \
	--object "$scheds/rr.host.o"
wants "an object that is not there" 2 "exo-bpf: nowhere.o: cannot be read" "" --object nowhere.o
