# SPDX-License-Identifier: GPL-2.0-or-later
#
# List the files of a unified diff: "KIND\tFILE\tOTHER" a line, KIND being one of
# modify, create, delete, rename, binary.  strip is the N of patch -pN.  OTHER is
# the name in the "---" line, for patches where it is the one that exists.

function stripped(name,    i)
{
	sub(/\t.*/, "", name)
	if (name == "/dev/null")
		return name
	for (i = 0; i < strip; i++)
		if (!sub(/^[^\/]*\/+/, "", name))
			break
	return name
}

function file(kind, name, other)
{
	print kind "\t" name "\t" other
	found = 1
}

# Lines of a hunk are text, even when they look like a header: "--- a" is also
# the removal of a line "-- a".
old_left > 0 || new_left > 0 {
	c = substr($0, 1, 1)
	if (c == " " || c == "" || c == "\t") {
		old_left--
		new_left--
	} else if (c == "-")
		old_left--
	else if (c == "+")
		new_left--
	else if (c != "\\")
		old_left = new_left = 0
	if (c == " " || c == "" || c == "\t" || c == "-" || c == "+" || c == "\\")
		next
}

{ sub(/\r$/, "") }

/^@@ -[0-9]+(,[0-9]+)? \+[0-9]+(,[0-9]+)? @@/ {
	split($2, o, ",")
	split($3, n, ",")
	old_left = ($2 ~ /,/) ? o[2] + 0 : 1
	new_left = ($3 ~ /,/) ? n[2] + 0 : 1
	next
}

/^rename from / { file("rename", substr($0, 13), ""); next }
/^copy to / { file("create", substr($0, 9), ""); next }
/^GIT binary patch/ || /^Binary files .* differ$/ { file("binary", git_name, ""); next }
/^diff --git / { git_name = stripped($4); next }

/^--- / { from = stripped(substr($0, 5)); next }

/^\+\+\+ / && from != "" {
	to = stripped(substr($0, 5))
	if (from == "/dev/null")
		file("create", to, "")
	else if (to == "/dev/null")
		file("delete", from, "")
	else
		file("modify", to, from)
	from = ""
}

END { exit !found }
