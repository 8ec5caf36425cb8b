#compdef otactl
# zsh completion for otactl(1). The program itself says what there is, so this never falls behind.
_otactl()
{
    local noun="" verb="" word line named="" values
    local -a lines parts found
    for word in "${(@)words[2,CURRENT-1]}"; do
        case $word in
        -* | =) ;;
        *)
            if [[ -z $noun ]]; then
                noun=$word
            elif [[ -z $verb ]]; then
                verb=$word
            fi
            ;;
        esac
    done
    # Whose value this is: "--state=OP", "type=OP" or "--state OP".
    if [[ $PREFIX == *=* ]]; then
        named=${PREFIX%%=*}=
    elif [[ $words[CURRENT-1] == --* ]]; then
        named=$words[CURRENT-1]=
    fi
    lines=("${(@f)$("${words[1]}" --words 2> /dev/null)}")
    [[ -n $noun ]] || found=(--json --quiet --no-color --cmd= --script= --list --help)
    for line in "${lines[@]}"; do
        parts=(${=line})
        if [[ -z $noun ]]; then
            found+=($parts[1])
        elif [[ $parts[1] != $noun ]]; then
            continue
        elif [[ -z $verb && $parts[2] != - ]]; then
            found+=($parts[2])
        elif [[ $parts[2] == $verb || $parts[2] == - ]]; then
            for word in $parts[3,-1]; do
                if [[ -n $named && $word == $named?* ]]; then
                    values=${word#*=}
                    # Ids, which the server knows.
                    [[ $values != *@* ]] || values=${"$("${words[1]}" --ids="$values" 2> /dev/null)"//$'\n'/|}
                    [[ $PREFIX != *=* ]] || compset -P '*='
                    [[ $PREFIX != *,* ]] || compset -P '*,' # of "alarms,li" the last one
                    compadd -- ${(s:|:)values}
                    return
                elif [[ $PREFIX == -* && $word == -* || $PREFIX != -* && $word != -* ]]; then
                    found+=(${word/=*/=})
                fi
            done
        fi
    done
    if [[ -n $noun && $PREFIX != -* && ( -n $verb || ${#found} == 0 ) ]]; then
        _files
    fi
    ((${#found} == 0)) && return
    compadd -S '' -- ${(u)${(M)found:#*=}}
    compadd -- ${(u)${found:#*=}}
}
# Found in $fpath it is the function itself, else it was sourced.
if [[ ${funcstack[1]-} == _otactl ]]; then
    _otactl "$@"
else
    compdef _otactl otactl
fi
