# SPDX-License-Identifier: GPL-2.0-or-later
#
# Input: a patched source file in which a line "\001N" follows each change, N
# being the number that the next line has in the unpatched file.  Output: the
# file with "#line N" in its place, so that __LINE__ in unchanged code (as in
# WARN_ON) stays what it was and only changed code differs.
#
# The directive must wait while it would not be one: after a line that ends
# with a backslash, and inside a comment.  The preprocessor skips it together
# with the branch of an #if that it is in; it is given again after each #else
# and #endif.

# Follow one line through strings and comments; sets comment, true when the
# line ends inside one.
function scan(line,    i, n, c, quote)
{
	if (!comment && line !~ /[\/]/)
		return
	n = length(line)
	for (i = 1; i <= n; i++) {
		c = substr(line, i, 1)
		if (comment) {
			if (c == "*" && substr(line, i + 1, 1) == "/") {
				comment = 0
				i++
			}
		} else if (quote != "") {
			if (c == "\\")
				i++
			else if (c == quote)
				quote = ""
		} else if (c == "\"" || c == "'")
			quote = c
		else if (c == "/" && substr(line, i + 1, 1) == "*") {
			comment = 1
			i++
		} else if (c == "/" && substr(line, i + 1, 1) == "/")
			return
	}
}

function flush_directive()
{
	if (wanted && !continued && !comment) {
		print "#line " number
		wanted = 0
	}
}

BEGIN { number = 1 }

/^\001/ {
	number = substr($0, 2) + 0
	changed = wanted = 1
	flush_directive()
	next
}

{
	print
	number++
	scan($0)
	continued = /\\$/
	if (changed && /^[ \t]*#[ \t]*(else|elif|endif)/)
		wanted = 1
	flush_directive()
}
