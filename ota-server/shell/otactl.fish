# fish completion for otactl(1). The program itself says what there is, so this never falls behind.
function __otactl_candidates
    set -l tokens (commandline -opc)
    set -l current (commandline -ct)
    set -l given
    for token in $tokens[2..-1]
        string match -qr '^(-|=$)' -- $token; or set -a given $token
    end
    set -l lines ($tokens[1] --words 2> /dev/null)
    if test (count $given) -eq 0
        string replace -r ' .*' '' -- $lines | sort -u
        printf '%s\n' --json --quiet --no-color --cmd= --script= --list --help
        return
    end
    # Whose value this is: "--state=OP", "type=OP" or "--state OP".
    set -l named
    set -l before
    if string match -q -- '*=*' $current
        set named (string replace -r '=.*' '=' -- $current)
        set before $named
    else if string match -q -- '--*' $tokens[-1]
        set named $tokens[-1]=
    end
    for line in $lines
        set -l parts (string split ' ' -- $line)
        test $parts[1] = $given[1]; or continue
        if test (count $given) -eq 1 -a $parts[2] != -
            echo $parts[2]
        else if test $parts[2] = - -o $parts[2] = "$given[2]"
            for word in $parts[3..-1]
                if test -n "$named"; and string match -q -- "$named?*" $word
                    set -l values (string split '|' -- (string replace -r '^[^=]*=' '' -- $word))
                    # Ids, which the server knows.
                    if string match -q -- '@*' $values
                        set values ($tokens[1] --ids=(string join '|' -- $values) 2> /dev/null)
                    end
                    # Of "alarms,li" the last one.
                    if string match -q -- '*,*' $current
                        set before (string replace -r '[^,]*$' '' -- $current)
                    end
                    test (count $values) -gt 0; and printf "$before%s\n" $values
                    return
                end
            end
            string replace -r '=.*' '=' -- $parts[3..-1]
        end
    end
    test (count $given) -gt 1; and __fish_complete_path $current
end
complete -c otactl -f -a '(__otactl_candidates)'
