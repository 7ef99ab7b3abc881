// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "apply/load_hint.h"

#define LOCKDOWN_FILE	"/sys/kernel/security/lockdown"
#define DISABLED_FILE	"/proc/sys/kernel/modules_disabled"
#define ENFORCE_FILE	"/sys/module/module/parameters/sig_enforce"

#define HOW_TO_SIGN	"make it with ksplice-create --sign-key and --sign-cert, " \
			"with a certificate that is in the kernel's keyrings " \
			"(/proc/keys; mokutil --import adds one)"

const struct load_policy running_policy = {
	.lockdown = LOCKDOWN_FILE,
	.disabled = DISABLED_FILE,
	.enforce = ENFORCE_FILE,
};

/* Does the first line of the file hold @word?  Not if it can't be read. */
static int holds(const char *path, const char *word)
{
	FILE *f = fopen(path, "re");
	char text[128];
	int found;

	if (!f)
		return 0;
	found = fgets(text, sizeof(text), f) && strstr(text, word);
	fclose(f);
	return found;
}

static int is_locked_down(const struct load_policy *policy)
{
	return holds(policy->lockdown, "[integrity]") ||
	       holds(policy->lockdown, "[confidentiality]");
}

/* The kernel wants a signature that it trusts, because of @why. */
static void signature_hint(char *text, size_t size,
			   const struct ks_update_file *file, const char *why)
{
	if (ks_update_file_signed(file))
		snprintf(text, size, "it is signed, but not with a key that this "
			 "kernel trusts, or it was changed since, and %s: "
			 HOW_TO_SIGN, why);
	else
		snprintf(text, size, "it is not signed, and %s: " HOW_TO_SIGN, why);
}

void load_hint(char *text, size_t size, int error,
	       const struct ks_update_file *file, const struct load_policy *policy)
{
	const char *hint = "see dmesg";

	switch (error) {
	case EPERM:
		if (holds(policy->disabled, "1")) {
			hint = "sysctl kernel.modules_disabled=1 forbids all modules "
			       "until the next boot";
			break;
		}
		if (is_locked_down(policy)) {
			signature_hint(text, size, file, "this kernel is locked down "
				       "(" LOCKDOWN_FILE ")");
			return;
		}
		hint = "are you root, with CAP_SYS_MODULE? see dmesg for lockdown "
		       "and for a blacklist";
		break;
	case EKEYREJECTED:
	case ENOKEY:
		/* Not enforced, an unknown key does not matter, a wrong digest does. */
		if (!ks_update_file_signed(file) || holds(policy->enforce, "Y")) {
			signature_hint(text, size, file, "this kernel takes only "
				       "signed modules (module.sig_enforce=1)");
			return;
		}
		/* fall through */
	case EBADMSG:
		hint = "it does not fit its signature: get or make the update again";
		break;
	case ENOEXEC:
		hint = "it is not a module for this kernel, or its signature is "
		       "damaged, or an export is missing; see dmesg";
		break;
	case ENOENT:
		hint = "it needs a symbol that is not there; see dmesg";
		break;
	case EEXIST:
		hint = "a module of that name is loaded";
		break;
	}
	snprintf(text, size, "%s", hint);
}
