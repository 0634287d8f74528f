echo 'a  b' "c  d" e\ \ f
X='1  2'
echo $X "$X" '$X' \$X "\$X \" \\ \`"
echo "it's" 'say "hi"' a'b'"c"d
Y=
echo [$Y] ["$Y"] [${Y:-default}] [${Z-unset}] [${Y-set}] [${X:+yes}]
echo "${X}y" ${#X} "$#" "$?"
echo one # a comment
echo a#b
echo "two
lines"
echo con\
tinued
