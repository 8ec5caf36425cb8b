# bash completion for otactl(1). The program itself says what there is, so this never falls behind.
_otactl()
{
    local current=${COMP_WORDS[COMP_CWORD]} noun="" verb="" word
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $word in
        -* | =) ;;
        *)
            if [ -z "$noun" ]; then
                noun=$word
            elif [ -z "$verb" ]; then
                verb=$word
            fi
            ;;
        esac
    done
    local words
    words=$("${COMP_WORDS[0]}" --words 2> /dev/null) || return 0
    COMPREPLY=()
    if [ -z "$noun" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(cut -d' ' -f1 <<< "$words" | sort -u)
            --json --quiet --no-color --cmd= --script= --list --help" -- "$current")
    elif [ -z "$verb" ] && grep -q "^$noun [^-]" <<< "$words"; then
        mapfile -t COMPREPLY < <(compgen -W "$(awk -v noun="$noun" '$1 == noun { print $2 }' \
            <<< "$words")" -- "$current")
    else
        words=$(awk -v noun="$noun" -v verb="$verb" \
            '$1 == noun && ($2 == verb || $2 == "-") { for (i = 3; i <= NF; i++) print $i }' <<< "$words")
        # Whose value this is: "--state OP", or "--state=OP" and "type=OP", which bash has as three words.
        local named=${COMP_WORDS[COMP_CWORD - 1]}
        if [ "$current" = = ]; then
            current=
            named+==
        elif [ "$named" = = ]; then
            named=${COMP_WORDS[COMP_CWORD - 2]}=
        elif [[ $named == --* ]]; then
            named+==
        fi
        local values=""
        [[ $named == *= ]] && values=$(grep -e "^$named." <<< "$words")
        if [ -n "$values" ]; then
            values=${values#*=}
            # Ids, which the server knows.
            [[ $values != *@* ]] || values=$("${COMP_WORDS[0]}" --ids="$values" 2> /dev/null)
            # Of "alarms,li" the last one.
            local before=""
            [[ $current != *,* ]] || before=${current%,*},
            mapfile -t COMPREPLY < <(compgen -P "$before" -W "${values//|/ }" -- "${current##*,}")
            return 0
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(sed 's/=.*/=/' <<< "$words")" -- "$current")
        if [[ $current != -* ]]; then
            local names=()
            for word in "${COMPREPLY[@]}"; do
                [[ $named == *= || $word == -* ]] || names+=("$word")
            done
            mapfile -t COMPREPLY < <(printf '%s\n' "${names[@]}"; compgen -f -- "$current")
            [ -n "${COMPREPLY[0]-}" ] || COMPREPLY=("${COMPREPLY[@]:1}")
        fi
    fi
    [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace 2> /dev/null
    return 0
}
complete -o filenames -F _otactl otactl
