# SPDX-License-Identifier: GPL-2.0-or-later
#
# Who includes what, in a kernel's source tree.  Input: first the names of the
# files, one a line, then the lines that grep finds, "FILE:#include ...".
# Output: "INCLUDED\tFILE" a line.  An include that needs a -I of some Makefile
# is not followed up; INCLUDED is then "*/NAME", for any file that ends so.

# "fs/nfs/../internal.h" -> "fs/internal.h"
function plain(path)
{
	while (sub(/[^\/]+\/\.\.\//, "", path))
		;
	gsub(/\.\//, "", path)
	return path
}

function resolve(file, name, quoted,    i, path)
{
	path = file
	sub(/[^\/]*$/, "", path)
	path = plain(path name)
	if (quoted && path in exists)
		return path
	for (i = 1; i <= nr_folders; i++)
		if (folder[i] name in exists)
			return folder[i] name
	while (sub(/^\.\.?\//, "", name))
		;
	return "*/" name
}

# The order is that of LINUXINCLUDE in the kernel's Makefile.
BEGIN {
	nr_folders = split("arch/x86/include/ arch/x86/include/generated/ include/ arch/x86/include/uapi/ " \
		"arch/x86/include/generated/uapi/ include/uapi/ include/generated/uapi/", folder, " ")
}

!/:/ {
	exists[$0] = 1
	next
}

{
	i = index($0, ":")
	line = substr($0, i + 1)
	# A macro's name: define_trace.h includes its includer again.
	if (match(line, /["<][^">]+[">]/))
		print resolve(substr($0, 1, i - 1), substr(line, RSTART + 1, RLENGTH - 2),
			substr(line, RSTART, 1) == "\"") "\t" substr($0, 1, i - 1)
}
