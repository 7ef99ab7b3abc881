# SPDX-License-Identifier: GPL-2.0-or-later
#
# The files that include one of the files in "changed", directly or by way of
# others; the changed ones are among them.  Input: what includes.awk makes, then
# a line without a tab for each changed file.

function add(file)
{
	if (!(file in affected)) {
		affected[file] = 1
		queue[nr_queued++] = file
	}
}

# Everybody who includes it by this name.
function add_users(name,    i)
{
	for (i = first[name]; i; i = next_one[i])
		add(user[i])
}

/\t/ {
	split($0, part, "\t")
	user[++n] = part[2]
	next_one[n] = first[part[1]]
	first[part[1]] = n
	next
}

{ add($0) }

END {
	for (done = 0; done < nr_queued; done++) {
		name = queue[done]
		print name
		add_users(name)
		# fs/nfs/internal.h is also */internal.h and */nfs/internal.h
		for (rest = name; sub(/^[^\/]*\//, "", rest); )
			add_users("*/" rest)
	}
}
