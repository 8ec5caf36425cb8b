#compdef otactl
# zsh completion for otactl(1). The program itself says what there is, so this never falls behind.
_otactl()
{
    local noun="" verb="" word line
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
        elif [[ $PREFIX == -* && ($parts[2] == $verb || $parts[2] == -) ]]; then
            found+=($parts[3,-1])
        fi
    done
    if ((${#found} == 0)); then
        _files
        return
    fi
    compadd -S '' -- ${(u)${(M)found:#*=}}
    compadd -- ${(u)${found:#*=}}
}
# Found in $fpath it is the function itself, else it was sourced.
if [[ ${funcstack[1]-} == _otactl ]]; then
    _otactl "$@"
else
    compdef _otactl otactl
fi
