# fish completion for otactl(1). The program itself says what there is, so this never falls behind.
function __otactl_candidates
    set -l tokens (commandline -opc)
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
    for line in $lines
        set -l parts (string split ' ' -- $line)
        test $parts[1] = $given[1]; or continue
        if test (count $given) -eq 1 -a $parts[2] != -
            echo $parts[2]
        else if test $parts[2] = - -o $parts[2] = "$given[2]"
            printf '%s\n' $parts[3..-1]
        end
    end
    test (count $given) -gt 1; and __fish_complete_path (commandline -ct)
end
complete -c otactl -f -a '(__otactl_candidates)'
