#!/usr/bin/python3
"""Uses the SDK as somebody would who has nothing else:  sdk_test.py [DISK]

The installed prefix is moved, and everything runs outside the tree.  Prints `ok` and `FAIL` lines.
From the environment: O, whose sdk-test is the SDK; EMU.  (DISK is what scripts/test gives; not used.)
"""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

TREE = os.getcwd()
O = os.environ.get("O") or "build"
SDK = os.path.abspath(f"{O}/sdk-test")
SECONDS = 100

HELLO = """
#include <stdio.h>
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		printf("[%s]", argv[i]);
	printf("hello\\n");
	return argc == 1 ? 0 : 40 + argc;
}
"""
BARE = """
#include <libos/bare.h>
int main(int argc, char **argv)
{
	bare_print("bare %s\\n", argc > 1 ? argv[1] : "-");
	return 9;
}
"""
# Names that the libOS has too, and system calls beside them.
CLASH = """
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/stat.h>
int vm = 5;
int file_new(int n) { return n + 1; }
int proc_new(void) { return 30; }
int main(void)
{
	char text[8] = "";
	int fd = open("made", O_RDWR | O_CREAT, 0644);
	if (fd < 0 || write(fd, "text\\n", 5) != 5 || lseek(fd, 0, SEEK_SET) || read(fd, text, 5) != 5)
		return 1;
	printf("%d %s", vm + file_new(6) + proc_new(), text);
	return 0;
}
"""
COPY = """
#include <stdio.h>
int main(void)
{
	for (int c; (c = getchar()) != EOF;)
		putchar(c);
	return 0;
}
"""
# A ring of frames, the oldest given up first: it counts how often it was asked.
POLICY = """
#include <libos/buf.h>
struct buf_policy { uint32_t n; struct { uint32_t prev, next; } ring[]; };
unsigned long asked;
const char buf_policy_name[] = "counting";
size_t buf_policy_size(uint32_t n) { return sizeof(struct buf_policy) + (n + 1) * 8; }
void buf_policy_init(struct buf_policy *p, uint32_t n) { p->n = p->ring[n].prev = p->ring[n].next = n; }
void buf_policy_insert(struct buf_policy *p, uint32_t f, uint64_t block)
{
	(void)block;
	p->ring[f].prev = p->n;
	p->ring[f].next = p->ring[p->n].next;
	p->ring[p->ring[f].next].prev = p->ring[p->n].next = f;
}
void buf_policy_touch(struct buf_policy *p, uint32_t f) { (void)p, (void)f; }
void buf_policy_remove(struct buf_policy *p, uint32_t f, enum buf_leave why)
{
	(void)why;
	p->ring[p->ring[f].prev].next = p->ring[f].next;
	p->ring[p->ring[f].next].prev = p->ring[f].prev;
}
uint32_t buf_policy_victim(struct buf_policy *p, uint32_t f)
{
	uint32_t v = p->ring[f == BUF_NONE ? p->n : f].prev;
	asked++;
	return v == p->n ? BUF_NONE : v;
}
"""
# A file larger than the cache, written and read back.
FILL = """
#include <stdio.h>
#include <string.h>
enum { BLOCKS = 3000 };
extern unsigned long asked;
int main(void)
{
	static unsigned block[1024];
	FILE *f = fopen("big", "w+");
	for (unsigned i = 0; i < BLOCKS; i++) {
		block[0] = block[1023] = i * 2654435761u;
		if (fwrite(block, sizeof(block), 1, f) != 1)
			return 1;
	}
	rewind(f);
	for (unsigned i = 0; i < BLOCKS; i++)
		if (fread(block, sizeof(block), 1, f) != 1 || block[0] != i * 2654435761u || block[1023] != block[0])
			return 2;
	printf("right, asked %s\\n", asked > 100 ? "often" : "too seldom");
	return 0;
}
"""


# One file of one size, whose text says which file system it is.
LITTLE = """
#include <names.h>
struct little { struct fs fs; struct fs_node root, file; };
static struct little *of(struct fs_ctx *c) { return (struct little *)c->fs; }
static int op_mount(struct fs_mount *m, struct fs **out)
{
	struct little *l = arena_alloc(m->arena, sizeof *l);
	if (!l)
		return -ENOMEM;
	l->fs = (struct fs){.type = FS_TYPE_USER + TYPE, .readonly = 1, .arena = m->arena};
	l->root = (struct fs_node){.fs = &l->fs, .attr = {.ino = 1, .mode = FS_IFDIR | 0755, .nlink = 2, .blksize = 512}};
	l->file = (struct fs_node){.fs = &l->fs, .attr = {.ino = 2, .mode = FS_IFREG | 0644, .nlink = 1, .size = 5, .blksize = 512}};
	*out = &l->fs;
	return 0;
}
static int op_unmount(struct fs_ctx *c, int force) { (void)force; arena_free(c->fs->arena, c->fs, sizeof(struct little)); return 0; }
static int op_sync(struct fs_ctx *c) { (void)c; return 0; }
static int op_fsync(struct fs_ctx *c, struct fs_node *n) { (void)c, (void)n; return 0; }
static int op_statfs(struct fs_ctx *c, struct fs_statfs *s) { (void)c; *s = (struct fs_statfs){.bsize = 512}; return 0; }
static int op_root(struct fs_ctx *c, struct fs_node **out) { *out = &of(c)->root; return 0; }
static void op_ref(struct fs_ctx *c, struct fs_node *n) { (void)c, (void)n; }
static int op_put(struct fs_ctx *c, struct fs_node *n) { (void)c, (void)n; return 0; }
static int op_lookup(struct fs_ctx *c, struct fs_node *d, const char *name, size_t len, struct fs_node **out)
{
	(void)d;
	*out = fs_name_dots(name, len) ? &of(c)->root : &of(c)->file;
	return *out == &of(c)->root || (len == 4 && !memcmp(name, "word", 4)) ? 0 : -ENOENT;
}
static int op_getattr(struct fs_ctx *c, struct fs_node *n, struct fs_attr *a) { (void)c; *a = n->attr; return 0; }
static int op_setattr(struct fs_ctx *c, struct fs_node *n, const struct fs_attr *a, uint32_t m) { (void)c, (void)n, (void)a, (void)m; return -EROFS; }
static int64_t op_read(struct fs_ctx *c, struct fs_node *n, uint64_t off, void *to, size_t len)
{
	(void)c, (void)n;
	len = off > 5 ? 0 : len > 5 - off ? 5 - off : len;
	memcpy(to, WORD "\\n" + off, len);
	return (int64_t)len;
}
static int64_t op_write(struct fs_ctx *c, struct fs_node *n, uint64_t off, const void *from, size_t len) { (void)c, (void)n, (void)off, (void)from, (void)len; return -EROFS; }
static int op_truncate(struct fs_ctx *c, struct fs_node *n, uint64_t size) { (void)c, (void)n, (void)size; return -EROFS; }
#define AT struct fs_ctx *c, struct fs_node *d, const char *name, size_t len
#define USED (void)c, (void)d, (void)name, (void)len
static int op_create(AT, uint32_t mode, struct fs_node **out) { USED, (void)mode, (void)out; return -EROFS; }
static int op_unlink(AT) { USED; return -EROFS; }
static int op_link(struct fs_ctx *c, struct fs_node *n, struct fs_node *d, const char *name, size_t len) { USED, (void)n; return -EPERM; }
static int op_symlink(AT, const char *to, size_t n, struct fs_node **out) { USED, (void)to, (void)n, (void)out; return -EPERM; }
static int64_t op_readlink(struct fs_ctx *c, struct fs_node *n, char *to, size_t len) { (void)c, (void)n, (void)to, (void)len; return -EINVAL; }
static int op_rename(AT, struct fs_node *e, const char *other, size_t n) { USED, (void)e, (void)other, (void)n; return -EROFS; }
static int op_readdir(struct fs_ctx *c, struct fs_node *d, uint64_t at, struct fs_dirent *e, unsigned max) { (void)c, (void)d, (void)at, (void)e, (void)max; return 0; }
static const struct fs_ops ops = {.type = FS_TYPE_USER + TYPE, .name = NAME, .traits = FS_DISKLESS | FS_FLAT,
	.mount = op_mount, .unmount = op_unmount, .sync = op_sync, .fsync = op_fsync, .statfs = op_statfs, .root = op_root,
	.ref = op_ref, .put = op_put, .lookup = op_lookup, .getattr = op_getattr, .setattr = op_setattr, .read = op_read,
	.write = op_write, .truncate = op_truncate, .create = op_create, .mkdir = op_create, .unlink = op_unlink,
	.rmdir = op_unlink, .link = op_link, .symlink = op_symlink, .readlink = op_readlink, .rename = op_rename,
	.readdir = op_readdir};
FS_VARIANT(ops)
"""


def little(name, number, word=None):
    return f'#define NAME "{name}"\n#define TYPE {number}\n#define WORD "{word or name}"\n{LITTLE}'


class Place:
    """A folder with sources, and the SDK in another, both gone at the end."""

    def __init__(self, work):
        self.work, self.prefix, self.bad = f"{work}/here", f"{work}/moved prefix", 0
        os.mkdir(self.work)
        shutil.copytree(SDK, self.prefix, symlinks=True)
        self.env = {"PATH": f"{self.prefix}/bin:/usr/bin:/bin", "HOME": work, "LC_ALL": "C.UTF-8"}

    def write(self, name, text):
        with open(f"{self.work}/{name}", "w", encoding="utf-8") as out:
            out.write(text)

    def run(self, *line, given=b""):
        """(status, output, complaints) of a command."""
        done = subprocess.run(line, cwd=self.work, env=self.env, input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=SECONDS, check=False)
        return done.returncode, done.stdout, done.stderr.decode(errors="replace")

    def tell(self, name, good, why=""):
        self.bad += not good
        print(f"ok {name}" if good else f"FAIL {name}: {why}", flush=True)

    def wants(self, name, line, status, output, given=b""):
        got = self.run(*line, given=given)
        self.tell(name, got[:2] == (status, output), f"{line}: {got}")

    def refuses(self, name, line, *words):
        """It fails, and each of the words is in what it says."""
        status, output, complaint = self.run(*line)
        text = output.decode(errors="replace") + complaint
        self.tell(name, status not in (0, None) and all(word in text for word in words) and "Traceback" not in text,
                  f"{line}: {status} {text}")

    def compile(self, name, source, *words):
        self.write(f"{name}.c", source)
        self.wants(f"compile {name}", ["exo-cc", "-O2", "-Wall", *words, f"{name}.c", "-o", name], 0, b"")

    def spoil(self, name, copy, offset, value):
        """A copy of a program with another number in its note."""
        with open(f"{self.work}/{name}", "rb") as source:
            data = bytearray(source.read())
        at = data.index(struct.pack("<I", 1) + b"Freehold\0") + 4 + 12 + offset
        struct.pack_into("<I", data, at, value)
        with open(f"{self.work}/{copy}", "wb") as out:
            out.write(data)
        os.chmod(f"{self.work}/{copy}", 0o755)


def no_traces(place):
    """Nothing in the prefix names the tree that it was built in (which may be called /freehold, as the end of lib/freehold)."""
    tree = re.compile(rb"(?<![\w.-])" + re.escape(TREE.encode()))
    found = [os.path.join(folder, name) for folder, _, names in os.walk(place.prefix) for name in names
             if tree.search(open(os.path.join(folder, name), "rb").read())]
    place.tell("the prefix does not know the tree", not found, ", ".join(found))


def helps(place):
    for command in ("exo-cc", "exo-run", "exo-image"):
        status, output, _ = place.run(command, "--help")
        place.tell(f"{command} --help", status == 0 and b"usage: " + command.encode() in output, output)
        place.tell(f"{command}.1", os.path.exists(f"{place.prefix}/share/man/man1/{command}.1"), "no such page")


def programs(place):
    place.compile("hello", HELLO)
    place.wants("run hello", ["exo-run", "./hello", "a b", "it's"], 43, b"[a b][it's]hello\n")
    place.wants("a program from a pipe", ["exo-cc", "-x", "c", "-", "-o", "piped"], 0, b"", given=HELLO.encode())
    place.compile("copy", COPY)
    data = bytes(range(256)).replace(b"\r", b"") * 40 + b"\n\nend"
    place.wants("input from a pipe", ["exo-run", "./copy"], 0, data, given=data)
    place.wants("libraries that POSIX names", ["exo-cc", "-o", "x", "copy.c", "-lpthread", "-lrt", "-lm"], 0, b"")
    place.compile("bare", BARE, "-libos", "bare")
    place.wants("run bare", ["exo-run", "./bare", "word"], 9, b"bare word\n")
    place.compile("clash", CLASH)
    place.wants("names that the libOS has too", ["exo-run", "--out", "out", "./clash"], 0, b"42 text\n")
    with open(f"{place.work}/out/made", "rb") as made:
        place.tell("files come out", made.read() == b"text\n", "another text")


def own_policy(place):
    place.write("policy.c", POLICY)
    place.compile("fill", FILL, "-libos", "fs=ext2,buf=./policy.c")
    place.wants("a policy of one's own", ["exo-run", "-m", "32", "./fill"], 0, b"right, asked often\n")
    status, output, _ = place.run("exo-cc", "--describe", "fill", "bare")
    text = output.decode()
    place.tell("describe", status == 0 and "fill: posix fs=ext2 buf=policy.c@" in text and "shared segment version" in text and
               "bare: bare " in text, text)


def own_file_systems(place):
    """Several in one program, and init and the shell are linked with all of them."""
    place.write("one.c", little("ones", 0))
    place.write("two.c", little("twos", 1))
    place.compile("both", HELLO, "-libos", "fs=ext2,./one.c,./two.c")
    place.write("other.c", little("ones", 0, "ONES"))
    place.compile("later", HELLO, "-libos", "fs=ext2,./other.c")
    place.wants("an image with two file systems of one's own", ["exo-image", "-o", "both.img", "both", "copy"], 0, b"")
    place.wants("they are mounted and read", ["exo-run", "both.img", "mkdir /1 /2; mount -t ones /1; mount -t twos /2; "
                                              "cat /1/word /2/word; both; mount -t log /3"], 1,
                b"ones\ntwos\nhello\nmount: /3: No such file or directory\n")
    place.refuses("two versions of one in an image", ["exo-image", "-o", "x.img", "both", "later"],
                  "fs=one.c@", "fs=other.c@", "type 0x10000")


def misfits(place):
    """One boot: programs whose libOS is not that of the kernel or of the segment."""
    os.mkdir(f"{place.work}/files")
    place.spoil("hello", "files/kernel", 0, 77)
    place.spoil("hello", "files/segment", 8, 99)
    shutil.copy(f"{place.work}/fill", f"{place.work}/files/fill")
    place.write("one.c", little("ones", 0, "OTHER"))
    place.compile("files/version", HELLO, "-libos", "fs=ext2,./one.c")
    place.wants("an image", ["exo-image", "-o", "all.img", "--files", "files", "hello", "copy", "both"], 0, b"")
    status, output, _ = place.run("exo-run", "all.img", "hello; for p in kernel segment fill version; do /$p; echo status $?; done; exit 3")
    lines = output.decode(errors="replace").splitlines()
    wanted = [["hello"], ["kernel: ", "ABI version 77", "this kernel has version", "posix fs=ext2"], ["status 126"],
              ["segment: ", "(segment version 99)", "theirs is posix fs=ext2"], ["status 126"],
              ["fill: ", "buf=policy.c@", "theirs is posix fs=ext2"], ["status 126"],
              ["version: ", "one.c is another version", "fs=ext2,one.c@", "theirs is posix fs=ext2"], ["status 126"]]
    place.tell("misfits are refused by name", status == 3 and len(lines) == len(wanted) and
               all(word in line for line, words in zip(lines, wanted) for word in words), f"{status} {lines}")


def bad_input(place):
    cc = ["exo-cc", "-o", "x", "hello.c", "-libos"]
    place.write("half.c", POLICY[:POLICY.index("uint32_t buf_policy_victim")])
    place.refuses("unknown variant", [*cc, "buf=lru2"], "there is no buf=lru2", "buf=lru", "files of your own")
    place.refuses("unknown seam", [*cc, "bus=lru"], "no seam bus", "fs buf ")
    place.refuses("bare with fs", [*cc, "bare fs=ext2"], "bare has no seam fs")
    place.refuses("two personalities", [*cc, "posix bare"], "not both")
    place.refuses("two of one kind", [*cc, "vm=demand,eager"], "cannot be in one program")
    place.refuses("half a policy", [*cc, "buf=./half.c"], "seam buf", "half.c", "buf_policy_victim")
    place.refuses("a file system that registers nothing", [*cc, "fs=ext2,./policy.c"], "seam fs", "policy.c", "FS_VARIANT", "fs_variants")
    for seam, word in (("order", "order_next"), ("vm", "vm_policy_touch"), ("sched", "sched_")):
        place.write("empty.c", "int nothing;\n")
        place.refuses(f"an empty {seam}", [*cc, f"{seam}=./empty.c"], f"seam {seam}", "empty.c", "does not define", word)
    place.write("lacks.c", little("ones", 0).replace(".sync = op_sync, ", "").replace(".readlink = op_readlink, ", ""))
    place.refuses("a file system without two operations", [*cc, "fs=ext2,./lacks.c"], "lacks.c", "'ones' lack: sync, readlink")
    place.write("low.c", little("ones", -65535))
    place.refuses("a file system of another's type", [*cc, "fs=./low.c"], "low.c", "type 1", "FS_TYPE_USER")
    place.write("same.c", little("more", 0))
    place.refuses("two of one type", [*cc, "fs=./one.c,./same.c"], "fs=./one.c and fs=./same.c", "type 0x10000")
    place.write("same.c", little("ext2", 5))
    place.refuses("two of one name", [*cc, "fs=ext2,./same.c"], "fs=ext2 and fs=./same.c", "name 'ext2'")
    place.refuses("no such variant's file", [*cc, "buf=./none.c"], "no such file", "none.c")
    place.refuses("shared library", ["exo-cc", "-shared", "hello.c"], "no shared libraries")
    place.refuses("a library of the host", ["exo-cc", "-o", "x", "hello.c", "-lresolv"], "cannot find -lresolv")
    place.refuses("undefined function", ["exo-cc", "-o", "x", "fill.c"], "asked")
    place.refuses("a program of the host", ["exo-run", "/bin/true"], "not a program for Freehold")
    place.refuses("no program", ["exo-run", "./none"], "none: No such file")
    place.refuses("programs that disagree", ["exo-image", "-o", "x.img", "hello", "fill"], "agree on buf", "buf=lru", "buf=policy.c@")
    shutil.copy(f"{place.work}/hello", f"{place.work}/sh")
    place.refuses("a program called sh", ["exo-run", "./sh"], "the shell's place")
    place.refuses("wrong emulator", ["exo-run", "--emulator", "pcem", "./hello"], "pcem")


def in_tree(place):
    """The same of make: app.mk and the command line take files too."""
    def make(*words):
        done = subprocess.run(["make", "-n", "--no-print-directory", f"O={O}", *words], cwd=TREE, stdin=subprocess.DEVNULL,
                              env={"PATH": os.environ["PATH"]}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout.decode(errors="replace")

    policy = f"{place.work}/policy.c"
    status, text = make(f"LIBOS_true=posix,buf={policy}", "V=1", f"{O}/apps/bin/true")
    place.tell("make: a file of one's own", status == 0 and f"check {O}/libos buf {policy}" in text and "buf=policy.c@" in text, text)
    status, text = make("SEAMS=buf=nothere", "all")
    place.tell("make: unknown variant", status == 2 and "there is no buf=nothere" in text and "buf=lru" in text, text)
    status, text = make("LIBOS_true=posix buf=./none.c", "all")
    place.tell("make: no such file", status == 2 and "true: buf=./none.c: there is no such file" in text, text)
    status, text = make("LIBOS_true=bare fs=ext2", "all")
    place.tell("make: bare with fs", status == 2 and "LIBOS has 'fs=ext2'; seams of bare are: " in text, text)


def main():
    with tempfile.TemporaryDirectory(prefix="sdk-test-") as work:
        place = Place(work)
        for test in (no_traces, helps, programs, own_policy, own_file_systems, misfits, bad_input, in_tree):
            test(place)
    return 1 if place.bad else 0


sys.exit(main())
