-- What a Lua program asks of a C library and a system; says `lua is right`, or an assertion fails.
assert(#arg == 2 and arg[1] == "one" and arg[2] == "two words")

local t = {}
for i = 1, 1000 do t[i] = (i * 7919) % 1009 end
table.sort(t)
for i = 2, #t do assert(t[i - 1] <= t[i]) end

-- files, and what is wrong with them
local name = os.tmpname()
local f = assert(io.open(name, "w"))
for i = 1, 100 do f:write(i, "\n") end
assert(f:seek("cur") == 292 and f:close())
local sum = 0
for line in io.lines(name) do sum = sum + tonumber(line) end
assert(sum == 5050 and os.rename(name, name .. "x") and os.remove(name .. "x"))
local nothing, why, number = io.open(name)
assert(nothing == nil and why:find("No such file") and number == 2)

-- time
assert(os.time{year = 2026, month = 1, day = 1, hour = 12} == 1767268800)
assert(os.date("!%Y-%m-%d %H:%M:%S", 86399) == "1970-01-01 23:59:59" and os.clock() >= 0)

-- numbers and text
assert(string.format("%5.2f|%g|%a|%q|%x", math.pi, 1e300, 1.0, "a\nb", 255) == ' 3.14|1e+300|0x1p+0|"a\\\nb"|ff')
assert(tonumber("0x1p4") == 16 and 7 // -2 == -4 and 2 ^ 53 == 9007199254740992 and math.maxinteger + 1 == math.mininteger)
assert(("hello world"):gsub("o", "0") == "hell0 w0rld" and ("äö"):len() == 4 and utf8.len("äö") == 2)
assert(string.unpack("<i4", string.pack("<i4", -7)) == -7 and ("%d+"):rep(3, ",") == "%d+,%d+,%d+")

-- errors travel by longjmp, through C and through coroutines
local ok, message = pcall(function() error({code = 5}) end)
assert(not ok and message.code == 5)
local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end error("end") end)
assert(co() == 1 and co() == 2 and co() == 3 and not pcall(co))
assert(select(2, pcall(string.rep, "x", -1)) == "" and not pcall(string.rep, "x", 1 << 62))

-- other programs
local ended, how, status = os.execute("exit 3")
assert(ended == nil and how == "exit" and status == 3)
local p = assert(io.popen("echo from the shell"))
assert(p:read("a") == "from the shell\n" and p:close())

-- memory
for round = 1, 5 do
	local keep = {}
	for i = 1, 20000 do keep[i] = {i} end
	assert(#keep == 20000)
end
collectgarbage()
assert(collectgarbage("count") < 4096)
print("lua is right")
