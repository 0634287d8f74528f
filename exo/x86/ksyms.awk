# ksyms.awk - turns `nm -n` of the kernel into assembly: the table of functions for backtraces.
BEGIN {
	print ".section .ksyms, \"a\", @progbits\n.balign 8\n.globl ksyms, ksym_count\nksyms:"
}
$2 ~ /^[tT]$/ && $3 !~ /^stub_/ && $3 !~ /^k_/ {
	printf ".quad 0x%s, name%d\n", $1, n
	name[n++] = $3
}
END {
	printf "ksym_count: .quad %d\n", n
	for (i = 0; i < n; i++)
		printf "name%d: .asciz \"%s\"\n", i, name[i]
	print ".section .note.GNU-stack, \"\", @progbits"
}
