# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest, where test-stages put the modules of tests/stages into /stages: each
# stage by hand, as its README says.

# shellcheck source=tests/vm/cases.sh
. /cases.sh

sys=/sys/kernel/ksplice
stages=/stages
cmdline=$(cat /proc/cmdline)

# must COMMAND...: it succeeds.
must()
{
	out=$("$@" 2>&1) || errors="$errors; $* fails: $out"
}

# ask ID STAGE: done
ask()
{
	must sh -c "echo $2 > $sys/$1/stage"
	expect "error of $1" "$(cat $sys/"$1"/error)" ok
	expect "stage of $1" "$(cat $sys/"$1"/stage)" "$2"
}

# each COMMAND ID HALF TARGET...
each()
{
	command=$1 id=$2 half=$3
	shift 3
	for target; do
		case $command in
		insmod) must insmod "$stages/ksplice_${id}_${target}_$half.ko" ;;
		rmmod) must rmmod "ksplice_${id}_${target}_$half" ;;
		esac
	done
}

# start ID TARGET...: up to stage applied
start()
{
	id=$1
	shift
	must insmod "$stages/ksplice.ko"
	each insmod "$id" old "$@"
	ask "$id" matched
	each insmod "$id" new "$@"
	expect "stage of $id" "$(cat $sys/"$id"/stage)" linked
	ask "$id" applied
	each rmmod "$id" old "$@"
}

# end ID TARGET...: undo it
end()
{
	id=$1
	shift
	ask "$id" reversed
	each rmmod "$id" new "$@"
	must rmmod ksplice
	expect "/proc/cmdline afterwards" "$(cat /proc/cmdline)" "$cmdline"
}

# has ID [TARGET]: test-stages takes away what is not for this kernel.
has()
{
	[ -e "/stages/ksplice_$1_${2-vmlinux}_old.ko" ]
}

if has stage1; then
	start stage1 vmlinux
	expect "the text of the kernel" \
		"$(cat /sys/module/ksplice_stage1_vmlinux_new/parameters/banner)" "$(cat /proc/version)"
	expect "match" "$(cat $sys/stage1/match)" "0 0"
	end stage1 vmlinux
	must insmod "$stages/ksplice.ko"
	each insmod stage1b old vmlinux
	if (echo matched > $sys/stage1b/stage) 2> /dev/null; then
		errors="$errors; another date matches"
	fi
	contains "error" "$(cat $sys/stage1b/error)" "ENOENT"
	contains "error" "$(cat $sys/stage1b/error)" "linux_banner"
	each rmmod stage1b old vmlinux
	each insmod stage1c old stage_dated
	must insmod "$stages/stage_dated.ko"
	contains "the module's text" "$(cat /sys/module/stage_dated/parameters/built)" "built on "
	lacks "the module's text" "$(cat /sys/module/stage_dated/parameters/built)" 1999
	must sh -c "echo matched > $sys/stage1c/stage"
	expect "error" "$(cat $sys/stage1c/error)" ok
	each rmmod stage1c old stage_dated
	must rmmod stage_dated
	must rmmod ksplice
	end_case "stages: 1, dates"
fi

if has stage2; then
	start stage2 vmlinux
	expect "/proc/cmdline" "$(cat /proc/cmdline)" "stage 2"
	contains "match" "$(cat $sys/stage2/match)" "1 42"
	end stage2 vmlinux
	end_case "stages: 2, a function"

	start stage3 vmlinux
	contains "/proc/cmdline" "$(cat /proc/cmdline)" "$cmdline stage 3, "
	processes=$(sed 's/.*stage 3, \([0-9]*\) processes/\1/' /proc/cmdline)
	[ "$processes" -gt 20 ] || errors="$errors; $processes processes"
	end stage3 vmlinux
	end_case "stages: 3, symbols that are not exported"
fi

must insmod /stages/stage_target.ko
lsmod_before=$(lsmod | sed 1d)
expect "/proc/stage before" "$(cat /proc/stage)" "unpatched 14 fpu fault"
start stage4 stage_target
expect "/proc/stage applied" "$(cat /proc/stage)" "patched 14 fpu fault"
echo > /proc/stage
expect "/proc/stage, with the key on" "$(cat /proc/stage)" "patched 49 key fpu fault"
end stage4 stage_target
expect "/proc/stage undone" "$(cat /proc/stage)" "unpatched 49 key fpu fault"
start stage4 stage_target
expect "/proc/stage again" "$(cat /proc/stage)" "patched 49 key fpu fault"
end stage4 stage_target
end_case "stages: 4, tables"

if has stage5; then
	start stage5 vmlinux stage_target
	expect "/proc/cmdline" "$(cat /proc/cmdline)" "stage 2"
	expect "/proc/stage" "$(cat /proc/stage)" "patched 49 key fpu fault"
	expect "targets" "$(paste -s -d ';' $sys/stage5/targets)" "vmlinux new patched;stage_target new patched"
	end stage5 vmlinux stage_target
	expect "/proc/stage undone" "$(cat /proc/stage)" "unpatched 49 key fpu fault"
	end_case "stages: 5, a module together with the kernel"
fi
must rmmod stage_target
lsmod_before=$(lsmod | sed 1d)

# $stages: which of two builds of the core.
stage6()
{
	start stage6 vmlinux
	expect "/proc/cmdline" "$(cat /proc/cmdline)" "stage 6, read 1001"
	expect "/proc/cmdline, again" "$(cat /proc/cmdline)" "stage 6, read 1002"
	end stage6 vmlinux
	start stage6 vmlinux
	expect "/proc/cmdline, anew" "$(cat /proc/cmdline)" "stage 6, read 1001"
	end stage6 vmlinux
}

if has stage6; then
	stage6
	end_case "stages: 6, hooks and shadow data"
	stages=/stages/own
	stage6
	end_case "stages: 6, shadow data of the core"
fi

stages=/stages
if has stage7 stage_late; then
	params=/sys/module/stage_late/parameters
	must insmod "$stages/ksplice.ko"
	each insmod stage7 old stage_late
	must sh -c "echo refuse $stages/helper > $sys/stage7/partial"
	must sh -c "echo matched > $sys/stage7/stage"
	expect "stage of stage7" "$(cat $sys/stage7/stage)" linked
	ask stage7 applied
	expect "targets" "$(cat $sys/stage7/targets)" "stage_late old missing"
	if insmod $stages/own/stage_late.ko 2> /dev/null; then
		errors="$errors; a module with another text is loaded"
	fi
	contains "error" "$(cat $sys/stage7/error)" ENOENT
	expect "targets" "$(cat $sys/stage7/targets)" "stage_late old missing"
	must insmod $stages/stage_late.ko
	expect "targets" "$(cat $sys/stage7/targets)" "stage_late old new late"
	expect "the text at the start" "$(cat $params/at_start)" patched
	expect "the text" "$(cat $params/text)" patched
	if rmmod stage_late 2> /dev/null; then
		errors="$errors; a patched module is unloaded"
	fi
	ask stage7 reversed
	expect "the text, undone" "$(cat $params/text)" unpatched
	each rmmod stage7 new stage_late
	each rmmod stage7 old stage_late
	must rmmod stage_late
	must rmmod ksplice
	end_case "stages: 7, a target that is not loaded yet"
fi
