# Completion of kho-console in fish, as `kho-console completion fish` prints it.

# Whether the words so far lead to the verb $argv[1], and to argument $argv[2] of it if that is set.
function __kho_console_at
    set -l path
    set -l at 0
    set -l value
    for word in (commandline -opc)[2..-1]
        if set -q value[1]
            set -e value[1]
            continue
        end
        switch "$path:$word"
            case '*:--source' '*:--theme' '*:--interval' '/preserved:--filter' '*:--keymap' '*:--log' '/preserved:--side'
                set value $word
            case '*:-*'
            case ':demo' ':status' ':scratch' ':blobs' ':preserved' ':sessions' ':crash' ':tree' ':doctor' ':config' '/config:show' '/config:path' '/config:check' '/config:keys' ':completion' ':man'
                set path "$path/$word"
                set at 0
            case '*'
                set at (math $at + 1)
        end
    end
    test "$path" = "$argv[1]"; and begin
        not set -q argv[2]; or test $at -eq $argv[2]
    end
end

complete -c kho-console -f
complete -c kho-console -s h -d 'show this help message and exit'
complete -c kho-console -l help -d 'show this help message and exit'
complete -c kho-console -l version -d 'show program\'s version number and exit'
complete -c kho-console -l source -x -a '(kho-console completion sources; __fish_complete_directories)' -d 'this machine, a fixture folder, or a shipped recording such as linux-7.3.4/ready'
complete -c kho-console -l theme -x -a 'dark light high-contrast' -d 'the colours of the screen'
complete -c kho-console -l mono -d 'no colour at all'
complete -c kho-console -l no-mono -d 'no colour at all'
complete -c kho-console -l ascii -d 'draw with ASCII characters only'
complete -c kho-console -l no-ascii -d 'draw with ASCII characters only'
complete -c kho-console -l mouse -d 'let the terminal report the mouse'
complete -c kho-console -l no-mouse -d 'let the terminal report the mouse'
complete -c kho-console -l plain -d 'talk line by line in place of a screen, for serial lines and braille'
complete -c kho-console -l no-plain -d 'talk line by line in place of a screen, for serial lines and braille'
complete -c kho-console -l interval -x -d 'time between two looks at a live machine'
complete -c kho-console -l keymap -x -a 'default vi' -d 'which keys there are: vi adds those of vi to the usual ones'
complete -c kho-console -l log -r -F -d 'keep a log in this file'
complete -c kho-console -l debug -d 'log details too; without a file named, in the state folder of the user'
complete -c kho-console -l no-debug -d 'log details too; without a file named, in the state folder of the user'
complete -c kho-console -l no-config -d 'leave the files of settings alone'
complete -c kho-console -n '__kho_console_at "" 0' -a demo -d 'the terminal UI on a recording of a real kernel'
complete -c kho-console -n '__kho_console_at "" 0' -a status -d 'would the next reboot hand over, and what; with findings'
complete -c kho-console -n '__kho_console_at "" 0' -a scratch -d 'the scratch areas that the next kernel boots in'
complete -c kho-console -n '__kho_console_at "" 0' -a blobs -d 'what producers hand over, on both sides'
complete -c kho-console -n '__kho_console_at "" 0' -a preserved -d 'preserved memory and whose it is'
complete -c kho-console -n '__kho_console_at "" 0' -a sessions -d 'live-update sessions and who holds them'
complete -c kho-console -n '__kho_console_at "" 0' -a crash -d 'the crash image, as sysfs and iomem tell it'
complete -c kho-console -n '__kho_console_at "" 0' -a tree -d 'a root tree, or a blob that is a tree, as device tree source'
complete -c kho-console -n '__kho_console_at "" 0' -a doctor -d 'what can and cannot be seen here, and what would fix it'
complete -c kho-console -n '__kho_console_at "" 0' -a config -d 'the settings: what they are, where each one comes from'
complete -c kho-console -n '__kho_console_at "" 0' -a completion -d 'a script that completes this command line in a shell'
complete -c kho-console -n '__kho_console_at "" 0' -a man -d 'the manual'
complete -c kho-console -n '__kho_console_at "/status"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/scratch"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/blobs"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/preserved"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/preserved"' -l side -x -a 'out in' -d 'which side (default: out)'
complete -c kho-console -n '__kho_console_at "/preserved"' -l extents -d 'cut ranges where the owner changes'
complete -c kho-console -n '__kho_console_at "/preserved"' -l filter -x -d 'only the extents that fit all of these words: owner:memfd size:>64k order:0-3 address:0x1000-0x2000 node:0 WORD; !WORD for those that do not'
complete -c kho-console -n '__kho_console_at "/preserved"' -l residue -d 'with --side in: what is left of the map that the kernel released, unreliable'
complete -c kho-console -n '__kho_console_at "/sessions"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/crash"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/tree"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/tree"' -l raw -d 'print the bytes, of any blob'
complete -c kho-console -n '__kho_console_at "/tree" 0' -x -a 'out in'
complete -c kho-console -n '__kho_console_at "/doctor"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/config" 0' -a show -d 'every setting and its value'
complete -c kho-console -n '__kho_console_at "/config" 0' -a path -d 'the files of settings, the last one going first'
complete -c kho-console -n '__kho_console_at "/config" 0' -a check -d 'whether the settings hold, those of [keys] too'
complete -c kho-console -n '__kho_console_at "/config" 0' -a keys -d 'every command with its id, its keys and its screens'
complete -c kho-console -n '__kho_console_at "/config/show"' -l origin -d 'where each one comes from, too'
complete -c kho-console -n '__kho_console_at "/config/show"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/config/check" 0' -r -F
complete -c kho-console -n '__kho_console_at "/completion" 0' -x -a 'bash zsh fish sources'
complete -c kho-console -n '__kho_console_at "/man" 0' -x -a 'config'
