#!/usr/bin/python3 -B
"""The manifest's compiler: every mistake has its line and its words, and all are told."""

import support as t

# Each: name, text, expected messages as (line, words that must stand in it), all of them in order.
HEAD = "principal p 0x0100000000000000\nextent main owner=p size=rest fs=ext2\nmain main\n"
BAD = [
    ("unknown_word", "frobnicate\n", [(1, "unknown word 'frobnicate'")]),
    ("unknown_word_value", "disk=3M\n", [(1, "unknown word 'disk'")]),
    ("disk_size", "\ndisk 12Q\n", [(2, "'12Q' is not a size")]),
    ("disk_zero", "disk 0\n", [(1, "'0' is not a size")]),
    ("disk_overflow", "disk 99999999999T\n", [(1, "is not a size")]),
    ("disk_granule", "disk 4097\n", [(1, "multiple of 4096")]),
    ("disk_twice", "disk 8M\n# x\ndisk 9M\n", [(3, "'disk' was said before, at line 1")]),
    ("disk_words", "disk\n", [(1, "expected 'disk SIZE'")]),
    ("verbose_word", "verbose maybe\n", [(1, "expected yes or no, not 'maybe'")]),
    ("principal_number", "principal p 12x\n", [(1, "'12x' is not a 64-bit number")]),
    ("principal_overflow", "principal p 0x10000000000000000\n", [(1, "not a 64-bit number")]),
    ("principal_negative", "principal p -1\n", [(1, "'-1' is not a 64-bit number")]),
    ("principal_root", "principal p 0\n", [(1, "principal 0 is the root")]),
    ("principal_hole", "principal p 0x0100000000000001\n", [(1, "zero byte above a nonzero one")]),
    ("principal_twice", "principal p 0x0100000000000000\nprincipal p 0x0200000000000000\n",
     [(2, "principal 'p' was declared before")]),
    ("principal_same_number", "principal p 0x0100000000000000\nprincipal q 0x0100000000000000\n",
     [(2, "principal 'p' has the same number")]),
    ("principal_name", "principal Posix 0x0100000000000000\n", [(1, "may have only a-z")]),
    ("extent_owner_unknown", "extent e owner=nobody size=4M\n", [(1, "no principal 'nobody'")]),
    ("extent_no_owner_no_size", "extent e\n", [(1, "needs owner="), (1, "needs size=")]),
    ("extent_name_long", HEAD + "extent extentname owner=p size=4M\n", [(4, "1 to 7 characters")]),
    ("extent_granule", HEAD + "extent e owner=p size=1000\n", [(4, "multiple of 4096")]),
    ("extent_size_bad", HEAD + "extent e owner=p size=lots\n", [(4, "'lots' is not a size")]),
    ("extent_two_rests", HEAD + "extent e owner=p size=rest\n", [(4, "extent 'main' takes the rest")]),
    ("extent_twice", HEAD + "extent main owner=p size=4M\n", [(4, "extent 'main' was declared before")]),
    ("extent_fs", HEAD + "extent e owner=p size=4M fs=fat\n", [(4, "unknown file system 'fat'")]),
    ("extent_fs_block", HEAD + "extent e owner=p size=4M fs=ext2 block=8192\n",
     [(4, "must be 1024, 2048 or 4096, not '8192'")]),
    ("extent_block_alone", HEAD + "extent e owner=p size=4M block=1024\n", [(4, "say fs=ext2 too")]),
    ("extent_word", HEAD + "extent e owner=p size=4M shiny\n", [(4, "unknown word 'shiny'")]),
    ("main_unknown", "main e\n", [(1, "no extent 'e' is declared above")]),
    ("main_raw", "principal p 0x0100000000000000\nextent e owner=p size=4M\nmain e\n",
     [(3, "say fs=ext2 at line 2")]),
    ("main_missing", "principal p 0x0100000000000000\nprogram /a principal=p\n",
     [(3, "programs need a main file system")]),
    ("program_path", HEAD + "program sh principal=p\n", [(4, "must begin with /")]),
    ("program_path_folder", HEAD + "program /bin/ principal=p\n", [(4, "must begin with / and name")]),
    ("program_path_long", HEAD + "program /" + "a/" * 40 + "sh principal=p\n",
     [(4, "longer than 63 characters")]),
    ("program_name_long", HEAD + "program /" + "a" * 16 + " principal=p\n", [(4, "1 to 15 characters")]),
    ("program_no_principal", HEAD + "program /sh\n", [(4, "needs principal=NAME")]),
    ("program_principal", HEAD + "program /sh principal=q\n", [(4, "no principal 'q'")]),
    ("program_flag", HEAD + "program /sh principal=p konsole\n", [(4, "unknown word 'konsole'")]),
    ("program_word", HEAD + "program /sh principal=p cpus=3\n", [(4, "unknown word 'cpus='")]),
    ("quota_word", HEAD + "program /sh principal=p envs=many\n", [(4, "'many' is not a number or")]),
    ("quota_pages_word", HEAD + "program /sh principal=p pages=7x\n", [(4, "'7x' is not a number, a size")]),
    ("quota_percent_zero", HEAD + "program /sh principal=p pages=0%\n", [(4, "'0%' is not")]),
    ("quota_percent_over", HEAD + "program /sh principal=p pages=101%\n", [(4, "'101%' is not")]),
    ("quota_over", HEAD + "program /sh principal=p envs=1024\n",
     [(4, "envs=1024 is more than there can be: 1023")]),
    ("quota_sum", HEAD + "program /a principal=p slots=200\nprogram /b principal=p slots=57\n",
     [(5, "slots: programs are promised 257 together, but there are 256")]),
    ("quota_sum_percent", HEAD + "program /a principal=p pages=60%\nprogram /b principal=p pages=41%\n",
     [(5, "pages: programs are promised 101% together")]),
    ("env_form", HEAD + "program /sh principal=p env=x\n", [(4, "expected env=NAME:RIGHTS")]),
    ("env_unknown", HEAD + "program /sh principal=p env=x:c\n", [(4, "no program 'x' is declared above")]),
    ("env_rights", HEAD + "program /a principal=p\nprogram /b principal=p env=a:cw\n",
     [(5, "rights are letters of crkv")]),
    ("env_twice", HEAD + "program /a principal=p\nprogram /b principal=p env=a:c env=a:r\n",
     [(5, "env= is given twice")]),
    ("slot_form", HEAD + "program /sh principal=p slot=4\n", [(4, "expected slot=EVERY:FIRST")]),
    ("slot_range", HEAD + "program /sh principal=p slot=4:4\n", [(4, "FIRST below it")]),
    ("slot_quota", HEAD + "program /sh principal=p slot=4:1 slots=63\n",
     [(4, "slot= names 64 slots but slots=63")]),
    ("slot_percent", HEAD + "program /sh principal=p slot=4:1 slots=50%\n", [(4, "must be a number, not %")]),
    ("slot_of_init", HEAD + "program /sh principal=p slot=10:0\n", [(4, "slot 0 is init's")]),
    ("slot_twice", HEAD + "program /a principal=p slot=4:1\nprogram /b principal=p slot=8:5\n",
     [(5, "slot 5 was promised to a program above")]),
    ("extent_form", HEAD + "program /sh principal=p extent=main\n", [(4, "expected extent=NAME:RIGHTS, not")]),
    ("extent_unknown", HEAD + "program /sh principal=p extent=raw:rw\n", [(4, "no extent 'raw'")]),
    ("extent_rights", HEAD + "program /sh principal=p extent=main:rx\n", [(4, "letters of rwga")]),
    ("extent_rights_none", HEAD + "program /sh principal=p extent=main:\n", [(4, "expected extent=NAME:RIGHTS")]),
    ("extent_given_twice", HEAD + "program /sh principal=p extent=main:r extent=main:w\n",
     [(4, "extent 'main' is given twice")]),
    ("args_bare", HEAD + "program /sh principal=p args -c\n",
     [(4, "args needs a text in quotes"), (4, "unknown word '-c'")]),
    ("args_open", HEAD + 'program /sh principal=p args "-c\n', [(4, 'a " has no end')]),
    ("args_quote_open", HEAD + "program /sh principal=p args \"-c 'x\"\n", [(4, "a ' has no end")]),
    ("args_empty", HEAD + "program /sh principal=p args \"''\"\n", [(4, "may not be empty")]),
    ("args_long", HEAD + 'program /sh principal=p args "' + "x" * 127 + '"\n', [(4, "longer than 126 bytes")]),
    ("shell_twice", HEAD + "program /a principal=p shell\nprogram /b principal=p shell\n",
     [(5, "another program is the shell already")]),
    ("programs_many", HEAD + "program /a principal=p slots=0 caps=0 envs=0 extents=0 io=0\n" * 33,
     [(36, "more than 32 programs")]),
    ("words_many", "disk" + " x" * 80 + "\n", [(1, "more than 64 words")]),
    ("nul", "disk 4M\0\n", [(1, "NUL byte")]),
    ("line_joined", HEAD + "program /sh \\\n  principal=p \\\n  konsole\nfrob\n",
     [(4, "unknown word 'konsole'"), (7, "unknown word 'frob'")]),
    ("all_told", "disk 1\nverbose 2\nmain 3\nprincipal 4\n",
     [(1, "multiple"), (2, "yes or no"), (3, "no extent"), (4, "expected 'principal")]),
]

GOOD = [
    ("env_init", HEAD + "program /sh principal=p env=init:r\n"),
    ("empty", ""),
    ("comment_only", "# nothing\n\n   # more\n"),
    ("no_newline_at_end", "disk 8M"),
    ("crlf", "disk 8M\r\nverbose yes\r\n"),
    ("backslash_first", "\n\\\ndisk 8M\n"),
    ("everything", HEAD + "extent e owner=p size=4M clear\nextent f owner=p size=4M fs=ext2 block=1024\n"
     "program /bin/a name=a principal=p pages=16M slots=64 caps=10% envs=0x10 extents=1 io=2 slot=4:1 "
     "args \"-c 'a b' c\" console halt shared wait extent=e:rwga extent=f:r\n"
     "program /bin/b principal=p slot=4:1 shell\n"),
    ("waited_promises_return", HEAD + "program /a principal=p pages=90% wait\nprogram /b principal=p pages=90%\n"),
]


def bad(text, expected):
    file = t.write("bad.manifest", text)
    status, out, errors = t.run("check", file, tool=t.FHIMAGE_ASAN)
    lines = errors.splitlines()
    t.expect(status == 2, f"status {status}, expected 2: {errors}")
    t.expect(out == "", f"printed {out!r}")
    t.expect(len(lines) == len(expected), f"{len(lines)} messages, expected {len(expected)}: {lines}")
    for line, (number, words) in zip(lines, expected):
        start = f"{file}:{number}: "
        t.expect(line.startswith(start) and words in line, f"{line!r} is not {start}…{words}…")


def good(text):
    status, _, errors = t.run("check", t.write("good.manifest", text), tool=t.FHIMAGE_ASAN)
    t.expect(status == 0 and errors == "", f"status {status}: {errors}")


def default():
    good(open(t.DEFAULT_MANIFEST, encoding="utf-8").read())


def example():
    """The full example of the documentation is a good manifest."""
    text = open("doc/manifest.md", encoding="utf-8").read()
    good(text.split("```manifest\n")[1].split("```")[0])


t.main([(f"manifest_{name}", lambda text=text, expected=expected: bad(text, expected))
        for name, text, expected in BAD] +
       [(f"manifest_good_{name}", lambda text=text: good(text)) for name, text in GOOD] +
       [("manifest_default", default), ("manifest_example", example)])
