echo hello > a
cp a b; cmp a b && echo copied
cp a a; echo $?
cp nosuch x; echo $?
mkdir d; cp a d; ls d
cp d e 2>&1; echo $?
cp -r d e; ls e
cp -r d d/sub; echo $?
ls d
mv a renamed; ls
mv renamed d; ls d
ln b hard; ln -s b soft; ls -l soft | tail -c 10
ln -s b soft; echo $?
ln -sf d soft; ls soft
mkdir d 2>&1; mkdir -p d/x/y/z && ls -R d
rmdir d; echo $?
rmdir d/x/y/z; ls d/x/y
rm d; echo $?
rm nosuch; echo $?
rm -f nosuch; echo $?
rm -r d e; ls
rm -r .; echo $?
touch new; [ -f new ] && wc -c new
ls nosuch; echo $?
ls -a
du -s new | head -c 1; echo
cat b - < hard
head -n 1 b hard
tee t1 t2 < b; cmp t1 t2
find . -name 't*' -type f
cp; echo $?
cat -x; echo $?
cp -p b kept; [ kept -nt b ] || [ b -nt kept ] || echo same time
