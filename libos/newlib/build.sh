#!/bin/bash
# Builds newlib from Debian's newlib-source:  build.sh WORK LINK
# WORK is a folder for the build (removed afterwards), LINK the name that the made prefix gets.
#
# The result is kept in ${XDG_CACHE_HOME:-~/.cache}/freehold/newlib-KEY, KEY being a hash of
# everything that it is made from, so `make clean` costs nothing and a change here rebuilds it.  Where
# that is not writable, it is kept in WORK.  The prefix appears at once, by rename, and builders wait
# for each other.  From nothing it takes 3 to 5 minutes on two cores, half of it configure's forks.
set -euo pipefail

work=$(realpath "$1") link=$(realpath -s "$2")
here=$(cd "$(dirname "$0")" && pwd)
tarball=${NEWLIB_TARBALL:-/usr/src/newlib/newlib-3.3.0.tar.xz}
jobs=$(nproc)

say() { printf '  %-8s %s\n' NEWLIB "$*"; }
die() { echo "newlib: $*" >&2; exit 1; }

[ -r "$tarball" ] || die "$tarball is not there; it comes with Debian's package newlib-source (make deps)"

cache=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/freehold
mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] || cache=$work
mkdir -p "$cache"
key=$( (cd "$here" && sha256sum build.sh edits.py && find overlay -name '*.h' | LC_ALL=C sort | xargs sha256sum
	gcc --version | head -n 1; sha256sum <"$tarball") | sha256sum | cut -c 1-16)
prefix=$cache/newlib-$key

# A link is made anew by rename, so that a compiler running beside us never finds it gone.
publish() {
	ln -sfn "$prefix" "$link.$$" && mv -T "$link.$$" "$link"
}

exec 9>"$cache/newlib-$key.lock"
flock 9
if [ -e "$prefix/include/newlib.h" ]; then
	publish
	exit 0
fi

tmp=$(mktemp -d "$work/newlib-XXXXXX")
stage=$(mktemp -d "$cache/stage-XXXXXX")
trap 'rm -rf "$tmp" "$stage"' EXIT
log=$work/newlib.log
: >"$log"

# What make and its variables put into the environment is not for newlib's own makefiles.
clean=(env -i "PATH=$PATH" "HOME=${HOME:-/}" LC_ALL=C)

# Shows how far a step is by the lines of its output that match a pattern; the output goes to the log.
# On a terminal the count moves in place; elsewhere a line is printed now and then.
progress() { # LABEL PATTERN EVERY
	awk -v label="$1" -v pattern="$2" -v every="$3" -v log_file="$log" -v tty="$([ -t 1 ] && echo 1)" '
		{ print >>log_file }
		$0 ~ pattern { n++
			if (tty) { if (n % 10 == 0) printf "\r  NEWLIB   %s %d", label, n; fflush() }
			else if (n % every == 0) { printf "  NEWLIB   %s %d\n", label, n; fflush() } }
		END { if (tty && n >= 10) print "" }'
}
step() { # LABEL PATTERN EVERY COMMAND...
	local label=$1 pattern=$2 every=$3
	shift 3
	"$@" 2>&1 | progress "$label" "$pattern" "$every" ||
		{ tail -n 20 "$log" >&2; die "$label failed; the whole log is $log"; }
}

say "unpack newlib 3.3.0 (this is done once; 3 to 5 minutes)"
tar -xf "$tarball" -C "$tmp"
src=$tmp/newlib-salsa/newlib

# Headers in these two folders are seen by newlib's own sources and installed with the rest; where
# newlib has a header of the same name (sys/resource.h), this one wins.
mkdir -p "$src/libc/machine/x86_64/machine"
cp "$here"/overlay/include/sys/*.h "$src/libc/machine/x86_64/sys/"
cp "$here"/overlay/include/machine/*.h "$src/libc/machine/x86_64/machine/"
/usr/bin/python3 "$here/edits.py" "$src"

mkdir "$tmp/build"
cd "$tmp/build"
say "configure"
# The host's own compiler, told that it is not on Linux.
step "configure: checks" '^checking' 100 "${clean[@]}" "$src/configure" --host=x86_64-elf --build=x86_64-linux-gnu --prefix=/ \
	--disable-multilib --disable-newlib-supplied-syscalls --enable-newlib-mb \
	--enable-newlib-io-long-long --enable-newlib-io-c99-formats --enable-newlib-io-long-double \
	--enable-newlib-io-pos-args --enable-newlib-multithread --enable-newlib-retargetable-locking \
	--enable-newlib-global-stdio-streams --enable-newlib-global-atexit \
	CC="gcc -nostdinc -isystem $(gcc -print-file-name=include) -U__linux__ -Ulinux -U__gnu_linux__ -U__unix__ -Uunix" \
	AR=ar RANLIB=ranlib AS=as LD=ld READELF=readelf STRIP=strip \
	CFLAGS="-O2 -g0 -ffreestanding -fno-pic -fno-pie -mno-avx -fno-stack-protector -fcf-protection=none \
-fno-asynchronous-unwind-tables -fno-unwind-tables -U_FORTIFY_SOURCE -ffunction-sections -fdata-sections \
-ffile-prefix-map=$tmp/="
say "compile"
step "compile: files" '^(/bin/bash .*libtool.*)?gcc .* -c ' 200 "${clean[@]}" make -j"$jobs"
say "install"
step "install: files" 'xxxx' 1 "${clean[@]}" make DESTDIR="$stage" install

mkdir "$stage/prefix"
mv "$stage/x86_64-elf/include" "$stage/x86_64-elf/lib" "$stage/prefix/"
cp -r "$here"/overlay/include/. "$stage/prefix/include/"
chmod -R a+rX "$stage/prefix"
mv -T "$stage/prefix" "$prefix"
publish
say "ready: $prefix"
