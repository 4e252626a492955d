# SPDX-License-Identifier: BSD-2-Clause
# bash completion of weir: the binary knows its commands, options and events.

_weir() {
	local word=${COMP_WORDS[COMP_CWORD]} i prefix=
	for ((i = 2; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == -- ]]; then # a command of its own
			command -v _command_offset >/dev/null &&
				_command_offset $((i + 1))
			return
		fi
	done
	if [[ $word == *,* ]]; then # the last of a,b,c
		prefix=${word%,*},
		word=${word##*,}
	fi
	mapfile -t COMPREPLY < <(compgen -P "$prefix" -W "$(
		"${COMP_WORDS[0]}" __complete -- \
			"${COMP_WORDS[@]:0:COMP_CWORD}" "$word" 2>/dev/null
	)" -- "$word")
}
complete -o default -o filenames -F _weir weir
