# SPDX-License-Identifier: GPL-2.0-or-later
#
# Types whose objects would be read wrongly by code that was compiled with the
# second of two lists of structures as pahole prints them:
#
#	struct foo {
#		char        bar[24];      /*     8    24 */
#		/* size: 32, cachelines: 1, members: 2 */
#	};
#
# Output: "TYPE\tREASON" a line.  It does no harm when a member gets smaller in
# its place, nor when its name or type changes.

# "int (*show)(struct seq_file *, void *)" -> show, "u8 bar:3" -> bar
function member_name(line)
{
	if (match(line, /\(\*+[A-Za-z0-9_]+/)) {
		line = substr(line, RSTART, RLENGTH)
		gsub(/[(*]/, "", line)
		return line
	}
	sub(/;.*/, "", line)
	sub(/\[.*/, "", line)
	sub(/:[ 0-9]+$/, "", line)
	sub(/[ \t]*__attribute__.*/, "", line)
	sub(/.*[ \t*}]/, "", line)
	return line
}

function put(name, place, size,    id)
{
	# Two anonymous unions can have members of one name.
	while ((side, type, name) in where)
		name = name "'"
	id = side SUBSEP type
	names[id] = names[id] " " name
	where[side, type, name] = place
	width[side, type, name] = size
	taken[side, type, place] = size
}

function compare(type,    list, n, i, name, new, old)
{
	n = split(names[1 SUBSEP type], list, " ")
	for (i = 1; i <= n; i++) {
		name = list[i]
		if (!((2, type, name) in where))
			continue
		old = where[1, type, name]
		new = where[2, type, name]
		if (old != new)
			return "member " name " is at offset " old " in the running kernel, at " new " with the patch"
		if (width[2, type, name] > width[1, type, name])
			return "member " name " has " width[1, type, name] " bytes in the running kernel, " \
				width[2, type, name] " with the patch"
	}
	n = split(names[2 SUBSEP type], list, " ")
	for (i = 1; i <= n; i++) {
		name = list[i]
		new = where[2, type, name]
		if (!((1, type, name) in where) &&
		    (!((1, type, new) in taken) || taken[1, type, new] < width[2, type, name]))
			return "member " name " is not there in the running kernel"
	}
	if (total[1, type] < total[2, type])
		return "it has " total[1, type] " bytes in the running kernel, " total[2, type] " with the patch"
	return ""
}

FNR == 1 { side++ }

/^(struct|union) [A-Za-z0-9_]+ .*\{$/ || /^(struct|union) [A-Za-z0-9_]+ \{$/ {
	type = $1 " " $2
	if ((side, type) in seen)
		type = ""
	else {
		seen[side, type] = 1
		if (side == 1)
			order[++nr_types] = type
	}
	next
}

/^}/ { type = "" }

type != "" && match($0, /\/\* size: [0-9]+/) {
	total[side, type] = substr($0, RSTART + 9, RLENGTH - 9) + 0
	next
}

type != "" && match($0, /;.*\/\* +[0-9]+(: *[0-9]+)? +[0-9]+ \*\/$/) {
	numbers = substr($0, RSTART)
	sub(/^.*\/\* +/, "", numbers)
	sub(/ +\*\/$/, "", numbers)
	size = numbers
	sub(/.* /, "", size)
	sub(/ +[0-9]+$/, "", numbers)
	gsub(/ /, "", numbers)
	name = member_name($0)
	if (name != "")
		put(name, numbers, size + 0)
}

END {
	for (i = 1; i <= nr_types; i++) {
		type = order[i]
		if ((2, type) in seen && (reason = compare(type)) != "")
			print type "\t" reason
	}
}
