mkdir -p d/e
: > a.c; : > b.c; : > 'c d.c'; : > .hidden; : > d/x.c
echo *.c
for f in *.c; do echo "<$f>"; done
echo "*.c" '*'.c \*.c
echo [ab].c ?.c d/*.c */x.c
echo nothing*
X='*.c'; echo $X; echo "$X"
ls -1 *.c
rm -r *
ls
