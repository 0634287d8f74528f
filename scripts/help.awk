# Prints what the Makefile's `## ` comments say: of its targets, then of its variables.
BEGIN { print "make TARGET [VARIABLE=value ...]\n" }
/^[a-z-]+:.* ## / {
	target = $0; sub(/:.*/, "", target)
	text = $0; sub(/.* ## /, "", text)
	printf "  %-14s %s\n", target, text
}
/^## / { sub(/^## /, ""); if (/^Var/) print ""; print }
